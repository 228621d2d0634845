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

// everyPair runs a test for all pairs of different rates.
func everyPair(t *testing.T, test func(t *testing.T, from, to Rate)) {
	for _, from := range Rates() {
		for _, to := range Rates() {
			if from != to {
				t.Run(fmt.Sprintf("%d to %d", from, to), func(t *testing.T) { test(t, from, to) })
			}
		}
	}
}

// stream resamples in frames of 20 ms and leaves away the start, in which the
// filter fills.
func stream(pcm []int16, from, to Rate) []int16 {
	r := NewResampler(from, to)
	var out []int16
	dst := make([]int16, to)
	for frame := range slices.Chunk(pcm, from.Samples(20*time.Millisecond)) {
		out = append(out, dst[:r.Process(dst, frame)]...)
	}
	return out[to.Samples(20*time.Millisecond):]
}

func TestResamplerSignalToNoise(t *testing.T) {
	audiotest.Long(t)
	everyPair(t, func(t *testing.T, from, to Rate) {
		for _, freq := range []float64{300, 1000, 3400} {
			pcm := audiotest.Tone(int(from), freq, -1, int(from)/10, 0)
			out := stream(pcm, from, to)
			if got := audiotest.THDN(out, int(to), freq); got > -82 {
				t.Errorf("%v Hz: THD+N %.1f dB, want -82 or less", freq, got)
			}
			if got := audiotest.Power(out, int(to), freq); math.Abs(got+1) > 0.05 {
				t.Errorf("%v Hz at -1 dBFS comes out at %.2f", freq, got)
			}
		}
	})
}

func TestResamplerBetweenTelephoneRates(t *testing.T) {
	for _, pair := range [][2]Rate{{8000, 16000}, {16000, 8000}} {
		out := stream(audiotest.Tone(int(pair[0]), 1000, -1, 16000, 0), pair[0], pair[1])
		if got := audiotest.THDN(out, int(pair[1]), 1000); got > -95 {
			t.Errorf("%v: 1 kHz has THD+N %.1f dB, want -95 or less", pair, got)
		}
	}
}

func TestResamplerPassesBandEvenly(t *testing.T) {
	audiotest.Long(t)
	everyPair(t, func(t *testing.T, from, to Rate) {
		low := float64(min(from, to)) / 2
		for _, part := range []float64{0.05, 0.2, 0.5, 0.75, 0.85} {
			out := stream(audiotest.Tone(int(from), part*low, -6, int(from)/10, 0), from, to)
			if got := audiotest.Power(out, int(to), part*low); math.Abs(got+6) > 0.05 {
				t.Errorf("%v of the band at -6 dBFS comes out at %.2f", part, got)
			}
		}
	})
}

func TestResamplerStopsAliases(t *testing.T) {
	audiotest.Long(t)
	everyPair(t, func(t *testing.T, from, to Rate) {
		if to > from {
			t.Skip("aliases come from going down")
		}
		for freq := float64(to)/2 + 1; freq < float64(from)/2; freq += float64(to) / 9.7 {
			out := stream(audiotest.Tone(int(from), freq, 0, int(from)/10, 0), from, to)
			if got := audiotest.RMS(out); got > -80 {
				t.Errorf("%.0f Hz leaves %.1f dBFS, want -80 or less", freq, got)
			}
		}
	})
}

func TestResamplerStopsImages(t *testing.T) {
	audiotest.Long(t)
	everyPair(t, func(t *testing.T, from, to Rate) {
		if to < from {
			t.Skip("images come from going up")
		}
		for freq := 50.0; freq < float64(from)/2; freq += float64(from) / 19 {
			out := stream(audiotest.Tone(int(from), freq, 0, int(from)/10, 0), from, to)
			image := float64(from) - freq
			if image > float64(to)/2 {
				continue // has no place in the output
			}
			if got := audiotest.Power(out, int(to), image); got > -80 {
				t.Errorf("%.0f Hz has an image of %.1f dBFS at %.0f Hz", freq, got, image)
			}
		}
	})
}

