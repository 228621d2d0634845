package ariserver

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// TestCloseWaitsForTheSockets, also of a client that does not answer; none is
// opened any more.
func TestCloseWaitsForTheSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		near, far := net.Pipe()
		l := oneConn{make(chan net.Conn, 1), make(chan struct{})}
		l.conns <- far
		server := &http.Server{Handler: s}
		over := make(chan error, 1)
		go func() { over <- server.Serve(l) }()
		defer func() { _ = server.Close(); <-over }()
		client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return near, nil }}}
		ws, _, err := websocket.Dial(t.Context(), "http://parley.test/ari/events?app=mute&api_key=u:p:w", &websocket.DialOptions{HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ws.CloseNow() }()
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
