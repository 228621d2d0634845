package engine

import (
	"fmt"
	"slices"
	"time"
)

// Volume steps of the DTMF menu.
const (
	volumeStep  Decibels = 3
	volumeLimit Decibels = 12
)

// digit takes a key: an answer to the attendant, or a control of a member, also
// of one whom the bridge is about to take.
func (r *room) digit(now time.Time, s *seat, f Digit) {
	switch {
	case s.phase == phaseNaming && s.recording != 0:
		s.leg.StopRecord()
	case s.phase.present():
		e := r.event(now, EventDigit, s, ReasonNone)
		e.Digit, e.Held = f.Digit, f.Held
		r.house.observe(e)
		if c, ok := s.menu.press(now, f.Digit); ok {
			r.act(now, s, c)
		}
	case s.phase < phaseAdmitting:
		s.key(now, f.Digit)
	case s.phase == phaseAdmitting && len(s.early) < maxDigits:
		s.early = append(s.early, f)
	}
}

// pressEarly takes the keys that came before the bridge had taken the member.
func (r *room) pressEarly(now time.Time, s *seat) {
	early := s.early
	s.early = nil
	for _, f := range early {
		r.digit(now, s, f)
	}
}

// act does what a control says.
func (r *room) act(now time.Time, s *seat, c Control) {
	if !s.phase.present() {
		return
	}
	switch c.Action {
	case ActionMute, ActionMuteOn, ActionMuteOff:
		s.want.Muted = toggle(c.Action, ActionMute, ActionMuteOn, s.want.Muted)
		r.set(s, asking{by: "by key " + c.Digits})
	case ActionDeaf, ActionDeafOn, ActionDeafOff:
		s.want.Deaf = toggle(c.Action, ActionDeaf, ActionDeafOn, s.want.Deaf)
		r.set(s, asking{by: "by key " + c.Digits})
	case ActionTalkUp, ActionTalkDown, ActionTalkReset:
		s.want.Talk = volume(c.Action, ActionTalkUp, ActionTalkDown, s.want.Talk)
		r.set(s, asking{by: "by key " + c.Digits})
	case ActionListenUp, ActionListenDown, ActionListenReset:
		s.want.Listen = volume(c.Action, ActionListenUp, ActionListenDown, s.want.Listen)
		r.set(s, asking{by: "by key " + c.Digits})
	case ActionLeave:
		s.out.ExitDigits = c.Digits
		r.dismiss(now, s, ReasonTerminator, ExitTerminator, "")
	case ActionCount:
		r.tellCount(now, s)
	case ActionHand:
		r.raiseHand(now, s)
	case ActionLock:
		if s.role == RoleModerator {
			r.lock(now, !r.locked, "by key "+c.Digits+" of member "+s.member.String())
		}
	case ActionEnd:
		if s.role == RoleModerator {
			r.end(now, ReasonEnded)
		}
	default:
		panic(fmt.Sprintf("engine: control %q was loaded unchecked", c.Action))
	}
}

// set asks the bridge that a member is in for the state that he is to have, also
// where he has it: what was asked before may be under way. On his way it waits for
// the bridge that he comes to. a says who wants it, and how it is to be told.
func (r *room) set(s *seat, a asking) OpID {
	a.op, a.muted, a.toHold = s.op(), s.want.Muted, s.toHold
	s.asks = append(s.asks, a)
	if s.way != wayNone {
		s.owed = append(s.owed, a.op)
		return a.op
	}
	s.in.bridge.Set(a.op, s.member, s.wish())
	return a.op
}

// next is what follows on what is, or else what was said.
func next(of func(now bool) bool, now, said bool) bool {
	if of != nil {
		return of(now)
	}
	return said
}

func toggle(a, flip, on Action, now bool) bool {
	if a == flip {
		return !now
	}
	return a == on
}

func volume(a, up, down Action, now Decibels) Decibels {
	switch a {
	case up:
		return min(now+volumeStep, volumeLimit)
	case down:
		return max(now-volumeStep, -volumeLimit)
	default:
		return 0
	}
}

func (r *room) tellCount(now time.Time, s *seat) {
	if n := r.audible(); n > 1 {
		r.private(now, s, countItems(n)...)
		return
	}
	r.private(now, s, r.profile.AloneSound)
}

