package native

import (
	"slices"
	"strconv"

	"parley/codec"
	"parley/engine"
)

// publish makes a plan of how things are and puts it into force; the facts are
// posted when that has come true. The caller holds mu.
func (b *Bridge) publish(facts ...engine.Fact) {
	b.number++
	for _, f := range facts {
		b.pending = append(b.pending, pending{b.number, f})
	}
	p := &plan{
		number:  b.number,
		seats:   slices.Clone(b.seats),
		leaving: make([]seat, 0, len(b.leaving)),
		plays:   slices.Clone(b.plays),
		turn:    make([]*seat, 0, len(b.seats)+len(b.leaving)),
	}
	for _, l := range b.leaving {
		p.leaving = append(p.leaving, l.seat)
	}
	p.classes = b.inUse(p)
	p.crossings = b.cross(p.classes)
	b.plan.Store(p)
	if !b.running {
		b.running = true
		b.sw.opts.Clock.Add(b.task)
	}
}

// inUse lists the classes of everybody in a plan.
func (b *Bridge) inUse(p *plan) (used []*class) {
	for _, seats := range [][]seat{p.seats, p.leaving} {
		for i := range seats {
			if !slices.Contains(used, seats[i].class) {
				used = append(used, seats[i].class)
			}
		}
	}
	return used
}

// used lists the classes of the members.
func (b *Bridge) used() []*class { return b.inUse(&plan{seats: b.seats}) }

// cross connects each two classes both ways. Crossings of the plan before go
// on; others begin with a filter that has heard nothing.
func (b *Bridge) cross(classes []*class) []*crossing {
	kept := make(map[[2]int]*crossing)
	var all []*crossing
	for _, from := range classes {
		for _, to := range classes {
			if from == to {
				continue
			}
			key := [2]int{from.index, to.index}
			x := b.crossings[key]
			if x == nil {
				x = &crossing{from: from, to: to, resample: codec.NewResampler(from.rate, to.rate)}
			}
			kept[key] = x
			all = append(all, x)
		}
	}
	b.crossings = kept
	return all
}

// class finds or makes the mix of a rate.
func (b *Bridge) class(rate codec.Rate) *class {
	for _, c := range b.classes {
		if c.rate == rate {
			return c
		}
	}
	c := newClass(rate, len(b.classes))
	b.classes = append(b.classes, c)
	return c
}

// code finds or makes the shared encoding of a format.
func (b *Bridge) code(f codec.Format) *code {
	key := codeKey{f.Name, f.Rate, f.LittleEndian}
	k := b.codes[key]
	if k == nil {
		k = &code{encoder: f.Encoder(), payload: make([]byte, 2*frame(f.Rate))}
		b.codes[key] = k
	}
	return k
}

// extendPlays has a class that is new among the members hear what is playing.
func (b *Bridge) extendPlays(c *class) {
	for _, y := range b.plays {
		b.sw.load(func() { y.extend(b.sw, c) }) // when busy, these members miss the rest of it
	}
}

// media is the state of a leg's media for the roster.
func (l *Leg) media(m engine.MemberID) engine.MemberMedia {
	h := l.health()
	out := engine.MemberMedia{
		Member: m, Level: l.loudness(), Talking: l.talking.Load(),
		Codec: l.format.Name + "/" + strconv.Itoa(int(l.format.Rate)), Delay: h.Delay,
	}
	if all := h.Received + h.Lost; all > 0 {
		out.Lost = float64(h.Lost) / float64(all)
	}
	return out
}
