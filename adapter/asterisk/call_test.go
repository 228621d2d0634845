package asterisk_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"parley/ari/aritest"
	"parley/engine"
)

// TestACallJoinsAndIsGivenBack is a whole call, with every request in order:
// the handler is disarmed, and the media taken down, only when the caller has
// left.
func TestACallJoinsAndIsGivenBack(t *testing.T) {
	r := newRig(t, nil).ready()
	before := len(r.front.requests())
	c := r.ast.Call("room=3000")
	e := r.await(engine.EventJoined, c.ID())
	if e.Invite.Kind != "asterisk" || e.Invite.Switch != "ast1" || e.Invite.Source != "ast1/1001" ||
		e.Invite.Caller != (engine.Caller{Number: "1001", Name: "Alice"}) || !e.Invite.Dialplan {
		t.Errorf("invite %+v", e.Invite)
	}
	if c.State() != "Up" {
		t.Errorf("the call is %s", c.State())
	}
	r.until("what a CDR says if he hangs up", func() bool {
		v := c.Variables()
		_, result := v["PARLEY_RESULT"]
		return v["PARLEY_REASON"] == "hangup" && v["PARLEY_EXIT"] == "hangup" && v["PARLEY_MEMBER_ID"] == "1" && !result
	})
	c.Press("#")
	r.continued(c, map[string]string{
		"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "0",
	})
	r.front.await(t, "DELETE bridge")
	want := []string{
		"GET variable", "POST answer", "POST bridge", "POST externalMedia", "POST addChannel",
		"POST PARLEY_REASON", "POST PARLEY_EXIT", "POST PARLEY_MEMBER_ID",
		"POST PARLEY_RESULT", "POST PARLEY_REASON", "POST PARLEY_EXIT", "POST PARLEY_EXIT_DIGITS", "POST PARLEY_SIGNAL", "POST PARLEY_DURATION",
		"POST PARLEY_MEMBER_ID", "POST PARLEY_WARNINGS", "POST continue",
		"POST CHANNEL(hangup_handler_wipe)", "DELETE channel", "DELETE bridge",
	}
	if got := r.front.requests()[before:]; !slices.Equal(got, want) {
		t.Errorf("requests\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if channels, bridges := r.ast.Count(); channels != 1 || bridges != 0 {
		t.Errorf("%d channels and %d bridges are left, want the caller's", channels, bridges)
	}
}

// TestTheHandlerStaysUntilTheCallerHasLeft loses the news of it: what is not
// known to be over is not disarmed.
func TestTheHandlerStaysUntilTheCallerHasLeft(t *testing.T) {
	r := newRig(t, nil).ready()
	c := r.ast.Call("room=3000")
	r.joined(c)
	back := make(chan struct{})
	r.front.on("GET asterisk", func() { <-back })
	r.front.on("POST continue", r.ast.DropEvents)
	c.Press("#")
	r.exit(c, aritest.Exit{How: aritest.Continued})
	r.front.await(t, "DELETE bridge")
	close(back)
	if slices.Contains(r.front.requests(), "POST CHANNEL(hangup_handler_wipe)") {
		t.Error("the handler of a caller who may be here was taken away")
	}
}

func TestArgumentsAndVariables(t *testing.T) {
	r := newRig(t, nil).ready()
	for _, c := range []struct {
		name      string
		variables map[string]string
		args      []string
		want      map[string]string // of the invite
		warnings  string
	}{
		{
			name: "named", args: []string{"room=3000", "profile=default", "muted=true"},
			want: map[string]string{"room": "3000", "profile": "default", "muted": "true"},
		},
		{
			name: "by position, as for ConfBridge", args: []string{"3000", "default"},
			want: map[string]string{"room": "3000", "profile": "default"},
		},
		{
			name: "a bridge and a user profile", args: []string{"3000", "big", "guest", "keys"},
			want:     map[string]string{"room": "3000", "profile": "big.guest", "controls": "keys"},
			warnings: `unknown profile big.guest, using default; parley_controls: "keys" is not defined, using default`,
		},
		{
			name: "a user profile of the default bridge", args: []string{"3000", "default_bridge", "guest"},
			want: map[string]string{"room": "3000", "profile": "guest"}, warnings: "unknown profile guest, using default",
		},
		{
			name: "a user profile alone", args: []string{"3000", "", "guest"},
			want: map[string]string{"room": "3000", "profile": "guest"}, warnings: "unknown profile guest, using default",
		},
		{
			name: "a profile by name wins", args: []string{"3000", "big", "guest", "profile=default"},
			want: map[string]string{"room": "3000", "profile": "default"},
		},
		{
			name: "mixed, with blanks and one left out", args: []string{" 3000 ", "", " Language = de "},
			want: map[string]string{"room": "3000", "language": "de"},
		},
		{
			name: "variables alone", variables: map[string]string{"PARLEY_ROOM": "3000", "PARLEY_ENTER_SOUND": "de, \"at\" ${X}"},
			want: map[string]string{"room": "3000", "enter_sound": "de, \"at\" ${X}"},
		},
		{
			name: "arguments win", variables: map[string]string{"PARLEY_ROOM": "3102", "PARLEY_MUTED": "true", "PARLEY_RESULT": "old"},
			args: []string{"room=3000", "muted=false"},
			want: map[string]string{"room": "3000", "muted": "false", "result": "old"},
		},
		{
			name: "more than there are places", args: []string{"3000", "default", "", "", "5th", "6th"},
			want:     map[string]string{"room": "3000", "profile": "default"},
			warnings: "argument 6 of Stasis() is ignored: it has no name; argument 7 of Stasis() is ignored: it has no name",
		},
		{
			name: "a slip of the pen", args: []string{"3000", "mutted=true"},
			want:     map[string]string{"room": "3000", "mutted": "true"},
			warnings: "unknown variable parley_mutted, did you mean parley_muted?",
		},
	} {
		call := r.ast.CallWith(c.variables, c.args...)
		if got := r.await(engine.EventJoined, call.ID()).Invite; !maps.Equal(got.Variables, c.want) || got.Room != "3000" {
			t.Errorf("%s: variables %q, want %q", c.name, got.Variables, c.want)
		}
		call.Press("#")
		r.exit(call, aritest.Exit{How: aritest.Continued})
		if got := call.Variables()["PARLEY_WARNINGS"]; got != c.warnings {
			t.Errorf("%s: warnings %q, want %q", c.name, got, c.warnings)
		}
	}
}

func TestVariablesAreAskedForOneByOneWithoutEVAL(t *testing.T) {
	for _, c := range []struct {
		name  string
		value string // of a variable
		eval  int    // status of EVAL()
	}{
		{name: "the switch has no func_strings", value: "de", eval: 500},
		{name: "a value holds the separator", value: "d\x1fe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil).ready()
			if c.eval != 0 {
				r.ast.Refuse("GET channels//variable", c.eval)
			}
			call := r.ast.CallWith(map[string]string{"PARLEY_ROOM": "3000", "PARLEY_LANGUAGE": c.value})
			want := map[string]string{"room": "3000", "language": c.value}
			if got := r.await(engine.EventJoined, call.ID()).Invite.Variables; !maps.Equal(got, want) {
				t.Errorf("variables %q, want %q", got, want)
			}
			call.Hangup()
		})
	}
}

