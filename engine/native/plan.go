package native

import (
	"slices"

	"parley/codec"
	"parley/engine"
	"parley/mixer"
)

// plan is what a room should be. It is made by the Bridge's methods and never
// changed once the tick has it; what it points to is the tick's, but for what says
// otherwise.
type plan struct {
	number    uint64
	seats     []seat
	leaving   []seat // were members; they fade for one tick and are let go
	classes   []*class
	crossings []*crossing
	plays     []*play
	tapings   []*taping
	sound     engine.Sound
	soloists  []soloist
	solos     []*solo

	turn  []*seat   // the tick's own: room for those whose turn it is
	minus [][]int16 // likewise: for what does not cross
}

// seat is a member as the tick sees him.
type seat struct {
	member engine.MemberID
	leg    *Leg
	state  engine.MemberState
	class  *class
	code   *code
	own    engine.Treatment
	denied []without // whom he does not hear

	minus [][]int16 // the tick's own: what he does not hear, and room for his voice
}

// class is the mix of all members who speak and hear at one rate. Members of
// different classes hear each other through crossings: each class's sum is
// resampled once for each other class, however many talk or listen. So two
// members always hear each other at the lower of their rates, a change of
// rates disturbs nobody, and what a talker has to be rid of is in his own
// class only, sample by sample.
type class struct {
	rate  codec.Rate
	index int // in Bridge.classes and play.reels

	mix    *mixer.Mix    // of this tick
	all    []int16       // the mix as its silent listeners hear it
	done   uint64        // tick that all is of
	loud   float32       // dBov, of all
	shared mixer.Limiter // of all
	sum    []int16       // of the voices of this class alone, for the others
	voiced bool          // sum is not silence
	toward mixer.Limiter // of sum
	noise  codec.Noise   // comfort for its listeners
	dBov   int           // of that
	over   *mixer.Mix    // for a prompt over what one listener hears
	meter  mixer.Meter
}

// crossing brings what is said in one class to another.
type crossing struct {
	from, to *class
	resample *codec.Resampler
	ringing  bool // the last tick put a voice in
}

func newClass(rate codec.Rate, index int) *class {
	n := frame(rate)
	return &class{
		rate: rate, index: index, mix: mixer.New(n), over: mixer.New(n), all: make([]int16, n), sum: make([]int16, n),
	}
}

// carry brings what is said in each class to the others. All sums are taken
// before the first is added, so that nothing crosses back.
func (b *Bridge) carry(s *scratch, p *plan) {
	if len(p.crossings) == 0 {
		return
	}
	for _, c := range p.classes {
		apart := b.apart(p, c)
		if c.voiced = c.mix.Voices() > len(apart); c.voiced {
			c.mix.Less(c.sum, apart, &c.toward)
		} else {
			clear(c.sum)
		}
	}
	for _, x := range p.solos {
		x.carry(b, s)
	}
	for _, x := range p.crossings {
		x.carry(s)
	}
}

// carry adds one class's sum to another. After the last voice it goes on for
// one tick, in which the filter rings out.
func (x *crossing) carry(s *scratch) {
	if x.from.voiced || x.ringing {
		n := x.resample.Process(s.out[:len(x.to.all)], x.from.sum)
		x.to.mix.Add(s.out[:n])
	}
	x.ringing = x.from.voiced
}

// publish makes a plan of how things are and puts it into force; the facts are
// posted when that has come true. A plan that the tick has not taken is made anew
// in its place: where many come or go between two ticks, one plan has room for
// all. The caller holds mu.
func (b *Bridge) publish(facts ...engine.Fact) {
	b.number++
	for _, f := range facts {
		b.pending = append(b.pending, pending{b.number, f})
	}
	p := b.plan.Swap(nil)
	if p == nil {
		p = new(plan)
	}
	p.fill(b)
	p.classes = b.inUse(p)
	p.crossings = b.cross(p.classes)
	b.deny(p)
	b.plan.Store(p)
	if !b.running {
		b.running = true
		b.sw.opts.Clock.Add(b.task)
	}
}

// fill writes down who and what is there, in the memory that the plan has. Nobody
// else may have seen it.
func (p *plan) fill(b *Bridge) {
	seats, leaving, turn := p.seats, p.leaving, p.turn
	clear(seats) // whoever has gone since must not stay behind their new ends
	clear(leaving)
	*p = plan{
		number:  b.number,
		seats:   append(slices.Grow(seats[:0], len(b.seats)), b.seats...),
		leaving: slices.Grow(leaving[:0], len(b.leaving)),
		plays:   slices.Clone(b.plays),
		tapings: slices.Clone(b.tapings),
		sound:   b.sound,
		turn:    slices.Grow(turn[:0], len(b.seats)+len(b.leaving)),
	}
	for _, l := range b.leaving {
		p.leaving = append(p.leaving, l.seat)
	}
}

// inUse lists the classes of everybody and everything in a plan.
func (b *Bridge) inUse(p *plan) (used []*class) {
	for _, seats := range [][]seat{p.seats, p.leaving} {
		for i := range seats {
			if !slices.Contains(used, seats[i].class) {
				used = append(used, seats[i].class)
			}
		}
	}
	for _, t := range p.tapings {
		if t.class != nil && !slices.Contains(used, t.class) {
			used = append(used, t.class)
		}
	}
	return used
}

// used lists the classes of the members and the recordings.
func (b *Bridge) used() []*class { return b.inUse(&plan{seats: b.seats, tapings: b.tapings}) }

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
	f.Payload = 0 // is the port's affair
	k := b.codes[f]
	if k == nil {
		k = newCode(f)
		b.codes[f] = k
	}
	return k
}

// extendPlays has a class that is new among the members hear what is playing.
func (b *Bridge) extendPlays(c *class) {
	for _, y := range b.plays {
		b.sw.load(func() { y.extend(b.sw, c) }) // when busy, these members miss the rest of it
	}
}
