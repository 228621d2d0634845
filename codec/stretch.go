package codec

import (
	"math"
	"time"
)

// Changing how long a piece of audio takes without changing its pitch. The first
// samples join what was before as well as they did, and all that follows the
// seam stays what it was.
const (
	shortPeriod = 2500 * time.Microsecond // of a high voice
	longPeriod  = 12500 * time.Microsecond
	compared    = 7500 * time.Microsecond // how much has to look alike
	alike       = 0.8                     // correlation from which on a seam is not heard
	nearly      = 0.99                    // as good as
	still       = 12                      // RMS below which nothing is heard anyway: -69 dBov
)

// Shorten cuts one period of a voice, or as much of silence, out of the
// beginning of pcm in place, most samples at most, and returns the rest. It
// returns all of pcm where a cut would be heard.
func Shorten(pcm []int16, rate Rate, most int) []int16 {
	d := period(pcm, rate, most)
	if d == 0 {
		return pcm
	}
	blend(pcm[:d], pcm[:d], pcm[d:])
	return append(pcm[:d], pcm[2*d:]...)
}

// Lengthen repeats one period of a voice, or as much of silence, at the
// beginning of pcm, most samples at most, in the room that its capacity has, and
// returns the whole. It returns pcm as it is where a seam would be heard, or
// there is no room.
func Lengthen(pcm []int16, rate Rate, most int) []int16 {
	d := period(pcm, rate, min(most, cap(pcm)-len(pcm)))
	if d == 0 {
		return pcm
	}
	n := len(pcm)
	pcm = pcm[:n+d]
	copy(pcm[2*d:], pcm[d:n])            // what comes after the repeated period
	blend(pcm[d:2*d], pcm[2*d:3*d], pcm) // out of what followed, into the beginning again
	return pcm
}

// blend writes a fade from one to the other; dst may be from.
func blend(dst, from, to []int16) {
	n := len(dst) + 1
	for i := range dst {
		in := i + 1
		dst[i] = int16((int(from[i])*(n-in) + int(to[i])*in) / n)
	}
}

// period finds how long the piece takes to resemble itself, most samples at
// most; 0 where it does not.
func period(pcm []int16, rate Rate, most int) int {
	low, high := rate.Samples(shortPeriod), min(rate.Samples(longPeriod), len(pcm)/2, most)
	n := min(rate.Samples(compared), len(pcm)-high)
	if high < low || n <= 0 {
		return 0
	}
	fine := max(int(rate)/8000, 1)
	if energy(pcm[:high+n], fine) < still*still {
		return high
	}
	d, likeness := likest(pcm, n, low, high, fine, fine)
	if fine > 1 {
		d, likeness = likest(pcm, n, max(d-fine+1, low), min(d+fine-1, high), 1, fine)
	}
	if likeness < alike {
		return 0
	}
	return d
}

// energy is the mean square of every step-th sample.
func energy(pcm []int16, step int) int64 {
	var sum int64
	for i := 0; i < len(pcm); i += step {
		sum += int64(pcm[i]) * int64(pcm[i])
	}
	return sum * int64(step) / int64(len(pcm))
}

// likest tries each lag-th distance from low to high on each step-th of the
// first n samples, and returns the one of the largest normalised correlation;
// of several that are nearly as good the longest, so that few seams are needed.
func likest(pcm []int16, n, low, high, lag, step int) (best int, likeness float64) {
	first := pcm[:n]
	own := max(energy(first, step), 1)
	for d := low; d <= high; d += lag {
		later := pcm[d:][:n]
		var product, square int64
		for i := 0; i < n; i += step {
			product += int64(first[i]) * int64(later[i])
			square += int64(later[i]) * int64(later[i])
		}
		if product <= 0 {
			continue
		}
		if l := float64(product) / math.Sqrt(float64(square)); l > likeness*nearly {
			best, likeness = d, max(l, likeness)
		}
	}
	return best, likeness / math.Sqrt(float64(own)*float64(n)/float64(step))
}
