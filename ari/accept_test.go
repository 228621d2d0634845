package ari_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/ari"
	"parley/ari/aritest"
)

// awaited is a client that the fake connects to, at url.
func awaited(t *testing.T, s *aritest.Server, timeout time.Duration) (c *ari.Client, url string) {
	t.Helper()
	return awaitedBy(t, s, s.Client(), timeout)
}

func awaitedBy(t *testing.T, s *aritest.Server, way *http.Client, timeout time.Duration) (c *ari.Client, url string) {
	t.Helper()
	c = newClient(t, ari.Options{URL: s.URL, HTTP: way, Outbound: true, Timeout: timeout})
	door := httptest.NewServer(http.HandlerFunc(c.Accept))
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		s.Close()
		door.Close()
	})
	return c, "ws" + strings.TrimPrefix(door.URL, "http")
}

// TestAsteriskConnects: what it has kept for us is history, what comes after is
// told, and so is a connection that it makes in the place of another.
func TestAsteriskConnects(t *testing.T) {
	s := aritest.New(t)
	c, url := awaited(t, s, time.Minute)
	s.ConnectTo("ws://127.0.0.1:1/nobody", "", "") // it keeps events from now on
	gone := s.Call("room=1")
	gone.Hangup()
	waiting := s.Call("room=2")
	s.ConnectTo(url, aritest.User, aritest.Password)
	if up := next[*ari.Connected](t, c); up.Info.SystemInfo.Version != aritest.Version {
		t.Errorf("connected to %+v", up.Info)
	}
	if all, err := c.Channels(t.Context()); err != nil || len(all) != 1 || all[0].ID != waiting.ID() {
		t.Errorf("channels %+v, %v", all, err)
	}
	s.Call("room=3")
	if e := next[*ari.StasisStart](t, c); strings.Join(e.Args, ";") != "room=3" {
		t.Errorf("start %+v", e)
	}
	for range 2 {
		s.DropEvents()
		next[*ari.Lost](t, c)
		next[*ari.Connected](t, c)
	}
}

// TestTheNewestConnectionCounts: the old one may be one that only we believe in.
func TestTheNewestConnectionCounts(t *testing.T) {
	s := aritest.New(t)
	c, url := awaited(t, s, time.Minute)
	s.ConnectTo(url, aritest.User, aritest.Password)
	next[*ari.Connected](t, c)
	s.ConnectTo(url, aritest.User, aritest.Password)
	if l := next[*ari.Lost](t, c); l.Err == nil || !strings.Contains(l.Err.Error(), "connected anew") {
		t.Errorf("lost by %v", l.Err)
	}
	next[*ari.Connected](t, c)
}

// lostBy waits until the connection is lost, or cannot be made, by err. On a busy
// machine it may be so for another cause before.
func lostBy(t *testing.T, c *ari.Client, err error) {
	t.Helper()
	for {
		if l := next[*ari.Lost](t, c); errors.Is(l.Err, err) {
			return
		}
	}
}

func TestNobodyConnects(t *testing.T) {
	s := aritest.New(t)
	c, url := awaited(t, s, time.Second)
	lostBy(t, c, ari.ErrAbsent)
	h := http.Header{}
	(&http.Request{Header: h}).SetBasicAuth(aritest.User, "guess")
	_, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{"ari"}})
	if err == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("%v, %+v", err, resp)
	}
	lostBy(t, c, ari.ErrDenied)
	s.ConnectTo(url, aritest.User, aritest.Password)
	comesUp(t, c)
}

// comesUp waits until there is a connection, whatever was wrong before.
func comesUp(t *testing.T, c *ari.Client) {
	t.Helper()
	for e := range c.Events() {
		if _, up := e.(*ari.Connected); up {
			return
		}
		if _, lost := e.(*ari.Lost); !lost {
			t.Fatalf("%T %+v", e, e)
		}
	}
}

// TestGuessersAtTheDoorAreBraked: and each that was judged is told.
func TestGuessersAtTheDoorAreBraked(t *testing.T) {
	s := aritest.New(t)
	var told []string
	c := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client(), Outbound: true, Denied: func(from string) { told = append(told, from) }})
	knock := func(user, password, from string) int {
		r := httptest.NewRequest(http.MethodGet, "/ari-in/ast1", nil)
		r.RemoteAddr = from
		r.SetBasicAuth(user, password)
		w := httptest.NewRecorder()
		c.Accept(w, r)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "1" {
			t.Errorf("headers %v", w.Header())
		}
		return w.Code
	}
	for i, want := range []int{401, 401, 401, 429, 429} {
		if got := knock(aritest.User, "guess "+strconv.Itoa(i), "192.0.2.1:1"); got != want {
			t.Errorf("guess %d: %d, want %d", i, got, want)
		}
	}
	if got := knock(aritest.User, aritest.Password, "192.0.2.1:2"); got != http.StatusTooManyRequests {
		t.Errorf("the right one after them: %d", got)
	}
	if got := knock(aritest.User, aritest.Password, "192.0.2.2:1"); got != http.StatusUpgradeRequired {
		t.Errorf("from elsewhere: %d", got)
	}
	if len(told) != 3 || told[0] != "192.0.2.1:1" {
		t.Errorf("told of %q", told)
	}
}

