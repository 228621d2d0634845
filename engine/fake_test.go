package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// phone is a leg whose caller is played by the test. Prompts end at once
// unless it listens to them.
type phone struct {
	id       LegID
	sink     Sink
	released chan Outcome

	mu     sync.Mutex
	heard  []string // guarded by mu: items played, loops with a * before them
	attent bool     // guarded by mu: prompts last until they are stopped
	prompt OpID     // guarded by mu
	record OpID     // guarded by mu
	keys   string   // guarded by mu: pressed towards him
	decks  decks
}

func newPhone(id string) *phone { return &phone{id: LegID(id), released: make(chan Outcome, 4)} }

func (p *phone) ID() LegID { return p.id }

func (p *phone) Play(op OpID, m Media) {
	p.mu.Lock()
	for _, i := range m.Items {
		if m.Loop {
			i = "*" + i
		}
		p.heard = append(p.heard, i)
	}
	p.prompt = op
	wait := m.Loop || p.attent
	p.mu.Unlock()
	p.decks.begin(op)
	if !wait {
		p.sink.Post(PromptDone{Leg: p.id, Op: op})
	}
}

func (p *phone) StopPlay() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prompt = 0
	p.heard = append(p.heard, "-")
}

func (p *phone) Record(op OpID, _ time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record = op
}

func (p *phone) StopRecord() {
	p.mu.Lock()
	op := p.record
	p.mu.Unlock()
	p.sink.Post(Recorded{Leg: p.id, Op: op, OK: true})
}

func (p *phone) Release(o Outcome) { p.released <- o }

func (p *phone) press(digits string) {
	for i := range len(digits) {
		p.sink.Post(Digit{Leg: p.id, Digit: digits[i]})
	}
}

func (p *phone) listen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attent = true
}

// sounds returns what was heard since the last call, silence marks left out.
func (p *phone) sounds() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := slices.DeleteFunc(p.heard, func(s string) bool { return s == "-" })
	p.heard = nil
	return strings.Join(heard, " ")
}

// stage is a bridge that settles each operation at once. It takes only legs
// whose audio is at its place and which are on no other stage.
type stage struct {
	t    testing.TB
	at   Place
	sink Sink

	mu      sync.Mutex
	legs    map[MemberID]Leg         // guarded by mu
	refuse  bool                     // guarded by mu: takes nobody
	dead    bool                     // guarded by mu
	refused []MemberID               // guarded by mu
	slow    bool                     // guarded by mu: settles on letGo
	queue   []Fact                   // guarded by mu: not settled yet
	locks   string                   // guarded by mu: + and - as it was locked
	states  map[MemberID]MemberState // guarded by mu
	played  []string                 // guarded by mu
	sound   Sound                    // guarded by mu: as last tuned
	deaf    []Edge                   // guarded by mu
	treated map[MemberID]Treatment   // guarded by mu
	closed  bool                     // guarded by mu
	stuck   bool                     // guarded by mu: settles nothing
	tapes   map[OpID]Tape            // guarded by mu: recordings that run
	taped   []string                 // guarded by mu: what was recorded to, in order
	noDisk  error                    // guarded by mu: no recording can begin
	jammed  bool                     // guarded by mu: none ends
	noLock  error                    // guarded by mu: it cannot be locked
	away    error                    // guarded by mu: it cannot be reached
	lasting bool                     // guarded by mu: what it plays lasts until it is ended
	decks   decks
}

func (b *stage) post(f Fact) {
	b.mu.Lock()
	stuck := b.stuck || b.slow
	if b.slow {
		b.queue = append(b.queue, f)
	}
	b.mu.Unlock()
	if !stuck {
		b.sink.Post(f)
	}
}

func (b *stage) Admit(op OpID, m MemberID, l Leg, s MemberState) {
	b.mu.Lock()
	no := b.refuse
	if no {
		b.refused = append(b.refused, m)
	} else {
		b.states[m], b.legs[m] = s, l
		if p, ok := l.(*mover); ok {
			p.enter(b)
		} else if !b.at.Native() {
			b.t.Errorf("%s was sent to %s", l.ID(), b.at)
		}
	}
	b.mu.Unlock()
	if no {
		b.post(AdmitFailed{op, m, ReasonMediaLost})
		return
	}
	b.post(Joined{op, m})
}

func (b *stage) Set(op OpID, m MemberID, s MemberState) {
	b.mu.Lock()
	b.states[m] = s
	b.mu.Unlock()
	b.post(Applied{op, m, s, nil})
}

func (b *stage) Remove(op OpID, m MemberID) {
	b.mu.Lock()
	if _, in := b.states[m]; !in && !b.dead && !slices.Contains(b.refused, m) {
		b.t.Errorf("member %d was removed from %s, where he is not", m, b.at)
	}
	b.drop(m)
	b.mu.Unlock()
	b.post(Left{Op: op, Member: m})
}

func (b *stage) Play(op OpID, m Media, _ Audience) {
	b.mu.Lock()
	b.played = append(b.played, m.Items...)
	lasting := b.lasting
	b.mu.Unlock()
	if lasting {
		b.decks.begin(op)
		return
	}
	b.post(Played{Op: op})
}

