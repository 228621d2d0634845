package freeswitch

import (
	"parley/adapter/wish"
	"parley/engine"
	"parley/esl"
)

// invite reads what the dialplan asks for.
func (c *call) invite(s *esl.Session) engine.Invite {
	in := engine.Invite{
		Kind: "freeswitch", Switch: s.Header("FreeSWITCH-Switchname"), Dialplan: true,
		Caller: engine.Caller{Number: s.Header("Caller-Caller-ID-Number"), Name: s.Header("Caller-Caller-ID-Name")},
		Source: s.Header("Caller-Network-Addr") + "/" + s.Header("Caller-Caller-ID-Number"),
	}
	if c.link != nil {
		in.Switch = c.link.opt.Name
	}
	w := wish.Read(c.vars(s), s.Header("Call-Direction") == "outbound")
	in.Variables, in.Origins, in.Warnings = w.Own, w.Origins, w.Warnings
	delete(in.Variables, "reattach") // it is for nobody's eyes
	c.retries = s.Var(retryVariable) != ""
	if in.Room = in.Variables["room"]; in.Room == "" {
		c.log.Info("call " + c.uuid + ": parley_room not set; the caller is asked for it")
	}
	return in
}

// staysAtTheSwitch says whether the audio of a new call is to stay where it is:
// its room is, or will be, in a conference of the same switch.
func (c *call) staysAtTheSwitch(in engine.Invite) bool {
	if c.link == nil {
		return false
	}
	home := engine.Place{Switch: c.link.opt.Name}
	if c.adapter.opt.Exchange.Placement(in.Room, in.Variables["profile"], home) != home {
		return false
	}
	var why string
	switch {
	case c.link.connection() == nil:
		why = "there is no link to it"
	case c.link.occupied(in.Room):
		why = "it has a conference of that name that is not ours"
	default:
		return true
	}
	c.log.Info("freeswitch: the room is not mixed by "+home.Switch+" as its profile says: "+why, "room", in.Room)
	return false
}
