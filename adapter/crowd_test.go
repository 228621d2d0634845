package adapter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/adapter"
	"parley/adapter/config"
)

// What strangers do with a connection.
const (
	halfRequest = "GET /ari/x HTTP/1.1\r\nA: b"
	halfBody    = "POST /v1/rooms/a/dial HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
	idleRequest = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
)

// besieged is a Parley that logs nothing: of who is sent away it would say much.
func besieged(t *testing.T, edit func(*config.Config)) parley {
	t.Helper()
	c := config.Defaults()
	vacant(t, c)
	edit(c)
	return run(t, c, adapter.Options{Log: slog.New(slog.DiscardHandler)})
}

// TestStrangersKeepNobodyOut: however many connections without a password there are,
// who comes gets through, and who has shown a password stays.
func TestStrangersKeepNobodyOut(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		n          int
		many       bool // addresses
		stay       int  // connections
	}{
		{"half requests", halfRequest, 256, false, 96},
		{"half requests", halfRequest, 1000, false, 96},
		{"half requests of many", halfRequest, 1000, true, 256},
		{"half bodies", halfBody, 256, false, 96},
		{"idle", idleRequest, 256, false, 96},
		{"idle", idleRequest, 1000, false, 96},
		{"idle of many", idleRequest, 1000, true, 256},
	} {
		t.Run(fmt.Sprint(tt.n, " ", tt.name), func(t *testing.T) {
			p := besieged(t, withPanel)
			old := newClient(t, "127.0.0.1")
			old.pings(t, p.config.HTTP.Listen)
			strangers := make([]net.Conn, tt.n)
			for i := range strangers {
				from := "127.0.0.1"
				if tt.many {
					from = fmt.Sprintf("127.66.%d.%d", i/200, 1+i%200)
				}
				strangers[i] = stranger(t, from, p.config.HTTP.Listen, tt.says)
			}
			for _, from := range []string{"127.0.0.1", "127.88.0.1"} {
				newClient(t, from).pings(t, p.config.HTTP.Listen)
			}
			if !eventually(5*time.Second, func() bool { return open(strangers) <= tt.stay }) {
				t.Errorf("%d of the strangers stay, at most %d", open(strangers), tt.stay)
			}
			old.pings(t, p.config.HTTP.Listen)
			if old.dials != 1 {
				t.Error("who has shown a password has made room")
			}
		})
	}
}

// TestATokenIsAPassword: who has shown one of auth.tokens stays, too.
func TestATokenIsAPassword(t *testing.T) {
	const token = "a-token-of-more-than-16"
	p := besieged(t, func(c *config.Config) {
		quiet(c)
		c.Auth.Tokens = []config.Token{{Name: "panel", Token: config.NewSecret(token)}}
	})
	for given, stays := range map[string]bool{token: true, "another": false} {
		c := newClient(t, "127.0.0.1")
		c.get(t, "http://"+p.config.HTTP.Listen+"/v1/version", given)
		strangers := make([]net.Conn, 200)
		for i := range strangers {
			strangers[i] = stranger(t, "127.0.0.1", p.config.HTTP.Listen, idleRequest)
		}
		if !eventually(5*time.Second, func() bool { return open(strangers) <= 96 }) {
			t.Errorf("%d strangers stay", open(strangers))
		}
		c.get(t, "http://"+p.config.HTTP.Listen+"/v1/version", given)
		if (c.dials == 1) != stays {
			t.Errorf("%s: %d connections", given, c.dials)
		}
	}
}

// TestWebsocketsHaveALimitOfTheirOwn, beyond which one is told so; they keep no
// request out.
func TestWebsocketsHaveALimitOfTheirOwn(t *testing.T) {
	p := besieged(t, withPanel)
	dial := func(i int) (*websocket.Conn, int) {
		ws, resp, err := websocket.Dial(t.Context(), fmt.Sprintf("http://%s/ari/events?api_key=panel:%s&app=a%d", p.config.HTTP.Listen, panelPassword, i), nil)
		if resp == nil {
			t.Fatal(err)
		}
		return ws, resp.StatusCode
	}
	var sockets []*websocket.Conn
	for i := range 256 {
		ws, status := dial(i)
		if status != http.StatusSwitchingProtocols {
			t.Fatalf("websocket %d: %d", i, status)
		}
		defer ws.CloseNow()
		sockets = append(sockets, ws)
	}
	if _, status := dial(256); status != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", status)
	}
	newClient(t, "127.0.0.1").pings(t, p.config.HTTP.Listen)
	_ = sockets[7].CloseNow()
	if !eventually(5*time.Second, func() bool {
		ws, status := dial(256)
		if ws != nil {
			_ = ws.CloseNow()
		}
		return status == http.StatusSwitchingProtocols
	}) {
		t.Error("no place becomes free")
	}
}

// client keeps one connection while it can.
type client struct {
	*http.Client
	dials int
}

// newClient returns a client of that address.
func newClient(t *testing.T, from string) *client {
	t.Helper()
	c := &client{}
	tr := &http.Transport{MaxConnsPerHost: 1, DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		c.dials++
		return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, network, to)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	c.Client = &http.Client{Transport: tr, Timeout: 10 * time.Second}
	return c
}

// pings asks for what needs no password and what does.
func (c *client) pings(t *testing.T, at string) {
	t.Helper()
	for _, path := range []string{"/healthz", "/readyz", "/ari/asterisk/ping?api_key=panel:" + panelPassword} {
		if status := c.get(t, "http://"+at+path, ""); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// get asks with a token and returns the status, 0 if there is no answer.
func (c *client) get(t *testing.T, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// stranger is a connection that says something, and does nothing more.
func stranger(t *testing.T, from, to, says string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, _ = io.WriteString(c, says) // it may have been closed
	return c
}

// open is how many of these connections have not been closed by the other end.
func open(conns []net.Conn) (n int) {
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, c := range conns {
		group.Go(func() {
			_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				mu.Lock()
				n++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return n
}