// TestACallWhoseVariablesCannotBeReadDoesNotGetIn: the one that was lost might
// have asked for a PIN.
func TestACallWhoseVariablesCannotBeReadDoesNotGetIn(t *testing.T) {
	r := newRig(t, nil).ready()
	r.front.on("GET variable", func() {
		r.ast.Refuse("GET channels//variable", 500)
		r.front.on("GET variable", func() { r.ast.Refuse("GET channels//variable", 500) })
	})
	c := r.ast.Call("room=3000")
	r.continued(c, map[string]string{"result": "failed", "reason": "switch_lost", "duration": "0"})
	if rooms, err := r.exchange.Rooms(t.Context()); err != nil || len(rooms) != 0 {
		t.Errorf("rooms %v, %v", rooms, err)
	}
}

func TestResults(t *testing.T) {
	r := newRig(t, nil).ready()
	type results map[string]string
	for _, c := range []struct {
		name string
		args []string
		do   func(*rig, *aritest.Call)
		want results
	}{
		{
			name: "wrong PIN", args: []string{"room=3101"},
			do:   func(_ *rig, c *aritest.Call) { c.Press("1#2#3#") },
			want: results{"result": "rejected", "reason": "pin_failed", "duration": "0"},
		},
		{
			name: "kicked", args: []string{"room=3000"},
			do: func(r *rig, c *aritest.Call) {
				r.joined(c)
				r.command("3000", engine.Kick{Member: 1})
			},
			want: results{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1"},
		},
		{
			name: "ended", args: []string{"room=3000"},
			do: func(r *rig, c *aritest.Call) {
				r.joined(c)
				r.command("3000", engine.End{})
			},
			want: results{"result": "joined", "reason": "ended", "exit": "ended", "member_id": "1"},
		},
		{name: "no name of a room", args: []string{"room=../x"}, want: results{"result": "rejected", "reason": "bad_room_name", "duration": "0"}},
		{
			name: "a name that is too long", args: []string{"room=" + strings.Repeat("x", 129)},
			want: results{"result": "rejected", "reason": "bad_room_name", "duration": "0"},
		},
		{name: "an emoji", args: []string{"room=😀"}, want: results{"result": "rejected", "reason": "bad_room_name", "duration": "0"}},
		{
			name: "no room, and none typed", do: func(_ *rig, c *aritest.Call) { c.Press("###") },
			want: results{"result": "rejected", "reason": "bad_room_name", "duration": "0"},
		},
	} {
		call := r.ast.Call(c.args...)
		if c.do != nil {
			c.do(r, call)
		}
		t.Log(c.name)
		r.continued(call, c.want)
	}
	if got := r.log.count("parley_room not set; the caller is asked for it"); got != 1 {
		t.Errorf("a missing room is in the log %d times", got)
	}
	member := r.ast.Call("room=3102")
	r.joined(member)
	second := r.ast.Call("room=3102")
	r.continued(second, results{"result": "rejected", "reason": "full", "duration": "0"})
	member.Hangup()
}

// command gives an order to a room.
func (r *rig) command(room engine.RoomName, c engine.Command) {
	r.Helper()
	if err := r.exchange.Do(r.Context(), room, c); err != nil {
		r.Error(err)
	}
}

func TestARefusedCallIsHungUpWhereTheProfileSaysSo(t *testing.T) {
	r := newRig(t, nil).ready()
	c := r.ast.Call("room=3103")
	c.Press("1#2#3#")
	r.exit(c, aritest.Exit{How: aritest.HungUp})
	r.results(c, map[string]string{"result": "rejected", "reason": "pin_failed", "duration": "0"})
	r.front.await(t, "DELETE bridge")
	if channels, bridges := r.ast.Count(); channels != 0 || bridges != 0 {
		t.Errorf("%d channels and %d bridges are left", channels, bridges)
	}
}

func TestNoPINGetsIntoTheLog(t *testing.T) {
	r := newRig(t, nil).ready()
	for _, c := range []*aritest.Call{
		r.ast.Call("room=3101"), r.ast.Call("room=3101", "pin=4711"),
		r.ast.CallWith(map[string]string{"PARLEY_PIN": "4711"}, "room=3101"),
	} {
		c.Press("4711#")
		r.joined(c)
		c.Press("#")
		r.exit(c, aritest.Exit{How: aritest.Continued})
	}
	if strings.Contains(r.log.String(), "4711") {
		t.Errorf("a PIN is in the log:\n%s", r.log)
	}
}

// TestTheDialplansTimeoutIsClearedOnRequest: else it may be one that the
// dialplan wants to keep.
func TestTheDialplansTimeoutIsClearedOnRequest(t *testing.T) {
	r := newRig(t, nil).ready()
	for args, want := range map[string]string{"clear_timeout=yes": "0", "clear_timeout=no": "", "muted=false": ""} {
		c := r.ast.Call("room=3000", args)
		if in := r.await(engine.EventJoined, c.ID()).Invite; in.Variables["clear_timeout"] != "" {
			t.Errorf("the engine is asked for %v", in.Variables)
		}
		if got := c.Variables()["TIMEOUT(absolute)"]; got != want {
			t.Errorf("%s: timeout %q, want %q", args, got, want)
		}
		c.Hangup()
	}
}
