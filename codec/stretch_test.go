package codec

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/internal/audiotest"
)

// song is a voice of 110 Hz with its harmonics.
func song(rate Rate, n int) []int16 {
	var all [][]int16
	for h := range 12 {
		all = append(all, audiotest.Tone(int(rate), 110*float64(h+1), -24-float64(h), n, float64(h*h)))
	}
	return audiotest.Sum(all...)
}

func hiss(n int) []int16 {
	r := rand.New(rand.NewPCG(1, 2))
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(r.NormFloat64() * 2000)
	}
	return pcm
}

func TestShortenAndLengthenWhereItIsNotHeard(t *testing.T) {
	for _, rate := range []Rate{8000, 16000, 48000} {
		n := rate.Samples(40 * time.Millisecond)
		for _, c := range []struct {
			name    string
			pcm     []int16
			changes bool
		}{
			{"a tone of 997 Hz", audiotest.Tone(int(rate), 997, -10, n, 1), true},
			{"a tone of 440 Hz", audiotest.Tone(int(rate), 440, -10, n, 0), true},
			{"a voice", song(rate, n), true},
			{"silence", make([]int16, n), true},
			{"noise", hiss(n), false},
		} {
			short := Shorten(slices.Clone(c.pcm), rate, n)
			long := Lengthen(append(make([]int16, 0, 2*n), c.pcm...), rate, n)
			if (len(short) < n) != c.changes || (len(long) > n) != c.changes {
				t.Errorf("%s at %d: %d and %d samples of %d", c.name, rate, len(short), len(long), n)
			}
			if least := n - rate.Samples(longPeriod); len(short) < least {
				t.Errorf("%s at %d: cut to %d, want at least %d", c.name, rate, len(short), least)
			}
			if tail := c.pcm[n-n/4:]; !slices.Equal(short[len(short)-len(tail):], tail) || !slices.Equal(long[len(long)-len(tail):], tail) {
				t.Errorf("%s at %d: the end has changed", c.name, rate)
			}
		}
	}
}

func TestShortenAndLengthenKeepAToneSteady(t *testing.T) {
	for _, rate := range []Rate{8000, 16000, 48000} {
		n := rate.Samples(20 * time.Millisecond)
		for _, freq := range []float64{200, 440, 997, 1930} {
			tone := audiotest.Tone(int(rate), freq, -10, 50*n, 0)
			var short, long []int16
			for i := range 25 {
				piece := tone[2*i*n : 2*(i+1)*n]
				short = append(short, Shorten(slices.Clone(piece), rate, n)...)
				long = append(long, Lengthen(append(make([]int16, 0, 4*n), piece...), rate, n)...)
			}
			for what, pcm := range map[string][]int16{"shortened": short, "lengthened": long} {
				if step := audiotest.WorstStep(pcm, int(rate), freq); step > -30 {
					t.Errorf("%.0f Hz at %d, %s: a click of %.1f dB", freq, rate, what, step)
				}
			}
		}
	}
}

func TestShortenCutsNoMoreThanAsked(t *testing.T) {
	tone := audiotest.Tone(8000, 400, -10, 320, 0)
	for most := range 100 {
		if cut := 320 - len(Shorten(slices.Clone(tone), 8000, most)); cut > most || most >= 40 && cut == 0 {
			t.Errorf("at most %d: cut %d", most, cut)
		}
	}
	for room := range 100 {
		pcm := append(make([]int16, 0, 320+room), tone...)
		if more := len(Lengthen(pcm, 8000, 320)) - 320; more > room || room >= 40 && more == 0 {
			t.Errorf("room for %d: grew by %d", room, more)
		}
	}
	for n := range 64 { // too short for anything
		_ = Shorten(slices.Clone(tone[:n]), 8000, n)
		_ = Lengthen(append(make([]int16, 0, 2*n), tone[:n]...), 8000, n)
	}
}

func TestWarpMovesOneSample(t *testing.T) {
	for _, n := range []int{160, 320, 960} {
		rate := n * 50
		for _, freq := range []float64{300, 997, 0.3 * float64(rate)} {
			tone := audiotest.Tone(rate, freq, -10, 20*n, 0)
			for _, more := range []int{-1, 0, 1} {
				var out []int16
				rest := tone
				for len(rest) > n {
					dst := make([]int16, n+more)
					Warp(dst, rest[:n])
					out, rest = append(out, dst...), rest[n:]
				}
				want := freq * float64(n) / float64(n+more)
				if thd := audiotest.THDN(out[n:3*n], rate, want); more == 0 && thd > -80 || freq < 0.2*float64(rate) && thd > -25 {
					t.Errorf("%.0f Hz in %d samples, %+d: %.1f dB beside the tone", freq, n, more, thd)
				}
				limit := -24.0 // the pitch itself is off by a sample in a frame
				if more == 0 {
					limit = -75
				}
				if step := audiotest.WorstStep(out, rate, freq); step > limit {
					t.Errorf("%.0f Hz in %d samples, %+d: a click of %.1f dB", freq, n, more, step)
				}
			}
		}
	}
}

func TestWarpKeepsTheEnds(t *testing.T) {
	src := hiss(160)
	for _, n := range []int{159, 160, 161} {
		dst := make([]int16, n)
		Warp(dst, src)
		if !slices.Equal(dst[:warpLobes], src[:warpLobes]) || !slices.Equal(dst[n-warpLobes:], src[160-warpLobes:]) {
			t.Errorf("%d samples of 160: the ends have changed", n)
		}
	}
	flat := slices.Repeat([]int16{1000}, 160)
	dst := make([]int16, 161)
	Warp(dst, flat)
	if slices.Min(dst) != 1000 || slices.Max(dst) != 1000 {
		t.Errorf("a constant became %d..%d", slices.Min(dst), slices.Max(dst))
	}
}

func TestStretchingAllocatesNothing(t *testing.T) {
	pcm := append(make([]int16, 0, 640), audiotest.Tone(8000, 400, -10, 320, 0)...)
	dst := make([]int16, 161)
	if n := testing.AllocsPerRun(100, func() {
		_ = Lengthen(Shorten(pcm, 8000, 100), 8000, 100)
		Warp(dst, pcm[:160])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkStretch(b *testing.B) {
	for _, rate := range []Rate{8000, 48000} {
		n := rate.Samples(20 * time.Millisecond)
		voice := append(make([]int16, 0, 4*n), song(rate, 2*n)...)
		b.Run(fmt.Sprint("warp", rate), func(b *testing.B) {
			dst := make([]int16, n+1)
			b.ReportAllocs()
			for b.Loop() {
				Warp(dst, voice[:n])
			}
		})
		b.Run(fmt.Sprint("lengthen and shorten", rate), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = Shorten(Lengthen(voice, rate, n), rate, n)
			}
		})
	}
}
