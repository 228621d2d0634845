package fsapi

import (
	"cmp"
	"strings"

	"parley/engine"
	"parley/esl"
)

// phase is how far a channel is, in the switch's words.
type phase struct{ state, number, call, answer, cause string }

// talking is a channel in its conference; cause is set when the call has ended.
func talking(cause string) phase {
	p := phase{"CS_EXECUTE", "4", "ACTIVE", "answered", cause}
	if cause != "" {
		p.answer = "hangup"
	}
	return p
}

// phase is how far a channel is that has not ended.
func (g *guest) phase() phase {
	if g.ringing {
		return phase{"CS_CONSUME_MEDIA", "7", "RINGING", "ringing", ""}
	}
	return talking("")
}

// legs turns what an event says about a call into CHANNEL_… events: those that
// come before what it says about the room, and those that come after. A call is
// known from the order to make it, or from its joining, until it has left its
// last room, or has not come about.
func (a *API) legs(e engine.Event) (before, after []telling) {
	g := a.calls[e.Leg]
	switch e.Type {
	case engine.EventDialing:
		g = &guest{since: e.Time, invite: e.Invite, seen: e.Dial.Caller, called: true, ringing: true}
		g.view = engine.MemberView{CallID: e.Leg, Number: cmp.Or(e.Invite.Caller.Number, numberIn(e.Dial.Address)), Name: e.Invite.Caller.Name}
		a.calls[e.Leg] = g
		return []telling{g.created()}, nil
	case engine.EventDialed:
		if g == nil {
			return nil, nil
		}
		if e.Dial.State == engine.DialFailed {
			return nil, a.hungUp(e.Leg, g, string(e.Dial.Cause))
		}
		g.ringing = false
		return []telling{g.answered()}, nil
	case engine.EventWaiting, engine.EventJoined, engine.EventRestored:
		if g != nil {
			g.view, g.invite = e.Member, e.Invite
			return nil, nil
		}
		g = &guest{view: e.Member, invite: e.Invite, since: e.Time, called: e.Invite.Job != ""}
		a.calls[e.Leg] = g
		return []telling{g.created(), g.answered()}, nil
	case engine.EventLeft, engine.EventRejected:
		if g != nil && e.To != "" { // between two rooms
			to, _, _ := strings.Cut(e.To, "@")
			g.view.ID, g.invite.Room = 0, to
		}
		if g == nil || e.To != "" {
			return nil, nil
		}
		cause := endOf(e)
		over := a.hungUp(e.Leg, g, cause)
		if cause != "" { // that is why he leaves
			return over[:1], over[1:]
		}
		return nil, over
	default: // is about a room, or about a member who stays
	}
	return nil, nil
}

// numberIn is whom an address calls: what is behind its last slash, of a URI the
// user.
func numberIn(address string) string {
	number, _, _ := strings.Cut(address[strings.LastIndexByte(address, '/')+1:], "@")
	return strings.TrimPrefix(number, "sip:")
}

func (g *guest) created() telling {
	return telling{name: "CHANNEL_CREATE", headers: g.channel(phase{"CS_INIT", "1", "DOWN", "ringing", ""})}
}

func (g *guest) answered() telling {
	return telling{name: "CHANNEL_ANSWER", headers: g.channel(talking(""))}
}

// hungUp forgets a call, and tells of its end. The caller holds mu.
func (a *API) hungUp(leg engine.LegID, g *guest, cause string) []telling {
	delete(a.calls, leg)
	if cause == "" {
		cause = "NORMAL_CLEARING"
	}
	over := g.channel(phase{"CS_REPORTING", "11", "HANGUP", "hangup", cause})
	return []telling{
		{name: "CHANNEL_HANGUP", headers: g.channel(talking(cause))},
		{name: "CHANNEL_HANGUP_COMPLETE", headers: append(esl.Headers{{Name: "Hangup-Cause", Value: cause}}, over...)},
		{name: "CHANNEL_DESTROY", headers: over},
	}
}

// endOf is the cause of a call that has ended, as who has ended it named it; ""
// while it lives.
func endOf(e engine.Event) string {
	switch {
	case e.Outcome.Cause != "":
		return string(e.Outcome.Cause)
	case e.Reason == engine.ReasonHangup:
		return "NORMAL_CLEARING"
	case e.Reason == engine.ReasonMediaLost:
		return "MEDIA_TIMEOUT"
	case e.Reason == engine.ReasonSwitchLost:
		return "NETWORK_OUT_OF_ORDER"
	default:
		return ""
	}
}
