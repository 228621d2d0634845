package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapter/control"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
	"parley/internal/tick"
	"parley/sound"
)

// wire is a native.Port on which somebody is always there and says nothing.
type wire struct{ now atomic.Int64 }

func (w *wire) Drain(now int64)           { w.now.Store(now) }
func (w *wire) Take([]byte) (int, bool)   { return 0, false }
func (w *wire) Send([]byte, uint32, bool) {}
func (w *wire) Digit() (byte, bool)       { return 0, false }
func (w *wire) LastArrival() int64        { return w.now.Load() }
func (w *wire) Report(int64)              {}
func (w *wire) Close() error              { return nil }
func (w *wire) Health() native.Health {
	return native.Health{Received: 90, Lost: 10, Late: 4, Delay: 70 * time.Millisecond, Jitter: 3 * time.Millisecond, Dropped: map[string]uint64{"late": 3, "source": 1}}
}

// caller is an engine.Leg.
type caller struct {
	*native.Leg
	sink engine.Sink
	out  chan engine.Outcome // capacity 1
}

func (c *caller) Release(o engine.Outcome) {
	c.out <- o
	_ = c.Close()
}

// house is an engine on a native switch, behind the API.
type house struct {
	*engine.Exchange
	clock   native.Clock
	sw      *native.Switch
	api     http.Handler
	opt     control.Options
	metrics *control.Metrics
	log     *book
	tokens  []string
	checks  []control.Check
	reports []string
	refuses error // of a reload
	calls   chan engine.OutCall
	records engine.RecordWhen // asked for by callers of a switch
}

// book is a log that can be read.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// silent is a profile without a sound, so that nothing has to be loaded.
func silent() *engine.Directory {
	d := engine.NewDirectory()
	p := d.Profiles["default"]
	*p = engine.Profile{
		Name: "default", Language: "en", Create: engine.CreateOnDemand, LockExempts: engine.ExemptNobody, PINAttempts: 1,
		PINTimeout: time.Second, PINTerminator: "#", MaxParticipants: 3, Member: engine.RoleSettings{PINs: []engine.PIN{engine.NewPIN("4711")}},
	}
	return d
}

func open(t *testing.T, clock native.Clock) *house {
	t.Helper()
	h := &house{clock: clock, log: &book{}, calls: make(chan engine.OutCall, 8), checks: []control.Check{{Name: "sip", Ready: true, Text: "listening"}}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	library, err := sound.New(sound.Options{})
	if err != nil {
		t.Fatal(err)
	}
	metrics := control.NewMetrics(h.media, func() map[string]float64 { return map[string]float64{"parley_sip_calls_in_total": 7} })
	h.metrics = metrics
	h.sw, err = native.New(native.Options{Clock: clock, Sounds: library, MaxLoad: 100, Ended: func(s native.Health) {
		metrics.Ended(control.Stream{Received: s.Received, Lost: s.Lost, Late: s.Late, Delay: s.Delay, Jitter: s.Jitter})
	}})
	if err != nil {
		t.Fatal(err)
	}
	h.Exchange, err = engine.New(engine.Options{Directory: silent(), Bridges: h.sw.Bridge, Observer: metrics.Observe, Router: h.route, MaxDials: 2})
	if err != nil {
		t.Fatal(err)
	}
	h.opt = control.Options{
		Exchange: h.Exchange, Version: "1.2.3", Log: log, Metrics: metrics.Handler(),
		Reload: func(context.Context) ([]string, error) { return h.reports, h.refuses },
		Checks: func() []control.Check { return h.checks },
		State: func() control.State {
			return control.State{StartedAt: time.Now().Add(-time.Minute), Legs: 7, Recent: []control.Note{{Code: "no_media", Times: 2}}}
		},
		Tokens: func() []string { return h.tokens },
	}
	h.api = control.Handler(h.opt)
	return h
}

func (h *house) media() control.Media {
	n := h.sw.Counters()
	return control.Media{Rooms: uint64(n.Rooms), Legs: uint64(n.Legs), Ticks: 100, LateTicks: 20, LateBig: 3, Dropped: n.Dropped, Received: n.Received, Lost: n.Lost}
}

// bubble runs a test with its own time, and with a clock that it turns itself.
func bubble(t *testing.T, test func(*testing.T, *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &tick.Manual{})
		test(t, h)
		over := make(chan error, 1)
		go func() { over <- h.Close(context.Background()) }()
		for len(over) == 0 {
			h.turn()
		}
		if err := <-over; err != nil {
			t.Errorf("Close: %v", err)
		}
		h.sw.Close()
	})
}

