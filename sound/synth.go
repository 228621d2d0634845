package sound

import (
	"math"
	"slices"
	"time"

	"parley/codec"
)

// overload is the level of a full-scale square wave in dBm0: µ-law holds a sine
// of 3.14 dBm0, and a square wave has twice the power of its sine.
const overload = 3.14 + 3.02

// peak is the amplitude of a sine at a level in dBm0.
func peak(level float64) float64 {
	return math.MaxInt16 * math.Sqrt2 * math.Pow(10, (level-overload)/20)
}

// clip sounds the melody at both rates; nothing is converted.
func (m melody) clip() *Clip {
	c := &Clip{narrow: m.render(narrow), wide: m.render(wide)}
	c.endless = m.unending()
	if m.laps == endless {
		c.loop = length(m.first)
	}
	return c
}

// unending says whether the melody plays until it is stopped.
func (m melody) unending() bool { return m.laps == endless || m.loops == endless }

// render sounds every lap and loop in a row; of endless laps the first and the
// one that is repeated, of endless loops one.
func (m melody) render(rate codec.Rate) []int16 {
	pcm := make([]int16, 0, rate.Samples(m.duration()))
	for _, n := range m.first {
		pcm = n.appendTo(pcm, rate)
	}
	if m.laps == 1 {
		return repeat(pcm, m.loops)
	}
	from := len(pcm)
	for _, n := range m.again {
		pcm = n.appendTo(pcm, rate)
	}
	lap := pcm[from:]
	for range m.laps - 2 {
		pcm = append(pcm, lap...)
	}
	if m.laps == endless {
		return pcm
	}
	return repeat(pcm, m.loops)
}

// repeat puts pcm n times in a row, once for an endless n.
func repeat(pcm []int16, n int) []int16 {
	if n <= 1 {
		return pcm
	}
	return slices.Repeat(pcm, n)
}

func (n note) same(o note) bool {
	return n.on == o.on && n.off == o.off && n.level == o.level &&
		n.step == o.step && n.change == o.change && slices.Equal(n.pitches, o.pitches)
}

// appendTo sounds the note: its pitches start at phase 0 and share the level.
func (n note) appendTo(dst []int16, rate codec.Rate) []int16 {
	level := n.level
	share := peak(level) / float64(len(n.pitches))
	step := max(rate.Samples(n.step), 1)
	for i := range rate.Samples(n.on) {
		if n.change != 0 && (i+1)%step == 0 {
			if next := level + n.change; next >= minLevel && next <= maxLevel {
				level = next
				share = peak(level) / float64(len(n.pitches))
			}
		}
		var sum float64
		for _, f := range n.pitches {
			sum += math.Sin(2 * math.Pi * f * float64(i) / float64(rate))
		}
		dst = append(dst, round(sum*share))
	}
	return append(dst, make([]int16, rate.Samples(n.off))...)
}

// round turns a sample into 16 bits and clamps it.
func round(v float64) int16 {
	return int16(min(max(math.Round(v), math.MinInt16), math.MaxInt16))
}

// quiet is silence of some length.
func quiet(d time.Duration) *Clip {
	return &Clip{narrow: make([]int16, narrow.Samples(d)), wide: make([]int16, wide.Samples(d))}
}
