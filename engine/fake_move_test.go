package engine

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// mover is a phone whose call a switch has, so that it can be mixed there too.
type mover struct {
	*phone
	home Place

	mmu   sync.Mutex
	at    Place  // guarded by mmu
	on    *stage // guarded by mmu: that has it
	fails int    // guarded by mmu: so many of the next moves do
	slow  bool   // guarded by mmu: moves settle on arrive
	dead  bool   // guarded by mmu: moves settle never
	moves int    // guarded by mmu
	going []func(fail bool)
	twice bool // guarded by mmu: was asked to move before it had
}

func newMover(id string, at, home Place) *mover {
	return &mover{phone: newPhone(id), home: home, at: at}
}

func (p *mover) At() Place {
	p.mmu.Lock()
	defer p.mmu.Unlock()
	return p.at
}

func (p *mover) Home() Place { return p.home }

func (p *mover) Move(op OpID, to Place) {
	p.mmu.Lock()
	p.moves++
	slow := p.slow
	if len(p.going) > 0 {
		p.twice = true
	}
	fail := p.fails > 0
	if fail {
		p.fails--
	}
	done := func(bad bool) {
		if bad || !to.Native() && to != p.home {
			p.sink.Post(Moved{p.id, op, errors.New("no route")})
			return
		}
		p.mmu.Lock()
		p.at = to
		p.mmu.Unlock()
		p.sink.Post(Moved{p.id, op, nil})
	}
	if slow && !p.dead {
		p.going = append(p.going, done)
	}
	p.mmu.Unlock()
	if !slow {
		done(fail)
	}
}

// dies is a call that ends; what it was asked comes true no more.
func (p *mover) dies(why Reason) {
	p.mmu.Lock()
	p.going, p.dead, p.slow = nil, true, true
	p.mmu.Unlock()
	p.sink.Post(LegGone{Leg: p.id, Reason: why})
}

// arrive settles the moves that were held up, and those to come at once.
func (p *mover) arrive(fail bool) {
	p.mmu.Lock()
	going := p.going
	p.going, p.slow = nil, p.dead
	p.mmu.Unlock()
	for _, done := range going {
		done(fail)
	}
}

func (p *mover) dawdle() {
	p.mmu.Lock()
	defer p.mmu.Unlock()
	p.slow = true
}

func (p *mover) fail(n int) {
	p.mmu.Lock()
	defer p.mmu.Unlock()
	p.fails = n
}

// enter and leave are a stage's: a leg is on one at a time, with its audio.
func (p *mover) enter(b *stage) {
	p.mmu.Lock()
	defer p.mmu.Unlock()
	if p.on != nil || p.at != b.at {
		b.t.Errorf("%s, with its audio at %s and on stage %v, was sent to %s", p.id, p.at, p.on != nil, b.at)
	}
	p.on = b
}

func (p *mover) leave(b *stage) {
	p.mmu.Lock()
	defer p.mmu.Unlock()
	if p.on == b {
		p.on = nil
	}
}

// hold makes a stage settle nothing until letGo.
func (b *stage) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slow = true
}

// letGo settles what was held up, and then what comes at once: in their order, as a place
// tells its facts.
func (b *stage) letGo() {
	for {
		b.mu.Lock()
		if len(b.queue) == 0 {
			b.slow = false
			b.mu.Unlock()
			return
		}
		f := b.queue[0]
		b.queue = b.queue[1:]
		b.mu.Unlock()
		b.sink.Post(f)
	}
}

func (b *stage) reject(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = on
}

// ends is a place that dies, its members with it.
func (b *stage) ends() {
	b.mu.Lock()
	for m := range b.states {
		b.drop(m)
	}
	b.refuse, b.dead = true, true
	b.mu.Unlock()
	b.letGo()
	b.sink.Post(BridgeFailed{errors.New("gone")})
}

var (
	pbx1 = Place{Switch: "pbx1"}
	pbx2 = Place{Switch: "pbx2"}
)

// dial lets a call of a switch arrive with its audio at a place.
func (th *theatre) dial(id, room string, at, home Place, vars map[string]string) *mover {
	p := newMover(id, at, home)
	p.sink = th.Arrive(p, Invite{
		Room: room, Variables: vars, Source: id, Dialplan: true, Switch: home.Switch, Kind: "freeswitch",
		Caller: Caller{Number: id},
	})
	p.sink.Post(MediaUp{p.id})
	return p
}

// stageAt is the newest stage at a place; nil: there was none.
func (th *theatre) stageAt(p Place) *stage {
	th.mu.Lock()
	defer th.mu.Unlock()
	for _, b := range slices.Backward(th.every) {
		if b.at == p {
			return b
		}
	}
	return nil
}

// mixer is where a room is mixed.
func (th *theatre) mixer(room RoomName) string {
	th.t.Helper()
	v, err := th.Room(th.t.Context(), room)
	if err != nil {
		th.t.Errorf("room %s: %v", room, err)
	}
	return v.Mixer
}

// agree holds the books together: roster and place of mixing have the same
// members in the same state, and every other place is closed and empty.
func (th *theatre) agree(room RoomName) {
	th.t.Helper()
	synctest.Wait()
	v, err := th.Room(th.t.Context(), room)
	if err != nil {
		v = RoomView{}
	}
	th.mu.Lock()
	every := slices.Clone(th.every)
	th.mu.Unlock()
	if th.panics > 0 {
		th.t.Errorf("%d rooms panicked", th.panics)
	}
	open := 0
	for _, b := range every {
		b.mu.Lock()
		switch {
		case b.closed:
		case b.at.String() != v.Mixer:
			th.t.Errorf("%s is still open; the room is at %q", b.at, v.Mixer)
		default:
			open++
			th.compare(b, v)
		}
		b.mu.Unlock()
	}
	if open != 1 && len(v.Members) > 0 {
		th.t.Errorf("%d open places for %d members", open, len(v.Members))
	}
}

// compare looks at one stage, whose mu the caller holds.
func (th *theatre) compare(b *stage, v RoomView) {
	th.t.Helper()
	if len(b.states) != len(v.Members) {
		th.t.Errorf("%s has %d members, the roster %d", b.at, len(b.states), len(v.Members))
	}
	for _, m := range v.Members {
		s, ok := b.states[m.ID]
		if !ok || s.Muted != m.Muted || s.Deaf != m.Deaf || s.Waiting != (m.State == "waiting") || s.Talk != m.Talk || s.Listen != m.Listen {
			th.t.Errorf("member %d: at %s %+v %v, on the roster %+v", m.ID, b.at, s, ok, m)
		}
	}
}

// relocate asks in the background; the channel has the answer.
func (th *theatre) relocate(room RoomName, to Place) chan relocated {
	answer := make(chan relocated, 1)
	go func() {
		moves, err := th.Relocate(th.t.Context(), room, to)
		answer <- relocated{moves, err}
	}()
	return answer
}

// lines are the changes of the events of a type.
func (th *theatre) lines(what EventType) []string {
	th.mu.Lock()
	defer th.mu.Unlock()
	var all []string
	for _, e := range th.events {
		if e.Type == what {
			all = append(all, e.Changes...)
		}
	}
	return all
}

// switched is a bubble whose rooms are mixed at the first caller's switch.
func switched(t *testing.T, edit func(*Profile), test func(*testing.T, *theatre)) {
	t.Helper()
	bubble(t, func(p *Profile) {
		p.Mixer = MixerSwitch
		if edit != nil {
			edit(p)
		}
	}, test)
}
