package codec

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// The filter of the resampler: a sinc in a Kaiser window that stops at half the
// lower rate. With these two numbers everything that could fold back is
// attenuated by 80 dB, at the very edge by 70, and the pass band is flat to 0.85 of that.
const (
	lobes = 64   // length in samples of the lower rate
	beta  = 7.86 // of the window: 80 dB in the stop band
	// The cut-off lies half a transition band below the edge.
	cutoff = 1 - transition/2
	// Width by Kaiser's formula, as a part of half the lower rate.
	transition = 2 * (80 - 7.95) / (14.36 * lobes)
)

// coefBits is the scale of a coefficient: 1.0 is 1<<coefBits.
const coefBits = 24

// Rates lists the sampling rates that can be converted into each other.
func Rates() []Rate { return []Rate{8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000} }

// Resampler changes the sampling rate of one stream, piece by piece. The pieces
// may have any length: the output is the same however the input is cut. It is
// Delay late; between equal rates it copies.
type Resampler struct {
	up, down int     // the ratio to:from in lowest terms
	taps     int     // input samples that make one of output; 0 for equal rates
	bank     []int32 // up filters of taps coefficients, for the oldest sample first
	window   []int16 // taps-1 old samples, then room for new ones
	at       int     // where the next output sample lies after the old samples, in 1/up of a sample
	from     Rate
}

// NewResampler makes a resampler. It panics unless both rates are of Rates.
func NewResampler(from, to Rate) *Resampler {
	if !slices.Contains(Rates(), from) || !slices.Contains(Rates(), to) {
		panic(fmt.Sprintf("codec: no conversion from %d to %d samples per second", from, to))
	}
	d := divisor(int(from), int(to))
	r := &Resampler{up: int(to) / d, down: int(from) / d, from: from}
	if from == to {
		return r
	}
	half := (lobes*max(r.up, r.down) + 2*r.up - 1) / (2 * r.up) // rounded up
	r.taps = 2 * half
	r.bank = design(r.up, r.down, half)
	r.window = make([]int16, r.taps-1+from.Samples(MaxFrame))
	return r
}

// Delay is by how much the output is late: 32 samples of the lower rate, so
// 4 ms from or to 8000 and 2 ms between 16000 and more.
func (r *Resampler) Delay() time.Duration {
	return time.Duration(r.taps/2) * time.Second / time.Duration(r.from)
}

// Reset forgets the stream.
func (r *Resampler) Reset() {
	clear(r.window)
	r.at = 0
}

// Process converts a piece and returns how many samples it wrote: a 20 ms frame
// makes a 20 ms frame, and n samples never make more than n*to/from, rounded
// up. Samples that dst has no room for are lost.
func (r *Resampler) Process(dst, src []int16) int {
	if r.taps == 0 {
		return copy(dst, src)
	}
	n := 0
	for len(src) > 0 {
		m := copy(r.window[r.taps-1:], src)
		src = src[m:]
		n += r.run(dst[n:], m)
		copy(r.window, r.window[m:m+r.taps-1])
	}
	return n
}

// run filters the m new samples in the window.
func (r *Resampler) run(dst []int16, m int) int {
	n := 0
	i, phase := r.at/r.up, r.at%r.up
	step, part := r.down/r.up, r.down%r.up
	for i < m {
		if n < len(dst) {
			dst[n] = dot(r.bank[phase*r.taps:][:r.taps], r.window[i:])
			n++
		}
		i += step
		if phase += part; phase >= r.up {
			phase -= r.up
			i++
		}
	}
	r.at = (i-m)*r.up + phase
	return n
}

// dot is one output sample. The multiplier is the bottleneck: two sums keep it
// busy, more unrolling gains nothing.
func dot(coefs []int32, pcm []int16) int16 {
	pcm = pcm[:len(coefs)]
	var even, odd int64
	for i := 1; i < len(coefs); i += 2 {
		even += int64(coefs[i-1]) * int64(pcm[i-1])
		odd += int64(coefs[i]) * int64(pcm[i])
	}
	v := (even + odd + 1<<(coefBits-1)) >> coefBits
	return int16(min(max(v, math.MinInt16), math.MaxInt16))
}

// design computes the filters, one for each place an output sample can have
// between two of input. Each adds up to one, so that a constant stays constant.
// Half is the delay in samples of input.
func design(up, down, half int) []int32 {
	taps := 2 * half
	bank := make([]int32, 0, up*taps)
	band := cutoff * float64(up) / float64(max(up, down)) // of half the input rate
	filter := make([]float64, taps)
	for phase := range up {
		sum := 0.0
		for i := range filter {
			t := float64(taps-1-i-half) + float64(phase)/float64(up)
			filter[i] = sinc(band*t) * kaiser(t/float64(half), beta)
			sum += filter[i]
		}
		for _, f := range filter {
			bank = append(bank, int32(math.Round(f/sum*(1<<coefBits))))
		}
	}
	return bank
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the window at x of -1..1, to a constant factor. It is open at -1 and
// 1, so that a filter of even length has a middle.
func kaiser(x, beta float64) float64 {
	if x <= -1 || x >= 1 {
		return 0
	}
	return bessel(beta * math.Sqrt(1-x*x))
}

// bessel is the modified Bessel function of the first kind, order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-17; k++ {
		term *= x / (2 * k) * x / (2 * k)
		sum += term
	}
	return sum
}

func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Convert changes the sampling rate of a whole clip, which may be of any
// length. The result is a new slice, in time with the clip: it is not late, and
// as long as the clip to one sample. It panics unless both rates are of Rates.
func Convert(pcm []int16, from, to Rate) []int16 {
	r := NewResampler(from, to)
	r.at = r.taps / 2 * r.up // skip what is late
	out := make([]int16, (int64(len(pcm))*int64(r.up)+int64(r.down)-1)/int64(r.down))
	n := r.Process(out, pcm)
	r.Process(out[n:], make([]int16, r.taps/2))
	return out
}
