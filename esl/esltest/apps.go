package esltest

import (
	"maps"
	"slices"
	"strings"

	"parley/esl"
)

// message takes a sendmsg: an application for this call, to be run in turn.
// begin follows, once it has been answered.
func (c *Call) message(q *esl.Request) (reply string) {
	target, _ := is(q.Line, "sendmsg")
	a := App{
		Name: q.Value("execute-app-name"), Arg: q.Value("execute-app-arg"), ID: q.Value("Event-UUID"),
		locked: q.Value("event-lock") == "true",
	}
	switch {
	case target != "" && target != c.opts.UUID:
		return "-ERR invalid session id [" + target + "]"
	case !strings.EqualFold(q.Value("call-command"), "execute"):
		c.w.tb.Errorf("sendmsg with call-command %q", q.Value("call-command"))
	case !a.locked && a.Name != "conference":
		c.w.tb.Errorf("sendmsg of %q without event-lock: what comes next would nest into it", a.Name)
	}
	if a.Arg == "" && q.Value("Content-Type") == "text/plain" {
		a.Arg = string(q.Body)
	}
	if !c.hungUp && !c.moved && !c.gone { // else it is queued for a call that executes nothing any more
		c.queue = append(c.queue, a)
	}
	return "+OK"
}

// runs says whether an application is the innermost one that runs.
func (c *Call) runs(app string) bool {
	return len(c.running) > 0 && c.running[len(c.running)-1].Name == app
}

// open says whether the call can run an application now: nothing runs on it,
// or a conference that looks for what it is sent.
func (c *Call) open() bool {
	return len(c.running) == 0 || c.runs("conference") && !c.running[len(c.running)-1].locked && c.core != nil
}

// begin runs what waits, as long as it can be run.
func (c *Call) begin() {
	for len(c.queue) > 0 && c.open() {
		a := c.queue[0]
		c.queue = c.queue[1:]
		c.running = append(c.running, a)
		c.fire("CHANNEL_EXECUTE", "Application", a.Name, "Application-Data", a.Arg, "Application-UUID", a.ID)
		stays := slices.Contains(blocking(), a.Name)
		switch a.Name {
		case "set":
			name, value, _ := strings.Cut(a.Arg, "=")
			c.set(name, value)
		case "answer":
			c.answer()
		case "conference":
			stays = c.core == nil || c.core.join(c, a.Arg)
		}
		c.apps <- a
		if !stays {
			c.complete("_none_", "")
		}
	}
}

// finish ends what runs and begins what waits behind it.
func (c *Call) finish(response string) {
	if len(c.running) == 0 {
		c.w.tb.Error("nothing runs on the call that could end")
		return
	}
	c.complete(response, "")
	if c.member != nil && c.member.leaving {
		c.complete("_none_", "")
	}
	c.begin()
}

// complete ends the innermost application. cause is that of a hang-up.
func (c *Call) complete(response, cause string) {
	a := c.running[len(c.running)-1]
	c.running = c.running[:len(c.running)-1]
	if a.Name == "conference" && c.core != nil {
		c.core.leave(c, cause)
	}
	if a.Name == "bridge" {
		delete(c.vars, "bridge_uuid")
		c.vars["last_bridge_proto_specific_hangup_cause"] = "sip:200"
	}
	c.fire("CHANNEL_EXECUTE_COMPLETE", "Application", a.Name, "Application-Data", a.Arg,
		"Application-Response", response, "Application-UUID", a.ID)
	if c.cut && len(c.running) == 0 && !c.gone {
		c.gone, c.queue = true, nil
		c.ended <- Ending{HungUp: c.hungUp, Moved: c.moved, Vars: maps.Clone(c.vars)}
	}
}

// bridged connects the two sides of the bridge that runs.
func (c *Call) bridged() {
	if far := c.far(); far != "" {
		c.vars["bridge_uuid"] = far
	}
	c.fire("CHANNEL_BRIDGE", "Bridge-A-Unique-ID", c.opts.UUID, "Bridge-B-Unique-ID", c.far())
}

// far is the Unique-ID that the bridge which runs has for its other side, where
// it says so.
func (c *Call) far() string {
	if !c.runs("bridge") {
		return ""
	}
	_, rest, _ := strings.Cut(c.running[len(c.running)-1].Arg, "origination_uuid=")
	return rest[:max(strings.IndexAny(rest, ",}"), 0)]
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

// kill ends the call, or the other side of its bridge.
func (c *Call) kill(uuid, cause string) {
	if c.isPeer(uuid) {
		c.finish("_none_")
	} else {
		c.hangup(cause)
	}
}

// isPeer says whether a UUID was ordered for the other side of the bridge that
// runs.
func (c *Call) isPeer(uuid string) bool {
	return uuid != "" && uuid == c.far()
}

func (c *Call) setMulti(list string) string {
	items := esl.SplitItems(list, ';')
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
