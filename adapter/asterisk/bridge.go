package asterisk

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"parley/ari/audiosocket"
	"parley/engine"
)

var errClosed = errors.New("asterisk: the room is closed")

// Bridge is a room in a mixing bridge of the switch; it implements
// engine.Bridge. What it is asked about a member is done by that call's own
// goroutine; what it plays is said by a channel of its own in the bridge.
type Bridge struct {
	link *Link
	room string
	sink engine.Sink

	mu      sync.Mutex
	closed  bool                        // guarded by mu, as all below
	home    *home                       // the bridge at the switch
	members map[engine.MemberID]*member // those who are in it, or on the way
	plays   []*play                     // the first is being played
	tapes   map[engine.OpID]*tape       // recordings that have not ended
	refused bool                        // a gain was, and that has been told
	floor   engine.MemberID             // who began to talk when nobody else did; 0 = nobody
}

// home is one bridge at the switch. A room gets another if somebody else
// destroys it.
type home struct {
	id    string
	made  chan struct{} // closed when the switch has made it, or would not
	err   error         // read after made
	crier *crier
}

// Bridge makes the place of a room at this switch.
func (l *Link) Bridge(room engine.RoomName, sink engine.Sink) (engine.Bridge, error) {
	if err := l.opt.Switch.Busy(); err != nil {
		return nil, err
	}
	if _, up, text := l.Check(); !up {
		return nil, fmt.Errorf("asterisk: %s", text)
	}
	b := &Bridge{link: l, room: string(room), sink: sink, members: map[engine.MemberID]*member{}, tapes: map[engine.OpID]*tape{}}
	b.build()
	return b, nil
}

// build begins to make a bridge at the switch.
func (b *Bridge) build() {
	h := &home{id: b.link.roomPrefix() + audiosocket.NewUUID().String(), made: make(chan struct{})}
	h.crier = newCrier(b)
	b.mu.Lock()
	b.home = h
	b.mu.Unlock()
	b.link.host(h, b)
	b.link.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), mediaTime)
		defer cancel()
		h.err = b.link.client.CreateBridge(ctx, h.id, b.room)
		close(h.made)
		if h.err == nil {
			h.crier.err = h.crier.come(ctx, h.id)
		}
		close(h.crier.there)
		if err := errors.Join(h.err, h.crier.err); err != nil && !errors.Is(err, errLeft) {
			b.link.log.Warn("asterisk: room not made as it should be", "room", b.room, "error", err)
		}
		h.crier.serve()
		h.remove()
		b.link.unhost(h)
	})
}

// remove takes down what was made for a bridge.
func (h *home) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), giveBack)
	defer cancel()
	h.crier.close(ctx)
	if h.err == nil {
		if err := h.crier.link.client.DestroyBridge(ctx, h.id); err != nil && !isAway(err) {
			h.crier.link.log.Debug("asterisk: not removed", "bridge", h.id, "error", err)
		}
	}
}

// made waits until the switch has the bridge.
func (b *Bridge) made(ctx context.Context) (id string, err error) {
	b.mu.Lock()
	h, closed := b.home, b.closed
	b.mu.Unlock()
	if closed {
		return "", errClosed
	}
	select {
	case <-h.made:
		return h.id, h.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// renewed says whether a member lost his bridge because all of it is gone.
func (b *Bridge) renewed(c *call) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.closed && c.inside != b.home.id
}

// destroyed makes a new bridge for a room whose bridge is gone.
func (l *Link) destroyed(id string) {
	b := l.room(id)
	if b == nil || !b.lives(id) {
		return
	}
	l.log.Warn("asterisk: somebody destroyed the bridge of a room; it gets another", "room", b.room)
	b.mu.Lock()
	old := b.home
	b.mu.Unlock()
	b.build()
	old.crier.dismiss()
}

// lives says whether a bridge is the room's own, now.
func (b *Bridge) lives(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.closed && b.home.id == id
}

// stood says whether the switch has made that bridge: it is not merely on the
// way.
func (b *Bridge) stood(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.home.made:
		return b.home.id == id && b.home.err == nil
	default:
		return false
	}
}

func (b *Bridge) post(f engine.Fact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.sink.Post(f)
	}
}