func TestResamplerDelay(t *testing.T) {
	tests := []struct {
		from, to Rate
		want     time.Duration
	}{
		{8000, 16000, 4 * time.Millisecond},
		{16000, 8000, 4 * time.Millisecond},
		{48000, 8000, 4 * time.Millisecond},
		{16000, 48000, 2 * time.Millisecond},
		{48000, 16000, 2 * time.Millisecond},
		{16000, 16000, 0},
	}
	for _, tt := range tests {
		r := NewResampler(tt.from, tt.to)
		if got := r.Delay(); got != tt.want {
			t.Errorf("%d to %d says %v, want %v", tt.from, tt.to, got, tt.want)
		}
		out := make([]int16, tt.to.Samples(20*time.Millisecond))
		pulse := make([]int16, tt.from.Samples(20*time.Millisecond))
		pulse[0] = 20000
		r.Process(out, pulse)
		if got := slices.Index(out, slices.Max(out)); got != tt.to.Samples(tt.want) {
			t.Errorf("%d to %d: a pulse is %d samples late, want %d", tt.from, tt.to, got, tt.to.Samples(tt.want))
		}
	}
}

func TestResamplerKeepsFramesAndConstants(t *testing.T) {
	everyPair(t, func(t *testing.T, from, to Rate) {
		frame := slices.Repeat([]int16{-12345}, int(from)/25) // 40 ms: whole at 11025, too
		dst := make([]int16, int(to))
		r := NewResampler(from, to)
		for range 3 {
			if n := r.Process(dst, frame); n != int(to)/25 {
				t.Fatalf("40 ms become %d samples, want %d", n, int(to)/25)
			}
		}
		for i, s := range dst[:to/25] {
			if s != -12345 {
				t.Fatalf("constant -12345 becomes %d at %d", s, i)
			}
		}
	})
}

func TestResamplerSaturates(t *testing.T) {
	square := slices.Repeat(append(slices.Repeat([]int16{math.MaxInt16}, 40), slices.Repeat([]int16{math.MinInt16}, 40)...), 20)
	out := stream(square, 8000, 16000)
	for i := 1; i < len(out); i++ {
		// The edge is as steep as the filter: a wrap would be a jump of 65,535.
		if d := int(out[i]) - int(out[i-1]); d > 45000 || d < -45000 {
			t.Fatalf("jump from %d to %d", out[i-1], out[i])
		}
	}
	if slices.Max(out) != math.MaxInt16 || slices.Min(out) != math.MinInt16 {
		t.Error("the overshoot of the filter did not reach the limits: the test tests nothing")
	}
}

func TestResamplerIgnoresHowInputIsCut(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	everyPair(t, func(t *testing.T, from, to Rate) {
		pcm := make([]int16, 5000)
		for i := range pcm {
			pcm[i] = int16(r.Uint32())
		}
		whole, pieces := make([]int16, 35000), make([]int16, 35000)
		n := NewResampler(from, to).Process(whole, pcm)
		cut, m := NewResampler(from, to), 0
		for rest := pcm; len(rest) > 0; {
			k := min(r.IntN(700), len(rest))
			made := cut.Process(pieces[m:], rest[:k])
			if most := (k*int(to) + int(from) - 1) / int(from); made > most {
				t.Fatalf("%d samples made %d, want at most %d", k, made, most)
			}
			m, rest = m+made, rest[k:]
		}
		if want := (len(pcm)*int(to) + int(from) - 1) / int(from); n != want {
			t.Errorf("made %d samples, want %d", n, want)
		}
		if !slices.Equal(whole[:n], pieces[:m]) {
			t.Error("pieces differ from the whole")
		}
	})
}

func TestResamplerWithoutRoomGoesOnInTime(t *testing.T) {
	pcm := audiotest.Tone(16000, 440, -6, 3200, 0)
	whole, rest := make([]int16, 1600), make([]int16, 1600)
	NewResampler(16000, 8000).Process(whole, pcm)
	r := NewResampler(16000, 8000)
	if n := r.Process(rest[:10], pcm[:1600]); n != 10 {
		t.Errorf("wrote %d samples into room for 10", n)
	}
	n := r.Process(rest, pcm[1600:])
	if !slices.Equal(rest[:n], whole[800:]) {
		t.Error("the second piece is not in its place")
	}
}