// turn runs one tick and what follows from it.
func (h *house) turn() {
	time.Sleep(tick.Period)
	h.clock.(*tick.Manual).Step()
	synctest.Wait()
}

// arrive is a call to a room.
func (h *house) arrive(t *testing.T, room, id string, vars map[string]string) *caller {
	t.Helper()
	leg, err := h.sw.NewLeg(engine.LegID(id), &wire{}, codec.PCMU())
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{Leg: leg, out: make(chan engine.Outcome, 1)}
	c.sink = h.Arrive(c, engine.Invite{
		Room: room, Kind: "sip", Source: id, Variables: vars, Caller: engine.Caller{Number: id, Name: "Ann"},
	})
	c.Attach(c.sink)
	c.sink.Post(engine.MediaUp{Leg: leg.ID()})
	return c
}

// join is a call that is in the room when it returns, in a bubble.
func (h *house) join(t *testing.T, room, id string) *caller {
	t.Helper()
	c := h.arrive(t, room, id, map[string]string{"role": "moderator"})
	synctest.Wait()
	h.turn()
	if v, err := h.Room(t.Context(), engine.RoomName(room)); err != nil || len(v.Members) == 0 || v.Members[len(v.Members)-1].State != "joined" {
		t.Fatalf("%s is not in: %+v %v", id, v, err)
	}
	return c
}

// request is one as a program on this machine sends it.
func request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "http://127.0.0.1:8085"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:40000"
	return r
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	t *testing.T
}

func (a answer) code() string {
	a.t.Helper()
	var p control.Problem
	if err := json.Unmarshal(a.Body.Bytes(), &p); err != nil {
		a.t.Errorf("%d with the body %q: %v", a.Code, a.Body, err)
	}
	if p.Message == "" {
		a.t.Errorf("no message: %q", a.Body)
	}
	return p.Code
}

// want compares status and code; "" is an answer that is no refusal.
func (a answer) want(status int, code string) {
	a.t.Helper()
	got := ""
	if a.Code >= http.StatusBadRequest && code != "" {
		got = a.code()
	}
	if a.Code != status || got != code {
		a.t.Errorf("answer %d %q, want %d %q: %s", a.Code, got, status, code, a.Body)
	}
}

// read decodes a JSON body.
func (a answer) read(into any) {
	a.t.Helper()
	if kind := a.Header().Get("Content-Type"); kind != "application/json" {
		a.t.Errorf("content type %q", kind)
	}
	if err := json.Unmarshal(a.Body.Bytes(), into); err != nil {
		a.t.Errorf("%v: %s", err, a.Body)
	}
}

// send has a request answered; the clock stands still.
func (h *house) send(t *testing.T, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, r)
	return answer{w, t}
}

func (h *house) get(t *testing.T, path string) answer {
	t.Helper()
	return h.send(t, request(http.MethodGet, path, ""))
}

// do has a request answered while the clock turns, and says how many ticks it
// took.
func (h *house) do(t *testing.T, method, path, body string) (answer, int) {
	t.Helper()
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.api.ServeHTTP(w, request(method, path, body))
	}()
	for ticks := 0; ; ticks++ {
		synctest.Wait()
		select {
		case <-done:
			return answer{w, t}, ticks
		default:
			h.clock.(*tick.Manual).Step()
		}
	}
}

var errConfig = errors.New(`parley.yaml:3: unknown key "rom", did you mean "rooms"? [unknown_key]`)
