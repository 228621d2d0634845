package ariserver

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
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

// TestCloseTellsTheEndOfWhatClientsHaveMade, of which the engine knows nothing, and be
// it more than a queue holds. Nothing more is made then.
func TestCloseTellsTheEndOfWhatClientsHaveMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, open, ports := newServer(), 0, 0
		s.opt.OpenMedia = func(engine.LegID, string, netip.AddrPort) (netip.AddrPort, error) {
			open, ports = open+1, ports+1
			return netip.MustParseAddrPort("127.0.0.1:30000"), nil
		}
		s.opt.DropMedia = func(engine.LegID) { open-- }
		s.opt.Snoop = func(engine.LegID, engine.LegID, string, string) error { open++; return nil }
		ws, hangUp := dial(t, s, "parley")
		defer hangUp()
		told, over := map[string]int{}, make(chan struct{})
		go func() {
			defer close(over)
			for {
				_, data, err := ws.Read(t.Context())
				if err != nil {
					return
				}
				kind, _, _ := strings.Cut(strings.TrimPrefix(string(data), `{"type":"`), `"`)
				told[kind]++
			}
		}()
		make := func(i string, want int) {
			for _, path := range []string{
				"/channels/create?app=parley&endpoint=sip:x@y&channelId=c", "/channels/externalMedia?app=parley&external_host=127.0.0.1:9&format=ulaw&channelId=m",
				"/channels/c0/snoop?app=parley&spy=in&snoopId=s", "/bridges?bridgeId=b", "/bridges?bridgeId=more",
			} {
				if got := order(t, s, http.MethodPost, path+i); got != want {
					t.Fatal(path, got)
				}
			}
		}
		const each = 333
		for i := range each {
			make(strconv.Itoa(i), http.StatusOK)
			time.Sleep(time.Second) // a client orders one after the other
		}
		s.Drain()
		make("late", http.StatusServiceUnavailable)
		if got := order(t, s, http.MethodPost, "/channels?app=a&extension=3001&endpoint=sip:x@y"); got != http.StatusServiceUnavailable {
			t.Error("originate", got)
		}
		s.Close()
		<-over
		if told["StasisEnd"] != 3*each || told["ChannelDestroyed"] != 3*each || told["BridgeDestroyed"] != 2*each || open != 0 || ports != each {
			t.Errorf("%v; %d are open, %d ports were", told, open, ports)
		}
	})
}
