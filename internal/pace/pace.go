// Package pace spreads what many have to do at the same moment over the next 20 ms. One
// event that 200 clients are to be sent wakes 200 goroutines, and each is a
// system call: a tick that becomes due meanwhile waits behind all of them in the
// runtime's queue, which knows no priorities. Let go a few at a time they are
// never many in that queue, and what comes meanwhile for one who still waits is
// written with the rest.
package pace

import (
	"slices"
	"sync"
	"time"
)

// Gap is the time between two groups that are let go.
const Gap = 2 * time.Millisecond

const (
	groups = 10 // in which all who wait are let go: 20 ms, in which a FreeSWITCH looks once at what a client is to be sent
	few    = 8  // that need not be spread: some 0.1 ms of writing
)

// Pacer lets those who ask go in the order in which they asked: a few at once, and
// in each Gap a tenth of those who wait then. Nobody waits much longer than ten
// gaps, however many there are. The zero value is ready, and all methods may be
// called from any goroutine.
type Pacer struct {
	mu      sync.Mutex
	waiting []*Turn // guarded by mu, as below; who came first is first
	share   int     // who are let go in one gap
	gone    int     // in this gap
	beating bool    // a gap has begun
}

// Turn is one who asks. C says that it may go; its capacity is 1.
type Turn struct {
	C      chan struct{}
	queued bool // guarded by Pacer.mu
}

// NewTurn returns a Turn that has not asked.
func NewTurn() *Turn { return &Turn{C: make(chan struct{}, 1)} }

// Go lets it go now, whoever waits.
func (t *Turn) Go() {
	select {
	case t.C <- struct{}{}:
	default:
	}
}

// Ask has t let go when it is its turn: once, however often it has asked until
// then. Ask does not wait.
func (p *Pacer) Ask(t *Turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.queued || len(t.C) > 0 { // what it was let go for, it has not begun
		return
	}
	t.queued = true
	p.waiting = append(p.waiting, t)
	p.release()
	if !p.beating {
		p.beating = true
		time.AfterFunc(Gap, p.beat)
	}
}

// beat ends a gap, and begins another if this one was of use.
func (p *Pacer) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.beating = p.gone > 0; !p.beating {
		return
	}
	p.gone = 0
	if len(p.waiting) == 0 {
		p.share = 0
	}
	p.share = max(p.share, few, (len(p.waiting)+groups-1)/groups)
	p.release()
	time.AfterFunc(Gap, p.beat)
}

// release lets those go for whom there is room in this gap. The caller holds mu.
func (p *Pacer) release() {
	n := min(max(p.share, few)-p.gone, len(p.waiting))
	for _, t := range p.waiting[:n] {
		t.queued = false
		t.Go()
	}
	p.waiting = slices.Delete(p.waiting, 0, n)
	p.gone += n
}
