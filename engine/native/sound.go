package native

import (
	"parley/engine"
	"parley/internal/tick"
	"parley/mixer"
)

// preroll is how many frames before a gate opens are heard when it does: 60 ms.
const preroll = 3

// lead keeps the last frames that a gate has not let through.
type lead struct {
	pcm    [preroll][]int16 // newest first; nil is silence
	levels [preroll]float32
	n      int
}

func (l *lead) keep(pcm []int16, level float32) {
	last := l.pcm[preroll-1]
	copy(l.pcm[1:], l.pcm[:preroll-1])
	copy(l.levels[1:], l.levels[:preroll-1])
	l.pcm[0], l.levels[0] = last, level
	copy(last, pcm)
	l.n = min(l.n+1, preroll)
}

// get is the i-th last frame.
func (l *lead) get(dst []int16, i int) { clear(dst[copy(dst, l.pcm[i]):]) }

// Tune implements engine.Tuner.
func (b *Bridge) Tune(s engine.Sound) {
	b.order(func() engine.Fact {
		if b.sound != s && b.state == bridgeOpen {
			b.sound = s
			b.publish()
		}
		return nil
	})
}

// Treat implements engine.Treater.
func (b *Bridge) Treat(op engine.OpID, m engine.MemberID, t engine.Treatment) {
	b.order(func() engine.Fact {
		i := b.find(m)
		if i < 0 {
			return engine.Left{Op: op, Member: m}
		}
		b.seats[i].own = t
		b.publish(engine.Applied{Op: op, Member: m, State: b.seats[i].state})
		return nil
	})
}

func gateOptions(s engine.Sound) mixer.GateOptions {
	if s.Transparent || s.Gate == engine.GateOff {
		return mixer.GateOptions{Off: true}
	}
	return mixer.GateOptions{Level: float32(s.Gate)}
}

func ceilingOptions(c engine.Ceiling) mixer.CeilingOptions {
	return mixer.CeilingOptions{Level: float32(c.Level), Hits: c.Hits, Mute: int(c.Mute / tick.Period)}
}

// passes says whether the gate lets this tick's frame through. When it opens,
// what led up to it comes first: the frame and what follows wait for that in the
// fifo, and the pace of the voice makes up for it. heard says that he was heard
// before and is now.
func (v *voice) passes(s engine.Sound, heard bool) bool {
	was := v.open
	v.exact = s.Transparent
	v.open = v.gate.Pass(gateOptions(s), v.said)
	switch {
	case !v.open:
		v.before.keep(v.pcm, v.said)
		return false
	case !was && heard:
		v.rewind()
	}
	v.before.n = 0
	return true
}

// shutTime is for how many ticks a gate keeps out all that comes until that is
// told: 1 s, longer than anybody counts as talking after a word.
const shutTime = 50

// gating notes whether the gate has let anything through of late.
func (l *Leg) gating() {
	v := &l.voice
	was := v.shut >= shutTime
	v.shut++
	if v.open {
		v.shut = 0
	}
	if is := v.shut >= shutTime; is != was {
		l.gated.Store(is)
	}
}

// rewind puts the beginning of what opened the gate in front of it.
func (v *voice) rewind() {
	n := 0
	for n < v.before.n && v.gate.Faint(v.before.levels[n]) {
		n++
	}
	samples := len(v.pcm)
	if n == 0 || v.room(n*samples) < n*samples {
		return
	}
	old := len(v.fifo)
	v.fifo = v.fifo[:old+n*samples]
	copy(v.fifo[n*samples:], v.fifo[:old])
	copy(v.fifo[(n-1)*samples:], v.pcm)
	for i := range n - 1 {
		v.before.get(v.fifo[i*samples:][:samples], n-2-i)
	}
	v.before.get(v.pcm, n-1)
	v.behind = true
}

// even brings a frame that is mixed to the loudness of all, if the room's profile
// asks for it.
func (v *voice) even(s engine.Sound) {
	gain := 0.0
	if s.AGC && !s.Transparent {
		gain = v.leveller.Gain(v.said)
	}
	if gain != v.evenDB {
		v.evenDB = gain
		v.evener.Set(gain)
	}
	v.evener.Apply(v.pcm)
}

// hush fills a frame of a caller of whom nothing comes: silence, or the noise
// that his phone says there is (RFC 3389).
func (l *Leg) hush(pcm []int16) (silent bool) {
	v := &l.voice
	var said []byte
	if l.noiser != nil {
		said = l.noiser.Comfort()
	}
	if len(said) == 0 {
		clear(pcm)
		return true
	}
	v.noise.Set(said)
	v.noise.Fill(pcm)
	return false
}

// murmur adds comfort noise to what everybody hears.
func (c *class) murmur(s *scratch, dBov int) {
	if c.dBov != dBov {
		c.dBov = dBov
		c.noise.Level(float64(dBov))
	}
	pcm := s.prompt[:len(c.all)]
	c.noise.Fill(pcm)
	c.mix.Add(pcm)
}
