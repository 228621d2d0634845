package audiotest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.2f, want %.2f ±%.2f", what, got, want, tolerance)
	}
}

func atMost(t *testing.T, what string, got, limit float64) {
	t.Helper()
	if !(got <= limit) {
		t.Errorf("%s is %.2f, want at most %.2f", what, got, limit)
	}
}

func atLeast(t *testing.T, what string, got, limit float64) {
	t.Helper()
	if !(got >= limit) {
		t.Errorf("%s is %.2f, want at least %.2f", what, got, limit)
	}
}

func TestTone(t *testing.T) {
	tests := []struct {
		name  string
		freq  float64
		level float64
		phase float64
		want  []int16
	}{
		{"a quarter of the rate", 2000, 0, 0, []int16{0, 32767, 0, -32767, 0}},
		{"half the amplitude", 2000, -6.0206, 0, []int16{0, 16383, 0, -16383, 0}},
		{"phase of a quarter turn", 2000, 0, math.Pi / 2, []int16{32767, 0, -32767, 0, 32767}},
		{"louder than 16 bits", 2000, 20, 0, []int16{0, 32767, 0, -32768, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Tone(8000, tt.freq, tt.level, len(tt.want), tt.phase)
			for i := range got {
				if d := int(got[i]) - int(tt.want[i]); d < -1 || d > 1 {
					t.Fatalf("got %v, want %v", got, tt.want)
				}
			}
		})
	}
}

