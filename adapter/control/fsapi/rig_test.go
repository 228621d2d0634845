package fsapi

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/esl"
)

// place is a bridge where every wish comes true at once, or when it has been slow.
type place struct {
	sink engine.Sink
	slow time.Duration // to do what Set and Treat ask
	late time.Duration // to let somebody in

	mu      sync.Mutex
	facts   []engine.Fact                          // guarded by mu: of what Set has asked, oldest first
	treated map[engine.MemberID]engine.Treatment   // guarded by mu
	deaf    []engine.Edge                          // guarded by mu
	plays   []string                               // guarded by mu: what the room was played
	states  map[engine.MemberID]engine.MemberState // guarded by mu
	at      engine.Playhead                        // guarded by mu: of whatever plays
	steered []engine.PlayControl                   // guarded by mu
}

func (p *place) Admit(op engine.OpID, m engine.MemberID, _ engine.Leg, s engine.MemberState) {
	p.keep(m, s)
	if p.late > 0 {
		time.AfterFunc(p.late, func() { p.sink.Post(engine.Joined{Op: op, Member: m}) })
		return
	}
	p.sink.Post(engine.Joined{Op: op, Member: m})
}

func (p *place) Set(op engine.OpID, m engine.MemberID, s engine.MemberState) {
	p.keep(m, s)
	p.mu.Lock()
	p.facts = append(p.facts, engine.Applied{Op: op, Member: m, State: s})
	p.mu.Unlock()
	if p.slow > 0 {
		time.AfterFunc(p.slow, p.next)
		return
	}
	p.next()
}

// next posts the oldest fact.
func (p *place) next() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sink.Post(p.facts[0])
	p.facts = p.facts[1:]
}

func (p *place) keep(m engine.MemberID, s engine.MemberState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states[m] = s
}

func (p *place) Remove(op engine.OpID, m engine.MemberID) {
	p.sink.Post(engine.Left{Op: op, Member: m})
}

func (p *place) Play(op engine.OpID, what engine.Media, _ engine.Audience) {
	p.mu.Lock()
	p.plays = append(p.plays, what.Items...)
	p.mu.Unlock()
	time.AfterFunc(time.Second, func() { p.sink.Post(engine.Played{Op: op}) })
}

func (p *place) Treat(op engine.OpID, m engine.MemberID, t engine.Treatment) {
	p.mu.Lock()
	p.treated[m] = t
	s := p.states[m]
	p.mu.Unlock()
	time.AfterFunc(p.slow, func() { p.sink.Post(engine.Applied{Op: op, Member: m, State: s}) })
}

func (p *place) Relate(op engine.OpID, deaf []engine.Edge) {
	p.mu.Lock()
	p.deaf = deaf
	p.mu.Unlock()
	p.sink.Post(engine.Related{Op: op})
}

func (p *place) Levels(dst []engine.MemberMedia) []engine.MemberMedia { return dst }
func (p *place) Close()                                               {}

// phone is a call that hears nothing.
type phone struct {
	id   engine.LegID
	sink engine.Sink
	out  chan engine.Outcome

	mu    sync.Mutex
	heard []string // guarded by mu
	keys  string   // guarded by mu
}

func (p *phone) ID() engine.LegID { return p.id }

func (p *phone) Play(op engine.OpID, what engine.Media) {
	p.mu.Lock()
	p.heard = append(p.heard, what.Items...)
	p.mu.Unlock()
	if !what.Loop {
		time.AfterFunc(time.Second, func() { p.sink.Post(engine.PromptDone{Leg: p.id, Op: op}) })
	}
}

// Press notes the keys that his phone gets.
func (p *phone) Press(digits string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys += digits
	return nil
}

func (p *phone) StopPlay()                         {}
func (p *phone) Record(engine.OpID, time.Duration) {}
func (p *phone) StopRecord()                       {}
func (p *phone) Release(o engine.Outcome)          { p.out <- o }

// rig is an API over an engine of its own.
type rig struct {
	t      *testing.T
	a      *API
	x      *engine.Exchange
	places map[engine.RoomName]*place
	late   time.Duration // of rooms that begin from now on

	mu     sync.Mutex
	told   []*esl.Event     // guarded by mu
	orders []engine.OutCall // guarded by mu
}

// bubble runs a test with its own time and an API.
func bubble(t *testing.T, test func(*rig)) {
	t.Helper()
	ruled(t, nil, test)
}

