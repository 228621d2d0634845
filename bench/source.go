package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
)

const (
	// MaxTalkers is how many tones can be told apart.
	MaxTalkers = 24

	sentLevel = -20.0 // dBFS, of each tone when few talk
	few       = 3
	lowest    = 397 // Hz, of the first tone; a period is no whole number of samples
	spacing   = 110 // Hz, between two tones

	tonePackets  = 50  // of a talker's loop: a second
	noisePackets = 400 // of a noise loop

	burstLevel = -12.0 // dBFS, of a burst; see burst
	burstLow   = 600.0 // Hz, where it begins
	burstHigh  = 3200.0
)

// source is what one caller says: payloads of 20 ms, over and over.
type source struct {
	loop [][]byte
	at   int
	hz   float64 // 0 unless it is a tone
}

// next is the next 20 ms.
func (s *source) next() []byte {
	b := s.loop[s.at]
	s.at = (s.at + 1) % len(s.loop)
	return b
}

// voices makes the sources of all callers of one codec. What several say is
// encoded once.
type voices struct {
	format codec.Format
	level  float64 // dBFS, of each tone
	noise  float64 // dBFS, of those who do not talk; 0 is silence
	mute   [][]byte
	tones  map[float64][][]byte
}

func newVoices(o Options) (*voices, error) {
	v := &voices{format: o.Codec, level: o.Level, noise: o.Noise, tones: map[float64][][]byte{}}
	quiet := make([]int16, 2*v.frame())
	if o.Noise != 0 {
		quiet = hiss(o.Noise, noisePackets*v.frame())
	}
	var err error
	v.mute, err = packets(v.format, quiet)
	return v, err
}

// frame is the samples of 20 ms.
func (v *voices) frame() int { return v.format.Rate.Samples(ptime) }

// talker's tone is one second long, so that whole hertz have no seam.
func (v *voices) talker(room, place, talkers int) (source, error) {
	hz := tone(room, place, talkers)
	loop := v.tones[hz]
	if loop == nil {
		var err error
		if loop, err = packets(v.format, audiotest.Tone(int(v.format.Rate), hz, v.level, tonePackets*v.frame(), 0)); err != nil {
			return source{}, err
		}
		v.tones[hz] = loop
	}
	return source{loop: loop, hz: hz}, nil
}

// listener is one who does not talk. All have the same noise at different times.
func (v *voices) listener(caller int) source {
	return source{loop: v.mute, at: caller * 27 % len(v.mute)}
}

// packets encodes a piece that is said over and over: the encoder has heard the
// end of it when it comes to the beginning.
func packets(f codec.Format, pcm []int16) ([][]byte, error) {
	frame := f.Rate.Samples(ptime)
	enc := f.Encoder()
	var loop [][]byte
	for range 2 {
		loop = loop[:0]
		for at := 0; at+frame <= len(pcm); at += frame {
			b := make([]byte, 2*frame)
			n, err := enc.Encode(b, pcm[at:at+frame])
			if err != nil {
				return nil, fmt.Errorf("%w: codec %s: %w", ErrOptions, f.Name, err)
			}
			loop = append(loop, b[:n:n])
		}
	}
	return loop, nil
}

// tone is the frequency of a talker. Rooms differ as far as there are tones.
func tone(room, place, talkers int) float64 {
	return lowest + spacing*float64((room*talkers+place)%MaxTalkers)
}

// level is what each tone is sent at by default, in dBFS: many together must
// not clip.
func level(talkers int) float64 {
	return sentLevel - 20*math.Log10(max(1, float64(talkers)/few))
}

// hiss is white noise with the power of a sine of so many dBFS; always the same.
func hiss(db float64, samples int) []int16 {
	r := rand.New(rand.NewPCG(1, 2))
	rms := 32767 / math.Sqrt2 * math.Pow(10, db/20)
	pcm := make([]int16, samples)
	for i := range pcm {
		pcm[i] = int16(max(-32768, min(32767, math.Round(rms*r.NormFloat64()))))
	}
	return pcm
}

// burst is a sweep of 20 ms that is found again by correlation, whatever else
// is said. It is what delays are measured with.
func burst(r codec.Rate) []int16 {
	pcm := make([]int16, r.Samples(ptime))
	length := ptime.Seconds()
	for i := range pcm {
		t := float64(i) / float64(r)
		turn := 2 * math.Pi * (burstLow*t + (burstHigh-burstLow)*t*t/(2*length))
		pcm[i] = int16(32767 * math.Pow(10, burstLevel/20) * math.Sin(turn))
	}
	return pcm
}

// burstPackets is a burst as packets of a stream that was silent for half a
// second: the first sounds, the others let a codec with a look-ahead finish it.
func burstPackets(f codec.Format) ([][]byte, error) {
	const before, after = 25, 2
	frame := f.Rate.Samples(ptime)
	pcm := make([]int16, (before+1+after)*frame)
	copy(pcm[before*frame:], burst(f.Rate))
	loop, err := packets(f, pcm)
	if err != nil {
		return nil, err
	}
	return loop[before:], nil
}

const ptime = 20 * time.Millisecond
