package mixer

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// checkKernels compares what a processor does in its own words with plain Go.
func checkKernels(t *testing.T, pcm []int16, sum []int32, f factor) {
	t.Helper()
	n := len(pcm)
	if got, want := energy(pcm), plainEnergy(pcm); got != want {
		t.Errorf("energy of %v is %d, want %d", pcm, got, want)
	}
	if got, want := signs(pcm), plainSigns(pcm); got != want {
		t.Errorf("%d changes of sign in %v, want %d", got, pcm, want)
	}
	got, want := slices.Clone(sum), slices.Clone(sum)
	add(got, pcm)
	plainAdd(want, pcm)
	if !slices.Equal(got, want) {
		t.Errorf("%v and %v make %v, want %v", sum, pcm, got, want)
	}
	dst, should := make([]int16, n), make([]int16, n)
	peak, most := minus(dst, got, sum, pcm), plainMinus(should, want, sum, pcm)
	if peak != most || !slices.Equal(dst, should) || !slices.Equal(got, want) {
		t.Errorf("%v without %v is %v, %v, peak %d, want %v, %v, %d", sum, pcm, dst, got, peak, should, want, most)
	}
	peak, most = narrow(dst, sum), plainNarrow(should, sum)
	if peak != most || !slices.Equal(dst, should) {
		t.Errorf("%v is %v, peak %d, want %v, %d", sum, dst, peak, should, most)
	}
	scale(dst, sum, f)
	plainScale(should, sum, f)
	if !slices.Equal(dst, should) {
		t.Errorf("%v by %d is %v, want %v", sum, f, dst, should)
	}
}

func TestKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	edges := []int32{0, 1, -1, math.MaxInt16, math.MinInt16, math.MaxInt16 + 1, math.MinInt16 - 1, math.MaxInt32, math.MinInt32}
	for n := range 50 {
		for range 100 {
			pcm, sum := make([]int16, n), make([]int32, n)
			for i := range pcm {
				pcm[i], sum[i] = int16(r.Uint32()), int32(r.Uint32())>>r.IntN(32)
				if r.IntN(4) == 0 {
					pcm[i], sum[i] = int16(edges[r.IntN(5)]), edges[r.IntN(len(edges))]
				}
			}
			checkKernels(t, pcm, sum, factor(r.Int64N(int64(unity)+1)))
		}
		checkKernels(t, slices.Repeat([]int16{math.MinInt16}, n), slices.Repeat([]int32{math.MinInt32}, n), unity)
		checkKernels(t, slices.Repeat([]int16{math.MaxInt16}, n), slices.Repeat([]int32{math.MaxInt32}, n), 1)
	}
}

func FuzzKernels(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 0xff, 0x7f, 0, 0x80, 0xff, 0x7f}, uint32(unity))
	f.Fuzz(func(t *testing.T, data []byte, gain uint32) {
		var pcm []int16
		var sum []int32
		for ; len(data) >= 6; data = data[6:] {
			pcm = append(pcm, int16(data[0])|int16(data[1])<<8)
			sum = append(sum, int32(data[2])|int32(data[3])<<8|int32(data[4])<<16|int32(data[5])<<24)
		}
		checkKernels(t, pcm, sum, factor(gain%uint32(unity+1)))
	})
}

// What each costs per sample, in plain Go and as it is on this machine.
func BenchmarkKernels(b *testing.B) {
	const n = 320
	pcm, dst := make([]int16, n), make([]int16, n)
	sum, wide := make([]int32, n), make([]int32, n)
	for i := range pcm {
		pcm[i], sum[i] = int16(i*7919), int32(i*7919)
	}
	for _, k := range []struct {
		name        string
		here, plain func()
	}{
		{"energy", func() { energy(pcm) }, func() { plainEnergy(pcm) }},
		{"add", func() { add(wide, pcm) }, func() { plainAdd(wide, pcm) }},
		{"minus", func() { minus(dst, wide, sum, pcm) }, func() { plainMinus(dst, wide, sum, pcm) }},
		{"narrow", func() { narrow(dst, sum) }, func() { plainNarrow(dst, sum) }},
		{"scale", func() { scale(dst, sum, unity/3) }, func() { plainScale(dst, sum, unity/3) }},
		{"signs", func() { signs(pcm) }, func() { plainSigns(pcm) }},
	} {
		for name, run := range map[string]func(){"here": k.here, "plain": k.plain} {
			b.Run(k.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					run()
				}
			})
		}
	}
}
