package mixer

import (
	"math"
	"slices"
	"testing"

	"parley/internal/audiotest"
)

func TestGain(t *testing.T) {
	tests := []struct {
		name string
		db   float64
		in   int16
		want int16
	}{
		{"nothing", 0, -32768, -32768},
		{"6 dB up", 6.0206, 1000, 2000},
		{"6 dB down", -6.0206, -1000, -500},
		{"the most", 20, 100, 1000},
		{"more than the most", 40, 100, 1000},
		{"the least", -60, 10000, 10},
		{"less than the least", -61, 10000, 0},
		{"mute", Mute, 32767, 0},
		{"minus infinity", math.Inf(-1), 32767, 0},
		{"plus infinity", math.Inf(1), 100, 1000},
		{"not a number", math.NaN(), 100, 100},
		{"too loud above", 12, 30000, 32767},
		{"too loud below", 12, -30000, -32768},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var g Gain
			g.Set(tt.db)
			g.Apply(make([]int16, 160)) // the way there
			pcm := slices.Repeat([]int16{tt.in}, 160)
			g.Apply(pcm)
			for _, s := range pcm {
				if s != tt.want {
					t.Fatalf("%d becomes %d, want %d", tt.in, s, tt.want)
				}
			}
		})
	}
}

func TestGainOfZeroChangesNoBit(t *testing.T) {
	pcm := make([]int16, 65536)
	for i := range pcm {
		pcm[i] = int16(i)
	}
	want := slices.Clone(pcm)
	var g Gain
	g.Apply(pcm)
	g.Set(0)
	g.Apply(pcm)
	if !slices.Equal(pcm, want) {
		t.Error("0 dB changed samples")
	}
}

func TestGainGoesThereInALine(t *testing.T) {
	var g Gain
	constant := func() []int16 {
		pcm := slices.Repeat([]int16{16000}, 4)
		g.Apply(pcm)
		return pcm
	}
	g.Set(Mute)
	if g.Silent() {
		t.Error("silent before the fade")
	}
	if got, want := constant(), []int16{12000, 8000, 4000, 0}; !slices.Equal(got, want) {
		t.Errorf("muting gives %v, want %v", got, want)
	}
	if !g.Silent() {
		t.Error("not silent after the fade")
	}
	if got, want := constant(), make([]int16, 4); !slices.Equal(got, want) {
		t.Errorf("mute gives %v, want %v", got, want)
	}
	g.Set(0)
	if g.Silent() {
		t.Error("silent before the fade back")
	}
	if got, want := constant(), []int16{4000, 8000, 12000, 16000}; !slices.Equal(got, want) {
		t.Errorf("unmuting gives %v, want %v", got, want)
	}
	g.Apply(nil)
	g.Set(Mute)
	g.Apply(nil) // no frame, no way
	if got, want := constant(), []int16{12000, 8000, 4000, 0}; !slices.Equal(got, want) {
		t.Errorf("muting after no frame gives %v, want %v", got, want)
	}
}

func TestGainClampsOnTheWay(t *testing.T) {
	var g Gain
	g.Set(12)
	pcm := []int16{30000, -30000, 30000, -30000}
	g.Apply(pcm)
	if want := []int16{32767, -32768, 32767, -32768}; !slices.Equal(pcm, want) {
		t.Errorf("got %v, want %v", pcm, want)
	}
}

func TestGainJumps(t *testing.T) {
	var g Gain
	g.Jump(Mute)
	if !g.Silent() {
		t.Error("muted by a jump, but not silent")
	}
	g.Set(0)
	pcm := slices.Repeat([]int16{16000}, 4)
	g.Apply(pcm)
	if want := []int16{4000, 8000, 12000, 16000}; !slices.Equal(pcm, want) {
		t.Errorf("fading in gives %v, want %v", pcm, want)
	}
}

func TestGainDoesNotClick(t *testing.T) {
	var g Gain
	pcm := audiotest.Tone(8000, 400, -10, 8000, 1)
	for i, db := range []float64{0, Mute, 0, -6, 6, -20, 0, -60, 3} {
		g.Set(db)
		g.Apply(pcm[i*160 : i*160+160])
	}
	if got := audiotest.WorstStep(pcm[:1440], 8000, 400); got > -45 {
		t.Errorf("click of %.1f dBFS, want -45 or less", got)
	}
}

func BenchmarkGain(b *testing.B) {
	pcm := audiotest.Tone(8000, 400, -20, 160, 0)
	for name, db := range map[string]float64{"0 dB": 0, "-3 dB": -3, "mute": Mute} {
		b.Run(name, func(b *testing.B) {
			var g Gain
			g.Jump(db)
			b.ReportAllocs()
			for b.Loop() {
				g.Apply(pcm)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/leg")
		})
	}
}