func TestSumClampsOnceAndPadsWithSilence(t *testing.T) {
	got := Sum([]int16{30000, 30000, -30000}, []int16{30000, 30000, -30000}, []int16{-20000, 0})
	if want := []int16{32767, 32767, -32768}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPower(t *testing.T) {
	mix := Sum(Tone(8000, 400, -10, 4000, 1), Tone(8000, 1000.5, -30, 4000, 2), Tone(8000, 3333.3, -50, 4000, 3))
	near(t, "400 Hz", Power(mix, 8000, 400), -10, 0.01)
	near(t, "1000.5 Hz", Power(mix, 8000, 1000.5), -30, 0.01)
	near(t, "3333.3 Hz", Power(mix, 8000, 3333.3), -50, 0.05)
	atMost(t, "800 Hz, which is not there", Power(mix, 8000, 800), -95)
	near(t, "nothing", Power(nil, 8000, 400), Floor, 0)
	near(t, "digital silence", Power(make([]int16, 800), 8000, 400), Floor, 0)
}

func TestLevels(t *testing.T) {
	tone := Tone(16000, 1000, -20, 16000, 0)
	near(t, "RMS of a tone", RMS(tone), -20, 0.01)
	near(t, "peak of a tone", Peak(tone), -20, 0.01)
	square := slices.Repeat([]int16{32767, -32767}, 100)
	near(t, "RMS of a square", RMS(square), 3.01, 0.01)
	near(t, "RMS of nothing", RMS(nil), Floor, 0)
	near(t, "peak of the most negative sample", Peak([]int16{math.MinInt16}), 0, 0.001)
}

func TestSilent(t *testing.T) {
	tests := []struct {
		name  string
		pcm   []int16
		level float64
		want  bool
	}{
		{"zeros", make([]int16, 9), Floor, true},
		{"one in a sample", []int16{0, 1}, Floor, false},
		{"A-law's zero", []int16{8, -8}, -60, true},
		{"a faint tone", Tone(8000, 400, -55, 160, 0), -60, false},
	}
	for _, tt := range tests {
		if got := Silent(tt.pcm, tt.level); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestLongestGap(t *testing.T) {
	pcm := Tone(8000, 400, -10, 8000, 0)
	if n := LongestGap(pcm, -50); n > 3 {
		t.Errorf("a tone has a gap of %d samples", n)
	}
	clear(pcm[2000:2160])
	if n := LongestGap(pcm, -50); n < 160 || n > 163 {
		t.Errorf("found %d samples, want 160", n)
	}
	clear(pcm[7000:])
	if n := LongestGap(pcm, -50); n < 1000 || n > 1003 {
		t.Errorf("found %d samples at the end, want 1000", n)
	}
}

func TestResidualOfSteadyTonesIsRounding(t *testing.T) {
	mix := Sum(Tone(8000, 401.7, -12, 8000, 1), Tone(8000, 977, -15, 8000, 2), Tone(8000, 3100, -20, 8000, 0))
	atMost(t, "three tones", WorstClick(mix, 8000, 401.7, 977, 3100), -84)
	atMost(t, "the same frequency twice", WorstClick(mix, 8000, 401.7, 977, 3100, 977), -84)
	for i := range mix {
		mix[i] += 100
	}
	atMost(t, "three tones and a constant", WorstClick(mix, 8000, 401.7, 977, 3100), -84)
	near(t, "a tone nobody named", WorstClick(mix, 8000, 401.7, 977), -20, 0.1)
	near(t, "nothing", WorstClick(nil, 8000, 400), Floor, 0)
	atMost(t, "fewer samples than unknowns", WorstClick(mix[:2], 8000, 401.7, 977), 0)
}

func TestClicksFindWhatBreaksATone(t *testing.T) {
	const at, piece = 4010, 80
	tests := []struct {
		name  string
		spoil func(pcm []int16) []int16
		least float64
	}{
		{"one wrong sample", func(p []int16) []int16 { p[at] += 1000; return p }, -31},
		{"1 ms of silence", func(p []int16) []int16 { clear(p[at : at+8]); return p }, -11},
		{"a lost sample", func(p []int16) []int16 { return slices.Delete(p, at, at+1) }, -30},
		{"a step of 1 dB", func(p []int16) []int16 {
			return append(p[:at], Tone(8000, 400, -11, len(p)-at, angle(8000, 400, at))...)
		}, -36},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			levels := Clicks(tt.spoil(Tone(8000, 400, -10, 8000, 0)), 8000, piece, 400)
			atLeast(t, "worst piece", slices.Max(levels), tt.least)
			if len(levels) != 100 {
				t.Errorf("%d pieces, want 100", len(levels))
			}
		})
	}
	spoilt := Tone(8000, 400, -10, 8000, 0)
	spoilt[at] += 1000
	levels := Clicks(spoilt, 8000, piece, 400)
	near(t, "the piece with the click", levels[at/piece], -30.3, 0.1)
	atMost(t, "the piece before it", levels[at/piece-1], -60)
}

func TestWorstStepHearsClicksOnly(t *testing.T) {
	atMost(t, "a steady tone", WorstStep(Tone(8000, 400, -10, 8000, 0), 8000, 400), -80)
	atMost(t, "nothing", WorstStep(nil, 8000, 400), Floor)

	faded := Tone(8000, 400, -10, 8000, 0)
	for i := range 160 {
		faded[4000+i] = int16(int(faded[4000+i]) * (160 - i) / 160)
	}
	clear(faded[4160:])
	atMost(t, "a fade of 20 ms", WorstStep(faded, 8000, 400), -50)

	cut := Tone(8000, 400, -10, 8000, 0)
	clear(cut[4005:]) // a quarter of a period in: at the top
	near(t, "a cut", WorstStep(cut, 8000, 400), -10, 0.5)

	wrong := Tone(8000, 400, -10, 8000, 0)
	wrong[4000] += 1000
	near(t, "one wrong sample", WorstStep(wrong, 8000, 400), -30.3+5.6, 0.5) // times 2 cos 18°
}

func TestTHDN(t *testing.T) {
	tone := Tone(8000, 1000.1, -10, 8000, 0)
	atMost(t, "a clean tone", THDN(tone, 8000, 1000.1), -85)
	near(t, "a tone with a harmonic", THDN(Sum(tone, Tone(8000, 2000.2, -50, 8000, 0)), 8000, 1000.1), -40, 0.1)
	clipped := Tone(8000, 300.1, 6, 8000, 0)
	near(t, "a tone clipped at half its height", THDN(clipped, 8000, 300.1), -12.6, 0.1) // by its Fourier series
	r := rand.New(rand.NewPCG(1, 2))
	for i := range tone {
		tone[i] += int16(r.IntN(201) - 100) // -100..100: 58.0 rms
	}
	near(t, "a tone in noise", THDN(tone, 8000, 1000.1), 20*math.Log10(58.0/(32767*math.Pow(10, -0.5)/math.Sqrt2)), 0.2)
}
