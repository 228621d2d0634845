package fsapi

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// withGuest does something with what is kept of a channel, unless it has just left.
func (a *API) withGuest(c *channel, do func(*guest)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.catchUp()
	if r := a.rooms[c.room.Instance]; r != nil && r.members[c.member.ID] != nil {
		do(r.members[c.member.ID])
	} else if g := a.calls[c.member.CallID]; g != nil {
		do(g)
	}
}

// assign sets a variable of a channel, or with "" none; false: it has too many, or
// this one is too long.
func (a *API) assign(c *channel, name, value string) (ok bool) {
	ok = true
	a.withGuest(c, func(g *guest) {
		key := keyOf(g.vars, name)
		_, has := g.vars[key]
		switch {
		case value == "":
			delete(g.vars, key)
		case !has && len(g.vars) >= maxVariables || len(name)+len(value) > maxVariable:
			ok = false
		default:
			if g.vars == nil {
				g.vars = map[string]string{}
			}
			put(g.vars, name, value)
		}
	})
	return ok
}

const tooManyVariables = "-ERR too many variables\n"

// setVariable is "uuid_setvar": a variable for those who read it, which changes
// nothing.
func (a *API) setVariable(ctx context.Context, arguments string) string {
	id, rest, _ := strings.Cut(arguments, " ")
	name, value, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	c, ok := a.channel(ctx, id)
	switch {
	case !ok:
		return noChannel
	case !a.assign(&c, name, value):
		return tooManyVariables
	}
	return "+OK\n"
}

const setSyntax = "<uuid> <var>=<value>;<var>=<value>..."

// setVariables is "uuid_setvar_multi": a list as in the braces of a dial string, with
// ";" between its variables.
func (a *API) setVariables(ctx context.Context, arguments string) string {
	id, list, given := strings.Cut(arguments, " ")
	if !given {
		return "" // no reply, as at the switch
	}
	c, ok := a.channel(ctx, id)
	if !ok {
		return noChannel + usage(setSyntax)
	}
	var out strings.Builder
	set := false
	for _, pair := range esl.SplitList(list, ';') {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case name == "":
			out.WriteString("-ERR No variable specified\n")
			continue
		case !a.assign(&c, name, value):
			return tooManyVariables
		}
		set = true
	}
	if !set {
		return out.String() + usage(setSyntax)
	}
	return out.String() + "+OK\n"
}

// broadcast plays a file to a channel; what else the switch can run on it there
// is no dialplan of ours for.
func (a *API) broadcast(ctx context.Context, arguments string) string {
	words := split(arguments)
	c, ok := a.member(ctx, words[0])
	switch {
	case !ok:
		return "-ERR invalid uuid\n"
	case strings.Contains(words[1], "::"):
		return "-ERR only files can be played\n"
	case a.opts.Playable != nil && a.opts.Playable(words[1]) != nil:
		return "-ERR " + words[1] + " not found\n"
	}
	what := engine.Media{Items: []string{words[1]}}
	return a.order(ctx, &c, engine.Play{Member: c.member.ID, ID: esl.NewUUID(), What: what}, "+OK Message sent\n")
}

// dismiss gives a command by which a member leaves his room, and told is what is
// told of it beside his leaving; "" = nothing. Who has refused has not gone; whose
// answer is late goes.
func (a *API) dismiss(ctx context.Context, c *channel, command engine.Command, told conference.Action) error {
	going := leaving{instance: c.room.Instance, member: c.member.ID, told: told}
	a.put(going)
	err := a.do(ctx, c, command)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		going.stays = true
		a.put(going)
	}
	return err
}

// order gives a command about a channel, and says how it went.
func (a *API) order(ctx context.Context, c *channel, command engine.Command, done string) string {
	if err := a.do(ctx, c, command); err != nil {
		return refusal(err)
	}
	return done
}

// reference is a variable in a text: ${name} or $${name}.
var reference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\$?\{([^{}]*)\}`) }) //nolint:gochecknoglobals // compiled once

// eval is a text with its variables in place: those that global_getvar knows,
// and behind "uuid:ID " those of that channel. What is none is nothing, as at the
// switch; its ${command(arguments)} is none.
func (a *API) eval(ctx context.Context, text string) string {
	var vars map[string]string
	if rest, ok := strings.CutPrefix(text, "uuid:"); ok {
		id, rest, _ := strings.Cut(rest, " ")
		if c, ok := a.channel(ctx, id); ok {
			vars = a.variablesOf(&c.room, &c.member)
		}
		text = rest
	}
	return reference().ReplaceAllStringFunc(text, func(found string) string {
		name := reference().FindStringSubmatch(found)[1]
		if value, ok := vars[keyOf(vars, name)]; ok || name == "" {
			return value
		}
		return a.globalVariable(ctx, name)
	})
}

// expand runs a command whose variables are in place.
func (a *API) expand(ctx context.Context, text string) string {
	if text == "" {
		return "-ERR No input\n"
	}
	command, arguments, _ := strings.Cut(a.eval(ctx, text), " ")
	if !strings.EqualFold(command, "expand") {
		if out, ok := a.Do(ctx, command, arguments); ok {
			return out
		}
	}
	return "INVALID COMMAND!\n-ERR Cannot execute command\n"
}

// clock is "strftime": the time, in its words for it.
func clock(now time.Time, format string) string {
	if format == "" {
		format = "%F %T"
	}
	layouts := map[byte]string{
		'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02",
		'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04", 'p': "PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch layout, ok := layouts[format[i]]; {
		case ok:
			b.WriteString(now.Format(layout))
		case format[i] == '%':
			b.WriteByte('%')
		default:
			b.WriteString(format[i-1 : i+1])
		}
	}
	return b.String()
}

// reload reads the configuration again.
func (a *API) reload(ctx context.Context, _ string) string {
	if a.opts.Reload == nil {
		return "-ERR not supported\n"
	}
	if err := a.opts.Reload(ctx); err != nil {
		return "-ERR [" + strings.ReplaceAll(err.Error(), "\n", "; ") + "]\n"
	}
	return "+OK [Success]\n"
}
