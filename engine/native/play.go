package native

import (
	"sync/atomic"

	"parley/engine"
)

// maxClasses is more than there are rates with whole samples in 20 ms.
const maxClasses = 8

// play is what a room is played: loaded once for each class, mixed for the
// audience.
type play struct {
	op     engine.OpID
	what   engine.Media
	except engine.MemberID

	ready atomic.Bool                      // err and the first reels are there
	err   error                            // of items left out
	reels [maxClasses]atomic.Pointer[reel] // by class; once stored the tick's
	ticks atomic.Int64                     // played so far

	ended, told bool // the tick's
}

// prepare loads the play for some classes, and starts it. The loader's.
func (y *play) prepare(s *Switch, classes []*class) {
	for _, c := range classes {
		r, err := s.reel(y.what, c.rate)
		y.err = err
		if !r.empty() {
			y.reels[c.index].Store(&r)
		}
	}
	y.ready.Store(true)
}

// extend loads the play for a class that came later, and winds it on to where
// the others are. The loader's.
func (y *play) extend(s *Switch, c *class) {
	if y.reels[c.index].Load() != nil {
		return
	}
	r, _ := s.reel(y.what, c.rate) // what is left out has been reported
	if r.empty() {
		return
	}
	var skipped [maxFrame]int16
	for range y.ticks.Load() {
		r.read(skipped[:r.frame])
	}
	y.reels[c.index].Store(&r)
}

// current returns the play of this tick, nil when nothing plays. Plays that
// have ended stay in the plan until the courier knows.
func (b *Bridge) current(p *plan) (y *play, last bool) {
	for i, y := range p.plays {
		if y.ended {
			b.over(y)
			continue
		}
		if !y.ready.Load() {
			return nil, false
		}
		return y, i+1 < len(p.plays) && p.plays[i+1].ready.Load() && y.endless()
	}
	return nil, false
}

// over tells, once, that a play has ended.
func (b *Bridge) over(y *play) {
	if y.ended && !y.told {
		y.told = b.sw.tell(note{kind: notePlay, bridge: b, play: y})
	}
}

// endless says whether it has to be ended for the next one to begin.
func (y *play) endless() bool {
	for i := range y.reels {
		if r := y.reels[i].Load(); r != nil && r.endless {
			return true
		}
	}
	return false
}

// sound adds 20 ms of the play to every class. In its last tick an endless one
// fades.
func (y *play) sound(s *scratch, p *plan, last bool) {
	more := false
	for i := range y.reels {
		r := y.reels[i].Load()
		if r == nil {
			continue
		}
		pcm := s.prompt[:r.frame]
		n := r.read(pcm)
		clear(pcm[n:])
		more = more || n == len(pcm)
		if last {
			ramp(pcm, true, false)
		}
		if c := p.class(i); c != nil {
			c.mix.Add(pcm)
		}
	}
	y.ended = last || !more
	y.ticks.Add(1)
}

// class finds the class of an index among those of the plan.
func (p *plan) class(index int) *class {
	for _, c := range p.classes {
		if c.index == index {
			return c
		}
	}
	return nil
}
