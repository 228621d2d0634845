package ari_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/ari"
	"parley/ari/aritest"
)

// running starts Run against s in a bubble; end stops both.
func running(t *testing.T, s *aritest.Server, o ari.Options) (c *ari.Client, end func()) {
	t.Helper()
	if o.HTTP == nil {
		o.HTTP = s.Client()
	}
	o.URL = s.URL
	c = newClient(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return c, func() {
		cancel()
		wg.Wait()
		o.HTTP.CloseIdleConnections()
		s.Close()
	}
}

// next takes the next event and fails unless it is of type T.
func next[T ari.Event](t *testing.T, c *ari.Client) T {
	t.Helper()
	select {
	case e := <-c.Events():
		if want, ok := e.(T); ok {
			return want
		}
		t.Fatalf("got %T %+v", e, e)
	case <-time.After(10 * time.Minute):
		t.Fatal("no event")
	}
	panic("not reached")
}

func TestEventsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := aritest.NewInMemory(t)
		c, end := running(t, s, ari.Options{Ignore: []string{"ChannelVarset"}})
		defer end()
		if up := next[*ari.Connected](t, c); up.Info.SystemInfo.Version != aritest.Version {
			t.Errorf("connected to %+v", up.Info)
		}
		call := s.Call("room=3001", "profile=big")
		start := next[*ari.StasisStart](t, c)
		if start.Channel.ID != call.ID() || strings.Join(start.Args, ";") != "room=3001;profile=big" || start.Channel.GetCaller().GetNumber() != "1001" {
			t.Errorf("start %+v", start)
		}
		s.Emit(map[string]any{"type": "ChannelVarset", "variable": "X", "value": "1"})
		call.Press("5#")
		for _, want := range []string{"5", "#"} {
			if d := next[*ari.ChannelDtmfReceived](t, c); d.Digit != want || d.Channel.ID != call.ID() {
				t.Errorf("digit %+v, want %s", d, want)
			}
		}
		call.Hangup()
		if h := next[*ari.ChannelHangupRequest](t, c); h.Cause != 16 {
			t.Errorf("cause %d", h.Cause)
		}
		next[*ari.StasisEnd](t, c)
	})
}

func TestEventsOfEveryKindGetThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := aritest.NewInMemory(t)
		c, end := running(t, s, ari.Options{})
		defer end()
		next[*ari.Connected](t, c)
		s.Emit(map[string]any{"type": "ChannelToneDetected", "channel": map[string]any{"id": "x"}})
		if e := next[*ari.ChannelToneDetected](t, c); e.Channel.ID != "x" || e.GetApplication() != aritest.App || e.Keys() != nil {
			t.Errorf("got %+v", e)
		}
		s.Emit(map[string]any{"type": "FromTheFuture", "x": 1})
		if e := next[*ari.Unknown](t, c); e.Type != "FromTheFuture" || e.Err != nil || !strings.Contains(string(e.Raw), `"x":1`) {
			t.Errorf("got %+v", e)
		}
		s.Emit(map[string]any{"type": "StasisEnd", "channel": 7})
		if e := next[*ari.Unknown](t, c); !errors.Is(e.Err, ari.ErrMessage) {
			t.Errorf("got %+v", e)
		}
		s.Emit(map[string]any{"type": "Big", "x": strings.Repeat("y", 2<<20)})
		next[*ari.Unknown](t, c)
	})
}

func TestReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := aritest.NewInMemory(t)
		c, end := running(t, s, ari.Options{})
		defer end()
		next[*ari.Connected](t, c)
		for range 3 {
			s.DropEvents()
			lost := time.Now()
			if l := next[*ari.Lost](t, c); l.Err == nil {
				t.Error("lost for no reason")
			}
			next[*ari.Connected](t, c)
			if d := time.Since(lost); d < 250*time.Millisecond || d > 500*time.Millisecond {
				t.Errorf("back after %v, want half a second with jitter", d)
			}
		}
	})
}

func TestEventsTooLargeEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := aritest.NewInMemory(t)
		c, end := running(t, s, ari.Options{})
		defer end()
		next[*ari.Connected](t, c)
		s.Emit(map[string]any{"type": "Huge", "x": strings.Repeat("y", 5<<20)})
		if l := next[*ari.Lost](t, c); !errors.Is(l.Err, ari.ErrTooLarge) {
			t.Errorf("lost by %v, want ErrTooLarge", l.Err)
		}
	})
}

// TestTroubleIsToldOnce: a peer that stays wrong is reported when it becomes
// so, and tried ever more rarely.
func TestTroubleIsToldOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		o    ari.Options
		err  error
	}{
		{"wrong password", ari.Options{User: aritest.User, Password: "x"}, ari.ErrAuth},
		{"read only", ari.Options{User: aritest.Reader, Password: aritest.Password}, ari.ErrReadOnly},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := aritest.NewInMemory(t)
			client, end := running(t, s, c.o)
			defer end()
			if l := next[*ari.Lost](t, client); !errors.Is(l.Err, c.err) {
				t.Errorf("%s: %v, want %v", c.name, l.Err, c.err)
			}
			time.Sleep(10 * time.Minute)
			if n := len(client.Events()); n != 0 {
				t.Errorf("%s: told %d times more", c.name, n)
			}
		})
	}
}

func TestTroubleThatChangesIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var tries []time.Time
		status := http.StatusNotFound
		c := newClient(t, ari.Options{URL: "http://asterisk.test/ari", HTTP: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			tries = append(tries, time.Now())
			if status == 0 {
				return nil, net.ErrClosed
			}
			return &http.Response{StatusCode: status, Body: http.NoBody}, nil
		})}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go c.Run(ctx)
		for _, step := range []struct {
			status int
			err    error
		}{{404, ari.ErrNotFound}, {503, ari.ErrSwitch}, {0, net.ErrClosed}, {404, ari.ErrNotFound}} {
			mu.Lock()
			status = step.status
			mu.Unlock()
			if l := next[*ari.Lost](t, c); !errors.Is(l.Err, step.err) {
				t.Errorf("%d: %v, want %v", step.status, l.Err, step.err)
			}
			time.Sleep(time.Minute)
		}
		mu.Lock()
		defer mu.Unlock()
		if first := tries[1].Sub(tries[0]); first < 250*time.Millisecond || first > 500*time.Millisecond {
			t.Errorf("second try after %v", first)
		}
		if last := tries[len(tries)-1].Sub(tries[len(tries)-2]); last < 5*time.Second || last > 10*time.Second {
			t.Errorf("last tries %v apart, want 5 to 10 s", last)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnotherClientTakesTheApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := aritest.NewInMemory(t)
		first, endFirst := running(t, s, ari.Options{})
		defer endFirst()
		next[*ari.Connected](t, first)
		second := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client()})
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		go second.Run(ctx)
		next[*ari.Connected](t, second)
		next[*ari.ApplicationReplaced](t, first)
		if l := next[*ari.Lost](t, first); !errors.Is(l.Err, ari.ErrReplaced) {
			t.Errorf("lost by %v, want ErrReplaced", l.Err)
		}
		time.Sleep(time.Hour)
		s.Call("room=1")
		next[*ari.StasisStart](t, second)
		if n := len(first.Events()); n != 0 {
			t.Errorf("the first client fights: %d events", n)
		}
		leave()
		next[*ari.Connected](t, first) // nobody has the application any more
	})
}

// TestAReplacedClientIsToldToComeBack: then, and only then, it takes the
// application from the other.
func TestAReplacedClientIsToldToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := aritest.NewInMemory(t)
		first, endFirst := running(t, s, ari.Options{})
		defer endFirst()
		next[*ari.Connected](t, first)
		second, endSecond := running(t, s, ari.Options{})
		defer endSecond()
		next[*ari.Connected](t, second)
		next[*ari.ApplicationReplaced](t, first)
		next[*ari.Lost](t, first)
		first.Renew()
		next[*ari.Connected](t, first)
		next[*ari.ApplicationReplaced](t, second)
		next[*ari.Lost](t, second)
	})
}

func TestASlowReaderLosesTheConnectionNotSingleEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := aritest.NewInMemory(t)
		c, end := running(t, s, ari.Options{Mailbox: 10})
		defer end()
		next[*ari.Connected](t, c)
		for range 30 {
			s.Call("room=1")
		}
		synctest.Wait()
		for range 10 {
			next[*ari.StasisStart](t, c)
		}
		if l := next[*ari.Lost](t, c); !errors.Is(l.Err, ari.ErrSlow) {
			t.Errorf("lost by %v, want ErrSlow", l.Err)
		}
		next[*ari.Connected](t, c)
	})
}

// frozen is a network that stops carrying bytes without a word.
type frozen struct {
	net.Conn
	stop <-chan struct{}
}

func (f *frozen) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	select {
	case <-f.stop:
		return f.Conn.Read(make([]byte, 0, 1)) // what came is gone; waits for Close
	default:
		return n, err
	}
}

func TestASilentlyCutLinkIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := aritest.NewInMemory(t)
		stop := make(chan struct{})
		inner := s.Client().Transport.(*http.Transport)
		tr := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := inner.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &frozen{Conn: c, stop: stop}, nil
		}}
		c, end := running(t, s, ari.Options{HTTP: &http.Client{Transport: tr}})
		defer end()
		next[*ari.Connected](t, c)
		time.Sleep(time.Minute)
		if n := len(c.Events()); n != 0 {
			t.Fatalf("an idle link was lost: %d events", n)
		}
		cut := time.Now()
		close(stop)
		next[*ari.Lost](t, c)
		if d := time.Since(cut); d < 3*time.Second || d > 7*time.Second {
			t.Errorf("noticed after %v, want at most 7 s", d)
		}
	})
}

func TestAUserWhoMayOnlyReadLeavesTheApplicationAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := aritest.NewInMemory(t)
		c, end := running(t, s, ari.Options{})
		defer end()
		next[*ari.Connected](t, c)
		reader, endReader := running(t, s, ari.Options{User: aritest.Reader, Password: aritest.Password})
		defer endReader()
		next[*ari.Lost](t, reader)
		s.Call("room=1")
		next[*ari.StasisStart](t, c)
	})
}
