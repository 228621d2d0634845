package bench

import (
	"math"
	"math/rand/v2"

	"parley/codec"
	"parley/internal/audiotest"
)

const (
	// MaxTalkers is how many tones can be told apart.
	MaxTalkers = 24

	sentLevel  = -20.0 // dBFS, of each tone when few talk
	few        = 3
	lowest     = 400 // Hz, of the first tone
	spacing    = 110 // Hz, between two tones
	noisePiece = 8 * 8000
)

// source is what one caller says: a piece of PCMU, over and over.
type source struct {
	loop []byte
	at   int
	hz   float64 // 0 unless it is a tone
}

// next writes the next samples.
func (s *source) next(dst []byte) {
	for len(dst) > 0 {
		n := copy(dst, s.loop[s.at:])
		dst = dst[n:]
		s.at = (s.at + n) % len(s.loop)
	}
}

// tone is the frequency of a talker. Rooms differ as far as there are tones.
func tone(room, place, talkers int) float64 {
	return lowest + spacing*float64((room*talkers+place)%MaxTalkers)
}

// level is what each tone is sent at, in dBFS: many together must not clip.
func level(talkers int) float64 {
	return sentLevel - 20*math.Log10(max(1, float64(talkers)/few))
}

// talk is a talker's tone: one second, so that whole hertz have no seam.
func talk(room, place, talkers int) source {
	hz := tone(room, place, talkers)
	return source{loop: encode(audiotest.Tone(8000, hz, level(talkers), 8000, 0)), hz: hz}
}

// quiet is what a caller who does not talk sends. Callers have the same noise at
// different times.
func quiet(db float64, caller int) source {
	if db == 0 {
		return source{loop: encode(make([]int16, frame))}
	}
	return source{loop: noise(db), at: caller * 4409 % noisePiece}
}

// noise is white, with the power of a sine of so many dBFS; always the same.
func noise(db float64) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	rms := 32767 / math.Sqrt2 * math.Pow(10, db/20)
	pcm := make([]int16, noisePiece)
	for i := range pcm {
		pcm[i] = int16(max(-32768, min(32767, math.Round(rms*r.NormFloat64()))))
	}
	return encode(pcm)
}

func encode(pcm []int16) []byte {
	b := make([]byte, len(pcm))
	_, _ = codec.PCMU().Encoder().Encode(b, pcm) // there is room for all of it
	return b
}
