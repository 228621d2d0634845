package main

import (
	"slices"
	"strings"
	"testing"

	"parley/engine"
)

// TestLongNamesStayInTheirColumn: every line of the table is as wide.
func TestLongNamesStayInTheirColumn(t *testing.T) {
	var b strings.Builder
	printRoom(&b, engine.RoomView{Members: []engine.MemberView{
		{ID: 1, Role: "member", Number: "1001", Name: "Ann", Switch: "pbx1", Codec: "PCMU/8000"},
		{
			ID: 2, Role: "moderator", State: "waiting", Number: strings.Repeat("0123456789", 4), Name: strings.Repeat("Zoë ", 30),
			Switch: "a-switch-of-a-long-name", Codec: "opus/48000/2",
		},
	}})
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")[1:]
	starts := func(line string) int { return slices.Index([]rune(line), '…') }
	if len(lines) != 3 || starts(lines[1]) != -1 || starts(lines[2]) != 30 {
		t.Fatalf("%s", b.String())
	}
	for _, line := range lines[1:] {
		if got, want := len([]rune(line)), len([]rune(lines[0])); got != want {
			t.Errorf("%d columns, want %d: %s", got, want, line)
		}
	}
}

// TestWhoIsBesideARoomIsPrinted with it, and how he comes to it.
func TestWhoIsBesideARoomIsPrinted(t *testing.T) {
	var b strings.Builder
	printRoom(&b, engine.RoomView{Name: "3001", Mixer: "native", Beside: []engine.Beside{
		{Switch: "ast1", Kind: "asterisk", Members: []engine.MemberView{{Number: "1008", Name: "Ann"}, {Number: "1009"}}},
		{Switch: "pbx1", Kind: "freeswitch", Members: []engine.MemberView{{Number: "1010", Name: "Bob"}}},
	}})
	for _, want := range []string{
		"mixer native  2 more in ConfBridge 3001 at ast1, not ours  1 more in conference 3001 at pbx1, not ours\n",
		"in ConfBridge 3001 at ast1, not ours: 1008 Ann\n", "in conference 3001 at pbx1, not ours: 1010 Bob\nparley room 3001 takeover brings them here\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}
