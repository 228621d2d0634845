package engine

import (
	"slices"
	"time"
)

// partTimeout is the longest a call is kept for the sake of a last prompt.
const partTimeout = 15 * time.Second

// refuse sends away a call that is not a member yet, with a reason it hears.
func (r *room) refuse(now time.Time, s *seat, why Reason) {
	if !s.step(now, stepRefuse) {
		return
	}
	s.out.refuse(why, r.profile)
	s.part(now, media(r.languageOf(s), r.profile.refusalSound(why)), func(now time.Time) { r.release(now, s) })
}

// refuse fills in the outcome of a call that did not get in.
func (o *Outcome) refuse(why Reason, p *Profile) {
	o.Result, o.Reason = ResultRejected, why
	switch why {
	case ReasonNodeBusy, ReasonMediaLost, ReasonSwitchLost, ReasonHangup, ReasonTransferred:
		o.Result = ResultFailed
	case ReasonPINFailed:
		o.Hangup = p.OnPINFailure == RefusalHangup
	case ReasonFull:
		o.Hangup = p.OnFull == RefusalHangup
	case ReasonNone, ReasonBadRoomName, ReasonThrottled, ReasonLocked, ReasonNotRunning, ReasonNoModerator,
		ReasonKicked, ReasonEnded, ReasonModeratorLeft, ReasonTerminator, ReasonSignal:
	}
}

// refusalSound is what a refused caller hears.
func (p *Profile) refusalSound(why Reason) string {
	switch why {
	case ReasonBadRoomName:
		return p.BadRoomSound
	case ReasonPINFailed:
		return p.PINFailedSound
	case ReasonThrottled:
		return p.ThrottledSound
	case ReasonLocked:
		return p.LockedSound
	case ReasonFull:
		return p.MaxMembersSound
	case ReasonNotRunning:
		return p.NotRunningSound
	case ReasonNodeBusy:
		return p.BusySound
	case ReasonNoModerator:
		return p.NoModSound
	case ReasonEnded, ReasonModeratorLeft:
		return p.EndedSound
	case ReasonNone, ReasonKicked, ReasonTerminator, ReasonSignal, ReasonHangup, ReasonTransferred, ReasonMediaLost, ReasonSwitchLost:
		return ""
	default:
		return ""
	}
}

// part plays the last prompt of a call, then gives it back.
func (c *call) part(now time.Time, m Media, release func(time.Time)) {
	c.ask, c.answer = nil, nil
	c.expires = now.Add(partTimeout)
	c.hush()
	c.say(now, m, release)
}

// dismiss takes a member out; he hears sound when the bridge has let him go.
func (r *room) dismiss(now time.Time, s *seat, why Reason, exit Exit, sound string) OpID {
	if !s.step(now, stepDismiss) {
		return 0
	}
	s.out.Reason, s.out.Exit, s.sound = why, exit, sound
	s.hush()
	s.forget()
	op := s.op()
	r.depart(now, s, op)
	return op
}

// left takes a member off the roster: the bridge does not have him any more. By
// the bridge's own doing that is, it may say why.
func (r *room) left(now time.Time, s *seat, why Reason) {
	was := s.phase
	if !s.step(now, stepRemoved) {
		return
	}
	if was != phaseRemoving && was != phaseLosing { // by the bridge's own doing
		s.out.Reason = pick(why, ReasonMediaLost)
		s.out.Exit = exitOf(s.out.Reason)
	}
	for _, op := range s.owed {
		r.settleOp(op, nil)
	}
	r.unredirected(s)
	r.unrelate(s.member)
	r.yields(now, s)
	if !s.joinedAt.IsZero() {
		s.out.Duration = now.Sub(s.joinedAt)
		r.lastWhy = s.out.Reason
		r.tell(now, EventLeft, s, s.out.Reason)
		if r.audible() > 0 && r.ending == ReasonNone {
			r.cue(now, s, r.exitItems(s)...)
		}
	}
	r.part(now, s)
	r.ends(now, s)
	if r.ending == ReasonNone {
		r.reconcile(now)
	}
}

// part says goodbye to a seat that is out of the bridge.
func (r *room) part(now time.Time, s *seat) {
	if s.phase == phaseGone {
		r.leave(now, s)
		return
	}
	s.call.part(now, media(r.languageOf(s), s.sound), func(now time.Time) { r.release(now, s) })
}

// lost follows the end of the call itself.
func (r *room) lost(now time.Time, s *seat, why Reason, cause Cause) {
	was := s.phase
	if !s.step(now, stepLost) {
		return
	}
	s.prompt, s.then, s.ask = 0, nil, nil
	if was < phaseRemoving || s.onward != nil { // who is gone goes to no other room
		s.onward, s.out.Reason, s.out.Exit, s.out.Cause = nil, why, exitOf(why), cause
	}
	if s.phase == phaseLosing {
		if was != phaseRemoving || s.way == wayMoving {
			r.depart(now, s, s.op())
		}
		return
	}
	if s.out.Result == "" {
		s.out.Result, s.out.Exit = ResultFailed, ExitNone
	}
	r.leave(now, s)
}

// exitOf is how a stay ends that the call itself or the bridge ended.
func exitOf(why Reason) Exit {
	switch why {
	case ReasonKicked:
		return ExitKicked
	case ReasonEnded:
		return ExitEnded
	case ReasonHangup:
		return ExitHangup
	case ReasonTransferred:
		return ExitTransfer
	default:
		return ExitLost
	}
}

// release ends the stay of a call that has heard everything.
func (r *room) release(now time.Time, s *seat) {
	switch {
	case !s.step(now, stepRelease):
	case s.onward != nil:
		r.send(s)
	default:
		r.leave(now, s)
	}
}

// leave gives the call back and forgets its seat.
func (r *room) leave(now time.Time, s *seat) {
	r.seats = slices.DeleteFunc(r.seats, func(o *seat) bool { return o == s })
	if !s.invite.Dialplan || s.request.entry.endsWith(s.out.Reason) {
		s.out.Hangup = true
	}
	if s.out.Result == "" { // dismissed before the bridge had it
		s.out.refuse(s.out.Reason, r.profile)
		if s.out.Reason != ReasonSignal {
			s.out.Exit = ExitNone
		}
	}
	if s.joinedAt.IsZero() {
		r.tell(now, EventRejected, s, s.out.Reason)
	}
	r.house.archive.add(r.callFacts(s).left(now))
	s.line.release(s.out)
}
