package audiotest

import (
	"math"
	"testing"
)

func TestSteadyForgivesOneGap(t *testing.T) {
	pcm := Tone(8000, 500, -20, 8000, 0)
	clear(pcm[3000:3320])
	if got := Steady(pcm, 8000, 500); math.Abs(got+20) > 0.1 {
		t.Errorf("a tone of -20 dBFS with a gap: %.2f", got)
	}
	if got := Steady(pcm, 8000, 900); got > -55 {
		t.Errorf("another frequency: %.2f", got)
	}
	if got := Steady(pcm[:700], 8000, 500); got != Floor {
		t.Errorf("less than a piece: %.2f", got)
	}
	clear(pcm[:5000])
	if got := Steady(pcm, 8000, 500); got > -60 {
		t.Errorf("mostly silence: %.2f", got)
	}
}
