package control_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapter/control"
	"parley/engine"
)

func TestPagesForMachines(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.get(t, "/healthz").want(http.StatusOK, "")
		var v struct{ Version string }
		h.get(t, "/v1/version").read(&v)
		if v.Version != "1.2.3" {
			t.Errorf("version %q", v.Version)
		}
		h.join(t, "3001", "a")
		h.roam(t, "3003", "1001", pbx1)
		synctest.Wait()
		var s control.Status
		h.get(t, "/v1/status").read(&s)
		if s.Version != "1.2.3" || s.Rooms != 2 || !slices.Equal(s.Checks, h.checks) || s.Uptime != 60 ||
			s.Legs != 7+1 || s.Throttled != 0 || len(s.Recent) != 1 || s.Recent[0].Code != "no_media" {
			t.Errorf("status %+v", s)
		}
	})
}

// TestWhatIsNotThereIsSaidInJSON: also by package http.
func TestWhatIsNotThereIsSaidInJSON(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.get(t, "/v1/nothing").want(http.StatusNotFound, "no_route")
		h.get(t, "/").want(http.StatusNotFound, "no_route")
		a := h.send(t, request(http.MethodPut, "/v1/rooms/3001/lock", ""))
		a.want(http.StatusMethodNotAllowed, "bad_method")
		if got := a.Header().Get("Allow"); got != http.MethodPost || a.Header().Get("Content-Type") != "application/json" {
			t.Errorf("Allow %q, %v", got, a.Header())
		}
		h.send(t, request(http.MethodPost, "/healthz", "")).want(http.StatusMethodNotAllowed, "bad_method")
	})
}

func TestReadyIsAllOfIt(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		var body struct {
			Ready  bool
			Parts  map[string]string
			Checks []control.Check
		}
		a := h.get(t, "/readyz")
		if a.read(&body); a.Code != http.StatusOK || !body.Ready || len(body.Checks) != 1 {
			t.Errorf("%d %+v", a.Code, body)
		}
		h.checks = append(h.checks, control.Check{Name: "ast1", Text: "connection refused"})
		a = h.get(t, "/readyz")
		if a.read(&body); a.Code != http.StatusServiceUnavailable || body.Ready || !slices.Equal(body.Checks, h.checks) || body.Parts["ast1"] != "down" {
			t.Errorf("%d %+v", a.Code, body)
		}
		h.get(t, "/healthz").want(http.StatusOK, "")
	})
}

func TestRoomsAreShown(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		var list struct{ Rooms []engine.RoomView }
		a := h.get(t, "/v1/rooms")
		if a.read(&list); !strings.Contains(a.Body.String(), `"rooms": []`) {
			t.Errorf("no rooms are %s", a.Body)
		}
		h.join(t, "b", "1001")
		h.join(t, "a", "1002")
		h.arrive(t, "a", "1003", nil) // is asked for a PIN
		synctest.Wait()
		h.get(t, "/v1/rooms").read(&list)
		if len(list.Rooms) != 2 || list.Rooms[0].Name != "a" || list.Rooms[1].Name != "b" {
			t.Fatalf("rooms %+v", list.Rooms)
		}
		var r engine.RoomView
		h.get(t, "/v1/rooms/a").read(&r)
		if len(r.Members) != 1 || r.Prompting != 1 || r.MaxParticipants != 3 || r.State != "active" || r.Mixer != "native" {
			t.Fatalf("room %+v", r)
		}
		m := r.Members[0]
		if m.ID != 1 || m.CallID != "1002" || m.Role != "moderator" || m.Number != "1002" || m.Name != "Ann" || m.Kind != "sip" ||
			m.Codec != "PCMU/8000" || m.Lost != 0.1 {
			t.Errorf("member %+v", m)
		}
	})
}

func TestRoomsAndCallsAreExplained(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.arrive(t, "3001", "a/b@c", map[string]string{"role": "moderator", "mutted": "1"})
		synctest.Wait()
		for path, want := range map[string]engine.Setting{
			"/v1/calls/a%2Fb@c/explain": {Name: "role", Value: "moderator", Source: "variable parley_role"},
			"/v1/rooms/3001/explain":    {Name: "locked", Value: "false", Source: engine.BuiltIn},
			"/v1/rooms/3002/explain":    {Name: "profile", Value: "default", Source: engine.BuiltIn},
		} {
			var e engine.Explanation
			h.get(t, path).read(&e)
			if !slices.Contains(e.Settings, want) {
				t.Errorf("%s: no %+v in %+v", path, want, e)
			}
		}
	})
}

