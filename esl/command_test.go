package esl

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/percipia/eslgo/command"
	"github.com/percipia/eslgo/command/call"
)

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		name string
		cmd  command.Command
		want string
		err  error
	}{
		{name: "api", cmd: command.API{Command: "status"}, want: "api status \r\n\r\n"},
		{name: "auth", cmd: command.Auth{Password: "x y"}, want: "auth x y\r\n\r\n"},
		{name: "userauth", cmd: command.Auth{User: "a@b", Password: "c"}, want: "userauth a@b:c\r\n\r\n"},
		{name: "linger counts seconds", cmd: linger(10 * time.Second), want: "linger 10\r\n\r\n"},
		{name: "linger rounds up", cmd: linger(1500 * time.Millisecond), want: "linger 2\r\n\r\n"},
		{name: "bgapi with a job of ours", cmd: bgapi{"show", "calls", "id"}, want: "bgapi show calls\r\nJob-UUID: id\r\n\r\n"},

		{name: "LF in api", cmd: command.API{Command: "status", Arguments: "a\n\nexit"}, err: ErrArgument},
		{name: "CR in api", cmd: command.API{Command: "status\rx"}, err: ErrArgument},
		{name: "NUL in api", cmd: command.API{Command: "status", Arguments: "a\x00b"}, err: ErrArgument},
		{name: "LF in a password", cmd: command.Auth{Password: "x\n"}, err: ErrArgument},
		{name: "LF in an event name", cmd: command.Event{Format: "plain", Listen: []string{"A", "B\n"}}, err: ErrArgument},
		{name: "LF in a filter", cmd: command.Filter{EventHeader: "A", FilterValue: "\n"}, err: ErrArgument},
		{name: "LF in a uuid", cmd: command.MyEvents{UUID: "\n"}, err: ErrArgument},
		{name: "LF in an application", cmd: &call.Execute{AppName: "a\nb"}, err: ErrArgument},
		{name: "LF in its argument", cmd: &call.Execute{AppName: "set", AppArgs: "a=b\nc"}, err: ErrArgument},
		{name: "LF in its id", cmd: &call.Execute{AppName: "set", AppUUID: "\n"}, err: ErrArgument},
		{name: "LF in a job", cmd: bgapi{"a", "b", "c\n"}, err: ErrArgument},
		{name: "LF in a line", cmd: line("a\n"), err: ErrArgument},
		{name: "a builder without a check", cmd: command.Linger{Enabled: true}, err: ErrArgument},
		{name: "a huge argument", cmd: command.API{Arguments: strings.Repeat("x", MaxBody)}, err: ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := encode(c.cmd)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if string(got) != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestEncodeExecuteReadsBack(t *testing.T) {
	for _, arg := range []string{"", "a", " leading", "a=b, c:d", "größe", strings.Repeat("x", 5000)} {
		text, err := encode(&call.Execute{UUID: "u-1", AppName: "set", AppArgs: arg, AppUUID: "id", Sync: true})
		if err != nil {
			t.Fatal(err)
		}
		r := NewReader(strings.NewReader(string(text) + "exit\n\n"))
		q, err := r.Request()
		if err != nil {
			t.Fatal(err)
		}
		if q.Line != "sendmsg u-1" || q.Value("call-command") != "execute" || q.Value("execute-app-name") != "set" ||
			q.Value("event-lock") != "true" || q.Value("Event-UUID") != "id" || string(q.Body) != arg {
			t.Errorf("argument %.20q came as %q", arg, text)
		}
		if q, err = r.Request(); err != nil || q.Line != "exit" {
			t.Errorf("after argument %.20q: %v, %v", arg, q, err)
		}
	}
}

func TestVerbHidesArguments(t *testing.T) {
	for want, cmd := range map[string]command.Command{
		"auth":    command.Auth{Password: "secret"},
		"sendmsg": &call.Execute{UUID: "u", AppName: "set", AppArgs: "pin=1234"},
		"exit":    command.Exit{},
	} {
		if got := verb(cmd); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// quoted are values and what uuid_setvar_multi needs for them; each was set on
// a real switch and read back.
func quoted() map[string]string {
	return map[string]string{
		"plain":        "plain",
		"a;b":          `a\;b`,
		"it's":         `it\'s`,
		`back\slash`:   `back\\slash`,
		`end\`:         `end\\`,
		"a=b":          "a=b",
		" lead":        `\slead`,
		"trail ":       `trail\s`,
		" ":            `\s`,
		"in between":   "in between",
		`lit\n`:        `lit\\n`,
		`"q"`:          `"q"`,
		"';b=1":        `\'\;b=1`,
		"größe €":      "größe €",
		"{x},a|b^^:c%": "{x},a|b^^:c%",
		"":             "",
	}
}

func TestSetVars(t *testing.T) {
	for value, want := range quoted() {
		cmds, err := setVars("u", map[string]string{"v": value})
		if err != nil {
			t.Fatal(err)
		}
		if got := cmds[0].(command.API).Arguments; len(cmds) != 1 || got != "u v="+want {
			t.Errorf("%q is written %q, want %q", value, got, want)
		}
	}
	for name, value := range map[string]string{
		"": "x", "a b": "x", "a;b": "x", "a=b": "x", "a\n": "x", "ä": "x", strings.Repeat("n", 129): "x",
		"lf": "a\nb", "cr": "a\rb", "nul": "\x00", "expand": "${uuid}", "system": "x${system ls}", "slash": `$\{x}`, "dollars": "$${x}",
	} {
		if _, err := setVars("u", map[string]string{name: value}); !errors.Is(err, ErrArgument) {
			t.Errorf("%q=%q: %v", name, value, err)
		}
	}
}

func TestSetVarsInPortions(t *testing.T) {
	vars := make(map[string]string)
	for i := range 2*maxVars + 1 {
		vars[fmt.Sprintf("v%03d", i)] = "x"
	}
	cmds, err := setVars("u", vars)
	if err != nil || len(cmds) != 3 {
		t.Fatalf("%d commands, %v", len(cmds), err)
	}
	for i, want := range []int{maxVars, maxVars, 1} {
		if got := strings.Count(cmds[i].(command.API).Arguments, "="); got != want {
			t.Errorf("command %d sets %d variables, want %d", i, got, want)
		}
	}
	if first := cmds[0].(command.API).Arguments; !strings.HasPrefix(first, "u v000=x;v001=x;") {
		t.Errorf("begins %.30q", first)
	}
}

func TestLiteral(t *testing.T) {
	for text, want := range map[string]bool{
		"a $5 {b} $": true, "${a": false, "$${a}": false, `$\{a}`: false, "a\nb": false, "": true, "$a{": true,
	} {
		if Literal(text) != want {
			t.Errorf("Literal(%q) is %v", text, !want)
		}
	}
}

func TestNewUUID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if a, b := NewUUID(), NewUUID(); !form.MatchString(a) || a == b {
		t.Errorf("%s, %s", a, b)
	}
}
