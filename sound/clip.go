package sound

import (
	"sync"
	"time"

	"parley/codec"
)

// The rates a clip is held at from the start.
const (
	narrow codec.Rate = 8000
	wide   codec.Rate = 16000
)

// MaxDuration is the longest clip of any kind.
const MaxDuration = 10 * time.Minute

// Clip is a piece of mono audio. It is immutable: many goroutines may use it at
// once, and nobody may write to the slices it hands out.
type Clip struct {
	narrow  []int16
	wide    []int16
	endless bool
	loop    time.Duration // endless only: where playing goes on after the end

	mu    sync.Mutex
	other map[codec.Rate][]int16 // guarded by mu: rates asked for beyond the two
}

// FromPCM makes a clip of samples at one of codec.Rates; it panics at another
// rate. The slice is copied.
func FromPCM(pcm []int16, rate codec.Rate) *Clip {
	return &Clip{narrow: codec.Convert(pcm, rate, narrow), wide: codec.Convert(pcm, rate, wide)}
}

// PCM returns the samples of one lap at one of codec.Rates. 8000 and 16000 cost nothing;
// another rate is converted when first asked for, so ask outside the audio path.
func (c *Clip) PCM(rate codec.Rate) []int16 {
	switch rate {
	case narrow:
		return c.narrow
	case wide:
		return c.wide
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	pcm, ok := c.other[rate]
	if !ok {
		pcm = c.resample(rate)
		if c.other == nil {
			c.other = make(map[codec.Rate][]int16)
		}
		c.other[rate] = pcm
	}
	return pcm
}

// resample converts the wide samples. An endless clip is converted with a piece
// of its loop on both sides, so that no filter rings where the ends meet.
func (c *Clip) resample(rate codec.Rate) []int16 {
	const margin = 20 * time.Millisecond
	body := c.wide[wide.Samples(c.loop):]
	edge := min(wide.Samples(margin), len(body))
	if !c.endless || edge == 0 {
		return codec.Convert(c.wide, wide, rate)
	}
	padded := make([]int16, 0, len(c.wide)+2*edge)
	padded = append(padded, body[len(body)-edge:]...)
	padded = append(padded, c.wide...)
	padded = append(padded, body[:edge]...)
	pcm := codec.Convert(padded, wide, rate)
	from := edge * int(rate) / int(wide)
	return pcm[from:min(len(pcm), from+len(c.wide)*int(rate)/int(wide))]
}

// Duration is the length of one lap.
func (c *Clip) Duration() time.Duration {
	return time.Duration(len(c.wide)) * time.Second / time.Duration(wide)
}

// Endless says whether the clip starts again at its end, until it is stopped.
func (c *Clip) Endless() bool { return c.endless }

// LoopStart is the sample an endless clip goes on from after its last one; an
// introduction stands before it.
func (c *Clip) LoopStart(rate codec.Rate) int { return rate.Samples(c.loop) }

// Player starts the clip from its beginning, at one of the rates of PCM.
func (c *Clip) Player(rate codec.Rate) Player {
	return Player{pcm: c.PCM(rate), endless: c.endless, loop: c.LoopStart(rate)}
}

// size is the memory the two held rates take, in bytes.
func (c *Clip) size() int { return 2 * (len(c.narrow) + len(c.wide)) }

// looped is the same clip, played until it is stopped.
func (c *Clip) looped() *Clip {
	return &Clip{narrow: c.narrow, wide: c.wide, endless: true}
}

// Player pulls the samples of one clip in order. It is a value with one owner;
// the zero value is at its end.
type Player struct {
	pcm     []int16
	pos     int
	endless bool
	loop    int
}

// Read fills dst with the next samples. Fewer than len(dst) mean that the clip
// has ended; an endless one never does. It does not allocate.
func (p *Player) Read(dst []int16) int {
	n := 0
	for n < len(dst) {
		if p.pos == len(p.pcm) {
			if !p.endless || p.loop >= len(p.pcm) {
				return n
			}
			p.pos = p.loop
		}
		m := copy(dst[n:], p.pcm[p.pos:])
		p.pos += m
		n += m
	}
	return n
}

// Len is how many samples a lap has.
func (p *Player) Len() int { return len(p.pcm) }

// Pos is the sample that Read begins with, counted from the beginning of the lap.
func (p *Player) Pos() int { return p.pos }

// Seek makes Read go on from a sample of the lap; before the first is the first,
// and after the last is the end.
func (p *Player) Seek(pos int) { p.pos = min(max(pos, 0), len(p.pcm)) }

// join puts clips one after the other. Only the last may be endless.
func join(clips []*Clip) *Clip {
	out := &Clip{}
	for _, c := range clips {
		if c.endless {
			out.endless = true
			out.loop = out.Duration() + c.loop
		}
		out.narrow = append(out.narrow, c.narrow...)
		out.wide = append(out.wide, c.wide...)
	}
	return out
}
