package asterisk_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapter/asterisk"
	"parley/adapter/seal"
	"parley/ari/aritest"
	"parley/ari/audiosocket"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
	"parley/internal/audiotest"
	"parley/internal/tick"
)

// soon is how long a test waits for what is to happen.
const soon = 15 * time.Second

// setup is what a test may have otherwise.
type setup struct {
	user, password string
	path           string // of ARI
	advertise      string // in place of the listener's own address
	version        string // of the switch
	legs           int    // at most
	audit          time.Duration
	key            *seal.Key  // who may come back, nil: nobody
	outbound       bool       // the switch connects to us, where before has it do so
	before         func(*rig) // just before the link connects
	ami            asterisk.AMI
}

// rig is a link between real rooms and an Asterisk of our own making.
type rig struct {
	*testing.T
	ast      *aritest.Server
	front    *front
	exchange *engine.Exchange
	mixer    *native.Switch
	sockets  *audiosocket.Listener
	link     *asterisk.Link
	door     *httptest.Server // of an Asterisk that connects to us
	url      string           // of ARI
	events   chan engine.Event
	seen     []engine.Event
	log      *journal
	stop     context.CancelFunc
	stopped  chan error
}

func newRig(t *testing.T, edit func(*setup)) *rig {
	t.Helper()
	t.Parallel()
	s := setup{path: "/ari", user: aritest.User, password: aritest.Password, version: aritest.Version}
	if edit != nil {
		edit(&s)
	}
	r := &rig{
		T: t, ast: aritest.New(t), events: make(chan engine.Event, 1<<14), log: &journal{}, stopped: make(chan error, 1),
	}
	r.ast.Version = s.version
	r.front = newFront(t, r.ast.URL)
	pool := tick.New(tick.Options{Plain: true})
	t.Cleanup(pool.Close)
	var err error
	if r.mixer, err = native.New(native.Options{Clock: pool, Sounds: hush{}, MaxLegs: s.legs, MaxLoad: 100}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.mixer.Close)
	if r.sockets, err = audiosocket.Listen(context.Background(), "127.0.0.1:0", audiosocket.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.sockets.Close() })
	r.exchange, err = engine.New(engine.Options{
		Directory: directory(), Bridges: r.bridge, Observer: func(e engine.Event) { r.events <- e },
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.before != nil {
		s.before(r)
	}
	r.start(s)
	return r
}

// start runs the link until the end of the test, or stop.
func (r *rig) start(s setup) {
	r.Helper()
	if s.advertise == "" {
		s.advertise = r.sockets.Addr().String()
	}
	r.url = r.front.URL + s.path
	var err error
	r.link, err = asterisk.New(r.ways(asterisk.Options{
		Name: "ast1", URL: r.url, User: s.user, Password: s.password, App: aritest.App, Outbound: s.outbound, Door: "ws://parley/ari-in/ast1",
		Exchange: r.exchange, Switch: r.mixer, Sockets: r.sockets, Advertise: s.advertise,
		AMI: s.ami, Reattach: seal.Reattach{Key: s.key, Window: soon}, Audit: s.audit, Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}))
	if err != nil {
		r.Fatal(err)
	}
	r.open()
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.stopped <- r.link.Run(ctx) }()
	r.Cleanup(func() {
		closing, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		if err := r.exchange.Close(closing); err != nil {
			r.Errorf("rooms did not end: %v", err)
		}
		stop()
		if err := <-r.stopped; !errors.Is(err, context.Canceled) {
			r.Errorf("Run: %v", err)
		}
		if r.Failed() {
			r.Logf("log:\n%s", r.log)
		}
	})
}

// ready waits until the link has compared itself with the switch.
func (r *rig) ready() *rig {
	r.Helper()
	r.log.await(r.T, "compared with the switch")
	return r
}

// await waits for an event; one of leg, unless that is "".
func (r *rig) await(want engine.EventType, leg string) engine.Event {
	r.Helper()
	limit := time.After(soon)
	for i := 0; ; i++ {
		for i >= len(r.seen) {
			select {
			case e := <-r.events:
				r.seen = append(r.seen, e)
			case <-limit:
				r.Fatalf("no %s of %q", want, leg)
			}
		}
		if e := r.seen[i]; e.Type == want && (leg == "" || string(e.Leg) == leg) {
			r.seen = slices.Delete(r.seen, i, i+1)
			return e
		}
	}
}

// joined waits until a call is a member.
func (r *rig) joined(c *aritest.Call) {
	r.Helper()
	r.await(engine.EventJoined, c.ID())
}

// exit waits until a call has left the application.
func (r *rig) exit(c *aritest.Call, want aritest.Exit) {
	r.Helper()
	select {
	case got := <-c.Left():
		if got != want {
			r.Errorf("the call left by %+v, want %+v", got, want)
		}
	case <-time.After(soon):
		r.Fatal("the call did not leave")
	}
}

// continued checks that a call was given back with these results.
func (r *rig) continued(c *aritest.Call, want map[string]string) {
	r.Helper()
	r.exit(c, aritest.Exit{How: aritest.Continued})
	r.results(c, want)
}

func (r *rig) results(c *aritest.Call, want map[string]string) {
	r.Helper()
	vars := c.Variables()
	for _, v := range (engine.Outcome{}).Variables() {
		name := "PARLEY_" + strings.ToUpper(v.Name)
		got, ok := vars[name]
		if !ok {
			r.Errorf("%s is not set", name)
		}
		if v.Name == "duration" && want["duration"] == "" && got != "" {
			continue // whole seconds of a test that takes some
		}
		if got != want[v.Name] {
			r.Errorf("%s=%q, want %q", name, got, want[v.Name])
		}
	}
}

