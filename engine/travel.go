package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// venue is a place where the room is mixed, or was until just now.
type venue struct {
	place  Place
	bridge Bridge
	locked bool // as it was told, or told us
	lived  bool // somebody was in it
	failed bool
}

// way is the step that is under way of a seat's journey to the room's venue.
// Everybody takes it: who joins, and who follows when the room moves.
type way uint8

const (
	wayNone     way = iota
	wayMoving       // the leg was asked to bring its audio: Moved
	wayLeaving      // the venue it is in was asked to let it go: Left
	wayEntering     // the venue was asked to take it: Joined or AdmitFailed
)

// onward is the next step of a leg whose audio is at a place, and which is in
// a venue or in none, towards another.
func onward(audio Place, in, goal *venue) way {
	switch {
	case in != nil && audio != in.place:
		return wayLeaving
	case audio != goal.place:
		return wayMoving
	case in == nil:
		return wayEntering
	default:
		return wayNone
	}
}

// placeOf is where a leg's audio goes when the room meets it.
func placeOf(l Leg) Place {
	if m, ok := l.(Mover); ok {
		return m.At()
	}
	return Place{}
}

// canReach says whether a leg's audio can go to a place.
func canReach(l Leg, p Place) bool {
	m, ok := l.(Mover)
	return p.Native() || ok && (m.Home() == p || m.At() == p)
}

// venueAt finds the room's venue at a place, or makes it.
func (r *room) venueAt(p Place) (*venue, error) {
	for _, v := range r.venues {
		if v.place == p && !v.failed {
			return v, nil
		}
	}
	v := &venue{place: p}
	b, err := r.house.bridges(p, r.name, r.instance, bridgeSink{r.box, v})
	if err != nil {
		return nil, err
	}
	v.bridge = b
	r.venues = append(r.venues, v)
	r.tune()
	return v, nil
}

// mixAt makes a venue the one for whoever is to come.
func (r *room) mixAt(v *venue) {
	r.at = v
	r.shown.Store(&v.place)
}

// expected says whether the seat is, or is to be, in the room's venue.
func (s *seat) expected() bool { return s.phase == phaseAdmitting || s.phase.present() }

// travel takes the next step of a seat's journey; none is left when it is
// where the room is.
func (r *room) travel(now time.Time, s *seat) {
	if s.way != wayNone || !s.expected() {
		return
	}
	s.way = onward(s.audio, s.in, r.at)
	if s.way == wayNone {
		if !s.away.IsZero() {
			r.arrived(now, s)
		}
		return
	}
	s.order, s.heading = s.op(), r.at
	switch s.way {
	case wayMoving:
		if s.away.IsZero() {
			s.away = now
		}
		s.leg.(Mover).Move(s.order, r.at.place) // only who can is sent: canReach
	case wayLeaving:
		s.in.bridge.Remove(s.order, s.member)
	case wayEntering:
		if s.phase == phaseAdmitting {
			s.want.Waiting = s.role != RoleModerator && r.holding()
		}
		s.in, s.entry, s.brought = r.at, s.want, len(s.owed)
		s.in.bridge.Admit(s.order, s.member, s.leg, s.wish())
	case wayNone:
	}
}

// moved follows a leg's audio to another place.
func (r *room) moved(now time.Time, s *seat, f Moved) {
	if s.way != wayMoving || f.Op != s.order {
		return
	}
	s.way = wayNone
	if f.Err == nil {
		s.audio = s.heading.place
	}
	switch {
	case s.phase == phaseRemoving || s.phase == phaseLosing:
		r.depart(now, s, s.op())
	case !s.expected():
	case f.Err != nil:
		s.entry, s.brought = s.state, 0 // it is where it was
		r.stuck(now, s, ReasonMediaLost, f.Err)
	default:
		r.travel(now, s)
	}
}

// taken follows a seat into a venue.
func (r *room) taken(now time.Time, s *seat, op OpID) {
	if s.way != wayEntering || op != s.order {
		return
	}
	s.way = wayNone
	if !s.in.lived && r.moving != nil && s.in == r.at {
		r.at.locked = !r.locked // however it was left when the room was there last, it is told
		r.lockVenue()
	}
	s.in.lived = true
	if len(r.relations) > 0 {
		r.relateAt(s.in)
	}
	if s.treatment != (Treatment{}) {
		r.treatAt(s)
	}
	if s.phase == phaseAdmitting {
		s.away = time.Time{}
		r.joined(now, s)
	}
	r.travel(now, s)
	r.pressEarly(now, s)
}