func TestSignals(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.arrive(t, "3001", "a/b@c", map[string]string{"allow_signals": "go"})
		synctest.Wait()
		for _, tt := range []struct {
			call, name string
			want       engine.Signalled
		}{
			{"a%2Fb@c", "stop", engine.Signalled{Signal: "ignored", Why: "the call does not allow it (parley_allow_signals=go)"}},
			{"a%2Fb@c", "go", engine.Signalled{Signal: "delivered"}},
			{"b", "go", engine.Signalled{Signal: "queued"}},
		} {
			var got engine.Signalled
			h.send(t, request("POST", "/v1/calls/"+tt.call+"/signal", `{"name":"`+tt.name+`"}`)).read(&got)
			if got != tt.want {
				t.Errorf("%s to %s: %+v, want %+v", tt.name, tt.call, got, tt.want)
			}
		}
		if !strings.Contains(h.log.String(), "call=a/b@c name=go signal=delivered") {
			t.Errorf("log:\n%s", h.log)
		}
	})
}

func TestCommandsAreAnsweredWhenTheyHaveComeTrue(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.join(t, "3001", "a")
		h.join(t, "3001", "b")
		member := func() engine.MemberView {
			v, err := h.Room(t.Context(), "3001")
			if err != nil {
				t.Fatal(err)
			}
			return v.Members[len(v.Members)-1]
		}
		for _, tt := range []struct {
			name, method, path, body string
			holds                    func() bool
		}{
			{"mute", "PATCH", "/2", `{"muted": true}`, func() bool { return member().Muted }},
			{"unmute and deafen", "PATCH", "/2", `{"muted": false, "deaf": true}`, func() bool { return !member().Muted && member().Deaf }},
			{"hear again", "PATCH", "/2", `{"deaf": false}`, func() bool { return !member().Deaf }},
			{"kick", "DELETE", "/2", "", func() bool { return member().ID == 1 }},
		} {
			a, ticks := h.do(t, tt.method, "/v1/rooms/3001/participants"+tt.path, tt.body)
			a.want(http.StatusNoContent, "")
			if ticks == 0 {
				t.Errorf("%s: answered before the mixer did it", tt.name)
			}
			if !tt.holds() {
				t.Errorf("%s: answered, and it is not so: %+v", tt.name, member())
			}
		}
		a, ticks := h.do(t, "PATCH", "/v1/rooms/3001/participants/1", `{"muted": false}`)
		if a.want(http.StatusNoContent, ""); ticks == 0 {
			t.Error("what looks so already was not asked: the opposite may be under way")
		}
	})
}

func TestCommandsForAll(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		a, b := h.join(t, "3001", "a"), h.arrive(t, "3001", "b", map[string]string{"pin": "4711"})
		synctest.Wait()
		h.turn()
		got, _ := h.do(t, "PATCH", "/v1/rooms/3001/participants/all", `{"muted": true}`)
		got.want(http.StatusNoContent, "")
		v, err := h.Room(t.Context(), "3001")
		if err != nil || v.Members[0].Muted || !v.Members[1].Muted { // the moderator is not meant
			t.Errorf("members %+v, %v", v.Members, err)
		}
		got, _ = h.do(t, "DELETE", "/v1/rooms/3001/participants/all", "")
		got.want(http.StatusNoContent, "")
		for _, c := range []*caller{a, b} {
			if o := <-c.out; o.Reason != engine.ReasonKicked || o.Exit != engine.ExitKicked {
				t.Errorf("%s: %+v", c.ID(), o)
			}
		}
	})
}

