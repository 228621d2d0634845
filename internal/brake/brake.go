// Package brake slows down who guesses passwords, by where he comes from.
package brake

import (
	"net/netip"
	"sync"
	"time"
)

// After freeGuesses wrong ones, nothing from that source is judged, the right
// password neither, for a while that doubles with each up to longestWait. A
// source that is quiet for forgetAfter begins anew.
const (
	freeGuesses = 3
	firstWait   = 500 * time.Millisecond
	longestWait = 10 * time.Second
	forgetAfter = 5 * time.Minute
	maxSources  = 10_000
)

// Brake counts wrong passwords per source. The zero value is ready. Its methods
// may be called from any goroutine.
type Brake struct {
	mu      sync.Mutex
	sources map[netip.Addr]*guesses // guarded by mu
}

type guesses struct {
	wrong int
	last  time.Time
}

// Wait is how long nothing from a source is to be judged yet.
func (b *Brake) Wait(now time.Time, from netip.Addr) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.sources[from]
	if g == nil || now.Sub(g.last) > forgetAfter || g.wrong < freeGuesses {
		return 0
	}
	wait := min(firstWait<<min(g.wrong-freeGuesses, 10), longestWait)
	return max(0, wait-now.Sub(g.last))
}

// Failed notes a wrong password.
func (b *Brake) Failed(now time.Time, from netip.Addr) {
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

// Passed forgets the wrong ones before a right one.
func (b *Brake) Passed(from netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sources, from)
}

// makeRoom keeps the number of sources bounded. Where none has been quiet for
// long enough, any one is forgotten. The caller holds mu.
func (b *Brake) makeRoom(now time.Time) {
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
		if len(b.sources) < maxSources {
			return
		}
		delete(b.sources, from)
	}
}
