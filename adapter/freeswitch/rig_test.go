package freeswitch_test

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapter/freeswitch"
	"parley/adapter/seal"
	"parley/engine"
	"parley/engine/native"
	"parley/esl/esltest"
	"parley/internal/tick"
	"parley/sound"
)

// Times of the rig.
const (
	tokenTime    = 30 * time.Second
	reattachTime = 30 * time.Second
	byeTime      = 40 * time.Millisecond // from our hanging up to the end of the switch's bridge
)

// rig is an adapter between real rooms and FreeSWITCHes of our own making, in a
// bubble where time costs nothing.
type rig struct {
	*testing.T
	exchange *engine.Exchange
	adapter  *freeswitch.Adapter
	mixer    *native.Switch
	tickets  tickets
	lines    *pipes
	events   chan engine.Event
	log      *journal
	stop     context.CancelFunc
	served   chan error
	key      *seal.Key // of this Parley, and of the one before
}

// inBubble runs a test with a rig of its own.
func inBubble(t *testing.T, test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{
			T: t, lines: newPipes(), events: make(chan engine.Event, 1<<14), log: &journal{}, served: make(chan error, 1),
		}
		r.tickets = tickets{rig: r, waiting: map[string]*ticket{}}
		pool := tick.New(tick.Options{Plain: true, Workers: 1})
		defer pool.Close()
		var err error
		if r.key, err = seal.Load(t.TempDir()); err != nil {
			t.Fatal(err)
		}
		if r.mixer, err = native.New(native.Options{Clock: pool, Sounds: hush{}, MaxLoad: 100}); err != nil {
			t.Fatal(err)
		}
		defer r.mixer.Close()
		r.exchange, err = engine.New(engine.Options{
			Directory: directory(), Bridges: r.bridgeAt, Observer: func(e engine.Event) { r.events <- e },
		})
		if err != nil {
			t.Fatal(err)
		}
		r.adapter = freeswitch.New(freeswitch.Options{
			Exchange: r.exchange, Ticket: r.tickets.issue, DialString: "sofia/{profile}/{token}@{address}",
			Address: "192.0.2.1:5070", Token: tokenTime, Reattach: seal.Reattach{Key: r.key, Window: reattachTime},
			Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		ctx, stop := context.WithCancel(t.Context())
		r.stop = stop
		go func() { r.served <- r.adapter.Serve(ctx, r.lines) }()
		defer r.end()
		test(r)
	})
}

// end closes everything; what is left would be a leak, which the bubble tells.
func (r *rig) end() {
	r.stop()
	if err := <-r.served; err != nil {
		r.Errorf("Serve: %v", err)
	}
	if err := r.exchange.Close(context.WithoutCancel(r.Context())); err != nil {
		r.Error(err)
	}
	if r.Failed() {
		r.Logf("log:\n%s", r.log)
	}
}

// bridgeAt makes a room where it is to be mixed.
func (r *rig) bridgeAt(at engine.Place, room engine.RoomName, run engine.InstanceID, s engine.Sink) (engine.Bridge, error) {
	if at.Native() {
		return r.mixer.Bridge(at, room, run, s)
	}
	return r.adapter.Bridge(at, room, run, s)
}

// call is a new call in our line of a dialplan.
func (r *rig) call(o esltest.CallOptions) *esltest.Call { return r.callOver(r.lines.connect(), o) }

func (r *rig) callOver(nc net.Conn, o esltest.CallOptions) *esltest.Call {
	if o.UUID == "" {
		o.UUID = "11111111-1111-4111-8111-111111111111"
	}
	return esltest.NewCall(r, nc, o)
}

