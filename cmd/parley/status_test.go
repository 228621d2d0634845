package main

import (
	"strings"
	"testing"
	"time"

	"parley/adapter/control"
)

func TestStatusOfASwitchThatIsDown(t *testing.T) {
	s := serveFor(t, "switches: [{name: ast1, kind: asterisk, ari: 'http://127.0.0.1:1/ari', user: u, password: x}]\n")
	for _, args := range [][]string{{"status"}, {"status", "--json"}} {
		code, stdout, stderr := parley(t, append(args, "--config", s.file)...)
		if code != 1 || stderr != "" || !strings.Contains(stdout, "ast1") {
			t.Errorf("%s: %d %q %q", args, code, stdout, stderr)
		}
	}
}

// TestStatusTellsATroubleOnce: what is wrong with a switch now is not repeated
// among the troubles of the last hour.
func TestStatusTellsATroubleOnce(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	var b strings.Builder
	printStatus(&b, control.Status{
		Version: "1", Uptime: 3661, Rooms: 2, Legs: 1, Throttled: 3, Priority: "nice -11",
		Checks: []control.Check{
			{Name: "pbx1", Text: "esl pbx1: refused. Next try in 5s. [esl_refused]", Code: "esl_refused"},
			{Name: "pbx2", Ready: true, Text: "fine"},
		},
		Recent: []control.Note{
			{Time: at, Code: "esl_refused", Text: "esl pbx1: refused. [esl_refused]", Times: 1},
			{Time: at, Code: "esl_refused", Text: "esl pbx2: refused. [esl_refused]", Times: 2},
			{Time: at, Code: "no_media", Text: "leg x: nothing. [no_media]", Times: 1},
		},
	})
	want := "parley 1, up 01:01:01, 2 rooms, 1 leg, 3 sources throttled, nice -11\n" +
		"pbx1         DOWN  esl pbx1: refused. Next try in 5s. [esl_refused]\n" +
		"pbx2         up    fine\n" +
		"03:04:05     esl pbx2: refused. [esl_refused] (2 times)\n" +
		"03:04:05     leg x: nothing. [no_media]\n"
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", &b, want)
	}
}

func TestServeWarns(t *testing.T) {
	s := serveFor(t, "profiles: [{name: default, pin_terminator: none, member: {pins: [1, 12]}}]\n")
	if !strings.HasPrefix(s.err.String(), "warning: "+s.file+":8: ") {
		t.Errorf("%s", s.err)
	}
	if got := s.do(t, "status"); !strings.Contains(got, "[pin_prefix]\n") {
		t.Errorf("%s", got)
	}
}
