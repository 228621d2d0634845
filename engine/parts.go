package engine

import (
	"fmt"
	"time"
)

// part is one of the things that a Play plays one after the other.
type part struct {
	op   OpID
	what Media
	over bool // before its turn: it could not be played
	err  error
}

// ordered is what a command wants played.
func (r *room) ordered(c Play) (*playing, error) {
	p := &playing{Playback: Playback{ID: c.ID, What: c.What, Part: c.Part}, beside: c.Beside && c.Member == 0}
	if c.What.Empty() {
		return nil, fmt.Errorf("%w: nothing to play", ErrBadCommand)
	}
	if p.beside && len(c.Then) > 0 {
		return nil, fmt.Errorf("%w: what plays beside others has no turn, and nothing comes after it", ErrBadCommand)
	}
	p.What.Language = pick(p.What.Language, r.profile.Language)
	for _, what := range c.Then {
		if what.Empty() {
			return nil, fmt.Errorf("%w: nothing to play in part of it", ErrBadCommand)
		}
		what.Language = pick(what.Language, r.profile.Language)
		p.rest = append(p.rest, part{what: what})
	}
	return p, nil
}

// number gives all parts their orders to the place, where they queue together.
func (p *playing) number(ops *OpID) {
	*ops++
	p.op = *ops
	for i := range p.rest {
		*ops++
		p.rest[i].op = *ops
	}
}

// has says whether an order was for a part of it that is not over.
func (p *playing) has(op OpID) bool {
	if p.op == op {
		return true
	}
	for _, next := range p.rest {
		if next.op == op {
			return true
		}
	}
	return false
}

// early takes the end of a part that comes before its turn.
func (p *playing) early(f Played) bool {
	for i := range p.rest {
		if p.rest[i].op == f.Op {
			p.rest[i].over, p.rest[i].err = true, f.Err
			return true
		}
	}
	return false
}

// next goes on to the next part that has not ended; false: that was the last.
func (p *playing) next() bool {
	for len(p.rest) > 0 {
		now := p.rest[0]
		p.rest = p.rest[1:]
		p.op, p.What, p.Err = now.op, now.what, now.err
		p.Part++
		p.At, p.gain = Playhead{}, 0
		if !now.over {
			return true
		}
	}
	return false
}

// continues tells that the next part of a play has begun, and asks of it what was
// asked of the one before and has come too late for that.
func (r *room) continues(now time.Time, s *seat, p *playing) {
	var by any
	if s != nil {
		by = s.leg
	} else {
		by = p.at.bridge
	}
	r.tellPlay(now, EventPlayContinues, s, p.Playback)
	if player, ok := by.(Player); ok {
		for _, c := range p.controls {
			player.ControlPlay(c.op, p.op, c.PlayControl)
		}
	}
}

// sayPart plays a part to a member, and the next when it has ended.
func (r *room) sayPart(now time.Time, s *seat, p *playing) {
	s.play(now, p.What, func(now time.Time) {
		if s.playing == p && s.way == wayNone && p.next() {
			r.sayPart(now, s, p)
			r.continues(now, s, p)
		}
	})
	p.op, s.playing = s.prompt, p
}
