package conference

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"parley/esl"
)

// dialStrings are shared with the fuzz test.
var dialStrings = []struct{ in, want string }{
	{"sip:uas@127.0.0.1", "sip:uas@127.0.0.1 []"},
	{"{origination_caller_id_number=777,ignore_early_media=true}sip:uas@127.0.0.1", "sip:uas@127.0.0.1 [{origination_caller_id_number 777} {ignore_early_media true}]"},
	{"[leg_timeout=5]{a=b} sofia/x/1@y", "sofia/x/1@y [{leg_timeout 5} {a b}]"},
	{`{name='Big, Boss',b=1\,2}1001`, "1001 [{name Big, Boss} {b 1,2}]"},
	{"{^^:a=1,2:b=3}1001", "1001 [{a 1,2} {b 3}]"},
	{"{a={b=c}}1001", "1001 [{a {b=c}}]"},
	{"{}1001", "1001 []"},
	{"{a=b,c=^^:x:y}1001", "1001 [{a b} {c ^^:x:y}]"}, // it is for lists, and not for values
	{"{^^}{nothing,=x,a=}1001", "1001 [{a }]"},
	{"<a=b>1001", "1001 [{a b}]"},
	{"1001{a=b}", "1001{a=b} []"},
	{"", ""},
	{"{a=b}", ""},
	{"{a=b", ""},
	{"[a=b}1001", ""},
	{"{a=b\n}1001", ""},
	{`{a=b\nc}1001`, ""},
	{"{" + strings.Repeat("a=b,", MaxVariables+1) + "}1001", ""},
	{strings.Repeat("1", maxArgument+1), ""},
}

func TestParseDialString(t *testing.T) {
	for _, row := range dialStrings {
		d, err := ParseDialString(row.in)
		have := ""
		if err == nil {
			have = fmt.Sprint(d.Address, " ", d.Variables)
		}
		if have != row.want || (err != nil) != errors.Is(err, esl.ErrArgument) || (err == nil) == (row.want == "") {
			t.Errorf("%.60q: %q %v, want %q", row.in, have, err, row.want)
		}
	}
}

func FuzzDialString(f *testing.F) {
	for _, row := range dialStrings {
		f.Add(row.in)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDialString(text)
		if err != nil {
			return
		}
		if d.Address == "" || strings.HasPrefix(d.Address, "{") || !strings.HasSuffix(text, d.Address) || len(d.Variables) > MaxVariables {
			t.Errorf("%q is %+v", text, d)
		}
		for _, v := range d.Variables {
			if v.Name == "" || strings.ContainsFunc(v.Name+v.Value, control) || len(v.Name)+len(v.Value) > len(text) {
				t.Errorf("%q has %+v", text, v)
			}
		}
	})
}
