package codec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/internal/audiotest"
)

const frame = 20 * time.Millisecond

// lose sends a copy of a signal through a concealer and loses the frames it is
// told to, from the first one on.
func lose(pcm []int16, rate Rate, lost func(frame int) bool) []int16 {
	c, out, k := NewConcealer(rate), slices.Clone(pcm), 0
	for f := range slices.Chunk(out, rate.Samples(frame)) {
		if lost(k) {
			for i := range f {
				f[i] = 9999 // must not be looked at
			}
			c.Lost(f)
		} else {
			c.Good(f)
		}
		k++
	}
	return out
}

func between(first, last int) func(int) bool {
	return func(k int) bool { return first <= k && k <= last }
}

// voice is a pulse through resonances: the vowel of a low voice.
func voice(rate Rate, samples int, pitch float64) []int16 {
	var harmonics [][]int16
	for f := pitch; f < 3400; f += pitch {
		level := -20 - 12*math.Abs(math.Log2(f/600))
		harmonics = append(harmonics, audiotest.Tone(int(rate), f, level, samples, f))
	}
	return audiotest.Sum(harmonics...)
}

func noise(samples int, amplitude int) []int16 {
	r := rand.New(rand.NewPCG(5, 6))
	pcm := make([]int16, samples)
	for i := range pcm {
		pcm[i] = int16(r.IntN(2*amplitude+1) - amplitude)
	}
	return pcm
}

func TestConcealerLeavesWholeStreamsAlone(t *testing.T) {
	pcm := noise(8000, math.MaxInt16)
	if got := lose(pcm, 8000, between(1, 0)); !slices.Equal(got, pcm) {
		t.Error("a stream without loss was changed")
	}
}

// A tone of -10 dBFS loses frames. Cut out, the gap would be a step of up to
// -10 dBFS.
func TestConcealerDoesNotClick(t *testing.T) {
	gaps := []struct {
		name  string
		lost  func(int) bool
		limit float64 // dBFS
	}{
		{"20 ms", between(20, 20), -40},
		{"40 ms", between(20, 21), -40},
		{"200 ms", between(20, 29), -40},
		{"each second frame", func(k int) bool { return k > 4 && k%2 == 0 }, -26},
	}
	for _, rate := range []Rate{8000, 16000, 48000} {
		for _, freq := range []float64{110, 213.7, 400, 440, 1000} {
			for _, gap := range gaps {
				t.Run(fmt.Sprintf("%d/%v Hz/%s", rate, freq, gap.name), func(t *testing.T) {
					out := lose(audiotest.Tone(int(rate), freq, -10, int(rate), 1), rate, gap.lost)
					if got := audiotest.WorstStep(out, int(rate), freq); got > gap.limit {
						t.Errorf("click of %.1f dBFS, want %v or less", got, gap.limit)
					}
				})
			}
		}
	}
}

func TestConcealerFillsTheGap(t *testing.T) {
	for _, rate := range []Rate{8000, 16000} {
		tests := []struct {
			name string
			pcm  []int16
			like float64 // correlation with what was lost
		}{
			{"400 Hz", audiotest.Tone(int(rate), 400, -10, int(rate), 0), 0.99},
			{"433 Hz, no whole number of samples", audiotest.Tone(int(rate), 433.3, -10, int(rate), 0), 0.97},
			{"a voice of 95 Hz", voice(rate, int(rate), 95), 0.94},
			{"a voice of 190 Hz", voice(rate, int(rate), 190), 0.95},
		}
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s at %d", tt.name, rate), func(t *testing.T) {
				n := rate.Samples(frame)
				gap := lose(tt.pcm, rate, between(20, 20))[20*n:][:n]
				lost := tt.pcm[20*n:][:n]
				if got := likeness(gap, lost); got < tt.like {
					t.Errorf("correlation %.3f, want %v or more", got, tt.like)
				}
				if d := audiotest.RMS(gap) - audiotest.RMS(lost); d < -2 || d > 0.5 {
					t.Errorf("the gap is filled %.1f dB louder, want -2..0.5", d)
				}
			})
		}
	}
}

func likeness(a, b []int16) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

func TestConcealerFadesToSilence(t *testing.T) {
	signals := map[string][]int16{
		"a tone":  audiotest.Tone(8000, 400, -3, 8000, 0),
		"a voice": voice(8000, 8000, 120),
		"noise":   noise(8000, 20000),
	}
	for name, pcm := range signals {
		t.Run(name, func(t *testing.T) {
			gap := lose(pcm, 8000, between(20, 40))[20*160:][:20*160]
			if !audiotest.Silent(gap[480:], audiotest.Floor) {
				t.Error("sound after 60 ms")
			}
			first, last := audiotest.RMS(gap[:80]), audiotest.RMS(gap[400:480])
			if last > first-14 {
				t.Errorf("the last 10 ms of the fade have %.1f dBFS after %.1f at first", last, first)
			}
		})
	}
}

// Noise repeated in short pieces would hum: 5 ms at 200 Hz. Repeated in the same
// piece of 15 ms again and again it would flutter.
func TestConcealerDoesNotHum(t *testing.T) {
	pcm := noise(8000, 10000)
	gap := lose(pcm, 8000, between(20, 21))[20*160:][:320]
	for lag := 40; lag <= 120; lag++ {
		if got := likeness(gap[:320-lag], gap[lag:]); got > 0.5 {
			t.Errorf("noise is repeated after %d samples: correlation %.2f", lag, got)
		}
	}
}

