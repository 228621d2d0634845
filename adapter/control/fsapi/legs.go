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
// known from its arrival, or from the order to make it, until it is given back or
// has not come about.
func (a *API) legs(e engine.Event) (before, after []telling) {
	g := a.calls[e.Leg]
	switch e.Type {
	case engine.EventDialing:
		g = &guest{since: e.Time, invite: e.Invite, seen: e.Dial.Caller, called: true, ringing: true}
		g.view = engine.MemberView{CallID: e.Leg, Number: cmp.Or(e.Invite.Caller.Number, numberIn(e.Dial.Address)), Name: e.Invite.Caller.Name}
		return []telling{a.opens(e.Leg, g)}, nil
	case engine.EventDialed:
		if g == nil {
			return nil, nil
		}
		if e.Dial.State == engine.DialFailed {
			return nil, a.hungUp(e.Leg, g, string(e.Dial.Cause))
		}
		g.ringing = false
		return []telling{g.answered()}, nil
	case engine.EventArrived, engine.EventWaiting, engine.EventJoined, engine.EventRestored:
		return a.comes(e, g), nil
	case engine.EventLeft:
		return a.parts(e, g), nil
	case engine.EventEnded:
		if g != nil {
			return nil, a.hungUp(e.Leg, g, endOf(e))
		}
	default: // is about a room, or about a member who stays
	}
	return nil, nil
}

// comes follows a caller, and who has been called, in. One whom his switch had lost
// is another channel when he comes again.
func (a *API) comes(e engine.Event, g *guest) (told []telling) {
	switch {
	case g == nil:
	case g.hung:
		told = a.hungUp(e.Leg, g, "")
	case e.Type == engine.EventArrived: // again, while we have him
		return nil
	default:
		g.view, g.invite = e.Member, e.Invite
		return nil
	}
	g = &guest{view: e.Member, invite: e.Invite, since: e.Time, called: e.Invite.Job != ""}
	return append(told, a.opens(e.Leg, g), g.answered())
}

// opens begins a channel. The caller holds mu.
func (a *API) opens(leg engine.LegID, g *guest) telling {
	a.calls[leg] = g
	a.born++
	a.peak = max(a.peak, len(a.calls))
	return g.created()
}

// parts follows a member out of his room. That his call has ended is told first,
// as that is why he leaves; else he goes to another room, or hears something yet.
func (a *API) parts(e engine.Event, g *guest) []telling {
	if g == nil {
		return nil
	}
	if e.To != "" {
		to, _, _ := strings.Cut(e.To, "@")
		g.view.ID, g.invite.Room = 0, to
		return nil
	}
	if cause := endOf(e); cause != "" {
		g.hung = true
		return []telling{g.hangsUp(cause)}
	}
	return nil
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

func (g *guest) hangsUp(cause string) telling {
	return telling{name: "CHANNEL_HANGUP", headers: g.channel(talking(cause))}
}

// hungUp forgets a call, and tells of its end. The caller holds mu.
func (a *API) hungUp(leg engine.LegID, g *guest, cause string) (told []telling) {
	delete(a.calls, leg)
	cause = cmp.Or(cause, "NORMAL_CLEARING")
	if !g.hung {
		told = append(told, g.hangsUp(cause))
	}
	over := g.channel(phase{"CS_REPORTING", "11", "HANGUP", "hangup", cause})
	return append(told, telling{name: "CHANNEL_HANGUP_COMPLETE", headers: append(esl.Headers{{Name: "Hangup-Cause", Value: cause}}, over...)},
		telling{name: "CHANNEL_DESTROY", headers: over})
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
