package esltest

import (
	"slices"
	"strings"

	"parley/esl"
)

// message takes a sendmsg: an application for this call, to be run in turn.
func (c *Call) message(q *esl.Request) {
	target, _ := is(q.Line, "sendmsg")
	switch {
	case target != "" && target != c.opts.UUID:
		c.w.reply("-ERR invalid session id [" + target + "]")
		return
	case !strings.EqualFold(q.Value("call-command"), "execute"):
		c.w.tb.Errorf("sendmsg with call-command %q", q.Value("call-command"))
	case q.Value("event-lock") != "true":
		c.w.tb.Errorf("sendmsg of %q without event-lock: it would nest into what runs", q.Value("execute-app-name"))
	}
	a := App{Name: q.Value("execute-app-name"), Arg: q.Value("execute-app-arg"), ID: q.Value("Event-UUID")}
	if a.Arg == "" && q.Value("Content-Type") == "text/plain" {
		a.Arg = string(q.Body)
	}
	c.w.reply("+OK")
	if c.hungUp || c.moved {
		return // queued for a call that executes nothing any more
	}
	c.queue = append(c.queue, a)
	if len(c.queue) == 1 {
		c.begin()
	}
}

// begin runs the first application of the queue, and those behind it as long
// as they end at once.
func (c *Call) begin() {
	for len(c.queue) > 0 {
		a := c.queue[0]
		c.fire("CHANNEL_EXECUTE", "Application", a.Name, "Application-Data", a.Arg, "Application-UUID", a.ID)
		switch a.Name {
		case "set":
			name, value, _ := strings.Cut(a.Arg, "=")
			c.set(name, value)
		case "answer":
			c.answer()
		}
		c.apps <- a
		if slices.Contains(blocking(), a.Name) {
			return
		}
		c.complete()
	}
}

// finish ends what runs and begins what waits behind it.
func (c *Call) finish() {
	if len(c.queue) == 0 {
		c.w.tb.Error("nothing runs on the call that could end")
		return
	}
	c.complete()
	c.begin()
}

func (c *Call) complete() {
	a := c.queue[0]
	c.queue = c.queue[1:]
	c.fire("CHANNEL_EXECUTE_COMPLETE", "Application", a.Name, "Application-Data", a.Arg,
		"Application-Response", "_none_", "Application-UUID", a.ID)
}

// call runs an api command.
func (c *Call) call(cmd, args string) string {
	uuid, rest, _ := strings.Cut(args, " ")
	if cmd == "uuid_kill" && c.isPeer(uuid) {
		return "+OK\n" // and the end of the bridge after it
	}
	if strings.HasPrefix(cmd, "uuid_") && cmd != "uuid_exists" && (uuid != c.opts.UUID || c.hungUp) {
		return "-ERR No such channel!\n"
	}
	switch cmd {
	case "uuid_setvar_multi":
		return c.setMulti(rest)
	case "uuid_kill":
		return "+OK\n" // and the hang-up after it
	case "uuid_exists":
		if uuid == c.opts.UUID && !c.hungUp {
			return "true"
		}
		return "false"
	case "uuid_getvar":
		if v, ok := c.vars[rest]; ok {
			return v
		}
		return "_undef_"
	}
	return "-ERR " + cmd + " Command not found!\n"
}

// isPeer says whether a UUID was ordered for the other side of the bridge that
// runs.
func (c *Call) isPeer(uuid string) bool {
	if len(c.queue) == 0 || c.queue[0].Name != "bridge" {
		return false
	}
	_, rest, ordered := strings.Cut(c.queue[0].Arg, "origination_uuid=")
	end := strings.IndexAny(rest, ",}")
	return ordered && end > 0 && rest[:end] == uuid
}

func (c *Call) setMulti(list string) string {
	items := splitItems(list, ';')
	if len(items) > 64 {
		c.w.tb.Errorf("uuid_setvar_multi with %d items; the switch drops what is over 64", len(items))
	}
	for _, item := range items {
		name, value, _ := strings.Cut(item, "=")
		if name == "" {
			return "-ERR No variable specified\n"
		}
		c.set(name, value)
	}
	return "+OK\n"
}

func (c *Call) set(name, value string) {
	switch {
	case strings.Contains(value, "${"):
		c.w.tb.Errorf("value of %s holds an expansion: %q", name, value)
	case value == "":
		delete(c.vars, name)
	default:
		c.vars[name] = value
	}
}
