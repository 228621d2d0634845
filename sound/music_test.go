package sound

import (
	"math"
	"testing"
	"time"

	"parley/codec"
)

func TestHoldMusic(t *testing.T) {
	c := holdMusic()
	if !c.Endless() || c.Duration() != 36*time.Second {
		t.Fatalf("%v, endless %v; want 12 bars of 3 s, endless", c.Duration(), c.Endless())
	}
	for _, rate := range []codec.Rate{narrow, wide} {
		pcm := c.PCM(rate)
		near(t, "level", loudness(pcm), musicLevel, 0.1)
		var top int
		for _, s := range pcm {
			top = max(top, int(math.Abs(float64(s))))
		}
		if top > 20000 {
			t.Errorf("peak %d", top)
		}
		for at := 0; at < len(pcm); at += int(rate) {
			if level := loudness(pcm[at : at+int(rate)]); level < -40 {
				t.Errorf("second %d: only %.1f dBov", at/int(rate), level)
			}
		}
		// No step at the seam is larger than those elsewhere, and the end rings
		// on over the beginning.
		var steepest int
		last := len(pcm) - 1
		for i := range last - 1 {
			steepest = max(steepest, step(pcm[i], pcm[i+1]))
		}
		if s := max(step(pcm[last-1], pcm[last]), step(pcm[last], pcm[0])); s > steepest {
			t.Errorf("a step of %d at the seam, %d elsewhere", s, steepest)
		}
		if level := loudness(pcm[:rate/500]); level < -50 {
			t.Errorf("the loop begins at %.1f dBov", level)
		}
	}
	// The first note is a C4 and its fifth is not there yet.
	start := c.PCM(narrow)[:2000]
	if c4, e4 := powerAt(start, 261.63, narrow), powerAt(start, 329.63, narrow); c4 < e4+6 {
		t.Errorf("C4 at %.1f dB, E4 at %.1f dB", c4, e4)
	}
}

func step(a, b int16) int { return max(int(a)-int(b), int(b)-int(a)) }

func TestScoreIsInTheTelephoneBand(t *testing.T) {
	strokes, bars := readScore(score)
	if bars != 12 || len(strokes) < 80 {
		t.Fatalf("%d bars, %d strokes", bars, len(strokes))
	}
	for _, s := range strokes {
		if s.hz < 170 || 3*s.hz > 3400 || s.at < 0 || s.at >= 8*bars {
			t.Errorf("a stroke of %.0f Hz at %d", s.hz, s.at)
		}
	}
}

func BenchmarkHoldMusic(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		holdMusic()
	}
}
