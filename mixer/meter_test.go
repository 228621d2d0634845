package mixer

import (
	"math"
	"slices"
	"testing"

	"parley/internal/audiotest"
)

func TestLevel(t *testing.T) {
	tests := []struct {
		name string
		pcm  []int16
		want float32
	}{
		{"digital silence", make([]int16, 160), Silence},
		{"nothing", nil, Silence},
		{"one bit", []int16{1}, -90.31},
		{"one bit in a long frame", append(make([]int16, 959), 1), -120.13},
		{"square of full scale", slices.Repeat([]int16{math.MinInt16}, 160), 0},
		{"sine of full scale", audiotest.Tone(8000, 1000, 0, 160, 0), -3.01},
		{"sine of -40 dBFS", audiotest.Tone(16000, 1000, -40, 320, 0), -43.01},
	}
	for _, tt := range tests {
		var m Meter
		if got := m.Level(tt.pcm); math.Abs(float64(got-tt.want)) > 0.02 {
			t.Errorf("%s: %.2f dBov, want %.2f", tt.name, got, tt.want)
		}
	}
}

func TestCrossings(t *testing.T) {
	tests := []struct {
		name string
		pcm  []int16
		want int
	}{
		{"nothing", nil, 0},
		{"one sample", []int16{-5}, 0},
		{"zero is not below zero", []int16{5, 0, -1, -7, 0}, 2},
		{"1000 Hz at 8000, 20 ms", slices.Repeat([]int16{1, 7, 9, 7, -1, -7, -9, -7}, 20), 39},
	}
	for _, tt := range tests {
		var m Meter
		if got := m.Crossings(tt.pcm); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestTalking(t *testing.T) {
	const loud, soft = -30, -60
	tests := []struct {
		name    string
		options MeterOptions
		levels  []float32
		want    string // per frame: . quiet, B begins, T talks, E ends
	}{
		{"silence", MeterOptions{Hangover: 2}, []float32{Silence, soft, soft}, "..."},
		{"a word", MeterOptions{Hangover: 2}, []float32{soft, loud, soft, soft, soft, soft}, ".BTTE."},
		{"a gap between words", MeterOptions{Hangover: 2}, []float32{loud, soft, soft, loud, soft, soft, soft}, "BTTTTTE"},
		{"no hangover", MeterOptions{Hangover: -1}, []float32{loud, soft, loud, loud}, "BEBT"},
		{"at the default threshold", MeterOptions{Hangover: -1}, []float32{-45.1, -45}, ".B"},
		{"own threshold", MeterOptions{Threshold: -20, Hangover: -1}, []float32{loud, -20, -21}, ".BE"},
		{
			"default hangover",
			MeterOptions{},
			append([]float32{loud}, slices.Repeat([]float32{soft}, 26)...),
			"BTTTTTTTTTTTTTTTTTTTTTTTTTE",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Meter{Options: tt.options}
			var got []byte
			for _, level := range tt.levels {
				talking, changed := m.Talking(level)
				switch {
				case talking && changed:
					got = append(got, 'B')
				case talking:
					got = append(got, 'T')
				case changed:
					got = append(got, 'E')
				default:
					got = append(got, '.')
				}
			}
			if string(got) != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func BenchmarkMeter(b *testing.B) {
	var m Meter
	pcm := audiotest.Tone(8000, 400, -20, 160, 0)
	b.ReportAllocs()
	for b.Loop() {
		m.Talking(m.Level(pcm))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/leg")
}
