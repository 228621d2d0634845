package conference

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"parley/esl"
)

type specCase struct {
	name, in string
	want     Spec
	out      string // as String writes it; "" = it does not
}

func specCases() []specCase {
	return []specCase{
		{"a name", "3001", Spec{Name: "3001"}, "3001"},
		{"a profile", "3001@wideband", Spec{Name: "3001", Profile: "wideband"}, "3001@wideband"},
		{"a domain in the name", "3001@pbx.example@default", Spec{Name: "3001@pbx.example", Profile: "default"}, "3001@pbx.example@default"},
		{"a PIN", "3001@default+1234", Spec{Name: "3001", Profile: "default", PIN: "1234"}, "3001@default+1234"},
		{"a PIN without a profile", "3001+1234", Spec{Name: "3001", PIN: "1234"}, "3001+1234"},
		{
			"flags with both separators", "3001@default+1234+flags{mute|moderator,endconf}",
			Spec{Name: "3001", Profile: "default", PIN: "1234", Flags: []string{"mute", "moderator", "endconf"}},
			"3001@default+1234+flags{mute|moderator|endconf}",
		},
		{"an empty PIN", "3001++flags{mute}", Spec{Name: "3001", Flags: []string{"mute"}}, "3001+flags{mute}"},
		{"flags that never end", "3001+flags{mute|deaf", Spec{Name: "3001", Flags: []string{"mute", "deaf"}, Open: true}, "3001+flags{mute|deaf}"},
		{"text behind the flags", "3001+flags{mute}@default", Spec{Name: "3001", Flags: []string{"mute"}, Ignored: "@default"}, ""},
		{"a profile behind the PIN is the PIN's", "3001+12@x", Spec{Name: "3001", PIN: "12@x"}, ""},
		{"leading blanks", "  3001@default", Spec{Name: "3001", Profile: "default"}, "3001@default"},
		{"an empty profile", "3001@", Spec{Name: "3001"}, "3001"},
		{"a name with a blank", "two words@default", Spec{Name: "two words", Profile: "default"}, "two words@default"},
		{
			"eleven flags", "3001+flags{a|b|c|d|e|f|g|h|i|j|k}",
			Spec{Name: "3001", Flags: strings.Split("abcdefghijk", "")},
			"",
		},
		{"ten flags", "3001+flags{a|b|c|d|e|f|g|h|i|j}", Spec{Name: "3001", Flags: strings.Split("abcdefghij", "")}, "3001+flags{a|b|c|d|e|f|g|h|i|j}"},
		{"a bridge", "bridge:3001@default:user/1001", Spec{Name: "3001", Profile: "default", Bridge: "user/1001"}, ""},
	}
}

func TestSpecReadsAsTheSwitchDoes(t *testing.T) {
	for _, tc := range specCases() {
		got, err := ParseSpec(tc.in)
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %+v, %v, want %+v", tc.name, got, err, tc.want)
		}
		out, err := got.String()
		if out != tc.out || (err == nil) != (tc.out != "") || err != nil && !errors.Is(err, esl.ErrArgument) {
			t.Errorf("%s: writes %q, %v, want %q", tc.name, out, err, tc.out)
		}
	}
}

func TestSpecsThatAreNone(t *testing.T) {
	for _, in := range []string{"", "@default", "+1234", "+flags{mute}", "bridge:3001", "bridge:3001:", "a\nb", strings.Repeat("x", maxArgument+1)} {
		if s, err := ParseSpec(in); !errors.Is(err, esl.ErrArgument) {
			t.Errorf("%.40q: %+v, %v", in, s, err)
		}
	}
}

func TestStringRefusesWhatTheSwitchWouldMisread(t *testing.T) {
	for name, s := range map[string]Spec{
		"no name":                 {},
		"a name that has a PIN":   {Name: "a+1"},
		"a name that is a bridge": {Name: "BRIDGE:a:b"},
		"a leading blank":         {Name: " a"},
		"a line break":            {Name: "a\nb"},
		"an expansion":            {Name: "${uuid}"},
		"an escape":               {Name: `a\nb`},
		"a profile with a PIN":    {Name: "a", Profile: "b+1"},
		"a profile with an at":    {Name: "a", Profile: "b@c"},
		"a PIN of letters":        {Name: "a", PIN: "abc"},
		"a PIN with its end":      {Name: "a", PIN: "12#"},
		"a flag that is two":      {Name: "a", Flags: []string{"mute|deaf"}},
		"a flag with the brace":   {Name: "a", Flags: []string{"mute}"}},
		"an empty flag":           {Name: "a", Flags: []string{""}},
	} {
		if out, err := s.String(); !errors.Is(err, esl.ErrArgument) || out != "" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func TestFlagsTakesEveryForm(t *testing.T) {
	for in, want := range map[string][]string{
		"mute":                    {"mute"},
		"mute|deaf,moderator":     {"mute", "deaf", "moderator"},
		" mute | deaf ":           {"mute", "deaf"},
		"ARRAY::mute|:moderator":  {"mute", "moderator"},
		"ARRAY::mute,deaf|:ghost": {"mute", "deaf", "ghost"},
		"|,|":                     nil,
	} {
		if got := Flags(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What String writes, ParseSpec must read as the same again.
func FuzzSpec(f *testing.F) {
	for _, tc := range specCases() {
		f.Add(tc.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseSpec(in)
		if err != nil {
			return
		}
		out, err := s.String()
		if err != nil {
			return
		}
		again, err := ParseSpec(out)
		if s.Profile == "" && strings.Contains(s.Name, "@") {
			s.Profile = "default"
		}
		s.Open = false // it writes the brace
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("%q became %q: %+v, want %+v (%v)", in, out, again, s, err)
		}
	})
}
