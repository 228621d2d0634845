package ariserver

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"parley/engine"
	"parley/internal/pace"
)

// dial opens a socket for an application by a pipe, which keeps nothing. The caller
// runs in a bubble.
func dial(t *testing.T, s *Server, app string) (ws *websocket.Conn, hangUp func()) {
	t.Helper()
	near, far := net.Pipe()
	l := oneConn{make(chan net.Conn, 1), make(chan struct{})}
	l.conns <- far
	server := &http.Server{Handler: s}
	over := make(chan error, 1)
	go func() { over <- server.Serve(l) }()
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return near, nil }}}
	ws, _, err := websocket.Dial(t.Context(), "http://parley.test/ari/events?subscribeAll=true&app="+app+"&api_key=u:p:w", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	return ws, func() {
		_ = ws.CloseNow()
		_ = server.Close()
		<-over
	}
}

// TestCloseWaitsForTheSockets, also of a client that does not answer; none is
// opened any more.
func TestCloseWaitsForTheSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		_, hangUp := dial(t, s, "mute")
		defer hangUp()
		began := time.Now()
		s.Close()
		if s.open != 0 || s.apps["mute"] != nil && s.apps["mute"].socket != nil {
			t.Error("a socket is open")
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/ari/events?app=late&api_key=u:p:w", nil)
		r.Header.Set("Upgrade", "websocket")
		if s.ServeHTTP(w, r); w.Code != http.StatusServiceUnavailable {
			t.Errorf("one more: %d", w.Code)
		}
		s.Close()
	})
}

// TestCloseWritesWhatIsQueued, though others come before the client, too.
func TestCloseWritesWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		ws, hangUp := dial(t, s, "parley")
		defer hangUp()
		for range 100 {
			s.pacer.Ask(pace.NewTurn())
		}
		const calls = 10
		for i := range calls {
			e := engine.Event{Type: engine.EventArrived, Leg: engine.LegID(strconv.Itoa(i))}
			s.Observe(e)
			e.Type = engine.EventEnded
			s.Observe(e)
		}
		over := make(chan struct{})
		go func() { s.Close(); close(over) }()
		ended := 0
		for {
			_, data, err := ws.Read(t.Context())
			if err != nil {
				break
			}
			if strings.Contains(string(data), `"ChannelDestroyed"`) {
				ended++
			}
		}
		<-over
		if ended != calls {
			t.Errorf("%d of %d ends are told", ended, calls)
		}
	})
}
