// Package brake slows down who guesses passwords, by where he comes from and
// whose password it is.
package brake

import (
	"net/netip"
	"sync"
	"time"
)

// After freeGuesses wrong ones, nothing for that name from that source is
// judged, the right password neither, for a while that doubles with each up to
// longestWait. Who is quiet for forgetAfter begins anew.
const (
	freeGuesses = 3
	firstWait   = 500 * time.Millisecond
	longestWait = 10 * time.Second
	forgetAfter = 5 * time.Minute
	maxSources  = 10_000
)

// Brake counts wrong passwords. The zero value is ready. Its methods may be
// called from any goroutine.
type Brake struct {
	mu      sync.Mutex
	sources map[source]*guesses // guarded by mu
}

// source is an address, of IPv6 the network of one customer, and a name: who
// logs in by a password of his own makes nobody's guesses at another's free.
type source struct {
	from netip.Addr
	name string
}

type guesses struct {
	wrong int
	last  time.Time
}

// Source is the part of an address that one peer has to himself: of IPv6 its
// /64.
func Source(from netip.Addr) netip.Addr {
	from = from.Unmap().WithZone("")
	if from.Is6() {
		if p, err := from.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return from
}

// Peer is the address of HOST:PORT, as net/http has it of a client. The zero
// address is a source, too.
func Peer(hostport string) netip.Addr {
	at, _ := netip.ParseAddrPort(hostport)
	return at.Addr().Unmap()
}

// Judge takes a password for a name, which may be "", that was compared. Zero
// says that it counts: right lets in, and forgets the wrong ones before it.
// Otherwise it is not judged, whatever it was, and may be brought again after
// that time. Of many at one moment no more count than of one after the other.
// Names that nobody has should be brought as one.
func (b *Brake) Judge(now time.Time, from netip.Addr, name string, right bool) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := source{Source(from), name}
	g := b.sources[key]
	if g != nil && now.Sub(g.last) > forgetAfter {
		g = nil
	}
	if wait := g.wait(now); wait > 0 {
		return wait
	}
	switch {
	case right:
		delete(b.sources, key)
	case g == nil:
		b.makeRoom(now)
		b.sources[key] = &guesses{1, now}
	default:
		g.wrong++
		g.last = now
	}
	return 0
}

// wait is how long nothing is to be judged.
func (g *guesses) wait(now time.Time) time.Duration {
	if g == nil || g.wrong < freeGuesses {
		return 0
	}
	return max(0, min(firstWait<<min(g.wrong-freeGuesses, 10), longestWait)-now.Sub(g.last))
}

// makeRoom keeps the number of sources bounded. Where none has been quiet for
// long enough, any one is forgotten. The caller holds mu.
func (b *Brake) makeRoom(now time.Time) {
	if b.sources == nil {
		b.sources = map[source]*guesses{}
	}
	if len(b.sources) < maxSources {
		return
	}
	for key, g := range b.sources {
		if now.Sub(g.last) > forgetAfter {
			delete(b.sources, key)
		}
	}
	for key := range b.sources {
		if len(b.sources) < maxSources {
			return
		}
		delete(b.sources, key)
	}
}