func TestResamplerReset(t *testing.T) {
	r := NewResampler(8000, 48000)
	first, second := make([]int16, 966), make([]int16, 966)
	pcm := audiotest.Tone(8000, 440, -6, 161, 0)
	r.Process(first, pcm)
	r.Reset()
	r.Process(second, pcm)
	if !slices.Equal(first, second) {
		t.Error("something of the first stream is left")
	}
}

func TestResamplerBetweenEqualRatesCopies(t *testing.T) {
	r := NewResampler(16000, 16000)
	pcm, dst := []int16{1, -2, 3}, make([]int16, 5)
	if n := r.Process(dst, pcm); !slices.Equal(dst[:n], pcm) {
		t.Errorf("got %v, want %v", dst[:n], pcm)
	}
}

func TestResamplerRefusesOtherRates(t *testing.T) {
	for _, pair := range [][2]Rate{{0, 8000}, {8000, 0}, {8000, 12345}, {-8000, 8000}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v was taken", pair)
				}
			}()
			NewResampler(pair[0], pair[1])
		}()
	}
}

func TestResamplerDoesNotAllocate(t *testing.T) {
	r := NewResampler(8000, 16000)
	src, dst := make([]int16, 2000), make([]int16, 4000) // more than MaxFrame
	if n := testing.AllocsPerRun(100, func() { r.Process(dst, src) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestConvertKeepsTime(t *testing.T) {
	audiotest.Long(t)
	everyPair(t, func(t *testing.T, from, to Rate) {
		for _, n := range []int{0, 1, 2, 999, 4410} {
			got := Convert(make([]int16, n), from, to)
			if want := int(math.Ceil(float64(n) * float64(to) / float64(from))); len(got) != want {
				t.Errorf("%d samples become %d, want %d", n, len(got), want)
			}
		}
		// The tone must come out as if it had been made at that rate.
		pcm := audiotest.Tone(int(from), 1000, -6, int(from)/10, 1)
		want := audiotest.Tone(int(to), 1000, -6, int(to)/10, 1)
		got := Convert(pcm, from, to)
		edge := int(to) / 50
		for i := edge; i < len(want)-edge; i++ {
			if d := int(got[i]) - int(want[i]); d < -12 || d > 12 { // -69 dBFS
				t.Fatalf("sample %d is %d, want %d", i, got[i], want[i])
			}
		}
	})
}

func TestConvertKeepsTheEnd(t *testing.T) {
	pcm := make([]int16, 100)
	pcm[99] = 20000
	out := Convert(pcm, 8000, 16000)
	if got := slices.Index(out, slices.Max(out)); got != 198 || out[198] < 15000 {
		t.Errorf("the last sample is at %d with %d", got, out[got])
	}
}

func TestConvertMakesANewSlice(t *testing.T) {
	pcm := []int16{1, 2, 3}
	got := Convert(pcm, 8000, 8000)
	pcm[0] = 9
	if !slices.Equal(got, []int16{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
}

func FuzzResampler(f *testing.F) {
	f.Add(uint8(0), uint8(2), []byte{0, 1, 160, 255})
	f.Add(uint8(6), uint8(0), []byte{200, 3})
	f.Fuzz(func(t *testing.T, a, b uint8, cuts []byte) {
		from, to := Rates()[int(a)%len(Rates())], Rates()[int(b)%len(Rates())]
		r := NewResampler(from, to)
		src, dst := make([]int16, 8*256), make([]int16, 8*256*7)
		in, out := 0, 0
		for _, c := range cuts {
			in += 8 * int(c)
			out += r.Process(dst, src[:8*int(c)])
		}
		if want := (in*int(to) + int(from) - 1) / int(from); out != want {
			t.Fatalf("%d samples at %d made %d at %d, want %d", in, from, out, to, want)
		}
	})
}

func BenchmarkResampler(b *testing.B) {
	for _, pair := range [][2]Rate{{8000, 16000}, {16000, 8000}, {48000, 16000}, {16000, 48000}, {44100, 16000}} {
		b.Run(fmt.Sprintf("%d-%d", pair[0], pair[1]), func(b *testing.B) {
			r := NewResampler(pair[0], pair[1])
			src, dst := audiotest.Tone(int(pair[0]), 440, -6, int(pair[0])/50, 0), make([]int16, pair[1]/50)
			b.ReportAllocs()
			for b.Loop() {
				r.Process(dst, src)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/leg")
		})
	}
}
