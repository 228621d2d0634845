package eventsocket

import (
	"net/netip"
	"sync"
	"time"
)

// How wrong passwords are slowed down: after freeGuesses, each attempt of that
// source, a right one too, is judged only after a while that doubles up to
// longestWait. A source that is quiet for forgetAfter begins anew.
const (
	freeGuesses = 3
	firstWait   = 500 * time.Millisecond
	longestWait = 10 * time.Second
	forgetAfter = 5 * time.Minute
	maxSources  = 10_000
)

// brake counts wrong passwords per source.
type brake struct {
	mu      sync.Mutex
	sources map[netip.Addr]*guesses // guarded by mu
}

type guesses struct {
	wrong int
	last  time.Time
}

// wait is how long an attempt of a source is to be held back.
func (b *brake) wait(now time.Time, from netip.Addr) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.sources[from]
	if g == nil || now.Sub(g.last) > forgetAfter || g.wrong < freeGuesses {
		return 0
	}
	return min(firstWait<<min(g.wrong-freeGuesses, 10), longestWait)
}

// failed notes a wrong password; passed forgets those before a right one.
func (b *brake) failed(now time.Time, from netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.sources[from]
	if g == nil || now.Sub(g.last) > forgetAfter {
		b.makeRoom(now)
		g = &guesses{}
		b.sources[from] = g
	}
	g.wrong++
	g.last = now
}

func (b *brake) passed(from netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sources, from)
}

// makeRoom keeps the number of sources bounded. Where few have been quiet for
// long enough, any half is forgotten. The caller holds mu.
func (b *brake) makeRoom(now time.Time) {
	if b.sources == nil {
		b.sources = map[netip.Addr]*guesses{}
	}
	if len(b.sources) < maxSources {
		return
	}
	for from, g := range b.sources {
		if now.Sub(g.last) > forgetAfter {
			delete(b.sources, from)
		}
	}
	for from := range b.sources {
		if len(b.sources) <= maxSources/2 {
			return
		}
		delete(b.sources, from)
	}
}
