package bench

import (
	"math"
	"slices"
	"time"

	"parley/internal/audiotest"
)

const (
	settled  = 200 * time.Millisecond // after the last burst, until what is heard is judged
	pieceLen = 100 * time.Millisecond
	pieces   = 20 // that are judged of each listener

	// A glitch is where a lone tone, looked at for 10 ms, is less than 20 dB above
	// the rest, or more than 3 dB off its usual level. What lies less than 20 ms
	// apart is one.
	window   = 10 * time.Millisecond
	hop      = 5 * time.Millisecond
	dirty    = -20.0 // dB
	offLevel = 3.0   // dB
)

// judge is what sampled listeners make of the whole.
type judge struct {
	levels   Levels
	delay    histogram
	missing  int // bursts nobody found
	sinad    []float64
	glitches Glitches
}

// judge listens to everybody who wrote down what he heard.
func (l *load) judge() *judge {
	o := l.opt
	j := &judge{levels: Levels{Sent: o.Level, Own: audiotest.Floor, Stray: audiotest.Floor}}
	for _, g := range l.legs {
		if g.ear == nil || !g.live.Load() {
			continue
		}
		room := l.legs[g.room*o.Callers : (g.room+1)*o.Callers]
		pure := g.ear.sound(l.driver.pure + int64(settled))
		said, lost := others(room[:o.Talkers], g)
		tones, all := pure, g.ear.sound(0)
		if p := room[min(o.Talkers, o.Callers-1)].probe; p != nil {
			j.missing += all.delays(p.said, said, &j.delay)
		} else {
			tones = all
		}
		j.levels.listen(tones.pcm, int(tones.rate), g.says.hz, said)
		if len(said) > 0 {
			j.sinad = append(j.sinad, cleanness(pure.pcm, int(pure.rate), said)...)
		}
		if o.Talkers == 1 && len(said) == 1 {
			j.glitches.listen(pure, said[0], lost)
		}
	}
	return j
}

// others are the tones that a leg should hear of talkers, and how many of
// their packets were lost on purpose.
func others(talkers []*leg, g *leg) (said []float64, lost uint64) {
	for _, t := range talkers {
		if t == g || !t.live.Load() {
			continue
		}
		said = append(said, t.says.hz)
		if t.way != nil {
			lost += t.way.lost
		}
	}
	return said, lost
}

// listen judges what one listener heard.
func (v *Levels) listen(pcm []int16, rate int, own float64, said []float64) {
	v.Listeners++
	v.Tones += len(said)
	for i := range MaxTalkers {
		hz := tone(0, i, MaxTalkers)
		got := audiotest.Steady(pcm, rate, hz)
		switch {
		case slices.Contains(said, hz):
			if by := got - v.Sent; math.Abs(by) > math.Abs(v.Worst) {
				v.Worst = by
			}
		case hz == own:
			v.Own = max(v.Own, got)
		default:
			v.Stray = max(v.Stray, got)
		}
	}
}

// cleanness is the SINAD of some pieces: the power of the tones over that of
// all else, in dB.
func cleanness(pcm []int16, rate int, said []float64) (all []float64) {
	n := rate * int(pieceLen) / int(time.Second)
	step := max(n, len(pcm)/pieces)
	for at := 0; at+n <= len(pcm); at += step {
		all = append(all, -audiotest.THDN(pcm[at:at+n], rate, said...))
	}
	return all
}

// listen counts the glitches of a lone tone.
func (v *Glitches) listen(s sound, hz float64, lost uint64) {
	rate := int(s.rate)
	n, step := s.rate.Samples(window), s.rate.Samples(hop)
	usual := audiotest.Steady(s.pcm, rate, hz)
	bad := -s.rate.Samples(ptime)
	for at := 0; at+n <= len(s.pcm); at += step {
		w := s.pcm[at : at+n]
		if audiotest.THDN(w, rate, hz) < dirty && math.Abs(audiotest.RMS(w)-usual) < offLevel {
			continue
		}
		if at-bad >= s.rate.Samples(ptime) {
			v.Count++
		}
		bad = at
	}
	v.Seconds += float64(len(s.pcm)) / float64(rate)
	v.Lost += lost
	if v.Lost > 0 {
		v.PerLost = float64(v.Count) / float64(v.Lost)
	}
}

// median of nothing is 0.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
