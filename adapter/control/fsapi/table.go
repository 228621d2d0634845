package fsapi

import (
	"parley/engine"
	"parley/esl/conference"
)

// Syntaxes that many commands share.
const (
	newValue = "<member_id|all|last|non_moderator> [<newval>]"
	quietly  = "<[member_id|all]|last|non_moderator> [<quiet>]"
	anybody  = "<[member_id|all]|last|non_moderator>"
	eitherOf = "<[member_id|all|last|non_moderator]>"
	lastOr   = "<member_id|last>"
	dialling = "<endpoint_module_name>/<destination> <callerid number> <callerid name>"
)

// subs are the sub-commands of "conference NAME", in the switch's order and
// with its syntax texts.
func subs() []sub {
	return append([]sub{
		{name: "count", whole: (*call).count},
		{name: "list", syntax: "[delim <string>]|[count]", whole: (*call).listOne},
		{name: "xml_list", whole: (*call).xmlOne},
		{name: "json_list", syntax: "[compact]", whole: (*call).jsonOne},
		{name: "dtmf", syntax: eitherOf + " <digits>", target: unsupported("dtmf")},
		{name: "kick", syntax: eitherOf + " [<optional sound file>]", target: (*call).kick},
		{name: "hup", syntax: eitherOf, target: (*call).hup},
		{name: "mute", syntax: quietly, target: (*call).mute},
		{name: "tmute", syntax: quietly, target: (*call).toggleMute},
		{name: "unmute", syntax: quietly, target: (*call).unmute},
		{name: "deaf", syntax: anybody, target: (*call).deaf},
		{name: "undeaf", syntax: anybody, target: (*call).undeaf},
		{name: "lock", whole: (*call).lock},
		{name: "unlock", whole: (*call).unlock},
		{name: "get", syntax: "<parameter-name>", whole: (*call).get},
		{name: "get-uuid", syntax: lastOr, target: func(c *call, m *engine.MemberView, _ string) { c.printf("%s", uniqueID(m.CallID)) }},
	}, videoSubs()...)
}

// unsupported is a command that the switch has and we have not.
func unsupported(name string) func(*call, *engine.MemberView, string) {
	return func(c *call, _ *engine.MemberView, _ string) { c.printf("-ERR %s is not supported by Parley\n", name) }
}

// videoSubs are about pictures, of which there are none: the switch's answers
// in a room without any.
func videoSubs() []sub { return nil }

func (c *call) mute(m *engine.MemberView, _ string) {
	c.set(m, engine.Mute{Member: m.ID, On: true}, m.Muted, conference.Muted, "mute")
}

func (c *call) unmute(m *engine.MemberView, _ string) {
	c.set(m, engine.Mute{Member: m.ID}, !m.Muted, conference.Unmuted, "unmute")
}

func (c *call) toggleMute(m *engine.MemberView, data string) {
	if m.Muted {
		c.unmute(m, data)
	} else {
		c.mute(m, data)
	}
}

func (c *call) deaf(m *engine.MemberView, _ string) {
	c.set(m, engine.Deafen{Member: m.ID, On: true}, m.Deaf, conference.Deafened, "deaf")
}

func (c *call) undeaf(m *engine.MemberView, _ string) {
	c.set(m, engine.Deafen{Member: m.ID}, !m.Deaf, conference.Undeafened, "undeaf")
}

// set changes a member. Where he is so already, the switch answers and tells
// the same.
func (c *call) set(m *engine.MemberView, command engine.Command, already bool, action conference.Action, said string) {
	if !c.do(command) {
		return
	}
	if already {
		c.a.put(again{instance: c.view.Instance, member: m.ID, action: action})
	}
	c.printf("+OK %s %d\n", said, m.ID)
}

func (c *call) kick(m *engine.MemberView, _ string) {
	if c.do(engine.Kick{Member: m.ID}) {
		c.printf("+OK kicked %d\n", m.ID)
	}
}

func (c *call) hup(m *engine.MemberView, _ string) {
	c.a.put(leaving{c.view.Instance, m.ID})
	if c.do(engine.Kick{Member: m.ID}) {
		c.printf("+OK hup %d\n", m.ID)
	}
}
