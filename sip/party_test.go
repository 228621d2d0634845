package sip

import (
	"testing"

	sipgo "github.com/emiago/sipgo/sip"
)

// TestNamesKeepWhatIsLegible: one bad byte does not lose a whole name.
func TestNamesKeepWhatIsLegible(t *testing.T) {
	for in, want := range map[string]string{
		"Ann Lee":     "Ann Lee",
		"Ann\tLee":    "Ann Lee",
		"M\xfcller":   "M\uFFFDller",
		"\x01Ann\x7f": " Ann ",
		" Ann  ":      " Ann  ",
		`Ann \"Lee\"`: `Ann "Lee"`,
		`a\\b`:        `a\b`,
		`a\b\\\\\"\`:  `ab\\"\`,
		"\\\x01":      " ",
		"\\\xff":      "\uFFFD",
		"\xff":        "\uFFFD",
		"\t":          " ",
		"":            "",
	} {
		if got := party(in, sipgo.Uri{}).Name; got != want || !printable(got) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