func TestLockUnlockAndEnd(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		a := h.join(t, "3001", "a")
		locked := func() bool {
			v, _ := h.Room(t.Context(), "3001")
			return v.Locked
		}
		got, _ := h.do(t, "POST", "/v1/rooms/3001/lock", "")
		got.want(http.StatusNoContent, "")
		if !locked() {
			t.Error("not locked")
		}
		late := h.arrive(t, "3001", "late", map[string]string{"role": "moderator"})
		if o := <-late.out; o.Reason != engine.ReasonLocked {
			t.Errorf("%+v", o)
		}
		got, _ = h.do(t, "POST", "/v1/rooms/3001/unlock", "")
		if got.want(http.StatusNoContent, ""); locked() {
			t.Error("still locked")
		}
		got, _ = h.do(t, "DELETE", "/v1/rooms/3001/run", "")
		got.want(http.StatusNoContent, "")
		h.turn()
		if o := <-a.out; o.Reason != engine.ReasonEnded || o.Exit != engine.ExitEnded || o.Result != engine.ResultJoined {
			t.Errorf("%+v", o)
		}
		h.get(t, "/v1/rooms/3001").want(http.StatusNotFound, "room_not_running")
		for _, line := range []string{"command", "room=3001", "from=127.0.0.1:40000"} {
			if !strings.Contains(h.log.String(), line) {
				t.Errorf("the log does not say %q:\n%s", line, h.log)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	const members = "/v1/rooms/3001/participants/"
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"no such room", "GET", "/v1/rooms/3002", "", 404, "room_not_running"},
		{"no room could have that name", "GET", "/v1/rooms/a%2Fb%0D%0A", "", 404, "room_not_running"},
		{"lock no such room", "POST", "/v1/rooms/3002/lock", "", 404, "room_not_running"},
		{"unlock no such room", "POST", "/v1/rooms/3002/unlock", "", 404, "room_not_running"},
		{"end no such room", "DELETE", "/v1/rooms/3002/run", "", 404, "room_not_running"},
		{"kick from no such room", "DELETE", "/v1/rooms/3002/participants/1", "", 404, "room_not_running"},
		{"mute in no such room", "PATCH", "/v1/rooms/3002/participants/1", `{"muted":true}`, 404, "room_not_running"},
		{"no such member", "PATCH", members + "9", `{"muted":true}`, 404, "participant_not_found"},
		{"kick no such member", "DELETE", members + "9", "", 404, "participant_not_found"},
		{"no number", "DELETE", members + "ann", "", 422, "bad_value"},
		{"number zero", "DELETE", members + "0", "", 422, "bad_value"},
		{"a negative number", "PATCH", members + "-1", `{"muted":true}`, 422, "bad_value"},
		{"a number too large", "PATCH", members + "4294967296", `{"muted":true}`, 422, "bad_value"},
		{"an unknown field", "PATCH", members + "1", `{"mutted":true}`, 422, "unknown_field"},
		{"not a truth value", "PATCH", members + "1", `{"muted":"yes"}`, 422, "bad_body"},
		{"no JSON", "PATCH", members + "1", `muted=1`, 422, "bad_body"},
		{"no body", "PATCH", members + "1", ``, 422, "bad_body"},
		{"a list", "PATCH", members + "1", `[]`, 422, "bad_body"},
		{"cut off", "PATCH", members + "1", `{"muted":tr`, 422, "bad_body"},
		{"two values", "PATCH", members + "1", `{"muted":true}{}`, 422, "bad_body"},
		{"nothing to change", "PATCH", members + "1", `{}`, 422, "bad_body"},
		{"null", "PATCH", members + "1", `null`, 422, "bad_body"},
		{"too large", "PATCH", members + "1", `{"muted":` + strings.Repeat(" ", 64<<10) + `true}`, 413, "too_large"},
		{"how no room sounds", "GET", "/v1/rooms/4711/sound", "", 404, "room_not_running"},
		{"explain no room's name", "GET", "/v1/rooms/..%2Fx/explain", "", 422, "bad_room_name"},
		{"explain no such call", "GET", "/v1/calls/b/explain", "", 404, "call_not_found"},
		{"a signal without a name", "POST", "/v1/calls/a/signal", `{}`, 422, "bad_value"},
		{"a signal of another name", "POST", "/v1/calls/a/signal", `{"name":"go!"}`, 422, "bad_value"},
		{"a signal with more", "POST", "/v1/calls/a/signal", `{"name":"go","to":"b"}`, 422, "unknown_field"},
		{"a wrong configuration", "POST", "/v1/reload", "", 422, "config"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				h.join(t, "3001", "a")
				h.refuses = errConfig
				before, _ := h.Room(t.Context(), "3001")
				a, _ := h.do(t, tt.method, tt.path, tt.body)
				a.want(tt.status, tt.code)
				if after, _ := h.Room(t.Context(), "3001"); after.Seq != before.Seq {
					t.Errorf("it did something: %+v", after)
				}
			})
		})
	}
}

