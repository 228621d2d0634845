package engine

import (
	"slices"
	"time"
)

// floorAt follows what a venue says of the floor. It has no say in who is
// elsewhere.
func (r *room) floorAt(now time.Time, at *venue, to MemberID) {
	if to != 0 {
		r.withMember(at, to, func(s *seat) { r.speaks(now, s) })
	} else if s := r.speaker(); s != nil && s.in == at {
		r.yields(now, s)
	}
}

// speaker is who has the floor; nil = nobody.
func (r *room) speaker() *seat {
	if i := slices.IndexFunc(r.seats, func(s *seat) bool { return s.floor }); i >= 0 {
		return r.seats[i]
	}
	return nil
}

// speaks gives the floor to a member.
func (r *room) speaks(now time.Time, s *seat) {
	if !s.phase.present() || s.floor {
		return
	}
	old := r.speaker()
	s.floor = true
	r.passed(now, old, s)
}

// yields takes the floor from a member, if it is his: it is nobody's then.
func (r *room) yields(now time.Time, s *seat) {
	if s.floor {
		r.passed(now, s, nil)
	}
}

// passed tells that the floor has gone from one to another; nil = nobody.
func (r *room) passed(now time.Time, from, to *seat) {
	var previous MemberID
	if from != nil {
		from.floor, previous = false, from.member
	}
	e := r.event(now, EventSpeaker, to, ReasonNone)
	e.Previous = previous
	r.house.observe(e)
}
