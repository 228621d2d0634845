package phone_test

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/adapter/phone"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
	"parley/internal/audiotest"
	"parley/internal/tick"
	"parley/rtp"
	"parley/sip"
	"parley/sip/siptest"
	"parley/sound"
)

// patience is how long anything may take on a machine that is busy.
const patience = 20 * time.Second

// stranger is a loopback address that is not trusted.
const stranger = "127.0.0.2"

// office is everything that takes calls by SIP: engine, switch and endpoint.
type office struct {
	*engine.Exchange
	*phone.Phones
	sw   *native.Switch
	end  *sip.Endpoint
	auth *sip.Auth // for calls that we make

	mu     sync.Mutex
	events []engine.Event // guarded by mu
	news   chan struct{}  // guarded by mu; closed at the next event
}

// settings of an office, beside the defaults of a test.
type settings struct {
	lost     time.Duration // without media; 0 = never
	unheard  time.Duration // until a call that sends nothing is told of
	log      io.Writer     // nil = nobody reads it
	ports    [2]uint16     // of RTP; zero is a wide range
	profiles []engine.Profile
	noLevels bool // in RTP headers
}

// plain is a profile in which nothing is heard but the callers.
func plain(name string) engine.Profile {
	p := engine.DefaultProfile()
	p.Name = name
	p.EntryTone, p.ExitTone, p.AloneSound, p.MOHSound = "", "", "", ""
	p.EndedSound, p.KickedSound, p.MutedSound, p.UnmutedSound = "", "", "", ""
	return p
}

func open(t *testing.T, s settings) *office {
	t.Helper()
	o := &office{news: make(chan struct{})}
	pool := tick.New(tick.Options{})
	library, err := sound.New(sound.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if o.sw, err = native.New(native.Options{Clock: pool, Sounds: library, MaxLoad: 100, Outbox: phone.Outbox}); err != nil { // no call is refused on a busy machine
		t.Fatal(err)
	}
	d := &engine.Directory{Profiles: map[string]*engine.Profile{}}
	for _, p := range append([]engine.Profile{plain("default")}, s.profiles...) {
		d.Profiles[p.Name] = &p
	}
	route := func(uri string) (engine.Way, error) { return o.Way(o.end, phone.Target{URI: uri, Auth: o.auth}), nil }
	if o.Exchange, err = engine.New(engine.Options{Directory: d, Bridges: o.sw.Bridge, Observer: o.observe, Router: route}); err != nil {
		t.Fatal(err)
	}
	here := netip.MustParseAddr("127.0.0.1")
	if s.ports[0] == 0 {
		s.ports = [2]uint16{12000, 15999}
	}
	ports, err := rtp.NewPorts(here, s.ports[0], s.ports[1])
	if err != nil {
		t.Fatal(err)
	}
	o.Phones = phone.New(phone.Options{
		Exchange: o.Exchange, Switch: o.sw, Ports: ports, Local: here, MediaLost: s.lost, Unheard: s.unheard, Log: s.logger(),
		Trusted: []netip.Prefix{netip.PrefixFrom(here, 32)}, Codecs: codec.Known(), Levels: !s.noLevels,
		Taken: o.Knows,
	})
	if o.end, err = sip.New(sip.Options{UDP: []string{"127.0.0.1:0"}, Incoming: o.Incoming, Rate: sip.Rate{Off: true}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.end.Run(ctx) }()
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := o.Close(closing); err != nil {
			t.Errorf("Close: %v", err)
		}
		stop()
		<-ended
		if n := o.sw.Counters().Legs; n != 0 {
			t.Errorf("%d legs are left", n)
		}
		o.sw.Close()
		pool.Close()
	})
	return o
}

func (s settings) logger() *slog.Logger {
	if s.log == nil {
		return nil
	}
	return slog.New(slog.NewTextHandler(s.log, nil))
}

func (o *office) observe(e engine.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
	close(o.news)
	o.news = make(chan struct{})
}

// event waits for the first event of a kind in a room.
func (o *office) event(t *testing.T, room string, kind engine.EventType) engine.Event {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		o.mu.Lock()
		i := slices.IndexFunc(o.events, func(e engine.Event) bool { return string(e.Room) == room && e.Type == kind })
		var e engine.Event
		if i >= 0 {
			e = o.events[i]
		}
		news := o.news
		o.mu.Unlock()
		if i >= 0 {
			return e
		}
		select {
		case <-news:
		case <-limit.C:
			t.Fatalf("room %s: no %s", room, kind)
		}
	}
}

