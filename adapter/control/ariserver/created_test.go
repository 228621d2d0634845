package ariserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
)

// order asks as the user, and says the status.
func order(t *testing.T, s *Server, method, path string) int {
	t.Helper()
	return ask(t, s, method, path).Code
}

// calls has a server drive an engine that calls by one way.
func calls(t *testing.T, s *Server, way engine.Way) {
	t.Helper()
	x, err := engine.New(engine.Options{
		Observer: s.Observe,
		Router:   func(string) (engine.Way, error) { return way, nil },
		Bridges: func(engine.Place, engine.RoomName, engine.InstanceID, engine.Sink) (engine.Bridge, error) {
			return nil, errors.New("nobody has come")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close(context.Background()) })
	s.Drive(x)
}

// TestWhoRefusesAtOnceWasCalled: the client is answered with the channel as it was
// made, and hears by events that it is over.
func TestWhoRefusesAtOnceWasCalled(t *testing.T) {
	s := newServer()
	busy := func(context.Context, engine.OutCall) error { return &engine.CallError{Cause: engine.CauseBusy} }
	calls(t, s, busy)
	for i := range 200 {
		id := fmt.Sprint("c", i)
		w := ask(t, s, http.MethodPost, "/channels?app=a&extension=3001&endpoint=sip:x@y&channelId="+id)
		var made struct{ ID, State string }
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusOK || made.ID != id || made.State != "Down" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

// TestWhatNobodyDialsEnds: clients forget what they have created, and it has an
// id, and perhaps a port.
func TestWhatNobodyDialsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		open := map[engine.LegID]bool{}
		s.opt.OpenMedia = func(id engine.LegID, _ string, _ netip.AddrPort) (netip.AddrPort, error) {
			open[id] = true
			return netip.MustParseAddrPort("127.0.0.1:30000"), nil
		}
		s.opt.DropMedia = func(id engine.LegID) { delete(open, id) }
		left := func() string {
			s.mu.Lock()
			defer s.mu.Unlock()
			return fmt.Sprint(slices.Sorted(maps.Keys(s.calls)), slices.Sorted(maps.Keys(open)))
		}
		const media = "/channels/externalMedia?app=a&external_host=127.0.0.1:9&format=ulaw&channelId="
		for _, path := range []string{"/channels/create?app=a&endpoint=sip:x@y&channelId=c", media + "m", media + "gone"} {
			if got := order(t, s, http.MethodPost, path); got != http.StatusOK {
				t.Fatal(path, got)
			}
		}
		if got := order(t, s, http.MethodDelete, "/channels/gone"); got != http.StatusNoContent {
			t.Error(got)
		}
		time.Sleep(unusedTime - time.Second)
		if got := order(t, s, http.MethodPost, media+"late"); got != http.StatusOK {
			t.Error(got)
		}
		if synctest.Wait(); left() != "[c late m] [late m]" {
			t.Error(left())
		}
		time.Sleep(2 * time.Second)
		if synctest.Wait(); left() != "[late] [late]" {
			t.Errorf("after an hour: %s", left())
		}
		s.Observe(engine.Event{Type: engine.EventDialed, Leg: "late", Dial: &engine.Job{State: engine.DialFailed}}) // before its room called it
		if left() != "[] []" {
			t.Errorf("its call has failed: %s", left())
		}
	})
}

// TestHeadersOfACreatedCallAreLimited, as all that clients make us keep.
func TestHeadersOfACreatedCallAreLimited(t *testing.T) {
	s := newServer()
	if got := order(t, s, http.MethodPost, "/channels/create?app=a&endpoint=sip:x@y&channelId=c"); got != http.StatusOK {
		t.Fatal(got)
	}
	set := func(header, value string) int {
		return order(t, s, http.MethodPost, "/channels/c/variable?variable="+url.QueryEscape("PJSIP_HEADER(add,X-"+header+")")+"&value="+value)
	}
	for i := range maxVariables {
		if got := set(strconv.Itoa(i), "1"); got != http.StatusNoContent {
			t.Fatal(i, got)
		}
	}
	before := s.calls["c"].created.Channel
	for _, one := range [][2]string{{"more", "1"}, {"1", strings.Repeat("x", maxValue+1)}, {strings.Repeat("x", maxVariable), "1"}} {
		if got := set(one[0], one[1]); got != http.StatusBadRequest {
			t.Errorf("%.20s: %d", one, got)
		}
	}
	if got := set("1", "2"); got != http.StatusNoContent || before["X-1"] != "1" {
		t.Errorf("%d; who reads the old ones sees %s", got, before["X-1"])
	}
}