func TestWhatIsNotThere(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		for path, want := range map[string]int{
			"GET /":                        http.StatusNotFound,
			"GET /v1/rooms/3001/lock":      http.StatusMethodNotAllowed,
			"POST /v1/rooms":               http.StatusMethodNotAllowed,
			"DELETE /v1/rooms/3001":        http.StatusMethodNotAllowed,
			"PUT /v1/rooms/a/participants": http.StatusNotFound,
			"POST /metrics":                http.StatusMethodNotAllowed,
			"GET /v1/reload":               http.StatusMethodNotAllowed,
		} {
			method, path, _ := strings.Cut(path, " ")
			if a := h.send(t, request(method, path, "")); a.Code != want {
				t.Errorf("%s %s: %d, want %d", method, path, a.Code, want)
			}
		}
	})
}

func TestReload(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.reports = []string{"profile default changed: max_participants 20→2"}
		var body struct{ Report []string }
		h.send(t, request("POST", "/v1/reload", "")).read(&body)
		if !slices.Equal(body.Report, h.reports) {
			t.Errorf("report %q", body.Report)
		}
		h.refuses = errConfig
		a := h.send(t, request("POST", "/v1/reload", ""))
		if a.want(http.StatusUnprocessableEntity, "config"); !strings.Contains(a.Body.String(), "did you mean") {
			t.Errorf("answer %s", a.Body)
		}
	})
}

// stuck is a bridge that takes members and settles nothing else.
type stuck struct {
	engine.Bridge
	sink engine.Sink
}

func (b *stuck) Admit(op engine.OpID, m engine.MemberID, _ engine.Leg, _ engine.MemberState) {
	b.sink.Post(engine.Joined{Op: op, Member: m})
}
func (b *stuck) Set(engine.OpID, engine.MemberID, engine.MemberState)    {}
func (b *stuck) Remove(engine.OpID, engine.MemberID)                     {}
func (b *stuck) Levels([]engine.MemberMedia) (none []engine.MemberMedia) { return none }
func (b *stuck) Close()                                                  {}

// leg is a call without media.
type leg struct{ released chan engine.Outcome }

func (l leg) ID() engine.LegID                  { return "x" }
func (l leg) Play(engine.OpID, engine.Media)    {}
func (l leg) StopPlay()                         {}
func (l leg) Record(engine.OpID, time.Duration) {}
func (l leg) StopRecord()                       {}
func (l leg) Release(o engine.Outcome)          { l.released <- o }

func TestCommandsThatNeverComeTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var place *stuck
		x, err := engine.New(engine.Options{
			Directory: silent(),
			Bridges: func(_ engine.Place, _ engine.RoomName, _ engine.InstanceID, s engine.Sink) (engine.Bridge, error) {
				place = &stuck{sink: s}
				return place, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		h := &house{log: &book{}}
		h.opt = control.Options{Exchange: x, Tokens: func() []string { return nil }}
		h.api = control.Handler(withDefaults(h.opt))
		l := leg{make(chan engine.Outcome, 1)}
		x.Arrive(l, engine.Invite{Room: "r", Variables: map[string]string{"role": "moderator"}}).Post(engine.MediaUp{Leg: "x"})
		synctest.Wait()
		began := time.Now()
		h.send(t, request("PATCH", "/v1/rooms/r/participants/1", `{"muted":true}`)).want(http.StatusGatewayTimeout, "not_confirmed")
		if d := time.Since(began); d != control.CommandTimeout {
			t.Errorf("gave up after %v", d)
		}
		go func() {
			time.Sleep(time.Second)
			place.sink.Post(engine.BridgeFailed{})
		}()
		h.send(t, request("DELETE", "/v1/rooms/r/participants/1", "")).want(http.StatusConflict, "room_ended")
		<-l.released
		if err := x.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
