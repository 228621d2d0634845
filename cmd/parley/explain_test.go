package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// TestExplain asks a running Parley about a room and a call in it, until after
// the call has left.
func TestExplain(t *testing.T) {
	s := serveFor(t, "profiles:\n  - name: default\n    max_participants: 20\n    "+strings.ReplaceAll(quiet, ", ", "\n    ")+"\n"+
		"    moderator: {pins: ['9876', '98765']}\nrooms:\n  - {name: '3001', title: Weekly, max_participants: 5}\n")
	c := s.dial(t, "1001")
	s.err.has(t, "participant.joined")
	s.do(t, "room", "3001", "mute", "1")
	var room engine.RoomView
	if err := json.Unmarshal([]byte(s.do(t, "room", "3001", "--json")), &room); err != nil {
		t.Fatal(err)
	}
	id := string(room.Members[0].CallID)
	has := func(text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("no %q in\n%s", w, text)
			}
		}
	}
	has(s.do(t, "explain", "room", "3001"), "room 3001 (Weekly)  active\n",
		"  max_participants             5                           "+s.file+":19\n",
		"- max_participants             20                          "+s.file+":10: overridden by "+s.file+":19\n",
		"  moderator.pins               *** (2)                     "+s.file+":17\n",
		"  pin_attempts                 3                           built-in default\n")
	has(s.do(t, "explain", "call", id), "call "+id+"  from 1001  by sip  room 3001 (Weekly)  member 1  joined\n",
		"  muted                        true                        by command, ", "  role ")
	c.Hangup()
	s.err.has(t, "participant.left")
	var e engine.Explanation
	if err := json.Unmarshal([]byte(s.do(t, "explain", "call", id, "--json")), &e); err != nil || e.State != "left" || e.Reason != engine.ReasonHangup {
		t.Errorf("%+v %v", e, err)
	}
	has(s.do(t, "explain", "call", id), "  member 1  left 0 s ago: joined hangup\n")
	s.fails(t, "engine: no such call: x is not here, and not among the calls of the last hour. [call_not_found]", "explain", "call", "x")
}

func TestWhatAPlaceCannotDoIsPrinted(t *testing.T) {
	var b strings.Builder
	printExplanation(&b, engine.Explanation{
		Room: "3001", State: "active", Settings: []engine.Setting{{Name: "gate", Value: "auto", Source: "p.yaml:7", Lost: "no gate"}},
		Limits: []engine.Limit{{Settings: []string{"mode", "gate"}, Why: "no gate"}},
	}, time.Time{})
	want := "room 3001  active\n- gate                         auto                        p.yaml:7: no gate\nnot possible here: mode, gate: no gate\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestHowLongAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0 s", 59 * time.Second: "59 s", 3*time.Minute + 50*time.Second: "3 min"} {
		if got := ago(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
}
