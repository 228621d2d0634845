package ari_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/ari"
	"parley/ari/aritest"
	"parley/ari/audiosocket"
)

func newClient(t *testing.T, o ari.Options) *ari.Client {
	t.Helper()
	if o.User == "" {
		o.User, o.Password = aritest.User, aritest.Password
	}
	o.App = aritest.App
	c, err := ari.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOperations(t *testing.T) {
	s := aritest.New(t)
	c := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client()})
	ctx := t.Context()
	call := s.Call("room=3001")
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"answer", func() error { return c.Answer(ctx, call.ID()) }},
		{"create a bridge", func() error { return c.CreateBridge(ctx, "b/1 ?", "room") }},
		{"create it again", func() error { return c.CreateBridge(ctx, "b/1 ?", "room") }},
		{"add a channel", func() error { return c.AddChannel(ctx, "b/1 ?", call.ID()) }},
		{"set a variable", func() error { return c.SetVariable(ctx, call.ID(), "PARLEY_REASON", "a b,c&d=e#%é\n") }},
		{"set a long one", func() error { return c.SetVariable(ctx, call.ID(), "LONG", strings.Repeat("x", 8000)) }},
		{"continue", func() error { return c.Continue(ctx, call.ID(), ari.Place{}) }},
		{"destroy the bridge", func() error { return c.DestroyBridge(ctx, "b/1 ?") }},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
	}
	if v, err := c.Variable(ctx, call.ID(), "PARLEY_REASON"); err != nil || v != "a b,c&d=e#%é\n" {
		t.Errorf("variable is %q, %v", v, err)
	}
	if e := <-call.Left(); e != (aritest.Exit{How: aritest.Continued}) || call.State() != "Up" {
		t.Errorf("left by %v in state %s", e, call.State())
	}
	if info, err := c.Info(ctx); err != nil || info.SystemInfo.Version != aritest.Version {
		t.Errorf("info %+v, %v", info, err)
	}
	if _, bridges := s.Count(); bridges != 0 {
		t.Errorf("%d bridges left", bridges)
	}
}

func TestContinueElsewhere(t *testing.T) {
	s := aritest.New(t)
	c := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client()})
	for _, p := range []struct {
		place ari.Place
		want  string
	}{
		{ari.Place{Context: "parley", Extension: "3001", Priority: 7}, "parley,3001,7"},
		{ari.Place{Context: "parley", Extension: "3001", Label: "fallback"}, "parley,3001,fallback"},
	} {
		call := s.Call()
		if err := c.Continue(t.Context(), call.ID(), p.place); err != nil {
			t.Fatal(err)
		}
		if e := <-call.Left(); e.Place != p.want {
			t.Errorf("%+v went to %q, want %q", p.place, e.Place, p.want)
		}
	}
}

func TestExternalMedia(t *testing.T) {
	s := aritest.New(t)
	c := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client()})
	l, err := audiosocket.Listen(t.Context(), "127.0.0.1:0", audiosocket.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id := audiosocket.NewUUID()
	ticket, err := l.Expect(id, audiosocket.KindSLIN16)
	if err != nil {
		t.Fatal(err)
	}
	m := ari.ExternalMedia{ID: "m1", Host: l.Addr().String(), Encapsulation: "audiosocket", Transport: "tcp", Data: id.String(), Format: "slin16", Variables: map[string]string{"X": "1"}}
	for range 2 { // the second time finds the first one's channel
		ch, err := c.ExternalMedia(t.Context(), m)
		if err != nil || ch.ID != "m1" {
			t.Fatalf("got %+v, %v", ch, err)
		}
	}
	conn, err := ticket.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if v, err := c.Variable(t.Context(), "m1", "X"); err != nil || v != "1" {
		t.Errorf("X is %q, %v", v, err)
	}
	if all, err := c.Channels(t.Context()); err != nil || len(all) != 1 || all[0].GetDialplan().GetContext() != "parley" {
		t.Errorf("channels %+v, %v", all, err)
	}
	m.ID, m.Format = "m2", "opus"
	if _, err := c.ExternalMedia(t.Context(), m); !errors.Is(err, ari.ErrSwitch) {
		t.Errorf("an unknown format: %v, want ErrSwitch", err)
	}
	if err := c.Hangup(t.Context(), "m1", "normal"); err != nil {
		t.Error(err)
	}
	if channels, _ := s.Count(); channels != 0 {
		t.Errorf("%d channels left", channels)
	}
}

