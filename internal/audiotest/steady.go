package audiotest

import "slices"

// Steady is the usual level of a tone in pcm, in dBFS: the median of Power over
// pieces of 100 ms. A network that lost a packet meanwhile does not change it.
func Steady(pcm []int16, rate int, freq float64) float64 {
	piece := rate / 10
	var levels []float64
	for ; len(pcm) >= piece; pcm = pcm[piece:] {
		levels = append(levels, Power(pcm[:piece], rate, freq))
	}
	if len(levels) == 0 {
		return Floor
	}
	slices.Sort(levels)
	return levels[len(levels)/2]
}
