package native

import (
	"time"

	"parley/codec"
	"parley/internal/tick"
)

// How the pace of a voice is changed.
const (
	leap     = 2500 * time.Microsecond // from here on a period of the voice is cut; less may stay
	beyond   = 5 * time.Millisecond    // more than what is needed may be repeated, to find a period
	clocks   = time.Millisecond        // missing, at most, because clocks differ: single samples will do
	cutRest  = 2                       // ticks after a cut
	growRest = 5                       // and after a repetition: until Surplus knows of it
)

// pace brings what waits for its turn closer to what has to, and returns how
// many samples make this frame: more or less than it has, where the pace is to
// change by little. There is a frame in the fifo.
func (l *Leg) pace(s *scratch) int {
	v, n := &l.voice, len(l.voice.pcm)
	rate := l.format.Rate
	surplus := l.surplus(duration(len(v.fifo)-n, rate))
	if v.steady > 0 {
		v.steady--
		return n
	}
	if surplus > 0 && surplus < leap || !v.exact && l.jump(s, surplus) {
		return n
	}
	return n + l.nudge(s, rate.Samples(surplus))
}

// surplus is what waits and has not to. Without a Pacer that is what a gate has
// let through belatedly.
func (l *Leg) surplus(ahead time.Duration) time.Duration {
	v := &l.voice
	switch {
	case l.pacer != nil:
		return l.pacer.Surplus(ahead)
	case ahead < leap:
		v.behind = false
	}
	if v.behind {
		return ahead
	}
	return 0
}

// jump cuts or repeats a period of the voice where that helps and is not heard.
func (l *Leg) jump(s *scratch, surplus time.Duration) bool {
	v, rate := &l.voice, l.format.Rate
	before := len(v.fifo)
	switch {
	case surplus >= leap:
		l.fetch(s, len(v.pcm)+rate.Samples(min(surplus, tick.Period)))
		before = len(v.fifo)
		v.fifo = codec.Shorten(v.fifo, rate, min(rate.Samples(surplus), before-len(v.pcm)))
		v.steady = cutRest
	case surplus < -clocks:
		v.fifo = codec.Lengthen(v.fifo, rate, rate.Samples(beyond-surplus))
		v.steady = growRest
	}
	if len(v.fifo) == before {
		v.steady = 0
		return false
	}
	return true
}

// nudge is how many samples more or less than usual make a frame: one in 160,
// as long as they are too many or too few.
func (l *Leg) nudge(s *scratch, surplus int) int {
	v, n := &l.voice, len(l.voice.pcm)
	most := max(n/160, 1)
	by := min(max(surplus, -most), most)
	if by > 0 {
		l.fetch(s, n+by)
		by = min(by, len(v.fifo)-n)
	}
	return by
}

func duration(samples int, r codec.Rate) time.Duration {
	return time.Duration(samples) * time.Second / time.Duration(r)
}
