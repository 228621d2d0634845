package mixer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// mixed makes a mix of frames.
func mixed(samples int, frames ...[]int16) *Mix {
	m := New(samples)
	for _, f := range frames {
		m.Add(f)
	}
	return m
}

func TestMinusOne(t *testing.T) {
	tests := []struct {
		name   string
		frames [][]int16
		own    int // index of frames, -1 = a listener
		want   []int16
	}{
		{"nobody speaks", nil, -1, []int16{0, 0}},
		{"one speaks, a listener", [][]int16{{5, -6}}, -1, []int16{5, -6}},
		{"one speaks and does not hear himself", [][]int16{{5, -6}}, 0, []int16{0, 0}},
		{"two", [][]int16{{5, -6}, {7, 8}}, 0, []int16{7, 8}},
		{"three", [][]int16{{5, -6}, {7, 8}, {100, 200}}, 1, []int16{105, 194}},
		{"own voice leaves no scar", [][]int16{{30000, 0}, {30000, 0}, {-30000, 9}}, 1, []int16{0, 9}},
		{"both limits fit", [][]int16{{32767, -32768}, {1, 2}}, 1, []int16{32767, -32768}},
		{"short frames end in silence", [][]int16{{5}, {7, 8}}, 1, []int16{5, 0}},
		{"own short frame", [][]int16{{5}, {7, 8}}, 0, []int16{7, 8}},
		{"what is too long is left away", [][]int16{{1, 2, 3}, {4, 5, 6}}, 1, []int16{1, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := mixed(2, tt.frames...)
			var own []int16
			if tt.own >= 0 {
				own = tt.frames[tt.own]
			}
			var l Limiter
			got := []int16{9, 9}
			m.MinusOne(got, own, &l)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if m.Voices() != len(tt.frames) {
				t.Errorf("%d voices, want %d", m.Voices(), len(tt.frames))
			}
			if tt.own < 0 {
				m.All(got, &l)
				if !slices.Equal(got, tt.want) {
					t.Errorf("all are %v, want %v", got, tt.want)
				}
			}
		})
	}
}

func TestOutputsOfOtherLengths(t *testing.T) {
	m := mixed(3, []int16{1, 2, 3}, []int16{10, 20, 30})
	var l Limiter
	for _, tt := range []struct{ dst, want []int16 }{
		{make([]int16, 2), []int16{11, 22}},
		{[]int16{9, 9, 9, 9, 9}, []int16{11, 22, 33, 0, 0}},
		{nil, nil},
	} {
		m.All(tt.dst, &l)
		if !slices.Equal(tt.dst, tt.want) {
			t.Errorf("got %v, want %v", tt.dst, tt.want)
		}
	}
}

func TestResetStartsAnew(t *testing.T) {
	m := mixed(2, []int16{5, 6})
	m.Reset()
	got, l := []int16{9, 9}, Limiter{}
	m.All(got, &l)
	if !slices.Equal(got, []int16{0, 0}) || m.Voices() != 0 {
		t.Errorf("%v is left, of %d voices", got, m.Voices())
	}
}

// What a listener hears is the sum of the others, to the bit, for as long as
// it fits; however many they are.
func TestMinusOneIsExactBelowTheLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{2, 3, 8, 100} {
		m, frames, limiters := New(160), make([][]int16, n), make([]Limiter, n)
		for range 50 {
			m.Reset()
			for i := range frames {
				frames[i] = make([]int16, 160)
				for j := range frames[i] {
					frames[i][j] = int16(r.IntN(65536/n) - 32768/n)
				}
				m.Add(frames[i])
			}
			for i := range frames {
				got, want := make([]int16, 160), make([]int16, 160)
				m.MinusOne(got, frames[i], &limiters[i])
				for k, f := range frames {
					for j := range f {
						if k != i {
							want[j] += f[j]
						}
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%d voices: listener %d does not hear the sum", n, i)
				}
			}
		}
	}
}

