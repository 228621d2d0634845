package codec

import "math"

// The filter of Warp: a sinc in a Kaiser window, for every 64th of the way
// between two samples. It is flat to three quarters of half the rate; what it
// leaves of the images is 50 dB lower.
const (
	warpLobes  = 6 // samples on each side
	warpPhases = 64
	warpBeta   = 5
)

//nolint:gochecknoglobals // a table, never written after it was built
var warpFilters = newWarpFilters()

type warpFilter [2 * warpLobes]float64

func newWarpFilters() *[warpPhases + 1]warpFilter {
	all := &[warpPhases + 1]warpFilter{}
	for phase := range all {
		f, sum := &all[phase], 0.0
		for k := range f {
			x := float64(k+1-warpLobes) - float64(phase)/warpPhases
			f[k] = sinc(x) * kaiser(x/warpLobes, warpBeta)
			sum += f[k]
		}
		for k := range f {
			f[k] /= sum
		}
	}
	return all
}

// Warp plays src in the time of dst, which is a few samples longer or shorter:
// one in 20 ms of 8 kHz changes the pitch by a tenth of a semitone. The first
// and last samples are copied, so that the piece joins what is around it, and
// between them time runs a little faster or slower. What is shorter than 24
// samples cannot be warped and is copied.
func Warp(dst, src []int16) {
	steps := len(dst) - 2*warpLobes
	if len(dst) == len(src) || steps < 2*warpLobes {
		copy(dst, src)
		return
	}
	copy(dst[:warpLobes], src)
	copy(dst[len(dst)-warpLobes:], src[len(src)-warpLobes:])
	stretch := float64(len(src)-len(dst)) / float64(steps+1)
	for i := range steps {
		off := float64(i+1) * stretch // where the sample lies, beside its own number
		whole := math.Floor(off)
		dst[warpLobes+i] = inBetween(src[i+1+int(whole):], off-whole)
	}
}

// inBetween is the sample at a part of the way between the two in the middle of
// the first twelve.
func inBetween(src []int16, part float64) int16 { return round(blendOf(src, part)) }

// blendOf is inBetween before it is rounded.
func blendOf(src []int16, part float64) float64 {
	phase := int(part * warpPhases)
	in := part*warpPhases - float64(phase)
	low, high := &warpFilters[phase], &warpFilters[min(phase+1, warpPhases)]
	src = src[:len(low)]
	var a, b float64
	for k, s := range src {
		a += low[k] * float64(s)
		b += high[k] * float64(s)
	}
	return a + in*(b-a)
}
