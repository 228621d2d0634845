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

	longest = int(codec.MaxFrame / tick.Period) // frames of a packet, at most
)

// waiting is how many samples wait for their turn at most: what is left over of a
// packet and the next one, what is played longer, and what a gate lets through
// belatedly.
func waiting(packet, frame int) int { return frame + packet + frame + preroll*frame }

// room is how many of so many samples more there is room for in the fifo. Packets of
// a frame fit; who sends longer ones gets, once, what the longest may need.
func (v *voice) room(samples int) int {
	n := len(v.pcm)
	most := waiting(longest*n, n)
	if len(v.fifo)+samples > cap(v.fifo) && cap(v.fifo) < most {
		v.fifo = append(make([]int16, 0, most), v.fifo...)
	}
	return min(samples, cap(v.fifo)-len(v.fifo))
}

// add puts audio at the end of the fifo, as much of it as there is room for.
func (v *voice) add(pcm []int16) { v.fifo = append(v.fifo, pcm[:v.room(len(pcm))]...) }

// pace brings what waits for its turn closer to what has to, and returns how
// many samples make this frame: more or less than it has, where the pace is to
// change by little. There is a frame in the fifo.
func (l *Leg) pace(s *scratch) int {
	v, n := &l.voice, len(l.voice.pcm)
	rate := l.format.Rate
	surplus := l.surplus()
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
func (l *Leg) surplus() time.Duration {
	v := &l.voice
	if l.pacer != nil {
		return l.pacer.Surplus(duration(v.left.least(), l.format.Rate))
	}
	ahead := duration(len(v.fifo)-len(v.pcm), l.format.Rate)
	if ahead < leap {
		v.behind = false
	}
	if v.behind {
		return ahead
	}
	return 0
}

// leftovers are the samples that were still there when a packet was taken, of the
// last times. How many there are goes round with packets that are no part of a
// frame, and no frame a part of them: of 30 ms, every second time 10 ms; only
// what is there every time is delay.
type leftovers struct {
	of [4]int // packets of 15 ms go round in three frames
	at int
}

func (o *leftovers) note(samples int) {
	o.of[o.at%len(o.of)] = samples
	o.at++
}

func (o *leftovers) least() int { return min(o.of[0], o.of[1], o.of[2], o.of[3]) }

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
		v.room(len(v.pcm)) // more than a period
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