func TestSumIsWideEnough(t *testing.T) {
	m, loud := New(2), []int16{math.MaxInt16, math.MinInt16}
	for range 65535 {
		m.Add(loud)
	}
	var l Limiter
	got := make([]int16, 2)
	for range 3 {
		m.All(got, &l)
		if got[0] < 32600 || got[1] > -32600 {
			t.Fatalf("got %v, want full scale", got)
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	m, pcm, dst := New(160), slices.Repeat([]int16{20000}, 160), make([]int16, 160)
	var quiet, busy Limiter
	var g Gain
	var meter Meter
	db := 1.0
	allocs := testing.AllocsPerRun(1000, func() {
		m.Reset()
		m.Add(pcm)
		m.Add(pcm)
		m.MinusOne(dst, pcm, &quiet)
		m.All(dst, &busy)
		g.Set(db)
		g.Apply(dst)
		meter.Talking(meter.Level(dst))
		db = -db
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzMix(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, uint8(2), uint8(3))
	f.Add([]byte{0xff, 0x7f, 0, 0x80, 0xff, 0x7f}, uint8(1), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, samples, room uint8) {
		m, dst := New(int(samples)), make([]int16, room)
		var l Limiter
		var own []int16
		for len(data) >= 2 {
			n := min(int(data[0])%8, len(data)/2)
			own = own[:0]
			for i := range n {
				own = append(own, int16(data[2*i])|int16(data[2*i+1])<<8)
			}
			data = data[2*max(n, 1):]
			m.Add(own)
			m.MinusOne(dst, own, &l)
			m.All(dst, &l)
		}
		for i, s := range dst[min(len(dst), int(samples)):] {
			if s != 0 {
				t.Fatalf("%d at %d after the end of the frame", s, i)
			}
		}
	})
}

// BenchmarkMix is one room of 100 in one tick: the listeners share one output,
// each talker has his own.
func BenchmarkMix(b *testing.B) {
	const members = 100
	for _, samples := range []int{160, 320} {
		for _, talkers := range []int{3, members} {
			for _, scale := range []struct {
				name  string
				level int
			}{{"quiet", 300}, {"limited", 30000}} {
				b.Run(fmt.Sprintf("members=%d/talkers=%d/samples=%d/%s", members, talkers, samples, scale.name), func(b *testing.B) {
					benchmarkMix(b, members, talkers, samples, scale.level)
				})
			}
		}
	}
}

func benchmarkMix(b *testing.B, members, talkers, samples, level int) {
	r := rand.New(rand.NewPCG(1, 2))
	m, dst, limiters := New(samples), make([]int16, samples), make([]Limiter, talkers+1)
	voices := make([][]int16, talkers)
	for i := range voices {
		for range samples {
			voices[i] = append(voices[i], int16(r.IntN(2*level)-level))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Reset()
		for _, v := range voices {
			m.Add(v)
		}
		m.All(dst, &limiters[talkers])
		for i, v := range voices {
			m.MinusOne(dst, v, &limiters[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(members), "ns/leg")
}

// Less is the sum of those who are left, to the bit while it fits, and as loud
// as MinusOne makes it where it does not.
func TestLess(t *testing.T) {
	frames := [][]int16{{5, -6, 30000}, {7, 8, 30000}, {100, 200, -30000}, {1, 1, 30000}}
	for _, tt := range []struct {
		without []int
		want    []int16
	}{
		{nil, []int16{113, 203, 32767}},
		{[]int{0}, []int16{108, 209, 30000}},
		{[]int{0, 3}, []int16{107, 208, 0}},
		{[]int{0, 1, 2, 3}, []int16{0, 0, 0}},
	} {
		m := mixed(3, frames...)
		var voices [][]int16
		for _, i := range tt.without {
			voices = append(voices, frames[i])
		}
		var l Limiter
		got := []int16{9, 9, 9, 9}
		m.Less(got, voices, &l)
		if len(tt.without) > 0 && !slices.Equal(got, append(tt.want, 0)) {
			t.Errorf("without %v: %v, want %v", tt.without, got, tt.want)
		}
		if tt.without == nil && got[2] < 32000 {
			t.Errorf("all: %v", got)
		}
	}
	loud := mixed(1, []int16{20000}, []int16{20000}, []int16{1}, []int16{1})
	var a, b Limiter
	got, want := make([]int16, 1), make([]int16, 1)
	loud.Less(got, [][]int16{{1}, {1}}, &a)
	mixed(1, []int16{20000}, []int16{20000}).All(want, &b)
	if !slices.Equal(got, want) || a != b {
		t.Errorf("limited to %v, want %v", got, want)
	}
}
