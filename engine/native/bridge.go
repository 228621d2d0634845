package native

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"parley/codec"
	"parley/engine"
	"parley/internal/tick"
)

// Bridge is a room of a Switch; it implements engine.Bridge. Its methods change
// the list of members and publish it as a plan; the tick does the rest.
type Bridge struct {
	sw   *Switch
	room engine.RoomName
	out  outlet
	task *tick.Task
	plan atomic.Pointer[plan] // the newest, until the tick takes it; else nil
	mine ticking

	mu        sync.Mutex
	state     bridgeState             // guarded by mu, as is all that follows
	number    uint64                  // of the last plan
	seats     []seat                  // in the order they were admitted
	leaving   []transfer              // removed, and the tick may have them still
	arriving  []transfer              // admitted, and their own task may run still
	sound     engine.Sound            //
	plays     []*play                 // not yet settled, oldest first
	tapings   []*taping               // whose files are not complete
	pending   []pending               // facts that become true with a plan
	classes   []*class                // every one there ever was, by index
	codes     map[codec.Format]*code  //
	crossings map[[2]int]*crossing    // by index of class, of the last plan
	denials   map[engine.Edge]*denial //
	solos     map[soloKey]*solo       // of the last plan
	running   bool                    // the task is in the clock
}

type bridgeState uint8

const (
	bridgeOpen bridgeState = iota
	bridgeFailed
	bridgeClosed
)

// transfer is a seat that a plan brings or takes away.
type transfer struct {
	seat
	number uint64 // of that plan
}

// pending is a fact that waits for a plan to be in force.
type pending struct {
	number uint64
	fact   engine.Fact
}

// Bridge makes the place of a new room; it is an engine.BridgeFactory. The
// error wraps ErrBusy.
func (s *Switch) Bridge(_ engine.Place, room engine.RoomName, _ engine.InstanceID, sink engine.Sink) (engine.Bridge, error) {
	if err := s.Busy(); err != nil {
		return nil, err
	}
	b := &Bridge{sw: s, room: room, codes: make(map[codec.Format]*code), denials: make(map[engine.Edge]*denial)}
	b.out.open(sink)
	b.task = tick.NewTask(b.run)
	b.mine.plan = &plan{}
	s.totals.rooms.Add(1)
	return b, nil
}

// order changes the room; a fact that it returns is posted at once.
func (b *Bridge) order(change func() engine.Fact) {
	b.mu.Lock()
	f := change()
	b.mu.Unlock()
	if f != nil {
		b.out.post(f)
	}
}

// Admit implements engine.Bridge. The leg is one that embeds a *Leg of this
// switch and is in no room.
func (b *Bridge) Admit(op engine.OpID, m engine.MemberID, leg engine.Leg, st engine.MemberState) {
	b.order(func() engine.Fact {
		if b.state != bridgeOpen {
			return engine.AdmitFailed{Op: op, Member: m, Reason: engine.ReasonNodeBusy}
		}
		v, ok := leg.(interface{ Voice() *Leg })
		if !ok || v.Voice() == nil || v.Voice().sw != b.sw || !v.Voice().room.CompareAndSwap(nil, b) {
			return engine.AdmitFailed{Op: op, Member: m, Reason: engine.ReasonMediaLost}
		}
		b.seat(m, v.Voice(), st)
		b.publish(engine.Joined{Op: op, Member: m})
		return nil
	})
}

// seat enters a leg among the members. The caller holds mu.
func (b *Bridge) seat(m engine.MemberID, l *Leg, st engine.MemberState) {
	s := seat{member: m, leg: l, state: st, class: b.class(l.format.Rate), code: b.code(l.format)}
	if !slices.Contains(b.used(), s.class) {
		b.extendPlays(s.class)
	}
	b.leaving = slices.DeleteFunc(b.leaving, func(o transfer) bool { return o.leg == l })
	b.arriving = append(b.arriving, transfer{s, b.number + 1})
	b.seats = append(b.seats, s)
}

// Set implements engine.Bridge. For one who is no member it settles with Left.
func (b *Bridge) Set(op engine.OpID, m engine.MemberID, st engine.MemberState) {
	b.order(func() engine.Fact {
		i := b.find(m)
		if i < 0 {
			return engine.Left{Op: op, Member: m}
		}
		b.seats[i].state = st
		b.publish(engine.Applied{Op: op, Member: m, State: st})
		return nil
	})
}

// Remove implements engine.Bridge.
func (b *Bridge) Remove(op engine.OpID, m engine.MemberID) {
	b.order(func() engine.Fact {
		i := b.find(m)
		if i < 0 {
			return engine.Left{Op: op, Member: m}
		}
		b.dismiss(b.seats[i])
		b.seats = slices.Delete(b.seats, i, i+1)
		b.publish(engine.Left{Op: op, Member: m})
		return nil
	})
}

// Play implements engine.Bridge. What has no end of its own ends when another
// play is queued behind it, or one beside the others in its place.
func (b *Bridge) Play(op engine.OpID, what engine.Media, to engine.Audience) {
	b.order(func() engine.Fact {
		if b.state != bridgeOpen {
			return engine.Played{Op: op, Err: ErrClosed}
		}
		y := &play{op: op, what: what, except: to.Except, beside: to.Beside}
		classes := b.used()
		if !b.sw.load(func() { y.prepare(b.sw, classes) }) {
			return engine.Played{Op: op, Err: ErrBusy}
		}
		old := b.replaced(y)
		b.plays = append(b.plays, y)
		b.publish()
		return old
	})
}

