package native

import (
	"parley/codec"
	"parley/engine"
	"parley/mixer"
)

// plan is what a room should be. It is made by the Bridge's methods and never
// changed; what it points to is the tick's, but for what says otherwise.
type plan struct {
	number    uint64
	seats     []seat
	leaving   []seat // were members; they fade for one tick and are let go
	classes   []*class
	crossings []*crossing
	plays     []*play

	turn []*seat // the tick's own: room for those whose turn it is
}

// seat is a member as the tick sees him.
type seat struct {
	member engine.MemberID
	leg    *Leg
	state  engine.MemberState
	class  *class
	code   *code
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
	shared mixer.Limiter // of all
	sum    []int16       // of the voices of this class alone, for the others
	voiced bool          // sum is not silence
	toward mixer.Limiter // of sum
	over   *mixer.Mix    // for a prompt over what one listener hears
}

// code is all encoded for one format, once for everybody who hears it.
type code struct {
	encoder codec.Encoder
	payload []byte
	size    int
	done    uint64 // tick that payload is of
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

// encoded returns what the silent listeners of a class hear in tick n, made
// once per tick and format. lim is the limiter of the one who asks: it goes on
// from there when nobody shared the mix before.
func (c *class) encoded(k *code, n uint64, lim mixer.Limiter) ([]byte, error) {
	if c.done != n {
		if c.done != n-1 {
			c.shared = lim
		}
		c.mix.All(c.all, &c.shared)
		c.done = n
	}
	if k.done != n {
		size, err := k.encoder.Encode(k.payload, c.all)
		if err != nil {
			return nil, err
		}
		k.size, k.done = size, n
	}
	return k.payload[:k.size], nil
}

// cross carries what is said in each class to the others. All sums are taken
// before the first is carried, so that nothing crosses back.
func cross(s *scratch, p *plan) {
	if len(p.crossings) == 0 {
		return
	}
	for _, c := range p.classes {
		if c.voiced = c.mix.Voices() > 0; c.voiced {
			c.mix.All(c.sum, &c.toward)
		} else {
			clear(c.sum)
		}
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