// A stream that comes back and breaks again at once: what came is repeated,
// rather than the silence before it.
func TestConcealerStartsAnew(t *testing.T) {
	c, pcm := NewConcealer(8000), audiotest.Tone(8000, 400, -10, 800, 0)
	c.Good(pcm)
	c.Lost(make([]int16, 1600))
	c.Good(pcm[:64]) // less than the return takes
	gap := make([]int16, 160)
	c.Lost(gap)
	if got := audiotest.RMS(gap[:80]); got < -30 {
		t.Errorf("the second gap has %.1f dBFS, want -30 or more", got)
	}
	tone := audiotest.Tone(8000, 400, -10, 800, 0)
	pcm = slices.Clone(tone)
	c.Good(pcm)
	if slices.Equal(pcm[20:70], tone[20:70]) {
		t.Error("the second return took only what was left of the first")
	}
}

func TestConcealerBeforeAnySignal(t *testing.T) {
	pcm := noise(160, 1000)
	c := NewConcealer(8000)
	c.Lost(pcm)
	if !audiotest.Silent(pcm, audiotest.Floor) {
		t.Error("sound from nowhere")
	}
}

func TestConcealerNeverGetsLouder(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, pcm := range [][]int16{voice(8000, 80000, 150), audiotest.Tone(8000, 333, -12, 80000, 0)} {
		out := lose(pcm, 8000, func(int) bool { return r.IntN(3) == 0 })
		if was, is := audiotest.Peak(pcm), audiotest.Peak(out); is > was+1 {
			t.Errorf("a third lost: peak %.1f dBFS, was %.1f", is, was)
		}
	}
}

func TestConcealerHandsBackTheSignal(t *testing.T) {
	pcm := noise(8000, 10000)
	out := lose(pcm, 8000, between(10, 12))
	if end := 13*160 + 80; !slices.Equal(out[end:], pcm[end:]) {
		t.Error("10 ms after the gap the signal is not yet itself")
	}
	if slices.Equal(out[13*160:][:80], pcm[13*160:][:80]) {
		t.Error("the return was not smoothed")
	}
}

// The cut into frames must not matter.
func TestConcealerTakesAnyFrame(t *testing.T) {
	pcm := voice(8000, 8000, 130)
	want := lose(pcm, 8000, between(18, 20)) // ms 360 to 420
	for _, ms := range []int{1, 10, 20, 30, 60} {
		c, got := NewConcealer(8000), slices.Clone(pcm)
		at := 0
		for f := range slices.Chunk(got, ms*8) {
			if at >= 360 && at < 420 {
				c.Lost(f)
			} else {
				c.Good(f)
			}
			at += ms
		}
		if !slices.Equal(got, want) {
			t.Errorf("frames of %d ms sound different", ms)
		}
	}
}

// Renewed it is as one that has had silence and then lost some of it.
func TestConcealerRenew(t *testing.T) {
	const rate = 8000
	pcm := voice(rate, 800, 130)
	for name, step := range map[string]func(*Concealer, []int16){"good": (*Concealer).Good, "lost": (*Concealer).Lost} {
		for _, lost := range []int{0, 1, 80, 160, 479, 480, 481, 4000} {
			used, fresh := NewConcealer(rate), NewConcealer(rate)
			used.Good(slices.Clone(pcm))
			used.Lost(make([]int16, 100))
			used.Good(make([]int16, 7))
			used.Renew(lost)
			fresh.Good(make([]int16, 160))
			fresh.Lost(make([]int16, lost))
			want, got := slices.Clone(pcm), slices.Clone(pcm)
			if step(fresh, want); lost == 0 && name == "good" && !slices.Equal(want, pcm) {
				t.Fatal("silence changes what follows")
			}
			if step(used, got); !slices.Equal(got, want) {
				t.Errorf("%d lost, then %s: %v, want %v", lost, name, got[:8], want[:8])
			}
		}
	}
}

func TestConcealerDoesNotAllocate(t *testing.T) {
	c, pcm := NewConcealer(16000), make([]int16, 320)
	allocs := testing.AllocsPerRun(100, func() {
		c.Good(pcm)
		c.Lost(pcm)
		c.Lost(pcm)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzConcealer(f *testing.F) {
	f.Add(uint8(0), []byte{20, 0, 20, 0x81, 5})
	f.Add(uint8(7), []byte{0xff, 0x80, 0x7f, 0x85, 0x01})
	f.Fuzz(func(t *testing.T, which uint8, steps []byte) {
		rate := Rates()[int(which)%len(Rates())]
		c, r := NewConcealer(rate), rand.New(rand.NewPCG(uint64(which), 0))
		for _, s := range steps[:min(len(steps), 200)] {
			pcm := make([]int16, rate.Samples(time.Duration(s&0x7f)*time.Millisecond))
			for i := range pcm {
				pcm[i] = int16(r.Uint32())
			}
			if s < 0x80 {
				c.Good(pcm)
				continue
			}
			c.Lost(pcm)
			if quiet := rate.Samples(faded); len(pcm) > quiet && !audiotest.Silent(pcm[quiet:], audiotest.Floor) {
				t.Fatalf("sound after %d samples of %d lost", quiet, len(pcm))
			}
		}
	})
}

func BenchmarkConcealer(b *testing.B) {
	for _, rate := range []Rate{8000, 16000} {
		pcm, gap := voice(rate, rate.Samples(frame), 120), make([]int16, rate.Samples(frame))
		c := NewConcealer(rate)
		b.Run(fmt.Sprintf("%d/good", rate), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Good(pcm)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/leg")
		})
		b.Run(fmt.Sprintf("%d/good and lost", rate), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Good(pcm)
				c.Lost(gap)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/leg")
		})
	}
}
