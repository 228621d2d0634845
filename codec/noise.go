package codec

import "math"

// noiseOrder is how many reflection coefficients of a comfort noise packet are
// used; there is no use in more at these rates.
const noiseOrder = 12

// Noise makes the background sound that a comfort noise packet describes (RFC
// 3389), or white noise of a level. The zero value is silent.
type Noise struct {
	drive float64 // rms of what goes into the filter, 16-bit units
	order int
	k     [noiseOrder]float64     // reflection coefficients
	back  [noiseOrder + 1]float64 // the lattice's memory
	seed  uint64
}

// Set takes a packet: the level in -dBov, then reflection coefficients of the
// model, one a byte. What is no such packet changes nothing.
func (n *Noise) Set(payload []byte) {
	if len(payload) == 0 || payload[0] > 127 {
		return
	}
	n.Level(-float64(payload[0]))
	n.order = min(len(payload)-1, noiseOrder)
	for i, b := range payload[1:][:n.order] {
		n.k[i] = 258 * float64(min(int(b), 254)-127) / 32768 // RFC 3389 §3.2
		n.drive *= math.Sqrt(1 - n.k[i]*n.k[i])
	}
}

// Level makes it white noise of so many dBov.
func (n *Noise) Level(dBov float64) {
	n.drive, n.order = 32768*math.Pow(10, dBov/20), 0
}

// Fill writes noise.
func (n *Noise) Fill(pcm []int16) {
	for i := range pcm {
		pcm[i] = round(n.shape(n.drive * n.white()))
	}
}

// white is a number of mean square 1, evenly spread, by xorshift64.
func (n *Noise) white() float64 {
	if n.seed == 0 {
		n.seed = 0x9E3779B97F4A7C15
	}
	n.seed ^= n.seed << 13
	n.seed ^= n.seed >> 7
	n.seed ^= n.seed << 17
	return math.Sqrt(3) * (float64(n.seed>>11)/(1<<52) - 1)
}

// shape is an all-pole lattice filter.
func (n *Noise) shape(v float64) float64 {
	for i := n.order - 1; i >= 0; i-- {
		v -= n.k[i] * n.back[i]
		n.back[i+1] = n.back[i] + n.k[i]*v
	}
	n.back[0] = v
	return v
}
