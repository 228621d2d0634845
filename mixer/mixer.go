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
	wide   []int32 // an output before its limiter
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
	n := min(len(pcm), len(m.sum))
	add(m.sum[:n], pcm[:n])
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
	k := min(len(own), n)
	clear(dst[n:])
	peak := minus(dst[:k], m.wide[:k], m.sum[:k], own[:k])
	copy(m.wide[k:n], m.sum[k:n])
	peak = max(peak, narrow(dst[k:n], m.wide[k:n]))
	l.limit(dst[:n], m.wide[:n], peak)
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
	l.limit(dst, wide, narrow(dst, wide))
}

func clamp(v int64) int16 { return int16(min(max(v, math.MinInt16), math.MaxInt16)) }
