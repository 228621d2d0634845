package mixer

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"parley/internal/audiotest"
)

const (
	rate  = 8000
	frame = rate / 50
)

// together mixes clips frame by frame into what a listener hears.
func together(clips ...[]int16) []int16 {
	m, out, l := New(frame), make([]int16, len(clips[0])), Limiter{}
	for at := 0; at < len(out); at += frame {
		m.Reset()
		for _, c := range clips {
			m.Add(c[at : at+frame])
		}
		m.All(out[at:at+frame], &l)
	}
	return out
}

// tones are of one level in dBFS and do not share harmonics.
func tones(n int, level float64, samples int) (freqs []float64, clips [][]int16) {
	for i := range n {
		f := 307.3 + 379.7*float64(i)
		freqs = append(freqs, f)
		clips = append(clips, audiotest.Tone(rate, f, level, samples, float64(i)))
	}
	return freqs, clips
}

func TestLoudToneAlonePassesBitForBit(t *testing.T) {
	tone := audiotest.Tone(rate, 997, 0, 10*frame, 1)
	tone[3] = math.MinInt16
	if got := together(tone); !slices.Equal(got, tone) {
		t.Error("a tone of 0 dBFS was changed")
	}
}

// All shout: as many full-scale tones as there are talkers, for 4 s. What a
// listener hears is at full scale and clean, from the first half second on.
func TestAllLoudIsNotDistorted(t *testing.T) {
	for _, tt := range []struct {
		talkers int
		limit   float64 // of THD+N, in dB
	}{{1, -90}, {2, -60}, {3, -60}, {8, -55}} {
		freqs, clips := tones(tt.talkers, 0, 4*rate)
		out := together(clips...)[rate/2:]
		got := audiotest.THDN(out, rate, freqs...)
		t.Logf("%d talkers: THD+N %.1f dB, peak %.1f dBFS", tt.talkers, got, audiotest.Peak(out))
		if got > tt.limit {
			t.Errorf("%d talkers: THD+N %.1f dB, want %v or less", tt.talkers, got, tt.limit)
		}
		if peak := audiotest.Peak(out); peak < -1.5 {
			t.Errorf("%d talkers: peak %.1f dBFS, want -1.5 or more", tt.talkers, peak)
		}
		want := audiotest.Power(out, rate, freqs[0])
		for _, f := range freqs {
			if got := audiotest.Power(out, rate, f); math.Abs(got-want) > 0.5 {
				t.Errorf("%d talkers: %.1f Hz has %.1f dBFS, another has %.1f", tt.talkers, f, got, want)
			}
		}
	}
}

// Of each talker's shout the others hear the same as if it had been summed at
// full width and turned down: never a wrap, never his own voice.
func TestAllLoudKeepsMinusOne(t *testing.T) {
	freqs, clips := tones(8, 0, 2*rate)
	m, limiters := New(frame), make([]Limiter, len(clips))
	heard := make([][]int16, len(clips))
	for at := 0; at < 2*rate; at += frame {
		m.Reset()
		for _, c := range clips {
			m.Add(c[at : at+frame])
		}
		for i, c := range clips {
			out := make([]int16, frame)
			m.MinusOne(out, c[at:at+frame], &limiters[i])
			heard[i] = append(heard[i], out...)
		}
	}
	for i, pcm := range heard {
		pcm = pcm[rate/2:]
		others := slices.Delete(slices.Clone(freqs), i, i+1)
		if got := audiotest.THDN(pcm, rate, others...); got > -55 {
			t.Errorf("talker %d: THD+N %.1f dB, want -55 or less", i, got)
		}
		own, other := audiotest.Power(pcm, rate, freqs[i]), audiotest.Power(pcm, rate, others[0])
		if own > other-50 {
			t.Errorf("talker %d hears himself at %.1f dBFS, others at %.1f", i, own, other)
		}
	}
}

func TestLimiterNeverWraps(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	wide, dst := make([]int32, frame), make([]int16, frame)
	var l Limiter
	for k := range 2000 {
		voices := 1 << r.IntN(17) // bursts of anything
		for i := range wide {
			wide[i] = int32(min(int64(voices)*int64(int16(r.Uint32())), math.MaxInt32))
		}
		l.limit(dst, wide, narrow(dst, wide))
		for i, v := range wide {
			if dst[i] != 0 && (v < 0) != (dst[i] < 0) {
				t.Fatalf("frame %d: %d became %d", k, v, dst[i])
			}
		}
	}
}