func TestRefusalsAreTyped(t *testing.T) {
	for status, want := range map[int]error{
		401: ari.ErrAuth, 403: ari.ErrReadOnly, 404: ari.ErrNotFound, 409: ari.ErrConflict,
		412: ari.ErrState, 422: ari.ErrState, 500: ari.ErrSwitch, 503: ari.ErrSwitch,
	} {
		s := aritest.New(t)
		c := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client()})
		s.Refuse("POST channels/x/answer", status)
		err := c.Answer(t.Context(), "x")
		var e *ari.Error
		if !errors.Is(err, want) || !errors.As(err, &e) || e.Status != status || e.Message != "Refused by the test" {
			t.Errorf("%d: %v, want %v", status, err, want)
		}
		if got := err.Error(); !strings.HasPrefix(got, "ari: POST channels/x/answer: ") {
			t.Errorf("%d: %q should begin with method and path", status, got)
		}
	}
}

func TestWrongUsers(t *testing.T) {
	s := aritest.New(t)
	bad := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client(), User: aritest.User, Password: "guess"})
	if _, err := bad.Channels(t.Context()); !errors.Is(err, ari.ErrAuth) {
		t.Errorf("%v, want ErrAuth", err)
	}
	reader := newClient(t, ari.Options{URL: s.URL, HTTP: s.Client(), User: aritest.Reader, Password: aritest.Password})
	if _, err := reader.Bridges(t.Context()); err != nil {
		t.Error(err)
	}
	if err := reader.Answer(t.Context(), "x"); !errors.Is(err, ari.ErrReadOnly) {
		t.Errorf("%v, want ErrReadOnly", err)
	}
}

// TestHostileReplies: whatever a server says, a request ends with an error in
// bounded time and space, and its text holds no parameters.
func TestHostileReplies(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		err   error
	}{
		{"not JSON", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, nil},
		{"another type", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `[]`) }, nil},
		{"a page instead of a message", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>no", 404) }, ari.ErrNotFound},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for b := make([]byte, 1<<20); ; {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		}, ari.ErrTooLarge},
		{"never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, context.DeadlineExceeded},
		{"a broken connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, io.EOF},
	} {
		srv := httptest.NewServer(c.serve)
		limit := time.Minute
		if c.err == context.DeadlineExceeded { //nolint:errorlint // it is the table's own
			limit = 200 * time.Millisecond
		}
		cl := newClient(t, ari.Options{URL: srv.URL + "/ari", Timeout: limit})
		_, err := cl.Variable(t.Context(), "x", "PIN")
		if err == nil || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		if err != nil && (strings.Contains(err.Error(), "PIN") || strings.Contains(err.Error(), "html")) {
			t.Errorf("%s: the error tells too much: %v", c.name, err)
		}
		srv.CloseClientConnections()
		srv.Close()
	}
}

func TestPathsAreEscaped(t *testing.T) {
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.RequestURI)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer srv.Close()
	c := newClient(t, ari.Options{URL: srv.URL + "/x/ari/"})
	for _, id := range []string{"a/../b", "..", "a?b#c", "é %"} {
		if err := c.Hangup(t.Context(), id, ""); err != nil {
			t.Error(err)
		}
	}
	want := []string{"DELETE /x/ari/channels/a%2F..%2Fb", "DELETE /x/ari/channels/..", "DELETE /x/ari/channels/a%3Fb%23c", "DELETE /x/ari/channels/%C3%A9%20%25"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []ari.Options{
		{App: "parley"},
		{URL: "127.0.0.1:8088", App: "parley"},
		{URL: "ftp://127.0.0.1/ari", App: "parley"},
		{URL: "http://u:p@127.0.0.1/ari", App: "parley"},
		{URL: "http://127.0.0.1/ari?x=y", App: "parley"},
		{URL: "http://127.0.0.1/ari"},
		{URL: "http://127.0.0.1/ari", App: "a,b"},
		{URL: "http://127.0.0.1/ari", App: "a", Timeout: -1},
		{URL: "http://127.0.0.1/ari", App: "a", Mailbox: -1},
	} {
		if _, err := ari.New(o); !errors.Is(err, ari.ErrOptions) {
			t.Errorf("%+v: %v, want ErrOptions", o, err)
		}
	}
}
