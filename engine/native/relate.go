package native

import (
	"parley/codec"
	"parley/engine"
)

// denial keeps a listener from hearing a talker. The tick takes the talker's
// voice out of what the listener hears, and fades it over one frame where that
// begins or ends.
type denial struct {
	was  bool   // as of the last tick, whose it is
	ends uint64 // plan by which it is over; 0 = it is not. Guarded by Bridge.mu
}

// without is a denial as a plan has it, in the seat of the listener.
type without struct {
	*denial
	on   bool
	from *Leg  // the talker
	solo *solo // his voice in the listener's class; nil = they have one class
}

// soloist is a talker who is kept out of the sum that crosses to the other
// classes: somebody there does not hear him.
type soloist struct {
	leg   *Leg
	class *class
}

// solo brings a soloist's voice to a class by itself, so that it can be taken
// out again sample by sample.
type solo struct {
	from     *Leg
	to       *class
	resample *codec.Resampler
	pcm      []int16 // of this tick
	sounds   bool    // pcm is not silence
	ringing  bool    // the last tick put a voice in
}

// soloKey is whose voice goes where; the class by its index.
type soloKey struct {
	from *Leg
	to   int
}

// fades is how many voices fade for one listener in one tick. More than these
// begin or end without.
const fades = 4

// Relate implements engine.Relater.
func (b *Bridge) Relate(op engine.OpID, deaf []engine.Edge) {
	b.order(func() engine.Fact {
		if b.state != bridgeOpen {
			return engine.Related{Op: op, Err: ErrClosed}
		}
		wanted := make(map[engine.Edge]bool, len(deaf))
		for _, e := range deaf {
			wanted[e] = true
			if b.denials[e] == nil {
				b.denials[e] = &denial{}
			}
		}
		for e, d := range b.denials {
			switch {
			case wanted[e]:
				d.ends = 0
			case d.ends == 0:
				d.ends = b.number + 1
			}
		}
		b.publish(engine.Related{Op: op})
		return nil
	})
}

// deny writes down in a plan who does not hear whom. The caller holds mu.
func (b *Bridge) deny(p *plan) {
	before := b.solos
	b.solos = nil
	if len(b.denials) == 0 {
		return
	}
	b.solos = map[soloKey]*solo{}
	seats := make(map[engine.MemberID]*seat, len(p.seats)+len(p.leaving))
	for _, list := range [][]seat{p.leaving, p.seats} {
		for i := range list {
			seats[list[i].member] = &list[i]
		}
	}
	alone := map[*Leg]bool{}
	for e, d := range b.denials {
		from, to := seats[e.From], seats[e.To]
		if from == nil || to == nil {
			continue
		}
		w := without{denial: d, on: d.ends == 0, from: from.leg}
		if from.class != to.class {
			if !alone[from.leg] {
				alone[from.leg] = true
				b.single(p, from, before)
			}
			w.solo = b.solos[soloKey{from.leg, to.class.index}]
		}
		to.denied = append(to.denied, w)
	}
	for _, st := range seats {
		if len(st.denied) > 0 {
			st.minus = make([][]int16, 0, len(st.denied)+1) // and his own voice
		}
	}
	p.minus = make([][]int16, 0, len(p.soloists))
}

// single has a talker's voice cross to each other class by itself. Solos of the
// plan before go on.
func (b *Bridge) single(p *plan, from *seat, before map[soloKey]*solo) {
	p.soloists = append(p.soloists, soloist{from.leg, from.class})
	for _, c := range p.classes {
		if c == from.class {
			continue
		}
		k := soloKey{from.leg, c.index}
		x := before[k]
		if x == nil {
			x = &solo{from: from.leg, to: c, resample: codec.NewResampler(from.class.rate, c.rate), pcm: make([]int16, len(c.all))}
		}
		b.solos[k] = x
		p.solos = append(p.solos, x)
	}
}

// allowed drops the denials whose end a plan has brought. The caller holds mu.
func (b *Bridge) allowed(number uint64) {
	for e, d := range b.denials {
		if d.ends != 0 && d.ends <= number {
			delete(b.denials, e)
		}
	}
}

// said is what a leg of this room has put into the mix of its class in this
// tick; nil is nothing.
func (b *Bridge) said(l *Leg) []int16 {
	if l.owner.Load() == b && l.voice.spoke {
		return l.voice.pcm
	}
	return nil
}

// apart lists the voices of a class that do not cross in its sum.
func (b *Bridge) apart(p *plan, c *class) [][]int16 {
	voices := p.minus[:0]
	for _, s := range p.soloists {
		if s.class == c {
			if pcm := b.said(s.leg); pcm != nil {
				voices = append(voices, pcm)
			}
		}
	}
	return voices
}

// carry adds a soloist's voice to another class. After his last frame it goes
// on for one tick, in which the filter rings out.
func (x *solo) carry(b *Bridge, s *scratch) {
	pcm := b.said(x.from)
	spoke := pcm != nil
	if x.sounds = spoke || x.ringing; x.sounds {
		if !spoke {
			pcm = s.out[:len(x.from.voice.pcm)]
			clear(pcm)
		}
		n := x.resample.Process(x.pcm, pcm)
		clear(x.pcm[n:])
		x.to.mix.Add(x.pcm)
	}
	x.ringing = spoke
}

// withhold lists what is to be taken out of what a listener hears.
func (st *seat) withhold(b *Bridge, s *scratch) {
	st.minus = st.minus[:0]
	faded := 0
	for i := range st.denied {
		w := &st.denied[i]
		was := w.was
		w.was = w.on
		pcm := w.voice(b)
		switch {
		case pcm == nil:
		case was == w.on || faded == fades:
			if w.on {
				st.minus = append(st.minus, pcm)
			}
		default:
			f := s.fade[faded][:len(pcm)]
			faded++
			copy(f, pcm)
			ramp(f, was, w.on)
			st.minus = append(st.minus, f)
		}
	}
}

// voice is what the talker has put into the mix that the listener hears.
func (w *without) voice(b *Bridge) []int16 {
	switch {
	case w.solo == nil:
		return b.said(w.from)
	case w.solo.sounds:
		return w.solo.pcm
	default:
		return nil
	}
}