// TestVariablesOfAnOrderAreTheChannels from the start, whichever order it is.
func TestVariablesOfAnOrderAreTheChannels(t *testing.T) {
	s := newServer()
	s.opt.OpenMedia = func(engine.LegID, string, netip.AddrPort) (netip.AddrPort, error) {
		return netip.MustParseAddrPort("127.0.0.1:30000"), nil
	}
	s.opt.DropMedia = func(engine.LegID) {}
	called := make(chan engine.OutCall, 1)
	rings := func(ctx context.Context, c engine.OutCall) error {
		called <- c
		<-ctx.Done()
		return ctx.Err()
	}
	calls(t, s, rings)
	const body = `{"variables":{"FOO":"bar","PARLEY_MUTED":"true","PJSIP_HEADER(add,X-T)":"1"}}`
	for path, id := range map[string]string{
		"/channels?app=a&extension=3001&endpoint=sip:x@y&channelId=rings":                     "rings",
		"/channels/create?app=a&endpoint=sip:x@y&channelId=made":                              "made",
		"/channels/externalMedia?app=a&external_host=127.0.0.1:9&format=ulaw&channelId=media": "media",
	} {
		r := httptest.NewRequest(http.MethodPost, "/ari"+path, strings.NewReader(body))
		r.SetBasicAuth("u", "p:w")
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Fatal(path, w.Code, w.Body)
		}
		get := func(name string) string {
			w := ask(t, s, http.MethodGet, "/channels/"+id+"/variable?variable="+url.QueryEscape(name))
			return fmt.Sprint(w.Code, " ", strings.TrimSpace(w.Body.String()))
		}
		for name, want := range map[string]string{
			"FOO": `200 {"value":"bar"}`, "BAR": `404 {"message":"Provided variable was not found"}`,
			"PARLEY_MUTED": `404 {"message":"Provided variable was not found"}`, "PJSIP_HEADER(add,X-T)": `500 {"message":"Unable to read provided function"}`,
		} {
			if have := get(name); have != want {
				t.Errorf("%s: %s is %s, want %s", id, name, have, want)
			}
		}
	}
	if c := <-called; c.Channel["FOO"] != "bar" || c.Invite.Variables["muted"] != "true" {
		t.Errorf("called with %v and %v", c.Channel, c.Invite.Variables)
	}
}

// TestIdsThatCannotBeAskedForAreRefused: JSON has no bytes that are no text.
func TestIdsThatCannotBeAskedForAreRefused(t *testing.T) {
	s := newServer()
	for id, want := range map[string]int{"a%2Fb": 200, "%C3%A4": 200, "%ff": 400, "a%00b": 400, "a%0ab": 400, strings.Repeat("x", maxID+1): 400} {
		if got := order(t, s, http.MethodPost, "/bridges/"+id+"?name=r"+strconv.Itoa(len(s.rooms))); got != want {
			t.Errorf("bridge %s: %d, want %d", id, got, want)
		}
		if got := order(t, s, http.MethodPost, "/channels/create?app=a&endpoint=sip:x@y&channelId="+id); got != want {
			t.Errorf("channel %s: %d, want %d", id, got, want)
		}
	}
}

// TestAPageOfAnotherSiteDoesNothing with the password that a browser keeps.
func TestAPageOfAnotherSiteDoesNothing(t *testing.T) {
	s := newServer()
	for _, tt := range []struct {
		site, query string
		want        int
	}{{"cross-site", "", 403}, {"cross-site", "?api_key=u:p:w", 200}, {"same-origin", "", 200}, {"", "", 200}} {
		r := httptest.NewRequest(http.MethodPost, "http://parley.test:8085/ari/bridges"+tt.query, nil)
		r.SetBasicAuth("u", "p:w")
		if tt.site != "" {
			r.Header.Set("Sec-Fetch-Site", tt.site)
		}
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.site, tt.query, w.Code, tt.want)
		}
	}
}