// replaced takes out what a play replaces, and says so. The caller holds mu.
func (b *Bridge) replaced(y *play) engine.Fact {
	i := slices.IndexFunc(b.plays, func(o *play) bool { return y.beside && o.beside })
	if i < 0 {
		return nil
	}
	old := b.plays[i]
	b.plays = slices.Delete(b.plays, i, i+1)
	return engine.Played{Op: old.op}
}

// StopPlay implements engine.Silencer.
func (b *Bridge) StopPlay() {
	b.mu.Lock()
	var facts []engine.Fact
	for _, beside := range []bool{true, false} { // in the order of a switch
		for _, y := range b.plays {
			if y.beside == beside {
				facts = append(facts, engine.Played{Op: y.op})
			}
		}
	}
	b.plays = nil
	b.publish()
	b.mu.Unlock()
	b.out.post(facts...)
}

// EndPlay implements engine.Ender.
func (b *Bridge) EndPlay(play engine.OpID) {
	if y := b.playOf(play); y != nil {
		b.settle(y, nil)
	}
}

// Levels implements engine.Bridge.
func (b *Bridge) Levels(dst []engine.MemberMedia) []engine.MemberMedia {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.seats {
		dst = append(dst, b.seats[i].leg.media(b.seats[i].member))
	}
	return dst
}

// Disturbances implements engine.Listener.
func (b *Bridge) Disturbances() map[engine.MemberID]engine.Disturbance {
	b.mu.Lock()
	seats := slices.Clone(b.seats)
	b.mu.Unlock()
	all := make(map[engine.MemberID]engine.Disturbance)
	for i := range seats {
		if d := disturbance(seats[i].leg.memory.recall()); d.Kind != "" {
			all[seats[i].member] = d
		}
	}
	return all
}

// Close implements engine.Bridge. The legs live on, in silence.
func (b *Bridge) Close() {
	b.out.close()
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.state
	b.state = bridgeClosed
	if was != bridgeClosed {
		b.sw.totals.rooms.Add(-1)
	}
	if was == bridgeOpen {
		b.empty()
		b.publish()
	}
}

// empty takes everybody and everything out. The caller holds mu.
func (b *Bridge) empty() {
	for _, s := range b.seats {
		b.dismiss(s)
	}
	for _, t := range b.tapings {
		t.to.Stop() // the file is completed; who waits for that is told
	}
	b.seats, b.plays, b.pending, b.tapings = nil, nil, nil, nil
}

// dismiss has a member's leg go back to its own task. The caller holds mu.
func (b *Bridge) dismiss(s seat) {
	s.leg.room.CompareAndSwap(b, nil)
	s.leg.rouse()
	s.state = engine.MemberState{Waiting: true}
	b.leaving = append(b.leaving, transfer{s, b.number + 1})
	b.arriving = slices.DeleteFunc(b.arriving, func(o transfer) bool { return o.leg == s.leg })
}

func (b *Bridge) find(m engine.MemberID) int {
	return slices.IndexFunc(b.seats, func(s seat) bool { return s.member == m })
}

// acknowledged follows a plan that has come into force.
func (b *Bridge) acknowledged(number uint64) {
	b.mu.Lock()
	var facts []engine.Fact
	i := 0
	for ; i < len(b.pending) && b.pending[i].number <= number; i++ {
		facts = append(facts, b.pending[i].fact)
	}
	b.pending = slices.Delete(b.pending, 0, i)
	b.arriving = slices.DeleteFunc(b.arriving, func(a transfer) bool {
		if a.number <= number {
			a.leg.rest()
		}
		return a.number <= number
	})
	b.leaving = slices.DeleteFunc(b.leaving, func(a transfer) bool { return a.number <= number })
	b.allowed(number)
	if number == b.number && len(b.seats) == 0 && len(b.plays) == 0 && b.running {
		b.running = false
		b.sw.opts.Clock.Remove(b.task)
	}
	b.mu.Unlock()
	b.out.post(facts...)
}

// played settles a play that has ended.
func (b *Bridge) played(y *play) { b.settle(y, y.err) }

// settle takes a play out, once.
func (b *Bridge) settle(y *play, err error) {
	b.mu.Lock()
	i := slices.Index(b.plays, y)
	if i >= 0 {
		b.plays = slices.Delete(b.plays, i, i+1)
		b.publish()
	}
	b.mu.Unlock()
	if i >= 0 {
		b.out.post(engine.Played{Op: y.op, Err: err})
	}
}

// failed ends a room whose tick panicked: everything asked is settled, then the
// end itself is told.
func (b *Bridge) failed() {
	b.sw.opts.Log.Error("room panicked", slog.String("room", string(b.room)), slog.Any("panic", b.mine.failure))
	b.sw.totals.failed.Add(1)
	b.mu.Lock()
	facts := unsettled(b.pending, b.plays, b.mine.failure)
	b.empty()
	b.state, b.leaving, b.running = max(b.state, bridgeFailed), nil, false
	b.sw.opts.Clock.Remove(b.task)
	b.mu.Unlock()
	b.out.post(append(facts, engine.BridgeFailed{Err: b.mine.failure})...)
}

// unsettled answers what can no longer come true.
func unsettled(waiting []pending, plays []*play, why error) (facts []engine.Fact) {
	for _, p := range waiting {
		switch f := p.fact.(type) {
		case engine.Joined:
			facts = append(facts, engine.AdmitFailed{Op: f.Op, Member: f.Member, Reason: engine.ReasonMediaLost})
		case engine.Applied:
			facts = append(facts, engine.Left{Op: f.Op, Member: f.Member})
		case engine.Left:
			facts = append(facts, f)
		case engine.Related:
			facts = append(facts, engine.Related{Op: f.Op, Err: why})
		}
	}
	for _, y := range plays {
		facts = append(facts, engine.Played{Op: y.op, Err: why})
	}
	return facts
}
