package codec

import (
	"math"
	"testing"
)

// correlation of pcm with itself, so many samples later.
func correlation(pcm []int16, lag int) float64 {
	var product, square float64
	for i := lag; i < len(pcm); i++ {
		product += float64(pcm[i]) * float64(pcm[i-lag])
		square += float64(pcm[i]) * float64(pcm[i])
	}
	return product / square
}

func TestNoiseHasTheLevelAndTheColour(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload []byte
		level   float64 // dBov
		colour  float64 // correlation of neighbours: the first coefficient, less than zero
	}{
		{"white", []byte{40}, -40, 0},
		{"white by coefficients", []byte{40, 127, 127}, -40, 0},
		{"dull", []byte{40, 127 - 100}, -40, 258 * 100.0 / 32768},
		{"bright", []byte{30, 127 + 60, 127}, -30, -258 * 60.0 / 32768},
		{"two coefficients", []byte{50, 127 - 80, 127 + 40}, -50, 258 * 80.0 / 32768},
		{"as many as fit and more", append([]byte{45}, make([]byte, 0, 20)...), -45, 0},
		{"silence", []byte{127}, -127, math.NaN()},
		{"nothing", nil, -127, math.NaN()},
		{"a level out of range", []byte{200}, -127, math.NaN()},
	} {
		var n Noise
		n.Set(c.payload)
		pcm := make([]int16, 80000)
		n.Fill(pcm)
		sum := 0.0
		for _, s := range pcm {
			sum += float64(s) * float64(s)
		}
		level := max(10*math.Log10(sum/float64(len(pcm))/(1<<30)), -127)
		if math.Abs(level-c.level) > 0.5 {
			t.Errorf("%s: %.1f dBov, want %.1f", c.name, level, c.level)
		}
		if got := correlation(pcm, 1); !math.IsNaN(c.colour) && math.Abs(got-c.colour) > 0.02 {
			t.Errorf("%s: neighbours correlate by %.3f, want %.3f", c.name, got, c.colour)
		}
	}
}

func FuzzNoise(f *testing.F) {
	f.Add([]byte{40, 0, 254, 127, 200})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var n Noise
		n.Set(payload)
		pcm := make([]int16, 4000)
		n.Fill(pcm)
		sum := 0.0
		for _, s := range pcm[2000:] {
			sum += float64(s) * float64(s)
		}
		if len(payload) > 0 && payload[0] > 10 && payload[0] < 128 && sum/2000 > 32768*32768*0.9 {
			t.Errorf("%v is at the limit", payload)
		}
	})
}
