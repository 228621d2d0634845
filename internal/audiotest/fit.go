package audiotest

import "math"

// Residual is what remains of a recording when the sines of these frequencies
// in Hz, each with the level and phase that fits best, and any constant are
// taken away. Each sine is one for the whole recording: a gap, a slip in time
// and a change of level all remain.
func Residual(pcm []int16, rate int, freqs ...float64) []float64 {
	rest, _ := split(pcm, rate, freqs)
	return rest
}

// Clicks is the loudest sample of the Residual in each piece of so many
// samples; the last piece may be shorter. A steady tone leaves the noise of its
// encoding: -90 dBFS for 16 bits.
func Clicks(pcm []int16, rate, piece int, freqs ...float64) []float64 {
	rest := Residual(pcm, rate, freqs...)
	var levels []float64
	for len(rest) > 0 {
		n := min(max(piece, 1), len(rest))
		levels = append(levels, peak(rest[:n]))
		rest = rest[n:]
	}
	return levels
}

// WorstClick is the loudest sample of the Residual.
func WorstClick(pcm []int16, rate int, freqs ...float64) float64 {
	return peak(Residual(pcm, rate, freqs...))
}

// WorstStep is the loudest sample behind a filter that lets nothing pass of a
// tone of this frequency, whatever its level and phase. Unlike WorstClick it
// does not mind a slow fade or a slip in time that is smooth: what it finds is
// what the ear calls a click. A step is found at its height.
func WorstStep(pcm []int16, rate int, freq float64) float64 {
	turn := 2 * math.Cos(angle(rate, freq, 1))
	worst := 0.0
	for i := 2; i < len(pcm); i++ {
		worst = max(worst, math.Abs(float64(pcm[i])-turn*float64(pcm[i-1])+float64(pcm[i-2])))
	}
	return decibel(worst / full)
}

// THDN is the power of all that is not one of the tones, in dB of the power of
// the tones: total harmonic distortion plus noise.
func THDN(pcm []int16, rate int, freqs ...float64) float64 {
	rest, tones := split(pcm, rate, freqs)
	return decibel(rms(rest) / rms(tones))
}

// split fits the tones by least squares and returns what is not tone, and what
// is. A constant belongs to neither. With fewer samples than unknowns, or the
// same frequency twice, the surplus counts as not there.
func split(pcm []int16, rate int, freqs []float64) (rest, tones []float64) {
	rest, tones = floats(pcm), make([]float64, len(pcm))
	weights := solve(normal(rest, rate, freqs))
	row := make([]float64, len(weights))
	for i := range rest {
		basis(row, rate, freqs, i)
		for j, w := range weights[1:] {
			tones[i] += w * row[j+1]
		}
		rest[i] -= weights[0] + tones[i]
	}
	return rest, tones
}

// basis writes the values of the fitted functions at sample i: the constant,
// then a cosine and a sine per frequency.
func basis(row []float64, rate int, freqs []float64, i int) {
	row[0] = 1
	for j, f := range freqs {
		row[2*j+2], row[2*j+1] = math.Sincos(angle(rate, f, i))
	}
}

// normal makes the normal equations of the fit; the right-hand side is the
// last column.
func normal(x []float64, rate int, freqs []float64) [][]float64 {
	n := 2*len(freqs) + 1
	m := make([][]float64, n)
	for j := range m {
		m[j] = make([]float64, n+1)
	}
	row := make([]float64, n+1)
	for i, v := range x {
		basis(row, rate, freqs, i)
		row[n] = v
		for j := range m {
			for k, b := range row {
				m[j][k] += row[j] * b
			}
		}
	}
	return m
}

// solve is Gaussian elimination. Normal equations are symmetrical and never
// negative, so that the diagonal will do for pivots; where it vanishes the whole
// row does: the equations do not determine that unknown, and it becomes zero.
func solve(m [][]float64) []float64 {
	x := make([]float64, len(m))
	tiny := 1e-9 * (m[0][0] + 1)
	for j, row := range m {
		if row[j] < tiny {
			clear(row)
			row[j] = 1
		}
		eliminate(m, j)
	}
	for j, row := range m {
		x[j] = row[len(m)] / row[j]
	}
	return x
}

// eliminate removes unknown j from all equations but its own.
func eliminate(m [][]float64, j int) {
	for i := range m {
		f := m[i][j] / m[j][j]
		if i == j || f == 0 {
			continue
		}
		for k := range m[i] {
			m[i][k] -= f * m[j][k]
		}
	}
}
