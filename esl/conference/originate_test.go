package conference

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"parley/esl"
)

// originates are shared with the fuzz test; what came of them is
// APPLICATION(ARGUMENT) or the extension, then all else that is not empty.
var originates = []struct{ in, want string }{
	{"user/1001 &conference(3001@default+12+flags{mute|deaf})", "user/1001 conference(3001@default+12+flags{mute|deaf})"},
	{"  user/1001   &CONFERENCE(3001 ", "user/1001 conference(3001)"},
	{"user/1001 &conference", "user/1001 conference()"},
	{"user/1001 '&conference(3001 x)y' XML", "user/1001 conference(3001 x) XML"},
	{"user/1001 &park()", "user/1001 park()"},
	{"user/1001 3001", "user/1001 3001"},
	{"user/1001 &", "user/1001 &"},
	{"user/1001 3001 XML default Ann 55 7", "user/1001 3001 XML default Ann 55 7s"},
	{"user/1001 3001 undef UNDEF 'Big Boss' 55", "user/1001 3001 Big Boss 55"},
	{"user/1001 3001 XML default Ann 55 soon", "user/1001 3001 XML default Ann 55"},
	{"user/1001 conference:3001+flags{mute} inline", "user/1001 conference(3001+flags{mute}) inline"},
	{"user/1001 conference:3001,hangup inline", "user/1001 inline(3001,hangup) inline"},
	{"user/1001 m:^:conference:3001+flags{mute,deaf} inline", "user/1001 conference(3001+flags{mute,deaf}) inline"},
	{"user/1001 m:^:conference:3001^hangup inline", "user/1001 inline(3001^hangup) inline"},
	{"user/1001 m:^: inline", "user/1001 m(^:) inline"},
	{`{a='b c',d=e\ f}user/1001 3001`, "{a=b c,d=e f}user/1001 3001"},
	{"", ""},
	{"user/1001", ""},
	{"a b c d e f g h", ""},
	{"user/1001 3001\n", ""},
	{strings.Repeat("x", maxArgument) + " 3001", ""},
}

func (o Originate) text() string {
	words := []string{o.To, o.Extension, o.Dialplan, o.Context, o.Name, o.Number}
	if o.Application != "" {
		words[1] = o.Application + "(" + o.Argument + ")"
	}
	if o.Timeout != 0 {
		words = append(words, o.Timeout.String())
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

func TestParseOriginate(t *testing.T) {
	for _, row := range originates {
		o, err := ParseOriginate(row.in)
		have := ""
		if err == nil {
			have = o.text()
		}
		if have != row.want || (err != nil) != errors.Is(err, esl.ErrArgument) || (err == nil) == (row.want == "") {
			t.Errorf("%.60q: %q %v, want %q", row.in, have, err, row.want)
		}
	}
}

func FuzzOriginate(f *testing.F) {
	for _, row := range originates {
		f.Add(row.in)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseOriginate(text)
		if err != nil {
			return
		}
		if (o.Application != "") && o.Extension != "" || len(fmt.Sprint(o)) > len(text)+64 || o.Timeout < 0 || len(text) > maxArgument {
			t.Errorf("%q is %+v", text, o)
		}
		if o.Application != strings.ToLower(o.Application) {
			t.Errorf("%q has application %q", text, o.Application)
		}
	})
}