// vars makes the channel variables of a call to a room.
func vars(room string, more ...string) map[string]string {
	m := map[string]string{"parley_room": room, "sofia_profile_name": "internal"}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// bridge waits until the switch bridges a call, and returns the token it dials.
func (r *rig) bridge(c *esltest.Call) (app esltest.App, token string) {
	r.Helper()
	limit := time.After(time.Minute)
	for app.Name != "bridge" {
		select {
		case app = <-c.Apps():
		case <-limit:
			r.Fatalf("no bridge; log:\n%s", r.log)
		}
	}
	_, rest, _ := strings.Cut(app.Arg, "sofia/internal/")
	token, _, ok := strings.Cut(rest, "@192.0.2.1:5070")
	if !ok || !strings.HasPrefix(token, "~") {
		r.Fatalf("bridge(%s)", app.Arg)
	}
	return app, token
}

// answer has the switch's call reach us, and be answered.
func (r *rig) answer(c *esltest.Call) *media {
	r.Helper()
	_, token := r.bridge(c)
	m, err := r.tickets.claim(c, token)
	if err != nil {
		r.Fatal(err)
	}
	c.Answer()
	return m
}

// join brings a call into its room.
func (r *rig) join(o esltest.CallOptions) (*esltest.Call, *media) {
	r.Helper()
	c := r.call(o)
	m := r.answer(c)
	r.await(engine.EventJoined)
	return c, m
}

// await waits for an event.
func (r *rig) await(want engine.EventType) engine.Event {
	r.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case e := <-r.events:
			if e.Type == want {
				return e
			}
		case <-limit:
			r.Fatalf("no %s", want)
		}
	}
}

// ended waits until a call has left our line.
func (r *rig) ended(c *esltest.Call) esltest.Ending {
	r.Helper()
	select {
	case e := <-c.Ended():
		return e
	case <-time.After(2 * time.Minute):
		r.Fatal("the call did not leave")
		return esltest.Ending{}
	}
}

// continued waits until a call goes on in its dialplan, as it should: with
// these results, its own variables, and nothing of ours running.
func (r *rig) continued(c *esltest.Call, before, results map[string]string) {
	r.Helper()
	e := r.ended(c)
	if e.HungUp || e.Moved || e.Broken != "" || e.Stuck != "" || e.Because != nil {
		r.Errorf("the call left with %+v", e)
	}
	r.variables(e, before, results)
}

// variables checks all variables of a call that is over: those it had, apart
// from results, and the results, which are unset where they are empty.
func (r *rig) variables(e esltest.Ending, before, results map[string]string) {
	r.Helper()
	want := map[string]string{}
	maps.Copy(want, before)
	for _, v := range (engine.Outcome{}).Variables() {
		delete(want, "parley_"+v.Name)
		if value := results[v.Name]; value != "" {
			want["parley_"+v.Name] = value
		}
	}
	for name, value := range want {
		if e.Vars[name] != value {
			r.Errorf("%s=%q, want %q", name, e.Vars[name], value)
		}
	}
	for name, value := range e.Vars {
		if _, ok := want[name]; !ok {
			r.Errorf("%s=%q is left", name, value)
		}
	}
}

// directory has a room for each rule.
func directory() *engine.Directory {
	d := engine.NewDirectory()
	add := func(room, name string, edit func(*engine.Profile)) {
		p := engine.DefaultProfile()
		p.Name, p.Member.Terminator, p.Moderator.Terminator = name, "#", "#"
		edit(&p)
		d.Profiles[name] = &p
		d.Rooms[engine.RoomName(room)] = &engine.RoomEntry{Profile: name}
	}
	add("3000", "default", func(*engine.Profile) {})
	add("3101", "pin", func(p *engine.Profile) { p.Member.PINs = []engine.PIN{engine.NewPIN("4711")} })
	add("3102", "one", func(p *engine.Profile) { p.MaxParticipants = 1 })
	add("3103", "strict", func(p *engine.Profile) {
		p.Member.PINs, p.OnPINFailure = []engine.PIN{engine.NewPIN("4711")}, engine.RefusalHangup
	})
	for _, room := range []string{"4000", "4001", "4101", "4102", "4003"} {
		add(room, "switch"+room, onTheSwitch(room))
	}
	return d
}

// hush plays 40 ms of silence for every sound.
type hush struct{}

func (hush) Load(string, string) (*sound.Clip, error) {
	return sound.FromPCM(make([]int16, 320), 8000), nil
}
