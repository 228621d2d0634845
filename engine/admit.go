package engine

import (
	"time"
)

// nameLength is how long a caller may speak his name.
const nameLength = 5 * time.Second

// beep asks for speech.
const beep = "tone_stream://%(200,0,800)"

// arrive takes a call on; it is greeted as soon as it can hear.
func (r *room) arrive(now time.Time, a arrival) {
	a.line.coming.Add(-1)
	r.ops = max(r.ops, a.ops)
	s := &seat{call: newCall(now, a, &r.ops)}
	r.seats = append(r.seats, s)
	called := r.answered(now, s)
	first := r.lastID == 0 && len(r.seats) == 1 || s.invite.Restore != nil
	if s.opened = first && s.leg.ID() == r.opener; !s.opened {
		r.ignore(now, s)
	}
	r.takeSignals(now, s)
	if cause, is := r.house.jobs.unwanted(s.invite.Job); is {
		r.hangUp(now, s, cause)
		return
	}
	if !called {
		r.refuse(now, s, ReasonEnded)
		return
	}
	if a.mediaUp && s.step(now, stepMediaUp) {
		r.greet(now, s)
	}
}

func (r *room) greet(now time.Time, s *seat) {
	if r.ending != ReasonNone {
		r.refuse(now, s, ReasonEnded)
		return
	}
	if s.invite.Restore != nil {
		r.restore(now, s)
		return
	}
	s.say(now, media(r.languageOf(s), r.profile.WelcomeSound), func(now time.Time) { r.identify(now, s) })
}

// identify finds the role: by flag, then by PIN.
func (r *room) identify(now time.Time, s *seat) {
	if !r.running(s.request) {
		r.refuse(now, s, ReasonNotRunning)
		return
	}
	if role, known := r.flagged(s); known {
		r.seat(now, s, role)
		return
	}
	s.tries = r.house.throttle.tries(r.name, s.invite.Source, now, r.profile.PINAttempts)
	if s.tries == 0 && len(r.door(&s.request).Member.PINs) > 0 {
		r.refuse(now, s, ReasonThrottled)
		return
	}
	s.step(now, stepAskPIN)
	if pin := s.request.pin; pin != "" && r.judged(now, s, pin) {
		return
	}
	r.askPIN(now, s, r.profile.PINSound)
}

// running says whether this call may open the room, or need not.
func (r *room) running(q request) bool {
	if r.present() > 0 {
		return true
	}
	create := r.profile.Create
	return !q.joinOnly && create != CreateRunning && (create != CreateExisting || r.configured)
}

// flagged is the role of a call that needs no PIN: its dialplan said
// moderator and names no PIN of its own, or nobody who can be in that role has
// a PIN, or the dialplan vouches for it. A profile that says who joins by it
// does not do without the PINs of that role.
func (r *room) flagged(s *seat) (Role, bool) {
	p, trusted := r.door(&s.request), s.request.entry.unchecked
	if r.joinAs(&s.request) == RoleModerator {
		return RoleModerator, trusted || !p.NeedsPIN()
	}
	switch s.request.role {
	case RoleModerator:
		return RoleModerator, trusted || !s.request.entry.ownPIN()
	case RoleMember:
		return RoleMember, trusted || len(p.Member.PINs) == 0
	case RoleUnset:
		return RoleMember, trusted || !p.NeedsPIN()
	default:
		panic("engine: role out of range")
	}
}

// askPIN asks once more. Where only moderators have PINs, no digits at all
// make a member.
func (r *room) askPIN(now time.Time, s *seat, sounds ...string) {
	ask := collector{
		limit: r.door(&s.request).longestPIN(), terminators: r.profile.PINTerminator, timeout: r.profile.PINTimeout,
	}
	s.question(now, media(r.languageOf(s), sounds...), ask, func(now time.Time, digits string) {
		if r.judged(now, s, digits) {
			return
		}
		if s.tries--; s.tries <= 0 {
			r.refuse(now, s, ReasonPINFailed)
			return
		}
		r.askPIN(now, s, r.profile.BadPINSound, r.profile.PINSound)
	})
}

// judged looks at a PIN, if the brake lets it. It is false when the PIN is
// wrong and the call may try again.
func (r *room) judged(now time.Time, s *seat, digits string) bool {
	guess := digits != "" // no digits tell a guesser nothing
	if guess && !r.house.throttle.guess(r.name, s.invite.Source, now) {
		r.refuse(now, s, ReasonThrottled)
		return true
	}
	role := r.roleByPIN(s, digits)
	if role == RoleUnset {
		return false
	}
	if guess {
		r.house.throttle.right(r.name, s.invite.Source, now)
	}
	s.byPIN = guess
	r.seat(now, s, role)
	return true
}

