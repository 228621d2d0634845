package freeswitch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapter/freeswitch"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
	"parley/esl/esltest"
	"parley/internal/tick"
	"parley/sound"
)

// Times of the rig.
const (
	tokenTime = 30 * time.Second
	byeTime   = 40 * time.Millisecond // from our hanging up to the end of the switch's bridge
)

// rig is an adapter between real rooms and FreeSWITCHes of our own making, in a
// bubble where time costs nothing.
type rig struct {
	*testing.T
	exchange *engine.Exchange
	mixer    *native.Switch
	tickets  tickets
	lines    *pipes
	events   chan engine.Event
	log      *journal
	stop     context.CancelFunc
	served   chan error
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
		if r.mixer, err = native.New(native.Options{Clock: pool, Sounds: hush{}}); err != nil {
			t.Fatal(err)
		}
		defer r.mixer.Close()
		r.exchange, err = engine.New(engine.Options{
			Directory: directory(), Bridges: r.mixer.Bridge, Observer: func(e engine.Event) { r.events <- e },
		})
		if err != nil {
			t.Fatal(err)
		}
		a := freeswitch.New(freeswitch.Options{
			Exchange: r.exchange, Ticket: r.tickets.issue, DialString: "sofia/{profile}/{token}@{address}",
			Address: "192.0.2.1:5070", Token: tokenTime,
			Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		ctx, stop := context.WithCancel(t.Context())
		r.stop = stop
		go func() { r.served <- a.Serve(ctx, r.lines) }()
		test(r)
		stop()
		if err := <-r.served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := r.exchange.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
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
	for name, value := range before {
		want[name] = value
	}
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
	return d
}

// hush plays 40 ms of silence for every sound.
type hush struct{}

func (hush) Load(string, string) (*sound.Clip, error) {
	return sound.FromPCM(make([]int16, 320), 8000), nil
}

// tickets stands for our SIP endpoint: it gives out tokens, each good for one
// call.
type tickets struct {
	rig     *rig
	mu      sync.Mutex
	waiting map[string]*ticket // guarded by mu
	count   int                // guarded by mu
}

type ticket struct {
	all   *tickets
	token string
	id    engine.LegID
	came  chan freeswitch.Media // capacity 1
}

var errUnclaimed = errors.New("nobody brought the token")

func (t *tickets) issue(id engine.LegID) freeswitch.Ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	one := &ticket{all: t, token: fmt.Sprintf("~token%d", t.count), id: id, came: make(chan freeswitch.Media, 1)}
	t.waiting[one.token] = one
	return one
}

// claim is a call of the switch that brings a token; a used one is refused.
func (t *tickets) claim(c *esltest.Call, token string) (*media, error) {
	t.mu.Lock()
	one := t.waiting[token]
	delete(t.waiting, token)
	t.mu.Unlock()
	if one == nil {
		return nil, errUnclaimed
	}
	m := &media{line: &line{}, call: c, done: make(chan struct{})}
	var err error
	if m.Leg, err = t.rig.mixer.NewLeg(one.id, m.line, codec.PCMU()); err != nil {
		return nil, err
	}
	m.Leg.SetMediaLost(0)
	one.came <- m
	return m, nil
}

// open is how many tokens could still be used.
func (t *tickets) open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting)
}

func (t *ticket) Token() string { return t.token }

func (t *ticket) Wait(ctx context.Context) (freeswitch.Media, error) {
	select {
	case m := <-t.came:
		return m, nil
	case <-ctx.Done():
		t.Drop()
		return nil, errUnclaimed
	}
}

func (t *ticket) Drop() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	delete(t.all.waiting, t.token)
}

// media is the switch's call to our SIP endpoint, as both ends see it.
type media struct {
	*native.Leg
	*line
	call *esltest.Call
	once sync.Once
	done chan struct{}
}

func (m *media) Done() <-chan struct{} { return m.done }

func (m *media) Close() error { return m.Leg.Close() }

// end is the end of the SIP call.
func (m *media) end() (first bool) {
	m.once.Do(func() {
		first = true
		close(m.done)
		_ = m.Leg.Close()
	})
	return first
}

// HangUp is our hanging up: the bridge at the switch ends a little later.
func (m *media) HangUp() {
	if m.end() {
		time.AfterFunc(byeTime, func() { m.call.Finish(nil) })
	}
}

// hangUp is the caller's hanging up at the switch: both its sides end.
func (m *media) hangUp() {
	m.call.Hangup("NORMAL_CLEARING")
	m.end()
}

// line is audio in memory: silence, and keys.
type line struct {
	mu   sync.Mutex
	keys []byte // guarded by mu
}

func (l *line) press(keys string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys = append(l.keys, keys...)
}

func (l *line) Digit() (byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.keys) == 0 {
		return 0, false
	}
	d := l.keys[0]
	l.keys = l.keys[1:]
	return d, true
}

func (*line) Drain(int64)               {}
func (*line) Take([]byte) (int, bool)   { return 0, false }
func (*line) Send([]byte, uint32, bool) {}
func (*line) LastArrival() int64        { return 0 }
func (*line) Report(int64)              {}
func (*line) Close() error              { return nil }

// journal is a log.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8084} }

// connect is a new connection to the listener, from the switch's side.
func (p *pipes) connect() net.Conn {
	near, far := net.Pipe()
	p.conns <- near
	return far
}
