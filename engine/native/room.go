package native

import (
	"fmt"
	"runtime/debug"

	"parley/engine"
	"parley/mixer"
)

// ticking is what the tick of a room keeps for itself.
type ticking struct {
	plan    *plan  // that is in force
	settled uint64 // plan that everybody has been taken in and let go by
	acked   uint64 // plan that the courier has been told of
	failure error  // it panicked, and runs no more
	told    bool   // of the failure
	credits credits
	floor   floor
}

// run is the room's task.
func (b *Bridge) run(worker int, now int64, n uint64) {
	defer b.guard()
	if b.mine.failure != nil {
		b.confess()
		return
	}
	b.sw.now.Store(now)
	defer b.sw.scratch[worker].flush() // also after a panic
	b.tick(&b.sw.scratch[worker], now, n)
}

// guard keeps a panic to the room it happened in. Its legs are let go.
func (b *Bridge) guard() {
	r := recover()
	if r == nil {
		return
	}
	b.mine.failure = fmt.Errorf("native: room %s: %v\n%s", b.room, r, debug.Stack())
	p := b.mine.plan
	for _, seats := range [][]seat{p.seats, p.leaving} {
		for i := range seats {
			seats[i].leg.owner.CompareAndSwap(b, nil)
		}
	}
	b.confess()
}

func (b *Bridge) confess() {
	if !b.mine.told {
		b.mine.told = b.sw.tell(note{kind: noteFailed, bridge: b})
	}
}

// tick does one frame of the room: everybody's voice into the mixes, then
// everybody's mix out. A plan that is new is in force when all its members
// have come and those it takes away are gone.
func (b *Bridge) tick(s *scratch, now int64, n uint64) {
	if b.plan.Load() != nil {
		b.renew()
	}
	p := b.mine.plan
	fresh := p.number != b.mine.settled
	turn, whole := b.gather(p, fresh)
	for _, c := range p.classes {
		c.mix.Reset()
	}
	k := 0
	for _, st := range turn {
		if st.leg.begin(s, now, n) { // else its own task has done this tick
			st.talk(st.own.Of(p.sound))
			turn[k] = st
			k++
		}
	}
	turn = turn[:k]
	b.carry(s, p)
	if p.sound.Noise != 0 && !p.sound.Transparent {
		for _, c := range p.classes {
			c.murmur(s, p.sound.Noise)
		}
	}
	b.listen(s, p, turn, n)
	p.tape(s, turn, n)
	s.flush() // before any leg is somebody else's
	b.end(p, turn, now)
	b.inForce(p, fresh, whole)
}

// end ends the tick of those who had one, and says whose the floor is.
func (b *Bridge) end(p *plan, turn []*seat, now int64) {
	b.mine.floor.begin()
	for _, st := range turn {
		b.report(st, p.number)
		st.hear(&b.mine.floor)
		if st.leg.voice.live {
			st.leg.end(now)
		}
	}
	b.tellFloor(p.number)
}

// inForce tells that a plan is in force once all it names are here.
func (b *Bridge) inForce(p *plan, fresh, whole bool) {
	if fresh {
		b.release(p)
	}
	if fresh && whole {
		b.mine.settled = p.number
	}
	if b.mine.acked < b.mine.settled && b.sw.tell(note{kind: notePlan, bridge: b, number: b.mine.settled}) {
		b.mine.acked = b.mine.settled
	}
}

// renew makes the newest plan the one in force, unless it is being made anew.
func (b *Bridge) renew() {
	if p := b.plan.Swap(nil); p != nil {
		b.mine.plan = p
	}
}

// gather lists the seats whose legs this room ticks. Of a new plan it takes the
// legs in; one that is just in its own tick comes with the next one, and so
// does the plan.
func (b *Bridge) gather(p *plan, fresh bool) (turn []*seat, whole bool) {
	turn, whole = p.turn[:0], true
	for i := range p.seats {
		if st := &p.seats[i]; !fresh || b.adopt(st.leg) {
			turn = append(turn, st)
		} else {
			whole = false
		}
	}
	for i := range p.leaving {
		if st := &p.leaving[i]; fresh && st.leg.owner.Load() == b {
			turn = append(turn, st)
		}
	}
	return turn, whole
}

// adopt makes the room a leg's owner; false when somebody else still is.
func (b *Bridge) adopt(l *Leg) bool {
	if l.owner.Load() == b {
		return true
	}
	if !l.owner.CompareAndSwap(nil, b) {
		return false
	}
	l.voice.enter()
	l.gated.Store(false)
	return true
}

// release gives legs that have left back to their own tasks.
func (b *Bridge) release(p *plan) {
	for i := range p.leaving {
		p.leaving[i].leg.owner.CompareAndSwap(b, nil)
	}
}

// listen gives everybody what he hears. Whom the play in the room is not for
// comes first, before it is in the mix.
func (b *Bridge) listen(s *scratch, p *plan, turn []*seat, n uint64) {
	b.beside(s, p)
	y, last := b.current(p)
	if y != nil {
		for _, st := range turn {
			if st.member == y.except {
				st.listen(b, s, p, n, true)
			}
		}
		y.sound(b, s, p, last)
		b.over(y)
		b.wait(p, y)
	}
	for _, st := range turn {
		if y == nil || st.member != y.except {
			st.listen(b, s, p, n, false)
		}
	}
}