// roleByPIN is RoleUnset when the digits are nobody's.
func (r *room) roleByPIN(s *seat, digits string) Role {
	p, typed := r.door(&s.request), NewPIN(digits)
	member, moderator := typed.among(p.Member.PINs), typed.among(p.Moderator.PINs)
	leads := r.joinAs(&s.request) == RoleModerator
	switch {
	case (leads || s.request.role == RoleModerator) && (member || moderator):
		return RoleModerator
	case leads: // no digits make no member of a call that comes to lead
		return RoleUnset
	case member:
		return RoleMember
	case moderator && s.request.role == RoleUnset:
		return RoleModerator
	case digits == "" && len(p.Member.PINs) == 0:
		return RoleMember
	default:
		return RoleUnset
	}
}

// seat judges lock and limit, and reserves: from here on the place is his,
// whatever he still has to hear.
func (r *room) seat(now time.Time, s *seat, role Role) {
	switch why := r.barred(s.request, role); {
	case why != ReasonNone && s.invite.Job == "": // who was called has his seat since then
		r.refuse(now, s, why)
	default:
		s.directory = r.directory
		s.settle(role, r.host(&s.request))
		if r.profile.AnnounceName && !s.invite.Untold {
			r.askName(now, s)
			return
		}
		r.enter(now, s)
	}
}

// barred says why nobody can take a seat in a role now.
func (r *room) barred(q request, role Role) Reason {
	switch {
	case r.locked && !q.entry.unchecked && (role != RoleModerator || r.profile.LockExempts != ExemptModerators):
		return ReasonLocked
	case r.full(role):
		return ReasonFull
	default:
		return ReasonNone
	}
}

// full says whether there is no seat for a role.
func (r *room) full(role Role) bool {
	limit := r.profile.MaxParticipants
	if limit == 0 {
		return false
	}
	if role == RoleModerator {
		limit += r.profile.ReserveModeratorSeats
	}
	return r.count((*seat).counts)+r.kept() >= limit
}

func (r *room) askName(now time.Time, s *seat) {
	s.step(now, stepSeat)
	s.say(now, media(r.languageOf(s), r.profile.NamePrompt, beep), func(now time.Time) {
		s.recording = s.op()
		s.expires = now.Add(nameLength + time.Second)
		s.leg.Record(s.recording, nameLength)
	})
}

func (r *room) recorded(now time.Time, s *seat, f Recorded) {
	if s.phase == phaseNaming && f.Op == s.recording {
		s.named = f.OK
		r.enter(now, s)
	}
}

// enter plays what joiners hear first.
func (r *room) enter(now time.Time, s *seat) {
	if !s.step(now, stepEnter) {
		return
	}
	prompt := ""
	if s.settings.PlayEntryPrompt {
		prompt = r.profile.EntryPrompt
	}
	s.say(now, media(r.languageOf(s), prompt), func(now time.Time) { r.admit(now, s) })
}

// admit has the call brought to where the room is mixed, and asks the bridge to
// take it; Joined or AdmitFailed comes back.
func (r *room) admit(now time.Time, s *seat) {
	s.audio = placeOf(s.leg)
	if r.at == nil {
		v, err := r.venueAt(r.placeFor(s))
		if err != nil { // the switch cannot have it: we can
			v, err = r.venueAt(Place{})
		}
		if err != nil {
			r.refuse(now, s, ReasonNodeBusy)
			return
		}
		r.mixAt(v)
	}
	if r.hold(now, s) {
		return
	}
	s.step(now, stepAdmit)
	s.member = r.number(s)
	s.want = s.entryState(false) // travel sees whether he waits
	r.travel(now, s)
}

func (r *room) admitFailed(now time.Time, s *seat, why Reason) {
	if s.phase != phaseAdmitting && s.phase != phaseRemoving && s.phase != phaseLosing {
		return
	}
	if s.out.Reason == ReasonNone {
		s.out.Result, s.out.Reason = ResultFailed, why
	}
	s.step(now, stepRemoved)
	r.part(now, s)
}

// joined makes the call a member: the bridge has it.
func (r *room) joined(now time.Time, s *seat) {
	to := stepJoin
	if s.want.Waiting {
		to = stepWait
	}
	if s.phase != phaseAdmitting || !s.step(now, to) {
		return // dismissed meanwhile; Left follows
	}
	if r.startedAt.IsZero() {
		r.startedAt = now
		r.tell(now, EventRoomStarted, nil, ReasonNone)
	}
	s.joinedAt, s.state = now, s.want
	s.out.Result, s.out.Member = ResultJoined, s.member
	if s.settings.EndOnExit != EndNever || s.role == RoleModerator {
		r.endAt = time.Time{}
	}
	switch {
	case s.restored:
		r.cameBack(now, s)
	case s.phase == phaseWaiting:
		r.tell(now, EventWaiting, s, ReasonNone)
		r.startWait(now, s)
	default:
		r.entered(now, s)
	}
	r.reconcile(now)
	r.remember(s)
}
