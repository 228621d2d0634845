package fsapi

import (
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

// legs turns what an event says about a call into CHANNEL_… events: those that
// come before what it says about the room, and those that come after. A call is
// known from the order to make it, or from its joining, until it has left its
// last room, or has not come about.
func (a *API) legs(e engine.Event) (before, after []telling) {
	g := a.calls[e.Leg]
	switch e.Type {
	case engine.EventDialing:
		g = &guest{since: e.Time, invite: e.Invite, seen: e.Dial.Caller, view: engine.MemberView{CallID: e.Leg, Number: e.Invite.Caller.Number, Name: e.Invite.Caller.Name}}
		a.calls[e.Leg] = g
		return []telling{g.created()}, nil
	case engine.EventDialed:
		if g == nil {
			return nil, nil
		}
		if e.Dial.State == engine.DialFailed {
			return nil, a.hungUp(e.Leg, g, string(e.Dial.Cause))
		}
		return []telling{g.answered()}, nil
	case engine.EventWaiting, engine.EventJoined, engine.EventRestored:
		if g != nil {
			g.view, g.invite = e.Member, e.Invite
			return nil, nil
		}
		g = &guest{view: e.Member, invite: e.Invite, since: e.Time}
		a.calls[e.Leg] = g
		return []telling{g.created(), g.answered()}, nil
	case engine.EventLeft, engine.EventRejected:
		if g != nil && e.To == "" {
			return nil, a.hungUp(e.Leg, g, hangupOf(e.Reason))
		}
	default: // is about a room, or about a member who stays
	}
	return nil, nil
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
