package mixer

import "math"

// Silence is the lowest level there is, in dBov (RFC 6464). A square wave of full
// scale has 0, a sine 3 less.
const Silence = -127

// Defaults of MeterOptions.
const (
	DefaultThreshold = -45 // dBov: above line noise, below a soft voice
	DefaultHangover  = 25  // frames: 500 ms, the gap between words
)

// MeterOptions says what counts as talking.
type MeterOptions struct {
	Threshold float32 // dBov, from which on it is speech; 0 means DefaultThreshold
	Hangover  int     // frames below it that still count; 0 means DefaultHangover, -1 none
}

// Meter tells whether a stream carries speech. With no more than its Options it
// is ready.
type Meter struct {
	Options MeterOptions
	quiet   int // frames since the last speech
	talking bool
}

// Level is the loudness of a frame: its RMS in dBov.
func (m *Meter) Level(pcm []int16) float32 {
	e := energy(pcm)
	if e == 0 {
		return Silence
	}
	full := float64(len(pcm)) * (1 << 30)
	return float32(max(10*math.Log10(float64(e)/full), Silence))
}

// Crossings is how often a frame changes its sign.
func (m *Meter) Crossings(pcm []int16) int { return signs(pcm) }

// Talking takes the level of the next frame. Talking starts with the first frame
// at the threshold and ends when the hangover has passed without another.
func (m *Meter) Talking(level float32) (talking, changed bool) {
	threshold, hangover := m.Options.Threshold, m.Options.Hangover
	if threshold == 0 {
		threshold = DefaultThreshold
	}
	if hangover == 0 {
		hangover = DefaultHangover
	}
	was := m.talking
	switch {
	case level >= threshold:
		m.talking, m.quiet = true, 0
	case m.talking:
		m.quiet++
		m.talking = m.quiet <= hangover
	}
	return m.talking, m.talking != was
}
