package conference

import "math"

// MaxStep is the greatest step of a member's volume, up and down.
const MaxStep = 4

// factors are what the switch multiplies samples with, from step -4 to 4.
func factors() [2*MaxStep + 1]float64 {
	return [...]float64{0.2, 0.4, 0.6, 0.8, 1, 1.3, 2.3, 3.3, 4.3}
}

// Gain is what a step of VolumeIn or VolumeOut does, in dB: -14.0, -8.0, -4.4,
// -1.9, 0, 2.3, 7.2, 10.4, 12.7. A step beyond the last is the last one, as at
// the switch.
func Gain(step int) float64 {
	step = max(-MaxStep, min(step, MaxStep))
	return 20 * math.Log10(factors()[step+MaxStep])
}

// Step is the step whose gain is nearest to a number of dB; the smaller change
// of two that are equally near.
func Step(dB float64) int {
	dB = max(Gain(-MaxStep), min(dB, Gain(MaxStep)))
	best := 0
	for n := 1; n <= MaxStep; n++ {
		for _, step := range [...]int{n, -n} {
			if math.Abs(Gain(step)-dB) < math.Abs(Gain(best)-dB) {
				best = step
			}
		}
	}
	return best
}

// crest is by how much the RMS of a voice is more than its mean amount, which
// the switch takes for the energy of a frame.
const crest = math.Sqrt2

// GateLevel is the level in dBov, 0 and less, from which on a voice passes a
// talk gate of this energy; of 0 and less it is math.Inf(-1): all passes.
func GateLevel(energy int) float64 {
	if energy <= 0 {
		return math.Inf(-1)
	}
	return min(0, 20*math.Log10(crest*float64(energy)/32768))
}

// EnergyOf is the energy of a talk gate that opens at a level in dBov.
func EnergyOf(dBov float64) int {
	return int(math.Round(math.Pow(10, dBov/20) * 32768 / crest))
}