// directory has a room for each rule.
func directory() *engine.Directory {
	d := engine.NewDirectory()
	add := func(room, name string, edit func(*engine.Profile)) {
		p := engine.DefaultProfile()
		p.Name, p.Member.Terminator, p.Moderator.Terminator = name, "#", "#"
		p.PINTimeout = 300 * time.Millisecond
		edit(&p)
		d.Profiles[name] = &p
		d.Rooms[engine.RoomName(room)] = &engine.RoomEntry{Profile: name}
	}
	add("3000", "default", func(*engine.Profile) {})
	add("3101", "pin", func(p *engine.Profile) {
		p.Member.PINs, p.Moderator.PINs = []engine.PIN{engine.NewPIN("4711")}, []engine.PIN{engine.NewPIN("98765")}
	})
	add("3102", "one", func(p *engine.Profile) { p.MaxParticipants = 1 })
	for room, edit := range map[string]func(*engine.Profile){
		"3200": func(*engine.Profile) {}, "3201": func(p *engine.Profile) { p.WaitForModerator, p.WaitPrompt, p.MOHSound = true, "", "" },
	} {
		add(room, "at the switch "+room, func(p *engine.Profile) {
			p.Mixer, p.AloneSound, p.EntryTone, p.ExitTone = engine.MixerSwitch, "", "", ""
			p.MutedSound, p.UnmutedSound, p.DeafSound, p.UndeafSound = "", "", "", ""
			edit(p)
		})
	}
	wayRooms(add)
	add("3103", "strict", func(p *engine.Profile) {
		p.Member.PINs, p.OnPINFailure = []engine.PIN{engine.NewPIN("4711")}, engine.RefusalHangup
	})
	return d
}

// journal is a log that can be waited for.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed by the next line; nil: nobody waits
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.more != nil {
		close(j.more)
		j.more = nil
	}
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// count is how often the log holds something.
func (j *journal) count(text string) int { return strings.Count(j.String(), text) }

func (j *journal) await(t *testing.T, text string) { j.awaitTimes(t, text, 1) }

func (j *journal) awaitTimes(t *testing.T, text string, times int) {
	t.Helper()
	limit := time.After(soon)
	for {
		j.mu.Lock()
		if strings.Count(j.text.String(), text) >= times {
			j.mu.Unlock()
			return
		}
		if j.more == nil {
			j.more = make(chan struct{})
		}
		more := j.more
		j.mu.Unlock()
		select {
		case <-more:
		case <-limit:
			t.Fatalf("%q is not in the log", text)
		}
	}
}

// phone is a caller without a switch, in the same rooms.
type phone struct {
	*native.Leg
	*line
	sink     engine.Sink
	released chan engine.Outcome
}

func (p *phone) Release(o engine.Outcome) { p.released <- o }
func (p *phone) Close() error             { return p.Leg.Close() }

// phone calls a room with a tone; 0 is silence.
func (r *rig) phone(room, name string, hz float64) *phone {
	r.Helper()
	l := &line{hz: hz}
	voice, err := r.mixer.NewLeg(engine.LegID(name), l, codec.SLIN(8000))
	if err != nil {
		r.Fatal(err)
	}
	voice.SetMediaLost(0)
	p := &phone{Leg: voice, line: l, released: make(chan engine.Outcome, 1)}
	p.sink = r.exchange.Arrive(p, engine.Invite{Room: room, Kind: "sip"})
	voice.Attach(p.sink)
	p.sink.Post(engine.MediaUp{Leg: voice.ID()})
	r.await(engine.EventJoined, name)
	r.Cleanup(func() {
		p.sink.Post(engine.LegGone{Leg: voice.ID(), Reason: engine.ReasonHangup})
		<-p.released
		_ = voice.Close()
	})
	return p
}

// line is a phone's media in memory.
type line struct {
	hz     float64
	frames int
	due    bool

	mu    sync.Mutex
	heard []int16       // since listen; nil: nobody listens
	want  int           // samples
	full  chan struct{} // closed when they are there
}

func (l *line) Drain(int64) { l.due = true }

func (l *line) Take(dst []byte) (int, bool) {
	if !l.due {
		return 0, false
	}
	l.due = false
	for i, v := range audiotest.Tone(8000, max(l.hz, 1), -20, 160, 2*math.Pi*l.hz/50*float64(l.frames)) {
		if l.hz == 0 {
			v = 0
		}
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(v))
	}
	l.frames++
	return 320, false
}

func (l *line) Send(payload []byte, _ uint32, _ bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full == nil {
		return
	}
	for i := 0; i+1 < len(payload); i += 2 {
		l.heard = append(l.heard, int16(binary.LittleEndian.Uint16(payload[i:])))
	}
	if len(l.heard) >= l.want {
		close(l.full)
		l.full = nil
	}
}

// listen returns what the phone hears from now on.
func (l *line) listen(t *testing.T, d time.Duration) []int16 {
	t.Helper()
	full := make(chan struct{})
	l.mu.Lock()
	l.heard, l.want, l.full = []int16{}, int(d/time.Millisecond)*8, full
	l.mu.Unlock()
	select {
	case <-full:
	case <-time.After(soon):
		t.Fatal("the phone hears nothing")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}

func (*line) Digit() (byte, bool) { return 0, false }
func (*line) LastArrival() int64  { return 0 }
func (*line) Report(int64)        {}
func (*line) Close() error        { return nil }

// wide fills a frame of 20 ms at 16 kHz.
func (l *line) wide(frame []byte) {
	for i, v := range audiotest.Tone(16000, l.hz, -20, 320, 2*math.Pi*l.hz/50*float64(l.frames)) {
		binary.LittleEndian.PutUint16(frame[2*i:], uint16(v))
	}
	l.frames++
}
