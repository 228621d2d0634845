package sound

import (
	"math"
	"strings"

	"parley/codec"
)

// The built-in hold music: twelve slow bars in four, written for this project.
// A line is a bar of eight quavers; "." holds what sounds. Names are those of
// scientific pitch notation. It keeps between 170 Hz and 3.4 kHz, the band
// every telephone passes.
const score = `
C4 G4 C5 E5 . G4 C5 G4 | E5 .  .  G5 .  .  E5 .
A3 E4 A4 C5 . E4 A4 E4 | C5 .  .  .  .  B4 A4 .
F3 C4 F4 A4 . C4 F4 C4 | A4 .  .  C5 .  .  F5 .
G3 D4 G4 B4 . D4 G4 D4 | D5 .  .  .  .  .  .  .
E4 B4 E5 G5 . B4 E5 B4 | G5 .  .  B5 .  .  G5 .
A3 E4 A4 C5 . E4 A4 E4 | E5 .  .  .  .  D5 C5 .
D4 A4 D5 F5 . A4 D5 A4 | F5 .  E5 .  D5 .  A4 .
G3 D4 G4 B4 . F4 B4 F4 | B4 .  .  .  D5 .  .  .
F3 C4 F4 A4 . E4 A4 C4 | C5 .  .  A4 .  .  E5 .
G3 D4 G4 B4 . D4 G4 D4 | D5 .  .  .  C5 .  B4 .
C4 G4 C5 E5 . G4 C5 G4 | C5 .  .  .  .  .  .  .
G3 D4 F4 B4 . D4 F4 D4 | .  .  .  .  D5 .  G5 .`

const (
	quaver     = 375 // milliseconds: 80 crotchets a minute
	musicLevel = -24 // dBov RMS, 4 dB under the prompts
)

// stroke is one struck note of the score.
type stroke struct {
	at   int     // quavers from the start
	hz   float64 // pitch
	gain float64
}

// holdMusic plays the score. What rings on past the end is laid over the
// beginning, so the loop has no seam.
func holdMusic() *Clip {
	strokes, bars := readScore(score)
	return &Clip{
		narrow:  perform(strokes, bars, narrow),
		wide:    perform(strokes, bars, wide),
		endless: true,
	}
}

// readScore lists the strokes of both voices and counts the bars.
func readScore(text string) (strokes []stroke, bars int) {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		chords, tune, _ := strings.Cut(line, "|")
		for voice, notes := range []string{chords, tune} {
			gain := []float64{0.5, 1}[voice]
			for i, name := range strings.Fields(notes) {
				if name != "." {
					strokes = append(strokes, stroke{at: bars*8 + i, hz: pitch(name), gain: gain})
				}
			}
		}
		bars++
	}
	return strokes, bars
}

// pitch is the frequency of a white key, equal temperament on A4 = 440 Hz.
func pitch(name string) float64 {
	semitones := map[byte]int{'C': -9, 'D': -7, 'E': -5, 'F': -4, 'G': -2, 'A': 0, 'B': 2}
	octave := int(name[1]-'0') - 4
	return 440 * math.Pow(2, float64(semitones[name[0]]+12*octave)/12)
}

// perform sounds the strokes around a ring as long as the music.
func perform(strokes []stroke, bars int, rate codec.Rate) []int16 {
	eighth := int(rate) * quaver / 1000
	ring := make([]float64, bars*8*eighth)
	for _, s := range strokes {
		ringBell(ring, s, s.at*eighth, rate)
	}
	var power float64
	for _, v := range ring {
		power += v * v
	}
	scale := math.Pow(10, musicLevel/20.0) * math.MaxInt16 / math.Sqrt(power/float64(len(ring)))
	pcm := make([]int16, len(ring))
	for i, v := range ring {
		pcm[i] = round(v * scale)
	}
	return pcm
}

// ringBell adds one struck note: three partials that die away, the higher the
// sooner, after an attack of 8 ms. Each is a turning phasor, which costs four
// multiplications a sample where a sine would cost twenty.
func ringBell(ring []float64, s stroke, at int, rate codec.Rate) {
	attack := int(rate) / 125
	for partial, weight := range []float64{1, 0.35, 0.12} {
		k := float64(partial + 1)
		turn := 2 * math.Pi * s.hz * k / float64(rate)
		fade := math.Exp(-k * 2.2 / float64(rate))
		sin, cos := 0.0, s.gain*weight
		a, b := fade*math.Cos(turn), fade*math.Sin(turn)
		for i := range min(3*int(rate), len(ring)) {
			v := sin
			if i < attack {
				v *= float64(i) / float64(attack)
			}
			ring[(at+i)%len(ring)] += v
			sin, cos = sin*a+cos*b, cos*a-sin*b
		}
	}
}
