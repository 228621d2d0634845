package engine

import (
	"fmt"
	"time"
)

// Treatment is how the sound of one member is treated, where that is another
// way than his room's.
type Treatment struct {
	OwnGate bool // Gate counts in place of the room's
	Gate    Gate
	OwnAGC  bool // AGC counts in place of the room's
	AGC     bool
	Ceiling Ceiling
}

// Ceiling silences a member for a while who is too loud too often. The zero
// value does not.
type Ceiling struct {
	Level int           // dBov above which 20 ms are too loud; 0 = none are
	Hits  int           // so many are let through
	Mute  time.Duration // silence after one more
}

// Of is how a member is treated in a room that treats its members like s.
func (t Treatment) Of(s Sound) Sound {
	if t.OwnGate {
		s.Gate = t.Gate
	}
	if t.OwnAGC {
		s.AGC = t.AGC
	}
	return s
}

// Treater is a Bridge that can treat members each in his own way.
type Treater interface {
	Bridge
	// Treat is for one member from now on: Applied.
	Treat(op OpID, m MemberID, t Treatment)
}

// Presser is a Leg that can press keys towards its caller.
type Presser interface {
	Leg
	// Press sends keys ('0'-'9', '*', '#', 'A'-'D') to the far side. An error is
	// why they are not sent.
	Press(digits string) error
}

// maxPress is how many keys one command may press.
const maxPress = 64

// treat has members treated in a way of their own.
func (r *room) treat(o order, c Treat) {
	if _, ok := r.treater(); !ok {
		o.reply <- fmt.Errorf("%w: %s has no gate and no AGC per member", ErrCannot, r.at.place)
		return
	}
	r.each(o, c.Member, func(s *seat) OpID {
		s.treatment = c.To()
		if s.way != wayNone { // he is treated when he has come
			return 0
		}
		return r.treatAt(s)
	})
}

func (r *room) treater() (b Treater, ok bool) {
	if r.at == nil {
		return nil, true // nobody is there to be treated
	}
	b, ok = r.at.bridge.(Treater)
	return b, ok
}

// treatAt asks the place that a member is in.
func (r *room) treatAt(s *seat) OpID {
	b, ok := s.in.bridge.(Treater)
	if !ok {
		return 0
	}
	op := s.op()
	b.Treat(op, s.member, s.treatment)
	return op
}

// press sends keys to a member's phone.
func (r *room) press(c Press) error {
	if !keypad(c.Digits) || len(c.Digits) > maxPress {
		return fmt.Errorf("%w: keys %q, want 1 to %d of 0-9 * # A-D", ErrBadCommand, clip(c.Digits), maxPress)
	}
	s := r.memberSeat(c.Member)
	if s == nil {
		return fmt.Errorf("%w: %s in room %s", ErrNoMember, c.Member, r.name)
	}
	p, ok := s.leg.(Presser)
	if !ok {
		return fmt.Errorf("%w: no keys can be sent to member %s", ErrCannot, c.Member)
	}
	if err := p.Press(c.Digits); err != nil {
		return fmt.Errorf("%w: %w", ErrCannot, err)
	}
	return nil
}
