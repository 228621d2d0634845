package codec

import (
	"math"
	"time"
)

// The times of the concealment, in the manner of ITU-T G.711 Appendix I.
const (
	minPitch  = 5 * time.Millisecond  // of a voice; shorter ones are found as multiples
	maxPitch  = 15 * time.Millisecond // of a voice
	template  = 20 * time.Millisecond // is compared with what went before
	growth    = 10 * time.Millisecond // one more pitch period is repeated after each
	full      = 20 * time.Millisecond // of loss are as loud as before: one packet
	faded     = 60 * time.Millisecond // of loss end in silence
	joinStart = 4 * time.Millisecond  // takes the return of the signal
	joinMost  = 10 * time.Millisecond // after a long loss

	maxPeriods = 3
	// voiced is the least correlation that counts as a pitch. Noise is repeated
	// in the longest piece instead, lest it hum.
	voiced = 0.4
)

// Concealer fills the gaps in one stream. Tell it of every frame in order: Good
// of one that came, Lost of one that did not. A gap goes on with the last pitch
// periods, fades from 20 ms on and is silent from 60 ms on.
//
// It adds no delay: a stream without loss passes untouched.
type Concealer struct {
	rate   Rate
	past   []int16 // what was played, up to now; round and round
	oldest int     // where past begins
	before []int16 // past in its order, as it was when the loss began

	lost   int     // samples since the loss began; 0 = none
	pitch  float64 // of before, in samples
	jump   float64 // from the first repeated sample to the last one played
	quart  int     // a quarter of it, in which a seam is blended
	now    repeat
	old    repeat // what now is blended with; no periods: the real signal
	blend  int    // samples that the blending goes on
	joined int    // samples since the signal came back
	join   int    // samples that the return takes; 0 = it is over
}

// repeat is a place in the last periods of a voice, which go round and round.
type repeat struct {
	periods int
	at      float64
}

// NewConcealer makes a concealer for one stream.
func NewConcealer(r Rate) *Concealer {
	n := maxPeriods*(r.Samples(maxPitch)+1) + r.Samples(maxPitch)/4 + 2*warpLobes
	return &Concealer{rate: r, past: make([]int16, n), before: make([]int16, n)}
}

// Renew makes it what it is after nothing but silence, of which the last samples were
// lost, so many.
func (c *Concealer) Renew(lost int) {
	clear(c.past)
	c.lost, c.join = 0, 0
	if lost > 0 {
		c.begin()
		c.lost = min(lost, c.rate.Samples(faded))
	}
}

// Good remembers a frame that came. The first samples after a gap are smoothed
// in place.
func (c *Concealer) Good(pcm []int16) {
	if c.lost > 0 && c.join == 0 {
		c.join = min(c.rate.Samples(joinStart)+c.lost/4, c.rate.Samples(joinMost))
		c.joined = 0
	}
	for i := range pcm {
		if c.join == 0 {
			break
		}
		in := float64(c.joined+1) / float64(c.join+1)
		pcm[i] = round(in*float64(pcm[i]) + (1-in)*c.next())
		if c.joined++; c.joined == c.join {
			c.join, c.lost = 0, 0
		}
	}
	c.remember(pcm)
}

// Lost fills a frame that did not come.
func (c *Concealer) Lost(pcm []int16) {
	if c.lost == 0 || c.join > 0 {
		c.begin()
	}
	for i := range pcm {
		pcm[i] = round(c.next())
	}
	c.remember(pcm)
}

// begin starts a gap.
func (c *Concealer) begin() {
	n := copy(c.before, c.past[c.oldest:])
	copy(c.before[n:], c.past)
	c.lost, c.join = 0, 0
	c.pitch = c.findPitch()
	c.quart = int(c.pitch) / 4
	c.now, c.old, c.blend = repeat{periods: 1}, repeat{}, c.quart
	last := len(c.before) - 1
	c.jump = float64(c.before[last]) - c.sample(float64(last)-c.pitch, 0)
}

// next is the next sample of the repetition, faded.
func (c *Concealer) next() float64 {
	gain := c.gain()
	if gain == 0 {
		return 0
	}
	if c.lost > 0 && c.lost%c.rate.Samples(growth) == 0 && c.now.periods < maxPeriods {
		c.old, c.blend = c.now, c.quart
		c.now = repeat{periods: c.now.periods + 1, at: math.Mod(c.now.at, c.pitch)}
	}
	c.lost++
	v := c.step(&c.now)
	if c.blend > 0 {
		out := float64(c.blend) / float64(c.quart+1)
		c.blend--
		if c.old.periods > 0 {
			v += out * (c.step(&c.old) - v)
		} else {
			v += out * c.jump
		}
	}
	return gain * v
}

