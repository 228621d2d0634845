package sound

import (
	"math"
	"testing"

	"parley/codec"
	"parley/internal/audiotest"
)

// powerAt is the level of one frequency in dB below a full-scale sine.
func powerAt(pcm []int16, hz float64, rate codec.Rate) float64 {
	return audiotest.Power(pcm, int(rate), hz)
}

// loudness is the RMS level in dBov: 0 is a full-scale square wave.
func loudness(pcm []int16) float64 { return audiotest.RMS(pcm) - 3.01 }

// sine is a test tone at a level in dB below a full-scale sine.
func sine(hz float64, rate codec.Rate, samples int, level float64) []int16 {
	return audiotest.Tone(int(rate), hz, level, samples, 0)
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %.2f, want %.2f ± %.2f", what, got, want, tolerance)
	}
}
