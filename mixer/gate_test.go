package mixer

import "testing"

// opens plays levels to a gate, one a frame, and returns which frames pass.
func opens(o GateOptions, levels ...[]float32) (passed []bool) {
	var g Gate
	for _, l := range levels {
		for _, level := range l {
			passed = append(passed, g.Pass(o, level))
		}
	}
	return passed
}

func repeat(level float32, frames int) []float32 {
	l := make([]float32, frames)
	for i := range l {
		l[i] = level
	}
	return l
}

func TestGate(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      GateOptions
		levels [][]float32
		want   []bool // of the last frame of each piece of levels
	}{
		{"a voice in silence", GateOptions{}, [][]float32{repeat(Silence, 50), repeat(-40, 1), repeat(-70, 15), repeat(-70, 1)}, []bool{false, true, true, false}},
		{"a quiet voice in a quiet room", GateOptions{}, [][]float32{repeat(-75, 500), repeat(-60, 1)}, []bool{false, true}},
		{"noise is learnt", GateOptions{}, [][]float32{repeat(-60, 2000), repeat(-52, 1), repeat(-49, 1)}, []bool{false, false, true}},
		{"loud noise, or music, passes for ever", GateOptions{}, [][]float32{repeat(-45, 10000)}, []bool{true}},
		{"a level", GateOptions{Level: -40}, [][]float32{repeat(-41, 100), repeat(-40, 1)}, []bool{false, true}},
		{"off", GateOptions{Off: true}, [][]float32{repeat(-90, 100), repeat(Silence, 1), repeat(-100, 1)}, []bool{true, false, true}},
		{"digital silence never", GateOptions{}, [][]float32{repeat(-30, 10), repeat(Silence, 1)}, []bool{true, false}},
	} {
		passed := opens(c.o, c.levels...)
		at := 0
		for i, l := range c.levels {
			if at += len(l); passed[at-1] != c.want[i] {
				t.Errorf("%s: after %d frames %v, want %v", c.name, at, passed[at-1], c.want[i])
			}
		}
	}
}

func TestLevellerBringsVoicesToOneLevel(t *testing.T) {
	for _, c := range []struct{ level, want float64 }{
		{-26, 0}, {-32, 6}, {-20, -6}, {-50, mostUp}, {-10, mostDown}, {-70, 0},
	} {
		var l Leveller
		var gain, last float64
		for i := range 1000 {
			level := float32(c.level)
			if i%3 == 2 {
				level = -60 // a pause
			}
			last, gain = gain, l.Gain(level)
			if gain-last > up+0.001 || last-gain > down+0.001 {
				t.Fatalf("%.0f dBov: a step from %.2f to %.2f dB", c.level, last, gain)
			}
		}
		if gain < c.want-0.5 || gain > c.want+0.5 {
			t.Errorf("%.0f dBov: %.1f dB, want %.1f", c.level, gain, c.want)
		}
	}
}
