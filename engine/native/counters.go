package native

import (
	"maps"
	"sync"
	"sync/atomic"

	"parley/internal/tick"
)

// Counters are what a Switch has and has done. Packets are those of legs that
// are gone, too.
type Counters struct {
	Legs        int64
	Rooms       int64
	Recordings  int64      // of rooms, that run
	Unrecorded  uint64     // frames of 20 ms that recordings lack: the disk, or the machine, was too slow
	Failed      uint64     // rooms ended by a panic
	Ticks       tick.Stats // run, late, lost
	Load        float64    // share of the clock's time
	Received    uint64     // packets
	Lost        uint64
	Dropped     map[string]uint64 // by reason
	Undecodable uint64            // payloads that were no audio
}

// totals are added to from anywhere.
type totals struct {
	legs, rooms, recordings         atomic.Int64
	failed, undecodable, unrecorded atomic.Uint64
}

// ledger adds up what the ports count. No tick comes near it.
type ledger struct {
	mu   sync.Mutex
	live map[*Leg]Health // guarded by mu: with what of it is in sum
	sum  Health          // guarded by mu

	ended func(Health) // nil = nobody asks
}

func newLedger(ended func(Health)) *ledger {
	return &ledger{ended: ended, live: make(map[*Leg]Health), sum: Health{Dropped: make(map[string]uint64)}}
}

func (g *ledger) open(l *Leg) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live[l] = Health{}
}

// close takes a leg's last figures.
func (g *ledger) close(l *Leg) {
	h := l.health()
	g.mu.Lock()
	seen, ok := g.live[l]
	if ok {
		g.add(h, seen)
		delete(g.live, l)
	}
	g.mu.Unlock()
	if ok && g.ended != nil {
		g.ended(h)
	}
}

// add takes the difference between two states of a port. The caller holds mu.
func (g *ledger) add(now, seen Health) {
	g.sum.Received += now.Received - seen.Received
	g.sum.Lost += now.Lost - seen.Lost
	for why, n := range now.Dropped {
		g.sum.Dropped[why] += n - seen.Dropped[why]
	}
}

// total is the sum over all legs there ever were.
func (g *ledger) total() Health {
	g.mu.Lock()
	defer g.mu.Unlock()
	for l, seen := range g.live {
		now := l.health()
		g.add(now, seen)
		g.live[l] = now
	}
	h := g.sum
	h.Dropped = maps.Clone(g.sum.Dropped)
	return h
}

// Counters reads the counters. It never holds up a tick.
func (s *Switch) Counters() Counters {
	t, h := &s.totals, s.ledger.total()
	return Counters{
		Legs: t.legs.Load(), Rooms: t.rooms.Load(), Recordings: t.recordings.Load(), Unrecorded: t.unrecorded.Load(), Failed: t.failed.Load(),
		Ticks: s.opts.Clock.Stats(), Load: s.opts.Clock.Load(),
		Received: h.Received, Lost: h.Lost, Dropped: h.Dropped, Undecodable: t.undecodable.Load(),
	}
}
