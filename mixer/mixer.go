// Package mixer is the arithmetic of a conference: sums, everybody's sum but
// his own, loudness and levels. PCM is mono, 16 bits, signed.
//
// It has no clock, goroutine, lock or log, and after construction it does not
// allocate. A value has one user at a time. Slices are never kept.
package mixer

import "math"

// Mix is the sum of all who speak in one frame, at one sampling rate. It is
// wide enough for 65,535 voices; nothing is clamped before an output is made.
//
// Once per frame: Reset, Add for each who is heard, then an output for each
// listener.
type Mix struct {
	sum    []int32
	wide   []int32 // an output that needs its limiter
	voices int
}

// New makes a mix of frames of so many samples.
func New(samples int) *Mix {
	return &Mix{sum: make([]int32, samples), wide: make([]int32, samples)}
}

// Reset starts a frame.
func (m *Mix) Reset() {
	if m.voices > 0 {
		clear(m.sum)
		m.voices = 0
	}
}

// Add adds a voice. A frame that is too short is silent at its end; what is too
// long is left away.
func (m *Mix) Add(pcm []int16) {
	pcm = pcm[:min(len(pcm), len(m.sum))]
	sum := m.sum[:len(pcm)]
	for i, s := range pcm {
		sum[i] += int32(s)
	}
	m.voices++
}

// Voices is how many were added since Reset.
func (m *Mix) Voices() int { return m.voices }

// All writes the sum of all voices. What dst is longer than the frame is
// silent.
func (m *Mix) All(dst []int16, l *Limiter) { m.MinusOne(dst, nil, l) }

// MinusOne writes the sum without the listener's own voice, which must be what
// was added. As long as the limiter has nothing to do, the result is exactly
// the sum of the other voices.
func (m *Mix) MinusOne(dst, own []int16, l *Limiter) {
	n := min(len(dst), len(m.sum))
	clear(dst[n:])
	dst, own = dst[:n], own[:min(len(own), n)]
	if l.cut != 0 { // what was turned down mostly is again
		wide := m.wide[:n]
		peak := without(wide, m.sum, own)
		copy(wide[len(own):], m.sum[len(own):n])
		l.limit(dst, wide, max(peak, loudest(wide[len(own):])))
		return
	}
	peak := minus(dst, m.sum, own)
	peak = max(peak, narrow(dst[len(own):], m.sum[len(own):]))
	if l.idle(peak) {
		return
	}
	copy(m.wide, m.sum)
	for i, s := range own {
		m.wide[i] -= int32(s)
	}
	l.limit(dst, m.wide[:n], peak)
}

// Less is MinusOne without several voices, each of which must be what was added.
func (m *Mix) Less(dst []int16, voices [][]int16, l *Limiter) {
	if len(voices) < 2 {
		var own []int16
		if len(voices) == 1 {
			own = voices[0]
		}
		m.MinusOne(dst, own, l)
		return
	}
	n := min(len(dst), len(m.sum))
	clear(dst[n:])
	dst, wide := dst[:n], m.wide[:n]
	copy(wide, m.sum)
	for _, v := range voices {
		v = v[:min(len(v), n)]
		for i, s := range v {
			wide[i] -= int32(s)
		}
	}
	if peak := narrow(dst, wide); !l.idle(peak) {
		l.limit(dst, wide, peak)
	}
}

// minus writes sum-own for the length of own, right where it fits 16 bits, and
// returns the largest magnitude.
func minus(dst []int16, sum []int32, own []int16) (peak int32) {
	dst, sum = dst[:len(own)], sum[:len(own)]
	for i, s := range own {
		v := sum[i] - int32(s)
		dst[i] = int16(v)
		peak = max(peak, magnitude(v))
	}
	return peak
}

// without is minus where it need not fit.
func without(wide, sum []int32, own []int16) (peak int32) {
	wide, sum = wide[:len(own)], sum[:len(own)]
	for i, s := range own {
		v := sum[i] - int32(s)
		wide[i] = v
		peak = max(peak, magnitude(v))
	}
	return peak
}

// loudest is the largest magnitude.
func loudest(wide []int32) (peak int32) {
	for _, v := range wide {
		peak = max(peak, magnitude(v))
	}
	return peak
}

// narrow is minus for nobody's voice.
func narrow(dst []int16, sum []int32) (peak int32) {
	sum = sum[:len(dst)]
	for i, v := range sum {
		dst[i] = int16(v)
		peak = max(peak, magnitude(v))
	}
	return peak
}

// magnitude is |v|, less one below zero: what fits 16 bits has 32,767 at most.
func magnitude(v int32) int32 { return v ^ v>>31 }

func clamp(v int64) int16 { return int16(min(max(v, math.MinInt16), math.MaxInt16)) }