// After the first eighth of a frame the gain has done its work: no sample is
// clamped, all are in proportion.
func TestLimiterClampsOnlyAtTheStart(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	wide, dst := make([]int32, frame), make([]int16, frame)
	for range 1000 {
		var l Limiter
		var peak int32
		for i := range wide {
			wide[i] = int32(int16(r.Uint32())) * 5
			peak = max(peak, magnitude(wide[i]))
		}
		l.limit(dst, wide, peak)
		for i := frame / 8; i < frame; i++ {
			if want := float64(wide[i]) * 32767 / float64(peak); math.Abs(float64(dst[i])-want) > 1 {
				t.Fatalf("sample %d: %d became %d, want %.0f", i, wide[i], dst[i], want)
			}
		}
	}
}

// A frame that becomes loud in its middle is turned down before that, without
// clamping at all.
func TestLimiterLooksAheadWithinTheFrame(t *testing.T) {
	const onset = 100
	wide, dst := make([]int32, frame), make([]int16, frame)
	for i := range wide {
		wide[i] = 20000
		if i >= onset {
			wide[i] = 60000
		}
	}
	var l Limiter
	l.limit(dst, wide, 60000)
	for i, s := range dst {
		g := float64(s) / float64(wide[i])
		want := 32767.0 / 60000
		if i < onset {
			want = 1 + (want-1)*float64(i+1)/onset
		}
		if math.Abs(g-want) > 0.0001 {
			t.Fatalf("sample %d has gain %.4f, want %.4f", i, g, want)
		}
	}
}

// A second shout comes and goes, faded as the room does it. The sum would be 6
// dB too loud.
func TestLimiterDoesNotClick(t *testing.T) {
	const freq = 400.0
	first := audiotest.Tone(rate, freq, -1, 6*rate, 0)
	for _, phase := range []float64{0, 1, 2} {
		second := audiotest.Tone(rate, freq, -1, 6*rate, phase)
		var g Gain
		g.Jump(Mute)
		for at := 0; at < len(second); at += frame {
			switch at {
			case rate:
				g.Set(0)
			case 3 * rate:
				g.Set(Mute)
			}
			g.Apply(second[at : at+frame])
		}
		out := together(first, second)
		t.Logf("phase %v: coming %.1f dBFS, going %.1f dBFS", phase,
			audiotest.WorstStep(out[:2*rate], rate, freq), audiotest.WorstStep(out[2*rate:], rate, freq))
		if got := audiotest.WorstStep(out[:2*rate], rate, freq); got > -30 {
			t.Errorf("coming clicks with %.1f dBFS, want -30 or less", got)
		}
		if got := audiotest.WorstStep(out[2*rate:], rate, freq); got > -44 {
			t.Errorf("going clicks with %.1f dBFS, want -44 or less", got)
		}
		if !slices.Equal(out[5*rate:], first[5*rate:]) {
			t.Error("2 s later the first is not yet passed bit for bit")
		}
	}
}

func TestLimiterHoldsThenRises(t *testing.T) {
	var l Limiter
	next := func(peak int32) float64 {
		wide := slices.Repeat([]int32{peak}, frame)
		l.limit(make([]int16, frame), wide, peak)
		return float64(unity-l.cut) / float64(unity)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.001 {
			t.Errorf("%s: gain %.4f, want %.4f", what, got, want)
		}
	}
	near("too loud", next(4*32767), 0.25)
	for range hold {
		near("quiet, hold", next(1000), 0.25)
	}
	near("first step", next(1000), 0.25*1.023)
	near("second step", next(1000), 0.25*1.023*1.023)
	near("louder again", next(5*32767), 0.2)
	for range hold + 5 {
		next(147451)
	}
	for range 100 {
		near("no higher than needed", next(147451), 1/4.5)
	}
	for range hold + 80 {
		next(1000)
	}
	if !l.idle(32767) {
		t.Error("did not come back to rest")
	}
}