// until waits for a room to be as a test wants it.
func (o *office) until(t *testing.T, room, what string, is func(engine.RoomView) bool) engine.RoomView {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		o.mu.Lock()
		news := o.news
		o.mu.Unlock()
		v, err := o.Room(t.Context(), engine.RoomName(room))
		if err == nil && is(v) {
			return v
		}
		select {
		case <-news:
		case <-limit.C:
			t.Fatalf("room %s never was %s: %+v %v", room, what, v, err)
		}
	}
}

// present is the number of members in a room, for until.
func present(n int) func(engine.RoomView) bool {
	return func(v engine.RoomView) bool {
		return len(v.Members) == n && !slices.ContainsFunc(v.Members, func(m engine.MemberView) bool { return m.State != "joined" })
	}
}

// limited is a context for one thing that is done.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func (o *office) uri(user string) string { return "sip:" + user + "@" + o.end.UDP()[0].String() }

// try dials with a phone of its own.
func (o *office) try(t *testing.T, user string, p siptest.Options, c siptest.CallOptions) (*siptest.Call, error) {
	t.Helper()
	ph, err := siptest.New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ph.Close)
	return ph.Dial(limited(t), o.uri(user), c)
}

// dial is try for a call that must be answered. headers are name, value, …
func (o *office) dial(t *testing.T, user string, tone siptest.Tone, headers ...string) *siptest.Call {
	t.Helper()
	return o.call(t, user, siptest.Options{}, siptest.CallOptions{Tone: tone, Headers: heads(headers)})
}

func (o *office) call(t *testing.T, user string, p siptest.Options, c siptest.CallOptions) *siptest.Call {
	t.Helper()
	call, err := o.try(t, user, p, c)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

func heads(pairs []string) (hs []sip.Header) {
	for p := range slices.Chunk(pairs, 2) {
		hs = append(hs, sip.Header{Name: p[0], Value: p[1]})
	}
	return hs
}

func level(c *siptest.Call, pcm []int16, hz float64) float64 {
	return audiotest.Steady(pcm, int(c.Rate()), hz)
}

// hears waits until a call hears a tone at a level, ±1.5 dB.
func hears(t *testing.T, c *siptest.Call, tone siptest.Tone) {
	t.Helper()
	heard(t, c, tone.Hz, func(got float64) bool { return got > tone.DBFS-1.5 && got < tone.DBFS+1.5 })
}

// faint is what nobody notices, loud is a prompt that is heard; in dBFS.
const faint, loud = -60, -40

func isLoud(got float64) bool { return got > loud }

// loudest is the highest level that a tone had in 100 ms of what a call heard.
func loudest(c *siptest.Call, hz float64) float64 {
	rate := int(c.Rate())
	most := audiotest.Floor
	for piece := range slices.Chunk(c.Record(), rate/10) {
		most = max(most, audiotest.Power(piece, rate, hz))
	}
	return most
}

// hearsNo waits until a call does not hear a tone, 600 ms long. A machine that
// is busy tears other tones to pieces, which are heard everywhere.
func hearsNo(t *testing.T, c *siptest.Call, hz float64) {
	t.Helper()
	quiet := 0
	heard(t, c, hz, func(got float64) bool {
		if quiet++; got >= faint {
			quiet = 0
		}
		return quiet == 2
	})
}

func heard(t *testing.T, c *siptest.Call, hz float64, fits func(float64) bool) {
	t.Helper()
	got := 0.0
	for end := time.Now().Add(patience); time.Now().Before(end); {
		pcm := c.Listen(300 * time.Millisecond)
		if got = level(c, pcm, hz); fits(got) {
			return
		}
	}
	t.Errorf("hears %v Hz at %.1f dBFS", hz, got)
}

// over waits for the end of a call.
func over(t *testing.T, c *siptest.Call) sip.End {
	t.Helper()
	end, err := c.Wait(limited(t))
	if err != nil {
		t.Fatal("the call does not end")
	}
	return end
}