// TestWhoDoesNotSpeakARIDisplacesNobody: not with the right password either.
func TestWhoDoesNotSpeakARIDisplacesNobody(t *testing.T) {
	s := aritest.New(t)
	c, url := awaited(t, s, time.Minute)
	s.ConnectTo(url, aritest.User, aritest.Password)
	next[*ari.Connected](t, c)
	h := http.Header{}
	(&http.Request{Header: h}).SetBasicAuth(aritest.User, aritest.Password)
	for i := range 5 {
		ws, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{"ari"}})
		if i == 4 {
			if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("one too many: %v, %+v", err, resp)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ws.CloseNow() }()
		if _, data, err := ws.Read(t.Context()); err != nil || !strings.Contains(string(data), `"type":"RESTRequest"`) {
			t.Errorf("it was asked %s, %v", data, err)
		}
		for _, text := range []string{`{"type":"StasisStart"}`, "hello"} {
			if err := ws.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
				t.Error(err)
			}
		}
	}
	s.Call("room=1")
	next[*ari.StasisStart](t, c) // and nothing was lost before
}

// TestOnlyAsteriskMayConnect: another protocol is none of ours.
func TestOnlyAsteriskMayConnect(t *testing.T) {
	s := aritest.New(t)
	_, url := awaited(t, s, time.Minute)
	h := http.Header{}
	(&http.Request{Header: h}).SetBasicAuth(aritest.User, aritest.Password)
	ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{"chat"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("%v", err)
	}
}

// closedHTTP is Asterisk's HTTP server once it does not answer any more.
type closedHTTP struct {
	open  http.RoundTripper
	gone  atomic.Bool
	asked atomic.Int32 // since then
}

func (h *closedHTTP) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.gone.Load() {
		h.asked.Add(1)
		return nil, errors.New("nobody listens")
	}
	return h.open.RoundTrip(r)
}

// TestAConnectionThatWaitsIsNoReasonToHurry: what fails is tried again after a
// pause, also while a connection of Asterisk's making waits.
func TestAConnectionThatWaitsIsNoReasonToHurry(t *testing.T) {
	s := aritest.New(t)
	way := &closedHTTP{open: s.Client().Transport}
	c, url := awaitedBy(t, s, &http.Client{Transport: way}, time.Minute)
	s.ConnectTo(url, aritest.User, aritest.Password)
	next[*ari.Connected](t, c)
	way.gone.Store(true)
	s.DropEvents()
	next[*ari.Lost](t, c)
	time.Sleep(time.Second)
	if n := way.asked.Load(); n == 0 || n > 10 {
		t.Errorf("asked %d times in a second", n)
	}
}

// TestAnApplicationThatIsNotRegistered: such an Asterisk is connected, and
// answers nothing.
func TestAnApplicationThatIsNotRegistered(t *testing.T) {
	s := aritest.New(t)
	s.Unregister(true)
	c, url := awaited(t, s, 200*time.Millisecond)
	s.ConnectTo(url, aritest.User, aritest.Password)
	lostBy(t, c, ari.ErrUnregistered)
	s.Unregister(false)
	comesUp(t, c)
}

// TestNobodyIsAtTheDoorWhenRunIsOver: who has said nothing is sent away, and who
// comes then is refused.
func TestNobodyIsAtTheDoorWhenRunIsOver(t *testing.T) {
	s := aritest.New(t)
	c := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client(), Outbound: true, Timeout: time.Minute})
	defer s.Close()
	entered := make(chan struct{})
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		c.Accept(w, r)
	}))
	defer door.Close()
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- c.Run(ctx) }()
	h := http.Header{}
	(&http.Request{Header: h}).SetBasicAuth(aritest.User, aritest.Password)
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(door.URL, "http"), &websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{"ari"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	<-entered
	cancel()
	<-over
	r := httptest.NewRequest(http.MethodGet, "/ari-in/ast1", nil)
	r.SetBasicAuth(aritest.User, aritest.Password)
	w := httptest.NewRecorder()
	if c.Accept(w, r); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one who comes then: %d", w.Code)
	}
}
