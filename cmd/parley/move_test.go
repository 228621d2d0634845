package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"parley/adapter/control"
)

func TestMovesArePrinted(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   control.Move
		want string
	}{
		{"nobody", control.Move{Mixer: "native"}, "nobody had to move; mixer native\n"},
		{
			"two",
			control.Move{Mixer: "switch pbx1", Moves: []control.Moved{{Member: 1, Number: "1001", Name: "Ann", Gap: 42.4}, {Member: 12, Number: "1002", Name: "Bob", Gap: 7.6}}},
			"#1 1001 Ann   gap 42 ms\n#12 1002 Bob   gap 8 ms\nmixer switch pbx1, 2 members, gap p95 42 ms\n",
		},
		{
			"without its recording",
			control.Move{Mixer: "native", Warnings: []string{"the room has moved, and is not recorded"}},
			"nobody had to move; mixer native\nwarning: the room has moved, and is not recorded\n",
		},
	} {
		var out bytes.Buffer
		printMove(&out, tt.in)
		if out.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, out.String(), tt.want)
		}
	}
	for n, want := range map[int]float64{1: 1, 10: 10, 19: 19, 20: 19, 100: 95} {
		var gaps []float64
		for i := range n {
			gaps = append(gaps, float64(n-i))
		}
		if got := p95(gaps); got != want {
			t.Errorf("p95 of 1 to %d is %v, want %v", n, got, want)
		}
	}
}

func TestDifferencesArePrinted(t *testing.T) {
	var out bytes.Buffer
	printAudit(&out, []control.Difference{{Switch: "pbx1", Room: "3001", Call: "u-1", Text: "is gone"}, {Switch: "pbx2", Text: "cannot be asked"}})
	want := fmt.Sprintf("%-10s %-14s %-36s %s\n", "pbx1", "3001", "u-1", "is gone") + fmt.Sprintf("%-10s %-14s %-36s %s\n", "pbx2", "-", "-", "cannot be asked")
	if out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestMovesAndAuditOfARunningParley(t *testing.T) {
	s := serveFor(t, "profiles: [{name: default, "+quiet+"}]\n")
	s.dial(t, "1001")
	s.err.has(t, "caller=1001 member=1")
	if got := s.do(t, "room", "3001", "takeover"); got != "nobody had to move; mixer native\n" {
		t.Errorf("%q", got)
	}
	if got := s.do(t, "room", "3001", "takeover", "--json"); !strings.Contains(got, `"moves": []`) {
		t.Errorf("%q", got)
	}
	s.fails(t, "engine: the room cannot be moved: no member of room 3001 is a call of a switch that can mix it. [cannot_move]", "room", "3001", "handback")
	s.fails(t, "engine: room is not running: 3009, here or on a switch. [room_not_running]", "room", "3009", "takeover")
	if got := s.do(t, "audit"); got != "rosters and switches agree\n" {
		t.Errorf("%q", got)
	}
	if got := s.do(t, "audit", "--json"); got != "[]\n" {
		t.Errorf("%q", got)
	}
}

func TestAuditOfASwitchThatIsDown(t *testing.T) {
	s := serveFor(t, "switches: [{name: pbx1, kind: freeswitch, esl: '127.0.0.1:1', password: x}]\n")
	for _, args := range [][]string{{"audit"}, {"audit", "--json"}} {
		code, stdout, stderr := parley(t, append(args, "--config", s.file)...)
		if code != 1 || stderr != "" || !strings.Contains(stdout, "pbx1") || !strings.Contains(stdout, "cannot be asked") {
			t.Errorf("%s: %d %q %q", args, code, stdout, stderr)
		}
	}
}