// Admit implements engine.Bridge. The leg is one of this switch.
func (b *Bridge) Admit(op engine.OpID, id engine.MemberID, l engine.Leg, s engine.MemberState) {
	one, ok := l.(*leg)
	if !ok || one.link != b.link {
		b.post(engine.AdmitFailed{Op: op, Member: id, Reason: engine.ReasonMediaLost})
		return
	}
	m := &member{bridge: b, call: one.call, id: id, state: b.possible(s), asked: s}
	b.mu.Lock()
	b.members[id] = m
	b.mu.Unlock()
	one.tasks.Put(func() { one.join(m, op) })
}

// Set implements engine.Bridge. What the switch cannot do stays as it is, and
// that is what the fact says.
func (b *Bridge) Set(op engine.OpID, id engine.MemberID, s engine.MemberState) {
	b.ask(op, id, func(c *call) { c.change(b, op, id, s) })
}

// Remove implements engine.Bridge.
func (b *Bridge) Remove(op engine.OpID, id engine.MemberID) {
	b.ask(op, id, func(c *call) { c.leave(b, op, id) })
}

// ask has a member's call do something; who is no member has left.
func (b *Bridge) ask(op engine.OpID, id engine.MemberID, do func(*call)) {
	if c := b.find(id); c != nil {
		c.tasks.Put(func() { do(c) })
		return
	}
	b.post(engine.Left{Op: op, Member: id})
}

// possible is what the switch can do of a state: its bridges have no gains.
func (b *Bridge) possible(s engine.MemberState) engine.MemberState {
	if s.Talk == 0 && s.Listen == 0 {
		return s
	}
	b.mu.Lock()
	told := b.refused
	b.refused = true
	b.mu.Unlock()
	if !told {
		b.link.log.Warn("asterisk: a bridge of the switch has no gain per member: it stays 0 dB. "+
			"mixer: native has one. [no_gain]", "room", b.room)
	}
	s.Talk, s.Listen = 0, 0
	return s
}

func (b *Bridge) find(id engine.MemberID) *call {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.members[id]; m != nil {
		return m.call
	}
	return nil
}

func (b *Bridge) forget(m *member) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.members[m.id] == m {
		delete(b.members, m.id)
	}
}

// Reach implements engine.Reacher: what is done at the switch is told by its
// events, which do not come while the connection is down.
func (b *Bridge) Reach(op engine.OpID) {
	var err error
	if name, up, text := b.link.Check(); !up {
		err = fmt.Errorf("%w: %s: %s", engine.ErrAway, name, text)
	}
	b.post(engine.Reached{Op: op, Err: err})
}

// floorAfter follows who has begun or stopped to talk. How loud anybody is the
// switch does not tell: the floor stays with who has it until he stops.
func (b *Bridge) floorAfter(m *member) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.floor
	switch h := b.members[old]; {
	case h != nil && h.talking.Load():
	case m.talking.Load():
		b.floor = m.id
	default:
		b.floor = 0
		for id, o := range b.members { // the oldest of those who talk
			if o.talking.Load() && (b.floor == 0 || id < b.floor) {
				b.floor = id
			}
		}
	}
	if b.floor != old && !b.closed {
		b.sink.Post(engine.Floor{Member: b.floor})
	}
}

// Levels implements engine.Bridge. The switch tells who talks, but not how loud.
func (b *Bridge) Levels(dst []engine.MemberMedia) []engine.MemberMedia {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, m := range b.members {
		dst = append(dst, engine.MemberMedia{Member: id, Unseen: true, Talking: m.talking.Load(), Codec: m.call.sound.Load().codec()})
	}
	return dst
}

// Close implements engine.Bridge. Who is in it hears nobody from now on.
func (b *Bridge) Close() {
	b.mu.Lock()
	was := b.closed
	b.closed = true
	members := b.members
	b.members = map[engine.MemberID]*member{}
	h := b.home
	b.mu.Unlock()
	if was {
		return
	}
	for _, m := range members {
		m.call.tasks.Put(func() {
			if m.call.member == m {
				m.call.quit()
				m.call.warn("not taken out of a room that is over", m.call.settle(outTime))
			}
		})
	}
	h.crier.dismiss()
}

// host notes a bridge at the switch, so that a comparison knows it.
func (l *Link) host(h *home, b *Bridge) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rooms[h.id] = b
	l.byMedia[h.crier.mediaID] = &h.crier.media
}

func (l *Link) unhost(h *home) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.rooms, h.id)
	delete(l.byMedia, h.crier.mediaID)
}
