package control_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/adapter/control"
	"parley/engine"
	"parley/internal/tick"
)

// serve runs the API on a socket, and a switch with a clock of its own.
func serve(t *testing.T) (*house, *httptest.Server, *control.Client) {
	t.Helper()
	pool := tick.New(tick.Options{})
	h := open(t, pool)
	server := httptest.NewServer(h.api)
	t.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		h.sw.Close()
		pool.Close()
	})
	return h, server, &control.Client{Base: server.URL, HTTP: server.Client()}
}

// members waits until a room has so many.
func members(t *testing.T, c *control.Client, room string, n int) engine.RoomView {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		v, err := c.Room(ctx, room)
		if err == nil && len(v.Members) == n && !slices.ContainsFunc(v.Members, func(m engine.MemberView) bool { return m.State != "joined" }) {
			return v
		}
		if ctx.Err() != nil {
			t.Fatalf("%d members, want %d: %v", len(v.Members), n, err)
		}
	}
}

func TestClientAndServer(t *testing.T) {
	h, _, c := serve(t)
	ctx := t.Context()
	if rooms, err := c.Rooms(ctx); err != nil || len(rooms) != 0 {
		t.Errorf("%v %v", rooms, err)
	}
	role := map[string]string{"role": "moderator"}
	a, b := h.arrive(t, "3001", "a", role), h.arrive(t, "3001", "b", role)
	members(t, c, "3001", 2)
	if rooms, err := c.Rooms(ctx); err != nil || len(rooms) != 1 || rooms[0].Name != "3001" || len(rooms[0].Members) != 2 {
		t.Errorf("%+v %v", rooms, err)
	}
	s, err := c.Status(ctx)
	if err != nil || s.Rooms != 1 || s.Version != "1.2.3" || len(s.Checks) != 1 || s.Checks[0].Name != "sip" {
		t.Errorf("%+v %v", s, err)
	}
	type state struct{ muted, deaf, locked bool }
	for _, tt := range []struct {
		name string
		do   func() error
		want state
	}{
		{"mute", func() error { return c.Set(ctx, "3001", "2", "muted", true) }, state{muted: true}},
		{"deaf", func() error { return c.Set(ctx, "3001", "2", "deaf", true) }, state{muted: true, deaf: true}},
		{"unmute", func() error { return c.Set(ctx, "3001", "2", "muted", false) }, state{deaf: true}},
		{"lock", func() error { return c.Lock(ctx, "3001", true) }, state{deaf: true, locked: true}},
		{"unlock", func() error { return c.Lock(ctx, "3001", false) }, state{deaf: true}},
	} {
		if err := tt.do(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		r, err := c.Room(ctx, "3001")
		if err != nil {
			t.Fatal(err)
		}
		if got := (state{r.Members[1].Muted, r.Members[1].Deaf, r.Locked}); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if e, err := c.ExplainCall(ctx, "a"); err != nil || e.Room != "3001" || e.Member == 0 || len(e.Settings) == 0 {
		t.Errorf("%+v %v", e, err)
	}
	if e, err := c.ExplainRoom(ctx, "3001"); err != nil || e.State != "active" || len(e.Settings) == 0 {
		t.Errorf("%+v %v", e, err)
	}
	if a, err := c.Signal(ctx, "x/y", "go"); a.Signal != engine.SignalQueued || err != nil {
		t.Errorf("%+v %v", a, err)
	}
	if err := c.Kick(ctx, "3001", "1"); err != nil {
		t.Error(err)
	}
	if o := <-a.out; o.Reason != engine.ReasonKicked {
		t.Errorf("%+v", o)
	}
	if err := c.End(ctx, "3001"); err != nil {
		t.Error(err)
	}
	if o := <-b.out; o.Reason != engine.ReasonEnded {
		t.Errorf("%+v", o)
	}
}

func TestClientIsRefused(t *testing.T) {
	h, _, c := serve(t)
	ctx := t.Context()
	h.arrive(t, "3001", "a", map[string]string{"role": "moderator"})
	members(t, c, "3001", 1)
	h.refuses = errConfig
	for _, tt := range []struct {
		name string
		do   func() error
		code string
	}{
		{"a room", func() error { _, err := c.Room(ctx, "3002"); return err }, "room_not_running"},
		{"a name that needs escapes", func() error { _, err := c.Room(ctx, "a/b?c#d"); return err }, "room_not_running"},
		{"a member", func() error { return c.Kick(ctx, "3001", "7") }, "participant_not_found"},
		{"no member", func() error { return c.Kick(ctx, "3001", "x/y") }, "bad_value"},
		{"a key", func() error { return c.Set(ctx, "3001", "1", "mutted", true) }, "unknown_field"},
		{"a configuration", func() error { _, err := c.Reload(ctx); return err }, "config"},
	} {
		err := tt.do()
		var p *control.Problem
		if !errors.As(err, &p) || p.Code != tt.code || !strings.HasSuffix(err.Error(), ". ["+tt.code+"]") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	c.Base = other.URL
	if _, err := c.Rooms(ctx); err == nil || err.Error() != "control: 404 Not Found" {
		t.Errorf("a page that is not ours: %v", err)
	}
}

func TestClientShowsItsToken(t *testing.T) {
	h, _, c := serve(t)
	h.tokens = []string{"0123456789abcdef"}
	var p *control.Problem
	if _, err := c.Rooms(t.Context()); !errors.As(err, &p) || p.Code != "no_auth" {
		t.Errorf("%v", err)
	}
	c.Token = "0123456789abcdef"
	if _, err := c.Rooms(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestClientWithoutAServer(t *testing.T) {
	_, server, c := serve(t)
	server.Close()
	_, err := c.Rooms(t.Context())
	if !errors.Is(err, control.ErrNotRunning) || !strings.Contains(err.Error(), server.URL) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Rooms(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, control.ErrNotRunning) {
		t.Errorf("%v", err)
	}
}

func TestClientOfSomethingElse(t *testing.T) {
	for _, tt := range []struct {
		status     int
		body, want string
	}{
		{200, "<html>", "control: answer of /v1/rooms: "},
		{200, "", "control: answer of /v1/rooms: "},
		{500, "<html>", "control: 500 Internal Server Error"},
		{404, `{"other": 1}`, "control: 404 Not Found"},
		{409, `{"code": "x", "message": "no"}`, "no. [x]"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		}))
		c := &control.Client{Base: server.URL, HTTP: server.Client()}
		if _, err := c.Rooms(t.Context()); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%d %q: %v, want %s", tt.status, tt.body, err, tt.want)
		}
		server.Close()
	}
}
