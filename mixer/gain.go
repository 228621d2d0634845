package mixer

import "math"

// factor is what samples are multiplied by, in Q24.
type factor int64

const (
	factorBits        = 24
	unity      factor = 1 << factorBits
)

func (f factor) times(v int32) int64 {
	return (int64(f)*int64(v) + 1<<(factorBits-1)) >> factorBits
}

// line goes from one factor to another in equal steps.
type line struct{ at, slope int64 } // Q48, so that the steps end where they should

func newLine(from, to factor, steps int) line {
	return line{int64(from) << factorBits, int64(to-from) << factorBits / int64(max(steps, 1))}
}

func (l *line) step() factor {
	l.at += l.slope
	return factor(l.at >> factorBits)
}

// The range of a Gain, in dB. Whatever is below is silence.
const (
	MinGain = -60.0
	MaxGain = 20.0
)

// Mute is the gain of silence, in dB.
const Mute = -100.0

// Gain is a volume control for one stream. The zero value is 0 dB, which
// changes no bit. A change takes effect in a straight line over the next frame,
// so that it is not heard as a click; muting is a fade, too.
type Gain struct {
	now, want factor // less unity
}

// Set makes the next frame go to a gain in dB. More than MaxGain is MaxGain,
// less than MinGain is silence, and NaN changes nothing.
func (g *Gain) Set(db float64) {
	switch {
	case math.IsNaN(db):
	case db < MinGain:
		g.want = -unity
	default:
		g.want = factor(math.Round(float64(unity)*math.Pow(10, min(db, MaxGain)/20))) - unity
	}
}

// Jump is Set without the way there: for a stream that has not begun. Who is to
// fade in starts with Jump(Mute), then Set(0).
func (g *Gain) Jump(db float64) {
	g.Set(db)
	g.now = g.want
}

// Silent says that every frame from now on comes out as silence, so that it
// need not be mixed.
func (g *Gain) Silent() bool { return g.now == -unity && g.want == -unity }

// Apply turns a frame up or down in place. What becomes too loud is clamped.
func (g *Gain) Apply(pcm []int16) {
	switch {
	case len(pcm) == 0:
	case g.now != g.want:
		l := newLine(g.now+unity, g.want+unity, len(pcm))
		for i, s := range pcm {
			pcm[i] = clamp(l.step().times(int32(s)))
		}
		g.now = g.want
	case g.now == 0:
	case g.now == -unity:
		clear(pcm)
	default:
		f := g.now + unity
		for i, s := range pcm {
			pcm[i] = clamp(f.times(int32(s)))
		}
	}
}