func (r *room) raiseHand(now time.Time, s *seat) {
	s.hand = !s.hand
	what, sound := EventHandLowered, r.profile.HandDownSound
	if s.hand {
		what, sound = EventHandRaised, r.profile.HandUpSound
	}
	r.tell(now, what, s, ReasonNone)
	r.remember(s)
	r.private(now, s, sound)
}

// lock locks the room or unlocks it. op is what its place was asked, 0 = nothing.
func (r *room) lock(now time.Time, on bool, by string) (op OpID) {
	if r.locked == on {
		return 0
	}
	r.locked, r.lockedBy = on, change{by: by, at: now}
	r.tellLock(now)
	r.rememberAll()
	if m := media(r.profile.Language, either(on, r.profile.LockedNowSound, r.profile.UnlockedSound)); r.audible() > 0 && !m.Empty() {
		r.ops++
		r.at.bridge.Play(r.ops, m, Audience{})
	}
	return r.lockVenue()
}

func (r *room) tellLock(now time.Time) {
	r.tell(now, either(r.locked, EventRoomLocked, EventRoomUnlocked), nil, ReasonNone)
}

// lockedThere follows the lock where the room is mixed, whoever has set it.
func (r *room) lockedThere(now time.Time, at *venue, on bool) {
	at.locked = on
	if at == r.at && r.ending == ReasonNone && (at.lived || r.moving == nil) {
		r.lock(now, on, atSwitch)
	}
}

// waiter is a command whose facts are still to come.
type waiter struct {
	open  int
	err   error // of the operations that are settled: what one could not do
	reply chan error
	at    *venue // whose end settles it; nil = the room's

	relation *Relate  // that is to come true; nil = another command
	was      Relation // before it
}

// carryOut takes a command. The answer is sent when the facts have come.
func (r *room) carryOut(now time.Time, o order) {
	switch c := o.command.(type) {
	case Mute:
		r.change(o, c.Member, asking{quiet: c.Quiet, sets: partMuted}, func(s *seat) { s.want.Muted = next(c.Next, s.want.Muted, c.On) })
	case Deafen:
		r.change(o, c.Member, asking{sets: partDeaf}, func(s *seat) { s.want.Deaf = c.On })
	case Kick:
		r.kick(now, o, c)
	case Relate:
		r.relate(o, c)
	case Transfer:
		r.transfer(now, o, c)
	case Lock:
		r.lockAsked(now, o, c.On)
	case End, vacate:
		r.end(now, ReasonEnded)
		o.reply <- nil
	default:
		r.obeyMore(now, o)
	}
}

// change asks for a new state of one member, or of all who are no moderators.
func (r *room) change(o order, id MemberID, a asking, edit func(*seat)) {
	a.by = byCommand
	r.each(o, id, func(s *seat) OpID {
		if id == 0 && s.role == RoleModerator {
			return 0
		}
		edit(s)
		return r.set(s, a)
	})
}

func (r *room) kick(now time.Time, o order, c Kick) {
	sound := pick(c.Sound, r.profile.KickedSound)
	if c.Quiet {
		sound = ""
	}
	r.each(o, c.Member, func(s *seat) OpID {
		return r.dismiss(now, s, ReasonKicked, ExitKicked, sound)
	})
}

// each does something to one member or to all, and answers the order when
// every operation that was started has settled.
func (r *room) each(o order, id MemberID, do func(*seat) OpID) {
	w := &waiter{reply: o.reply}
	found := false
	for _, s := range slices.Clone(r.seats) {
		if !s.phase.present() || id != 0 && s.member != id {
			continue
		}
		found = true
		if op := do(s); op != 0 {
			w.open++
			r.pending[op] = w
		}
	}
	switch {
	case id != 0 && !found:
		o.reply <- r.noMember(id)
	case w.open == 0:
		o.reply <- nil
	}
}

// settleOp answers the command that an operation belongs to; err is what could
// not be done.
func (r *room) settleOp(op OpID, err error) {
	w := r.pending[op]
	if w == nil {
		return
	}
	delete(r.pending, op)
	w.open--
	if w.err == nil {
		w.err = err
	}
	if w.open == 0 {
		w.reply <- w.err
	}
}
