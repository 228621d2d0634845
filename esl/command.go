package esl

import (
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/percipia/eslgo/command"
	"github.com/percipia/eslgo/command/call"
)

// line is a command of one line that eslgo has no builder for, or whose
// builder writes it wrong (its Linger takes a time.Duration for seconds).
type line string

func (l line) BuildMessage() string { return string(l) }

// bgapi is an api command run in the background under a job id of our own:
// the result may come before the reply that would have named the switch's id.
type bgapi struct{ command, arguments, job string }

func (b bgapi) BuildMessage() string {
	return "bgapi " + b.command + " " + b.arguments + endLine + "Job-UUID: " + b.job
}

// probe asks for a sign of life. Without arguments it changes nothing on the
// switch, which answers "-ERR no keywords supplied".
const probe = line("nixevent")

const (
	endLine = "\r\n"
	endHead = "\r\n\r\n"
)

// encode writes a command for the wire. It knows every builder it accepts,
// since a line break in any argument would begin a command of the argument's
// own: such an argument is an ErrArgument, and so is an unknown builder.
func encode(cmd command.Command) ([]byte, error) {
	args, err := arguments(cmd)
	if err != nil {
		return nil, err
	}
	for _, a := range args {
		if strings.ContainsAny(a, "\r\n\x00") {
			return nil, fmt.Errorf("%w: line break or NUL in %s", ErrArgument, verb(cmd))
		}
	}
	if x, ok := cmd.(*call.Execute); ok {
		forced := *x
		forced.ForceBody = true // a header could not hold leading blanks
		cmd = &forced
	}
	text := cmd.BuildMessage()
	if len(text) > MaxBody {
		return nil, fmt.Errorf("%w: command of %d bytes", ErrTooLarge, len(text))
	}
	if !strings.Contains(text, endHead) { // else it ends in its body
		text += endHead
	}
	return []byte(text), nil
}

// arguments lists what a builder writes out as it was given.
func arguments(cmd command.Command) ([]string, error) {
	switch c := cmd.(type) {
	case command.API:
		return []string{c.Command, c.Arguments}, nil
	case command.Auth:
		return []string{c.User, c.Password}, nil
	case command.Connect, command.Exit, command.DisableEvents, command.Log:
		return nil, nil
	case command.Event:
		return append([]string{c.Format}, c.Listen...), nil
	case command.MyEvents:
		return []string{c.Format, c.UUID}, nil
	case command.Filter:
		return []string{c.EventHeader, c.FilterValue}, nil
	case *call.Execute:
		return []string{c.UUID, c.AppName, c.AppArgs, c.AppUUID}, nil
	case line:
		return []string{string(c)}, nil
	case bgapi:
		return []string{c.command, c.arguments, c.job}, nil
	}
	return nil, fmt.Errorf("%w: no check for %T", ErrArgument, cmd)
}

// verb is the first word of a command: all of it that may be logged.
func verb(cmd command.Command) string {
	word, _, _ := strings.Cut(cmd.BuildMessage(), " ")
	word, _, _ = strings.Cut(word, endLine)
	return word
}

// linger asks the switch to keep the socket for d after the hang-up; the
// protocol counts whole seconds.
func linger(d time.Duration) line {
	return line(fmt.Sprintf("linger %d", int(math.Ceil(d.Seconds()))))
}

// maxVars is how many variables one uuid_setvar_multi is given; the switch
// ignores what comes after the 64th.
const maxVars = 32

// setVars writes the commands that set variables on a call, in the order of
// their names. The value "" removes a variable. The switch silently drops a
// value that contains "${", so such a value is an ErrArgument.
func setVars(uuid string, vars map[string]string) ([]command.Command, error) {
	names := make([]string, 0, len(vars))
	for name, value := range vars {
		if !validName(name) {
			return nil, fmt.Errorf("%w: variable name %.40q", ErrArgument, name)
		}
		if hasExpansion(value) || strings.ContainsAny(value, "\r\n\x00") {
			return nil, fmt.Errorf("%w: value of variable %s", ErrArgument, name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	var cmds []command.Command
	for some := range slices.Chunk(names, maxVars) {
		var b strings.Builder
		b.WriteString(uuid)
		for i, name := range some {
			b.WriteByte(" ;"[min(i, 1)])
			b.WriteString(name + "=" + quoteItem(vars[name]))
		}
		cmds = append(cmds, command.API{Command: "uuid_setvar_multi", Arguments: b.String()})
	}
	return cmds, nil
}

// validName accepts what the switch itself uses in names of variables.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
		default:
			return false
		}
	}
	return name != "" && len(name) <= 128
}

// hasExpansion reports whether the switch would replace a part of s by a
// variable or by the output of a command: ${uuid}, ${system ls}.
func hasExpansion(s string) bool {
	dollar := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '$':
			dollar = true
		case dollar && c == '{':
			return true
		case c != '\\': // the switch looks past backslashes
			dollar = false
		}
	}
	return false
}

// quoteItem writes a value for a list with ';' between its items. A blank at
// either end would be trimmed, so there it is written \s.
func quoteItem(v string) string {
	var b strings.Builder
	for i := range len(v) {
		switch c := v[i]; {
		case c == ' ' && (i == 0 || i == len(v)-1):
			b.WriteString(`\s`)
		case c == '\\' || c == '\'' || c == ';':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// NewUUID returns a random id (RFC 9562 §5.4) for a job or an execution.
func NewUUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails; the runtime ends the process instead
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:])
}
