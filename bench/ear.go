package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
)

const (
	clip        = 30 * time.Second // what a sampled listener keeps: the end of the time measured
	clipPackets = int(clip / ptime)

	burstEvery = 25 // packets between two bursts at least; up to as many again
	likeness   = 0.45
	hidden     = 450 * time.Millisecond // a burst that has not come by then is lost; the next one follows

	narrow = codec.Rate(8000)
)

// ear writes down what a caller hears: the last packets, and when they came.
// It allocates nothing once it is full.
type ear struct {
	format codec.Format
	kept   []arrived // a ring
	next   int
}

type arrived struct {
	arrival int64 // unix ns
	payload []byte
}

func newEar(f codec.Format) *ear {
	return &ear{format: f, kept: make([]arrived, 0, clipPackets)}
}

func (e *ear) put(payload []byte, arrival int64) {
	if len(e.kept) < clipPackets {
		e.kept = append(e.kept, arrived{arrival, slices.Clone(payload)})
		return
	}
	p := &e.kept[e.next]
	p.arrival, p.payload = arrival, append(p.payload[:0], payload...)
	e.next = (e.next + 1) % clipPackets
}

// sound is what was heard, with the time at which each piece could be played.
type sound struct {
	pcm  []int16
	rate codec.Rate
	at   []piece // in the order of pcm
}

type piece struct {
	start   int   // in pcm
	arrival int64 // unix ns
}

// sound decodes what is kept of the time from a moment on, in unix ns.
func (e *ear) sound(from int64) sound {
	s := sound{rate: e.format.Rate}
	dec, buf := e.format.Decoder(), make([]int16, e.format.Rate.Samples(codec.MaxFrame))
	for i := range e.kept {
		p := &e.kept[(e.next+i)%len(e.kept)]
		n, err := dec.Decode(buf, p.payload)
		if err != nil {
			continue // levels and delays will show it
		}
		if p.arrival >= from {
			s.at = append(s.at, piece{len(s.pcm), p.arrival})
			s.pcm = append(s.pcm, buf[:n]...)
		}
	}
	return s
}

// when is the time at which sample i could be played, by one who plays each
// packet as it comes.
func (s *sound) when(i int) int64 {
	k, found := slices.BinarySearchFunc(s.at, i, func(p piece, i int) int { return p.start - i })
	if !found {
		k--
	}
	p := s.at[k]
	return p.arrival + int64(i-p.start)*int64(time.Second)/int64(s.rate)
}

// probe is a caller who says a burst now and then.
type probe struct {
	burst  [][]byte
	left   [][]byte // of the burst being said
	wait   int      // packets until the next one
	random *rand.Rand
	said   []int64 // unix ns
}

func newProbe(f codec.Format, caller int) (*probe, error) {
	b, err := burstPackets(f)
	p := &probe{burst: b, wait: burstEvery, random: rand.New(rand.NewPCG(5, uint64(caller)))}
	p.said = make([]int64, 0, clipPackets/burstEvery+1)
	return p, err
}

// next is what he says now instead of what he would.
func (p *probe) next(other []byte, now int64, m moment) []byte {
	if len(p.left) == 0 {
		if p.wait--; p.wait > 0 || !m.bursts || len(p.said) == cap(p.said) {
			return other
		}
		p.left, p.wait = p.burst, burstEvery+p.random.IntN(burstEvery)
		p.said = append(p.said, now)
	}
	b := p.left[0]
	p.left = p.left[1:]
	return b
}

// delays finds the bursts that were said at some times, in unix ns, among the
// tones that others say, and adds to h how long each took from mouth to ear:
// what a packet waits in the server, and no length of packets. It returns how
// many were not found.
func (s *sound) delays(said []int64, tones []float64, h *histogram) (missing int) {
	form := floats(burst(narrow))
	s = s.narrowed()
	for _, at := range said {
		if i, like := s.find(form, tones, at); like >= likeness {
			h.add(s.when(i) - at)
		} else {
			missing++
		}
	}
	return missing
}

// narrowed is the same at 8 kHz, where bursts are found quickly.
func (s *sound) narrowed() *sound {
	if s.rate == narrow {
		return s
	}
	out := &sound{pcm: codec.Convert(s.pcm, s.rate, narrow), rate: narrow, at: slices.Clone(s.at)}
	for i := range out.at {
		out.at[i].start = out.at[i].start * int(narrow) / int(s.rate)
	}
	return out
}

// find looks for a form in what came after a time, less the tones, and says
// where it is most alike, and how much: 1 is the same.
func (s *sound) find(form, tones []float64, after int64) (best int, like float64) {
	from := slices.IndexFunc(s.at, func(p piece) bool { return p.arrival >= after })
	if from < 0 {
		return 0, 0
	}
	first := s.at[from].start
	last := min(first+s.rate.Samples(hidden)+len(form), len(s.pcm))
	rest := audiotest.Residual(s.pcm[first:last], int(s.rate), tones...)
	for i := 0; i+len(form) <= len(rest); i++ {
		if l := alike(form, rest[i:]); l > like {
			best, like = first+i, l
		}
	}
	return best, like
}

// alike is the correlation of a form with as long a piece of pcm, whatever
// their signs.
func alike(form, pcm []float64) float64 {
	var product, power, of float64
	for i, f := range form {
		product += f * pcm[i]
		power += pcm[i] * pcm[i]
		of += f * f
	}
	if power < float64(len(form)) { // less than the noise of rounding
		return 0
	}
	return math.Abs(product) / math.Sqrt(power*of)
}

func floats(pcm []int16) []float64 {
	out := make([]float64, len(pcm))
	for i, v := range pcm {
		out[i] = float64(v)
	}
	return out
}
