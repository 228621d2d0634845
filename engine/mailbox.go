package engine

import (
	"sync"
	"sync/atomic"
)

// mailbox is the way into an owner's goroutine. Putting never waits, so that
// bridges, legs and ticks cannot be held up by a room; what is in it is
// bounded by who puts: a command waits for its answer, facts come at the pace
// of keys and calls.
type mailbox struct {
	wake chan struct{} // capacity 1

	mu     sync.Mutex
	items  []any // guarded by mu
	closed bool  // guarded by mu
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// put adds an item. Once the owner has ended it is dropped, and put says so.
func (b *mailbox) put(item any) bool {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.items = append(b.items, item)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return true
}

// take empties the box.
func (b *mailbox) take() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := b.items
	b.items = nil
	return items
}

// closeIfEmpty closes the box unless something came meanwhile.
func (b *mailbox) closeIfEmpty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.items) == 0 {
		b.closed = true
	}
	return b.closed
}

// close closes the box and returns what nobody will handle.
func (b *mailbox) close() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	items := b.items
	b.items = nil
	return items
}

// line is the engine's end of a leg: its facts go to whoever owns the call,
// first the lobby or a room, then another room. Who owned it hands on what still
// comes to him.
type line struct {
	leg    Leg
	invite Invite // that it came with
	lines  *lines
	gone   chan struct{} // closed when the call is given back
	owner  atomic.Pointer[mailbox]
	coming atomic.Int32 // arrivals that their owner has not seen yet
}

// elsewhere says whether a fact about a call that the owner of box does not have is
// for another owner, or is to be seen after the call's arrival.
func (l *line) elsewhere(box *mailbox) bool { return l.owner.Load() != box || l.coming.Load() > 0 }

// Post implements Sink.
func (l *line) Post(f Fact) {
	for {
		box := l.owner.Load()
		if box.put(legFact{l, f}) || l.owner.Load() == box {
			return
		}
	}
}

// Items of a room's or the lobby's mailbox.
type (
	legFact struct {
		line *line
		fact Fact
	}
	arrival struct {
		line    *line
		invite  Invite
		request request
		mediaUp bool // the lobby, or another room, has talked to the caller already
		ops     OpID // last order of theirs: what settles one is not ours
		typed   []byte
	}
	bridgeFact struct {
		from *venue
		fact Fact
	}
	order struct {
		command Command
		reply   chan error // capacity 1
	}
	relocating struct {
		to    Place
		home  bool           // to is where the members' calls are at home
		reply chan relocated // capacity 1
	}
	viewing struct {
		closely bool          // all that Sound tells
		reply   chan RoomView // capacity 1
	}
	reloading struct {
		directory *Directory
		reply     chan []string // capacity 1
	}
)

// bridgeSink takes the facts of one bridge of a room.
type bridgeSink struct {
	box   *mailbox
	venue *venue
}

func (s bridgeSink) Post(f Fact) { s.box.put(bridgeFact{s.venue, f}) }
