// Package audiotest makes and judges audio for tests: tones, their level in a
// mix, distortion, clicks and silence.
//
// PCM is mono, 16 bits; rates are samples per second. Levels are in dBFS, where
// a sine that just fits 16 bits has 0; measures of peaks take a sample of
// 32767 as 0. Nothing is ever below Floor.
package audiotest

import "math"

const (
	full = 32767

	// Floor is the level of digital silence, in dBFS.
	Floor = -200.0
)

// Tone makes a sine of a frequency in Hz and a level in dBFS that starts at a
// phase in radians.
func Tone(rate int, freq, level float64, samples int, phase float64) []int16 {
	pcm := make([]int16, samples)
	amplitude := full * math.Pow(10, level/20)
	for i := range pcm {
		pcm[i] = clamp(math.Round(amplitude * math.Sin(phase+angle(rate, freq, i))))
	}
	return pcm
}

// Sum adds up clips, which may differ in length, and clamps the result once.
func Sum(clips ...[]int16) []int16 {
	n := 0
	for _, c := range clips {
		n = max(n, len(c))
	}
	pcm := make([]int16, n)
	for i := range pcm {
		sum := 0
		for _, c := range clips {
			if i < len(c) {
				sum += int(c[i])
			}
		}
		pcm[i] = clamp(float64(sum))
	}
	return pcm
}

// Power is the level of one frequency in Hz, by a Goertzel filter behind a
// Blackman-Harris window: tones that are 4*rate/len(pcm) Hz or more away, 16 Hz
// in 250 ms, are suppressed by 92 dB.
func Power(pcm []int16, rate int, freq float64) float64 {
	w := angle(rate, freq, 1)
	coef := 2 * math.Cos(w)
	var s1, s2, gain float64
	for i, s := range pcm {
		window := blackmanHarris(float64(i)+0.5, len(pcm))
		gain += window
		s1, s2 = window*float64(s)+coef*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - coef*s1*s2
	return decibel(2 * math.Sqrt(max(power, 0)) / (gain * full))
}

// RMS is the level of the whole, whatever its frequencies.
func RMS(pcm []int16) float64 {
	return decibel(math.Sqrt2 * rms(floats(pcm)) / full)
}

// Peak is the level of the loudest sample.
func Peak(pcm []int16) float64 { return peak(floats(pcm)) }

// Silent says whether no sample is louder than a level. -60 allows for comfort
// noise and the codecs' idea of zero, Floor for nothing.
func Silent(pcm []int16, level float64) bool { return Peak(pcm) <= level }

// LongestGap is the length in samples of the longest piece in which no sample is
// louder than a level.
func LongestGap(pcm []int16, level float64) int {
	limit := int(full * math.Pow(10, level/20))
	longest, run := 0, 0
	for _, s := range pcm {
		if run++; abs(int(s)) > limit {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

func blackmanHarris(i float64, n int) float64 {
	x := 2 * math.Pi * i / float64(n)
	return 0.35875 - 0.48829*math.Cos(x) + 0.14128*math.Cos(2*x) - 0.01168*math.Cos(3*x)
}

// angle is how far a tone has turned by sample i, in radians.
func angle(rate int, freq float64, i int) float64 {
	return 2 * math.Pi * freq * float64(i) / float64(rate)
}

func floats(pcm []int16) []float64 {
	out := make([]float64, len(pcm))
	for i, s := range pcm {
		out[i] = float64(s)
	}
	return out
}

func rms(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum / float64(max(len(x), 1)))
}

func peak(x []float64) float64 {
	p := 0.0
	for _, v := range x {
		p = max(p, math.Abs(v))
	}
	return decibel(p / full)
}

func decibel(ratio float64) float64 {
	if !(ratio > 0) { // NaN, of no samples at all, is silence too
		return Floor
	}
	return max(20*math.Log10(ratio), Floor)
}

func clamp(v float64) int16 { return int16(min(max(v, math.MinInt16), math.MaxInt16)) }

func abs(v int) int { return max(v, -v) }
