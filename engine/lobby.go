package engine

import (
	"fmt"
	"slices"
	"time"
)

// numberTries is how often a caller may mistype a conference number.
const numberTries = 3

// lobby owns the calls that have no room yet: they are asked for its number,
// or told why there is none. It is one goroutine for all of them.
type lobby struct {
	exchange *Exchange
	box      *mailbox
	calls    []*lobbyCall
	ops      OpID
	leaving  bool // nobody is asked for a number any more
}

type lobbyCall struct {
	call
	profile *Profile
	refusal Reason // known on arrival; ReasonNone = ask for the number
	tries   int
}

func (l *lobby) finished() bool { return l.leaving && len(l.calls) == 0 && l.box.closeIfEmpty() }

func (l *lobby) handle(now time.Time, item any) {
	switch m := item.(type) {
	case lobbyArrival:
		m.line.coming.Add(-1)
		l.ops = max(l.ops, m.ops)
		c := &lobbyCall{call: newCall(now, m.arrival, &l.ops), profile: m.profile, refusal: m.refusal, tries: numberTries}
		if l.leaving && c.refusal == ReasonNone {
			c.refusal = ReasonNodeBusy
		}
		l.calls = append(l.calls, c)
		l.takeSignals(now, c)
	case legFact:
		i := slices.IndexFunc(l.calls, func(c *lobbyCall) bool { return c.line == m.line })
		if i < 0 {
			if m.line.elsewhere(l.box) {
				m.line.Post(m.fact)
			}
			return
		}
		l.apply(now, l.calls[i], m.fact)
	case explaining:
		l.explain(m)
	case signalling:
		l.signalled(now, m)
	case vacate:
		l.vacate(now)
	}
}

// vacate tells everybody that we are about to stop, and takes no more calls on
// when they have heard it.
func (l *lobby) vacate(now time.Time) {
	l.leaving = true
	for _, c := range slices.Clone(l.calls) {
		l.refuse(now, c, ReasonNodeBusy)
	}
}

// lobbyArrival is an arrival with what the exchange knows about it.
type lobbyArrival struct {
	arrival
	profile *Profile
	refusal Reason
}

func (l *lobby) apply(now time.Time, c *lobbyCall, f Fact) {
	switch f := f.(type) {
	case MediaUp:
		l.begin(now, c)
	case Digit:
		c.key(now, f.Digit)
	case PromptDone:
		c.promptDone(now, f.Op)
	case LegGone:
		if c.out.Result == "" {
			c.out.Result, c.out.Reason, c.out.Cause = ResultFailed, f.Reason, f.Cause
		}
		if c.step(now, stepLost) {
			l.leave(now, c)
		}
	case hangingUp:
		l.hangUp(now, c, f.cause)
	case awaiting:
		f.reply <- fmt.Errorf("%w: %s", ErrPrompted, c.leg.ID())
	case Recorded, Changed, Redirected: // he is no member yet, or not any more
	default:
		panic(fmt.Sprintf("engine: %T is no fact of a leg", f))
	}
}

// begin asks for the number, or refuses.
func (l *lobby) begin(now time.Time, c *lobbyCall) {
	if c.refusal != ReasonNone {
		l.refuse(now, c, c.refusal)
		return
	}
	if c.step(now, stepAskNumber) {
		l.ask(now, c, c.profile.NumberSound)
	}
}

func (l *lobby) ask(now time.Time, c *lobbyCall, sounds ...string) {
	ask := collector{terminators: c.profile.PINTerminator, timeout: c.profile.PINTimeout}
	c.question(now, media(c.language(), sounds...), ask, func(now time.Time, digits string) {
		if name, err := ParseRoomName(digits); err == nil {
			l.handOver(now, c, name)
			return
		}
		if c.tries--; c.tries == 0 {
			l.refuse(now, c, ReasonBadRoomName)
			return
		}
		l.ask(now, c, c.profile.BadNumberSound, c.profile.NumberSound)
	})
}

// handOver sends the call to its room, with what it typed ahead.
func (l *lobby) handOver(_ time.Time, c *lobbyCall, name RoomName) {
	l.forget(c)
	c.invite.Warnings = c.out.Warnings
	c.request.warnings = nil
	l.exchange.enter(name, arrival{
		line: c.line, invite: c.invite, request: c.request, mediaUp: true, typed: c.typed, ops: l.ops,
	})
}

func (l *lobby) refuse(now time.Time, c *lobbyCall, why Reason) {
	if !c.step(now, stepRefuse) {
		return
	}
	c.out.refuse(why, c.profile)
	c.part(now, media(c.language(), c.profile.refusalSound(why)), func(now time.Time) {
		if c.step(now, stepRelease) {
			l.leave(now, c)
		}
	})
}

// close gives back all who are still here or on their way, at once.
func (l *lobby) close(now time.Time) {
	for _, item := range l.box.close() {
		if m, ok := item.(lobbyArrival); ok {
			m.turnAway()
		}
	}
	for _, c := range slices.Clone(l.calls) {
		if c.out.Result == "" {
			c.out.refuse(ReasonNodeBusy, c.profile)
		}
		l.leave(now, c)
	}
}

func (l *lobby) leave(now time.Time, c *lobbyCall) {
	l.forget(c)
	if !c.invite.Dialplan {
		c.out.Hangup = true
	}
	l.exchange.house.observe(Event{
		Type: EventRejected, Time: now, Room: RoomName(clip(c.invite.Room)), Reason: c.out.Reason,
		Leg: c.leg.ID(), Invite: c.invite, Outcome: c.out,
	})
	l.exchange.house.archive.add(c.facts().left(now))
	c.line.release(c.out)
}

func (l *lobby) forget(c *lobbyCall) {
	l.calls = slices.DeleteFunc(l.calls, func(o *lobbyCall) bool { return o == c })
}

func (l *lobby) tick(now time.Time) {
	for _, c := range slices.Clone(l.calls) {
		if c.ask != nil && due(now, c.ask.deadline) {
			c.answered(now)
		}
		if !due(now, c.expires) {
			continue
		}
		c.expires = time.Time{}
		if c.phase == phaseParting {
			c.step(now, stepRelease)
		} else {
			c.out.Result, c.out.Reason = ResultFailed, ReasonMediaLost
			c.step(now, stepLost)
		}
		l.leave(now, c)
	}
}

func (l *lobby) deadline() time.Time {
	var d time.Time
	for _, c := range l.calls {
		d = sooner(d, c.call.deadline())
	}
	return d
}

func (c *lobbyCall) language() string { return pick(c.request.language, c.profile.Language) }