// report tells when a member begins or stops to talk, once he is known to be one.
func (b *Bridge) report(st *seat, number uint64) {
	v := &st.leg.voice
	if on := v.mouth && st.leg.talking.Load(); on != v.told && b.mine.acked == number &&
		b.sw.tell(note{kind: noteTalking, bridge: b, member: st.member, on: on}) {
		v.told = on
	}
}

// enter makes a voice ready for a room: nothing of an earlier one is left.
func (v *voice) enter() {
	v.mouth, v.ear, v.shared, v.told = false, false, false, false
	v.ssrc, v.named = 0, v.alias
	v.trust.apart = false
	v.alike = 0
	v.talk, v.listen, v.talkDB, v.listenDB = mixer.Gain{}, mixer.Gain{}, 0, 0
	v.limiter, v.over = mixer.Limiter{}, mixer.Limiter{}
	v.shut = 0
	v.gate, v.open, v.exact, v.before.n, v.ceiling = mixer.Gate{}, false, false, 0, mixer.Ceiling{}
	v.leveller, v.evener, v.evenDB = mixer.Leveller{}, mixer.Gain{}, 0
	v.bid = bid{}
}

// talk puts what a member says into the mix of his class. Where he begins or
// stops to be heard his voice is faded over one frame.
func (st *seat) talk(sound engine.Sound) {
	v := &st.leg.voice
	v.trust.gated = !gateOptions(sound).Off
	v.snooped.muted = st.state.Muted
	heard := v.live && !v.held && (!v.dry || v.snooped.in || sound.Gate == engine.GateOff) && !st.state.Muted && !st.state.Waiting
	heard = heard && v.ceiling.Pass(ceilingOptions(st.own.Ceiling), v.said)
	if st.state.Talk != v.talkDB {
		v.talkDB = st.state.Talk
		v.talk.Set(float64(v.talkDB))
	}
	passes := v.passes(sound, heard && v.mouth)
	v.trust.judge(v.open || st.state.Waiting) // who waits may be recorded as he is
	if passes && (heard || v.mouth) {
		ramp(v.pcm, v.mouth, heard)
		v.even(sound)
		v.talk.Apply(v.pcm)
		st.class.mix.Add(v.pcm)
		v.spoke = true
	}
	v.mouth = heard
	st.leg.gating()
}

// listen sends a member what he hears: the mix that all silent listeners of his
// class share, or one of his own. apart is one whom the play in the room is not
// for.
func (st *seat) listen(b *Bridge, s *scratch, p *plan, n uint64, apart bool) {
	l := st.leg
	v := &l.voice
	if !v.live {
		return
	}
	st.withhold(b, s)
	hears := !v.held && !st.state.Deaf && !st.state.Waiting
	if l.crediter != nil {
		st.credit(b, p, hears, n)
	}
	common := hears && !apart && st.common()
	switch v.alike++; {
	case !common:
		v.alike = 0
	case !v.ear:
		v.alike = settling // nothing that he hears will change
	}
	if common && (v.ear || v.encoder == nil) {
		if payload := st.share(n); payload != nil {
			l.send(payload, n)
			l.memory.put(v.said, st.class.loud, v.turns)
			l.overheard(st.class.all)
			return
		}
	}
	if l.rests(v.ear || v.snooped.out || hears && (!common || v.encoder != nil)) {
		l.still(s, n)
		l.memory.put(v.said, silence, v.turns)
		return
	}
	if !l.equip() {
		st.makeDo(n, hears && !apart)
		return
	}
	st.personal(s, n, hears)
}

// personal sends a member a mix of his own, and over it what he alone is played, or
// is whispered.
func (st *seat) personal(s *scratch, n uint64, hears bool) {
	l := st.leg
	v := &l.voice
	out := s.out[:len(v.pcm)]
	st.mix(out, hears)
	l.memory.put(v.said, st.class.meter.Level(out), v.turns)
	if prompt := s.prompt[:len(v.pcm)]; l.prompting(prompt) {
		over := st.class.over
		over.Reset()
		over.Add(out)
		over.Add(prompt)
		over.All(out, &v.over)
	}
	l.overheard(out)
	l.whispered(out)
	l.say(s, out, n)
}

// common says whether nothing tells a listener apart from the others.
func (st *seat) common() bool {
	v := &st.leg.voice
	return !v.spoke && !v.snooped.out && st.state.Listen == 0 && v.listenDB == 0 &&
		v.playing == nil && st.leg.prompt.Load() == nil && len(st.minus) == 0
}

// mix makes a listener's own mix: without his voice and those he is kept from,
// at his volume. Where he
// begins or stops to hear it is faded over one frame.
func (st *seat) mix(out []int16, hears bool) {
	v := &st.leg.voice
	if !hears && !v.ear {
		clear(out)
		return
	}
	if v.shared {
		v.limiter = st.class.shared // go on from what he heard so far
	}
	switch {
	case len(st.minus) > 0 && v.spoke:
		st.class.mix.Less(out, append(st.minus, v.pcm), &v.limiter)
	case len(st.minus) > 0:
		st.class.mix.Less(out, st.minus, &v.limiter)
	case v.spoke:
		st.class.mix.MinusOne(out, v.pcm, &v.limiter)
	default:
		st.class.mix.All(out, &v.limiter)
	}
	ramp(out, v.ear, hears)
	v.ear = hears
	if st.state.Listen != v.listenDB {
		v.listenDB = st.state.Listen
		v.listen.Set(float64(v.listenDB))
	}
	v.listen.Apply(out)
}
