package native

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/engine"
)

// kind says what a note is about.
type kind uint8

const (
	noteDigit   kind = iota // leg, digit
	notePrompt              // leg, prompt: has ended
	noteTape                // leg, tape: is complete
	noteGone                // leg: no media for too long, or broken
	noteTalking             // bridge, member, on
	noteFloor               // bridge, member
	notePlan                // bridge, number: the plan is in force
	notePlay                // bridge, play: has ended
	noteFailed              // bridge: its tick panicked
	noteStock               // stock: is running out
	noteAsked               // asked: it is so
)

// note is what a tick has to tell. It is small and copied, never allocated.
type note struct {
	kind    kind
	on      bool
	digit   byte
	pressed time.Duration
	member  engine.MemberID
	number  uint64
	leg     *Leg
	bridge  *Bridge
	prompt  *prompt
	tape    *tape
	play    *play
	stock   *stock
	asked   *asked
}

// ring carries notes from any number of ticks to one courier, without a lock.
// It is full rather than slow: who cannot put a note keeps the matter and comes
// again in the next tick, so nothing is lost.
type ring struct {
	cells []cell
	head  atomic.Uint64 // where the next note goes; the producers'
	tail  uint64        // where the next note comes from; the courier's
}

// cell is free for the note of a position when seq is that position, and holds
// it when seq is one more.
type cell struct {
	seq  atomic.Uint64
	note note
}

// newRing makes a ring of a power of two of cells.
func newRing(size int) *ring {
	r := &ring{cells: make([]cell, size)}
	for i := range r.cells {
		r.cells[i].seq.Store(uint64(i))
	}
	return r
}

// put is false when the ring is full.
func (r *ring) put(n *note) bool {
	for {
		at := r.head.Load()
		c := &r.cells[at%uint64(len(r.cells))]
		switch ahead := int64(c.seq.Load() - at); {
		case ahead < 0:
			return false
		case ahead == 0 && r.head.CompareAndSwap(at, at+1):
			c.note = *n
			c.seq.Store(at + 1)
			return true
		}
	}
}

// take is false when there is no note.
func (r *ring) take() (n note, ok bool) {
	c := &r.cells[r.tail%uint64(len(r.cells))]
	if c.seq.Load() != r.tail+1 {
		return note{}, false
	}
	n = c.note
	c.note = note{} // lets the garbage collector have what it points to
	c.seq.Store(r.tail + uint64(len(r.cells)))
	r.tail++
	return n, true
}

// tell hands a note to the courier; false means later. The note is not kept.
func (s *Switch) tell(n note) bool {
	if !s.notes.put(&n) {
		return false
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return true
}

// courier turns notes into facts, in the order they were put.
func (s *Switch) courier() {
	for {
		for n, ok := s.notes.take(); ok; n, ok = s.notes.take() {
			s.deliver(n)
		}
		select {
		case <-s.wake:
		case <-s.quit:
			return
		}
	}
}

func (s *Switch) deliver(n note) {
	switch n.kind {
	case noteDigit:
		n.leg.out.post(engine.Digit{Leg: n.leg.id, Digit: n.digit, Held: n.pressed})
	case notePrompt:
		n.leg.settle(n.prompt, n.prompt.err)
	case noteTape:
		n.leg.taped(n.tape)
	case noteGone:
		n.leg.out.post(engine.LegGone{Leg: n.leg.id, Reason: engine.ReasonMediaLost})
	case noteTalking:
		n.bridge.out.post(engine.Talking{Member: n.member, On: n.on})
	case noteFloor:
		n.bridge.out.post(engine.Floor{Member: n.member})
	case notePlan:
		n.bridge.acknowledged(n.number)
	case notePlay:
		n.bridge.played(n.play)
	case noteFailed:
		n.bridge.failed()
	case noteStock:
		n.stock.fill()
	case noteAsked:
		n.asked.settled()
	}
}

// outlet passes facts to a sink until it is shut: none is posted afterwards.
type outlet struct {
	mu   sync.Mutex  // held over Post, which never blocks, to keep order and end
	sink engine.Sink // guarded by mu
	shut bool        // guarded by mu
}

func (o *outlet) open(s engine.Sink) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sink = s
}

func (o *outlet) post(facts ...engine.Fact) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shut || o.sink == nil {
		return
	}
	for _, f := range facts {
		o.sink.Post(f)
	}
}

func (o *outlet) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut = true
}