// gain is 1 at first and falls in a straight line to 0.
func (c *Concealer) gain() float64 {
	from, to := c.rate.Samples(full), c.rate.Samples(faded)
	return min(float64(to-c.lost)/float64(to-from), 1)
}

// step plays one sample. The last quarter of a period blends into what came
// before the first one, so that the seam is not heard.
func (c *Concealer) step(r *repeat) float64 {
	length := float64(r.periods) * c.pitch
	i := float64(len(c.before)) - length + r.at
	v := c.sample(i, length)
	if left := length - r.at; left <= float64(c.quart) {
		out := left / float64(c.quart+1)
		v = out*v + (1-out)*c.sample(i-length, 0)
	}
	if r.at++; r.at >= length {
		r.at -= length
	}
	return v
}

// sample is what was at a place between two samples. What is asked for beyond
// the end is taken from so much earlier.
func (c *Concealer) sample(at, earlier float64) float64 {
	whole := math.Floor(at)
	part := at - whole
	first := int(whole) + 1 - warpLobes
	if first < 0 || first+2*warpLobes > len(c.before) {
		return c.edge(int(whole), part, int(math.Round(earlier)))
	}
	return blendOf(c.before[first:], part)
}

// edge is sample where there are too few samples for the filter.
func (c *Concealer) edge(at int, part float64, earlier int) float64 {
	low, next := max(at, 0), at+1
	if next >= len(c.before) {
		next = max(next-earlier, 0)
	}
	low, next = min(low, len(c.before)-1), min(next, len(c.before)-1)
	return float64(c.before[low])*(1-part) + float64(c.before[next])*part
}

// findPitch is the distance at which the end of the signal resembles itself
// most: to 1/4 ms first, then to the sample, then to a part of one. Looking at
// 4,000 and then at 8,000 samples per second is enough, and a burst of loss hits
// all legs at once.
func (c *Concealer) findPitch() float64 {
	low, high := c.rate.Samples(minPitch), c.rate.Samples(maxPitch)
	fine := max(int(c.rate)/8000, 1)
	coarse := 2 * fine
	best, likeness := c.search(low, high, coarse, coarse)
	if likeness < voiced {
		return float64(high)
	}
	best, likeness = c.search(max(best-coarse+1, low), min(best+coarse-1, high), 1, fine)
	_, before := c.search(best-1, best-1, 1, fine)
	_, after := c.search(best+1, best+1, 1, fine)
	bend := 2*likeness - before - after // a parabola through the three
	if bend <= 0 {
		return float64(best)
	}
	return float64(best) + min(max((after-before)/(2*bend), -0.5), 0.5)
}

// search tries each lag-th distance from low to high on each step-th sample. It
// returns the distance of the largest normalised correlation, and that.
func (c *Concealer) search(low, high, lag, step int) (best int, likeness float64) {
	n := c.rate.Samples(template)
	end := c.before[len(c.before)-n:]
	best = high
	for d := low; d <= high; d += lag {
		earlier := c.before[len(c.before)-n-d:][:n]
		var product, energy int64
		for i := 0; i < n; i += step {
			product += int64(end[i]) * int64(earlier[i])
			energy += int64(earlier[i]) * int64(earlier[i])
		}
		if product <= 0 {
			continue
		}
		if l := float64(product) / math.Sqrt(float64(energy)); l > likeness {
			best, likeness = d, l
		}
	}
	var own int64
	for i := 0; i < n; i += step {
		own += int64(end[i]) * int64(end[i])
	}
	return best, likeness / math.Sqrt(float64(max(own, 1)))
}

func (c *Concealer) remember(pcm []int16) {
	pcm = pcm[max(len(pcm)-len(c.past), 0):]
	n := copy(c.past[c.oldest:], pcm)
	copy(c.past, pcm[n:])
	c.oldest = (c.oldest + len(pcm)) % len(c.past)
}

func round(v float64) int16 {
	return int16(min(max(math.Round(v), math.MinInt16), math.MaxInt16))
}