// notTaken follows a seat that a venue did not take.
func (r *room) notTaken(now time.Time, s *seat, f AdmitFailed) {
	if s.way != wayEntering || f.Op != s.order {
		return
	}
	s.way, s.in = wayNone, nil
	switch {
	case s.expected():
		r.stuck(now, s, f.Reason, errors.New(string(f.Reason)))
	case s.joinedAt.IsZero():
		r.admitFailed(now, s, f.Reason)
	default:
		r.left(now, s, ReasonNone)
	}
}

// out follows a seat out of the venue it was in: on its way, or for good.
func (r *room) out(now time.Time, s *seat, f Left) {
	onItsWay := s.way == wayLeaving && f.Op == s.order && s.expected()
	s.in = nil
	if !onItsWay {
		r.left(now, s, f.Reason)
		return
	}
	s.way = wayNone
	r.talks(now, s, false)
	r.yields(now, s)
	r.travel(now, s)
}

// stuck is for a seat that could not take a step. A member who moves with the
// room takes it back; a caller on the way in is turned away; and who cannot
// even go back is lost.
func (r *room) stuck(now time.Time, s *seat, why Reason, err error) {
	switch m := r.moving; {
	case s.heading != r.at: // the room has turned round meanwhile
		r.travel(now, s)
	case s.phase == phaseAdmitting:
		r.admitFailed(now, s, why)
	case m != nil && m.undone == nil:
		m.note(Move{Member: s.member, Err: err})
		r.undo(now, err)
	default:
		r.dismiss(now, s, ReasonMediaLost, ExitLost, "")
	}
}

// arrived makes everything as it was for a member who is where the room is.
func (r *room) arrived(now time.Time, s *seat) {
	if r.moving != nil {
		r.moving.note(Move{Member: s.member, Gap: now.Sub(s.away)})
	}
	s.away = time.Time{}
	s.hush() // what he heard elsewhere
	s.tune = tuneNone
	owed := s.owed
	s.owed = nil
	if s.brought == 0 {
		s.note(now, byRule, s.state, s.entry)
		r.applied(now, s, s.entry)
	}
	for i, op := range owed {
		if i < s.brought {
			r.reported(now, s, Applied{Op: op, State: s.entry})
			r.settleOp(op, nil)
		} else {
			s.in.bridge.Set(op, s.member, s.wish())
		}
	}
	s.brought = 0
	r.ambience(now, s)
}

// depart takes a seat out of the venue it is in, for good, as soon as the step
// that is under way is over. A call that has ended takes no more steps.
func (r *room) depart(now time.Time, s *seat, op OpID) {
	if s.way == wayMoving && s.phase == phaseLosing {
		s.way = wayNone
	}
	switch {
	case s.way == wayMoving, s.way == wayLeaving:
		s.owed = append(s.owed, op)
	case s.in == nil:
		s.owed = append(s.owed, op)
		r.left(now, s, ReasonNone)
	default:
		s.in.bridge.Remove(op, s.member)
	}
}

// emptied takes everybody out of a venue that is no more; who can goes on.
func (r *room) emptied(now time.Time, v *venue) {
	v.failed = true
	for _, s := range slices.Clone(r.seats) {
		if s.in != v {
			continue
		}
		s.in = nil
		r.yields(now, s)
		if s.way != wayMoving {
			s.way = wayNone
		}
		if s.way == wayNone && !s.expected() {
			r.left(now, s, ReasonNone)
		}
	}
}

// closeEmpty closes the venues that nobody needs any more.
func (r *room) closeEmpty(now time.Time) {
	var closed []*venue
	r.venues = slices.DeleteFunc(r.venues, func(v *venue) bool {
		needed := v == r.at || r.moving != nil && v == r.moving.from ||
			slices.ContainsFunc(r.seats, func(s *seat) bool { return s.in == v }) ||
			slices.ContainsFunc(r.tapings, func(t *taping) bool { return t.at == v })
		if !needed {
			v.bridge.Close()
			closed = append(closed, v)
		}
		return !needed
	})
	for _, v := range closed {
		r.playsGone(now, v, fmt.Errorf("%s is left", v.place))
		r.unreached(now, v)
	}
}