// drop takes a member off. The caller holds mu.
func (b *stage) drop(m MemberID) {
	if p, ok := b.legs[m].(*mover); ok {
		p.leave(b)
	}
	delete(b.states, m)
	delete(b.legs, m)
}

func (b *stage) Lock(op OpID, on bool) {
	b.mu.Lock()
	b.locks += map[bool]string{true: "+", false: "-"}[on]
	err := b.noLock
	b.mu.Unlock()
	b.sink.Post(Locked{Op: op, On: on == (err == nil), Err: err})
}

// reachable makes the place be there, or with why away.
func (b *stage) reachable(why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = why
}

func (b *stage) Reach(op OpID) {
	b.mu.Lock()
	err := b.away
	b.mu.Unlock()
	b.sink.Post(Reached{op, err})
}

func (b *stage) Tune(s Sound) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sound = s
}

func (b *stage) Relate(op OpID, deaf []Edge) {
	b.mu.Lock()
	b.deaf = deaf
	var err error
	if b.refuse {
		err = ErrCannot
	}
	b.mu.Unlock()
	b.post(Related{Op: op, Err: err})
}

// apart is who does not hear whom.
func (b *stage) apart() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	for _, e := range b.deaf {
		list = append(list, fmt.Sprintf("%d>%d", e.From, e.To))
	}
	return strings.Join(list, " ")
}

func (b *stage) Levels(dst []MemberMedia) []MemberMedia { return dst }

func (b *stage) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		b.t.Errorf("%s was closed twice", b.at)
	}
	b.closed, b.queue = true, nil
}

func (b *stage) state(m MemberID) MemberState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.states[m]
}

func (b *stage) sounds() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := strings.Join(b.played, " ")
	b.played = nil
	return s
}

// theatre is an exchange with what a test wants to look at.
type theatre struct {
	*Exchange
	t testing.TB

	mu     sync.Mutex
	stages map[RoomName]*stage // guarded by mu: the newest of each room
	every  []*stage            // guarded by mu
	slow   *Place              // guarded by mu: new stages there settle nothing at first
	events []Event             // guarded by mu
	noDisk map[Place]error     // set before the first call: no recording can begin there
	broken bool                // guarded by mu: no more bridges
	panics int                 // guarded by mu
	calls  ledger              // of all calls

	way Way // of every call out; set before the first
}

func newTheatre(t testing.TB, d *Directory) *theatre {
	t.Helper()
	th := &theatre{t: t, stages: map[RoomName]*stage{}}
	x, err := New(Options{
		Directory: d, MaxDials: 3,
		Router: func(address string) (Way, error) {
			if th.way == nil || address == "nowhere" {
				return nil, ErrNoRoute
			}
			return th.way, nil
		},
		Bridges: func(at Place, n RoomName, _ InstanceID, sink Sink) (Bridge, error) {
			th.mu.Lock()
			defer th.mu.Unlock()
			if th.broken {
				return nil, errors.New("no place")
			}
			th.stages[n] = &stage{t: t, at: at, sink: sink, states: map[MemberID]MemberState{}, legs: map[MemberID]Leg{}}
			th.stages[n].noDisk = th.noDisk[at]
			th.stages[n].slow = th.slow != nil && *th.slow == at
			th.every = append(th.every, th.stages[n])
			return th.stages[n], nil
		},
		Observer: func(e Event) {
			if th.calls.note(e) {
				return
			}
			th.mu.Lock()
			defer th.mu.Unlock()
			th.events = append(th.events, e)
		},
		Panicked: func(n RoomName, p any) {
			t.Logf("room %s panicked: %v", n, p)
			th.mu.Lock()
			defer th.mu.Unlock()
			th.panics++
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	th.Exchange = x
	return th
}

func (th *theatre) stage(n RoomName) *stage {
	th.mu.Lock()
	defer th.mu.Unlock()
	return th.stages[n]
}

// types returns the event types since the last call.
func (th *theatre) types() string {
	synctest.Wait()
	th.mu.Lock()
	defer th.mu.Unlock()
	var all []string
	for _, e := range th.events {
		all = append(all, string(e.Type))
	}
	th.events = nil
	return strings.Join(all, " ")
}

// call lets a phone arrive with media.
func (th *theatre) call(id, room string, vars map[string]string) *phone {
	p := newPhone(id)
	th.arrive(p, Invite{Room: room, Variables: vars, Source: id, Dialplan: true})
	return p
}

func (th *theatre) arrive(p *phone, in Invite) {
	p.sink = th.Arrive(p, in)
	p.sink.Post(MediaUp{p.id})
}

// bubble runs a test of rooms with its own clock; the exchange must end clean.
func bubble(t *testing.T, edit func(*Profile), test func(*testing.T, *theatre)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := NewDirectory()
		if edit != nil {
			edit(d.Profiles["default"])
		}
		th := newTheatre(t, d)
		test(t, th)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := th.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		th.calls.balance(t)
	})
}

// outcome reads how a call was given back; it fails when it was not.
func outcome(t testing.TB, p *phone) Outcome {
	t.Helper()
	synctest.Wait()
	select {
	case o := <-p.released:
		return o
	default:
		t.Fatalf("%s was not released; heard %q", p.id, p.sounds())
		return Outcome{}
	}
}
