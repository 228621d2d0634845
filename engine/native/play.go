package native

import (
	"slices"
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
	beside bool // the others

	ready atomic.Bool                      // err and the first reels are there
	err   error                            // of items left out
	reels [maxClasses]atomic.Pointer[reel] // by class; once stored the tick's
	deck  deck

	begun, ended, told bool // the tick's
}

// prepare loads the play for some classes, and starts it. The loader's.
func (y *play) prepare(s *Switch, classes []*class) {
	for _, c := range classes {
		r, err := s.reel(y.what, c.rate)
		y.err = err
		if !r.empty() {
			y.deck.length.Store(int64(r.time(r.length())))
			y.reels[c.index].Store(&r)
		}
	}
	y.ready.Store(true)
}

// extend loads the play for a class that came later. The loader's.
func (y *play) extend(s *Switch, c *class) {
	if y.reels[c.index].Load() != nil {
		return
	}
	r, _ := s.reel(y.what, c.rate) // what is left out has been reported
	if r.empty() {
		return
	}
	r.fresh = true
	y.reels[c.index].Store(&r)
}

// current returns the play of this tick, nil when nothing plays. Plays that
// have ended stay in the plan until the courier knows.
func (b *Bridge) current(p *plan) (y *play, last bool) {
	var now *play
	for _, y := range p.plays {
		switch {
		case y.ended:
			b.over(y)
		case y.beside:
		case now != nil:
			return now, y.ready.Load() && now.endless()
		case !y.ready.Load():
			return nil, false
		default:
			now = y
		}
	}
	return now, false
}

// beside plays what is beside the others.
func (b *Bridge) beside(s *scratch, p *plan) {
	for _, y := range p.plays {
		if y.beside && !y.ended && y.ready.Load() {
			y.sound(b, s, p, false)
			b.over(y)
		}
	}
}

// wait has the plays behind the current one do what they are told.
func (b *Bridge) wait(p *plan, current *play) {
	for _, y := range p.plays {
		if y != current && !y.beside && !y.ended && y.ready.Load() {
			var list [maxClasses]*reel
			var index [maxClasses]int
			y.deck.stay(b.sw, list[:y.all(&list, &index)])
		}
	}
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

// all lists the reels. One that came later is wound on to where the others are.
func (y *play) all(list *[maxClasses]*reel, index *[maxClasses]int) int {
	n := 0
	for i := range y.reels {
		if r := y.reels[i].Load(); r != nil {
			list[n], index[n] = r, i
			n++
		}
	}
	for _, r := range list[:n] {
		if !r.fresh {
			continue
		}
		if i := slices.IndexFunc(list[:n], func(o *reel) bool { return !o.fresh }); i >= 0 {
			r.follow(list[i])
		}
		r.fresh = false
		r.gain.Jump(float64(y.deck.gain))
	}
	return n
}

// sound adds 20 ms of the play to every class. In its last tick an endless one
// fades.
func (y *play) sound(b *Bridge, s *scratch, p *plan, last bool) {
	var list [maxClasses]*reel
	var index [maxClasses]int
	n := y.all(&list, &index)
	t := y.deck.turn(y.begun, list[:n])
	y.begun = true
	if last {
		t.to = false
	}
	more := false
	for k, r := range list[:n] {
		if !t.sounds() {
			break
		}
		pcm := s.prompt[:r.frame]
		more = t.play(r, pcm) == len(pcm) || more
		if c := p.class(index[k]); c != nil {
			c.mix.Add(pcm)
		}
	}
	y.ended = last || t.to && !more
	y.deck.end(b.sw, t, list[:n])
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