// ruled runs one in rooms of a profile that the test has changed.
func ruled(t *testing.T, edit func(*engine.Profile), test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, places: map[engine.RoomName]*place{}}
		d := engine.NewDirectory()
		if edit != nil {
			edit(d.Profiles["default"])
		}
		x, err := engine.New(engine.Options{
			Directory: d,
			Bridges: func(_ engine.Place, room engine.RoomName, _ engine.InstanceID, sink engine.Sink) (engine.Bridge, error) {
				p := &place{sink: sink, late: r.late, states: map[engine.MemberID]engine.MemberState{}, treated: map[engine.MemberID]engine.Treatment{}}
				r.places[room] = p
				return p, nil
			},
			Observer: func(e engine.Event) { r.a.Observe(e) },
			Router:   r.route,
		})
		if err != nil {
			t.Fatal(err)
		}
		r.x = x
		r.a = New(Options{Exchange: x, Hostname: "here", Version: "1.2", Fire: r.fire})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.a.Run(ctx) }()
		test(r)
		if err := x.Close(context.Background()); err != nil {
			t.Error(err)
		}
		synctest.Wait() // all has been told
		cancel()
		<-done
		if len(r.a.calls) > 0 {
			t.Errorf("channels of no call: %v", r.a.calls)
		}
	})
}

func (r *rig) fire(name, subclass string, headers esl.Headers, body []byte) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	head := esl.Headers{{Name: "Event-Name", Value: name}, {Name: "Event-Subclass", Value: subclass}}
	r.told = append(r.told, &esl.Event{Headers: append(head, headers...), Body: body})
	return uint64(len(r.told))
}

// wait lets everything come to rest.
func (r *rig) wait() { synctest.Wait() }

// call is a call to a room that is in it when call returns.
func (r *rig) call(room, number string, vars map[string]string) *phone {
	r.t.Helper()
	p := &phone{id: engine.LegID("call-" + number), out: make(chan engine.Outcome, 1)}
	p.sink = r.x.Arrive(p, engine.Invite{
		Room: room, Kind: "sip", Source: "192.0.2.1", Variables: vars, Dialplan: true, Caller: engine.Caller{Number: number, Name: "N" + number},
	})
	p.sink.Post(engine.MediaUp{Leg: p.id})
	time.Sleep(10 * time.Second) // prompts are over
	synctest.Wait()
	return p
}

// route answers at once, and for "busy" is; what was ordered is kept.
func (r *rig) route(address string) (engine.Way, error) {
	if strings.HasPrefix(address, "sofia/gateway/none") || strings.HasPrefix(strings.ToLower(address), "error/") {
		return nil, engine.ErrNoRoute
	}
	return func(_ context.Context, c engine.OutCall) error {
		r.mu.Lock()
		r.orders = append(r.orders, c)
		r.mu.Unlock()
		if address == "busy" {
			return &engine.CallError{Cause: engine.CauseBusy, SIP: 486}
		}
		p := &phone{id: c.Leg, out: make(chan engine.Outcome, 1)}
		c.Invite.Kind, c.Invite.Caller.Number = "sip", address
		p.sink = r.x.Arrive(p, c.Invite)
		p.sink.Post(engine.MediaUp{Leg: p.id})
		return nil
	}, nil
}

// api runs a command.
func (r *rig) api(line string) string {
	r.t.Helper()
	command, arguments, _ := strings.Cut(line, " ")
	out, ok := r.a.Do(r.t.Context(), command, arguments)
	synctest.Wait()
	if !ok {
		return "-ERR " + command + " Command not found!\n"
	}
	return out
}

// says checks what a command prints.
func (r *rig) says(line, want string) {
	r.t.Helper()
	if have := r.api(line); have != want {
		r.t.Errorf("%s:\n%q, want\n%q", line, have, want)
	}
}

// events takes what was told since it was last asked: actions, and the member.
func (r *rig) events() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, e := range r.told {
		text := e.Value("Action")
		if e.Value("Event-Subclass") != subclass {
			continue
		}
		if m := e.Value("Member-ID"); m != "" {
			text += " " + m
		}
		if n := e.Value("New-ID"); n != "" {
			text += " " + e.Value("Old-ID") + ">" + n
		}
		list = append(list, text)
	}
	r.told = nil
	return list
}

// tells checks what has been told.
func (r *rig) tells(want ...string) {
	r.t.Helper()
	if have := r.events(); !slices.Equal(have, want) {
		r.t.Errorf("told %q, want %q", have, want)
	}
}
