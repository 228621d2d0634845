package mixer

import "math"

// The limiter's behaviour in time, in frames of (usually) 20 ms.
const (
	hold    = 15    // frames until the gain may rise again: 300 ms
	release = 1.023 // per frame after that: 0.2 dB, so 10 dB a second
)

// Limiter keeps one output within 16 bits by turning it down as a whole. The
// zero value is ready. It belongs to one listener, whose gain it remembers.
//
// What fits passes bit for bit. A frame that would not fit is turned down at
// once, by what its peak needs; the gain falls in a straight line that ends at
// the first sample that is too loud. If that comes within the first eighth of
// the frame, the line takes the eighth and samples in it may be clamped: the
// only place where anything ever is. The gain stays until there was room for a
// while and then rises slowly. So a steady signal has a steady gain, and no
// distortion.
type Limiter struct {
	cut  factor // one less the gain at the end of the last frame
	rest int    // frames until the gain may rise
	room factor // the least that frames needed since rest began; 0 = none came
}

// idle says whether a frame of this peak passes as it is.
func (l *Limiter) idle(peak int32) bool { return l.cut == 0 && peak <= math.MaxInt16 }

// limit turns a frame down, of this peak, that dst has as it is. Most need not
// be.
func (l *Limiter) limit(dst []int16, wide []int32, peak int32) {
	if l.idle(peak) {
		return
	}
	from := unity - l.cut
	to := l.next(from, peak)
	l.cut = unity - to
	ramp := len(wide)
	switch {
	case to == from:
		ramp = 0
	case to < from:
		ramp = max(tooLoud(wide, from), len(wide)/8)
	}
	line := newLine(from, to, ramp)
	for i, v := range wide[:ramp] {
		dst[i] = clamp(line.step().times(v))
	}
	scale(dst[ramp:], wide[ramp:], to)
}

// next is the gain at the end of a frame: down to what its peak needs at once,
// up in small steps.
func (l *Limiter) next(now factor, peak int32) factor {
	need := math.MaxInt16 * unity / factor(max(peak, 1))
	if need < now {
		l.rest, l.room = hold, 0
		return need
	}
	if l.room == 0 || need < l.room {
		l.room = need
	}
	if l.rest > 0 {
		l.rest--
		return now
	}
	up := min(factor(float64(now)*release), l.room, unity)
	if up == l.room { // no further; see whether the next frames leave more
		l.rest, l.room = hold, 0
	}
	return up
}

// tooLoud is the place of the first sample that does not fit with this gain.
func tooLoud(wide []int32, g factor) int {
	for i, v := range wide {
		if s := g.times(v); s > math.MaxInt16 || s < math.MinInt16 {
			return i
		}
	}
	return len(wide)
}
