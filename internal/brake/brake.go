// Package brake slows down who guesses passwords, by where he comes from and
// whose password it is.
package brake

import (
	"context"
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// After freeGuesses wrong ones, nothing for that name from that source is
// judged, the right password neither, for a while that doubles with each up to
// longestWait, or to neighbourWait where the right one has come from within
// knownFor: who guesses beside somebody who may should not keep him out. Who is
// quiet for forgetAfter begins anew.
const (
	freeGuesses   = 3
	firstWait     = 500 * time.Millisecond
	longestWait   = 10 * time.Second
	neighbourWait = 250 * time.Millisecond
	forgetAfter   = 5 * time.Minute
	knownFor      = 24 * time.Hour
	maxSources    = 10_000
	remembered    = 8 // wrong passwords
)

// Brake counts wrong passwords. The zero value is ready. Its methods may be
// called from any goroutine.
type Brake struct {
	mu      sync.Mutex
	seed    maphash.Seed        // guarded by mu, as below; made with sources
	sources map[source]*guesses // nil: nobody has come
}

// source is an address, of IPv6 the network of one customer, and a name: who
// logs in by a password of his own makes nobody's guesses at another's free.
type source struct {
	from netip.Addr
	name string
}

type guesses struct {
	turn  chan struct{} // held by the first of those who wait; the others wait for it in the order in which they came
	wrong int
	last  time.Time          // wrong one
	right time.Time          // when the right one last came
	heard [remembered]uint64 // digests of the wrong ones, the last first
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

// Judge takes what was given for a name, which may be "", that was compared. Zero
// says that it counts: right lets in, and forgets the wrong ones before it.
// Otherwise it is not judged, whatever it was, and may be brought again after
// that time. Of many at one moment no more count than of one after the other. A
// wrong one that has just been told so is no new guess: a program with an old
// password, that tries and tries, keeps nobody else waiting. Names that nobody
// has should be brought as one.
func (b *Brake) Judge(now time.Time, from netip.Addr, name, given string, right bool) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	g, digest := b.of(now, from, name, given)
	if !right && slices.Contains(g.heard[:], digest) {
		return 0
	}
	if now.Sub(g.last) > forgetAfter {
		g.wrong = 0
	}
	if wait := g.wait(now); wait > 0 {
		return wait
	}
	if right {
		g.wrong, g.right = 0, now
		return 0
	}
	g.wrong++
	g.last = now
	copy(g.heard[1:], g.heard[:])
	g.heard[0] = digest
	return 0
}

// Await is Judge for who can wait until ctx ends: it judges in the order in which
// they came, so that whoever is in the line has his turn, however fast others come
// again. It returns 0 where the password counts.
func (b *Brake) Await(ctx context.Context, from netip.Addr, name, given string, right bool) time.Duration {
	b.mu.Lock()
	g, digest := b.of(time.Now(), from, name, given)
	old := !right && slices.Contains(g.heard[:], digest)
	b.mu.Unlock()
	if old {
		return 0
	}
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return firstWait
	}
	for {
		wait := b.Judge(time.Now(), from, name, given, right)
		if wait == 0 {
			return 0
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return wait
		}
	}
}

// of finds what is known of a source, and the digest of what it gave. The caller
// holds mu.
func (b *Brake) of(now time.Time, from netip.Addr, name, given string) (*guesses, uint64) {
	if b.sources == nil {
		b.sources, b.seed = map[source]*guesses{}, maphash.MakeSeed()
	}
	key := source{Source(from), name}
	g := b.sources[key]
	if g == nil {
		b.makeRoom(now)
		g = &guesses{turn: make(chan struct{}, 1)}
		b.sources[key] = g
	}
	return g, maphash.String(b.seed, given)
}

// wait is how long nothing is to be judged.
func (g *guesses) wait(now time.Time) time.Duration {
	if g.wrong < freeGuesses {
		return 0
	}
	longest := longestWait
	if now.Sub(g.right) < knownFor {
		longest = neighbourWait
	}
	return max(0, min(firstWait<<min(g.wrong-freeGuesses, 10), longest)-now.Sub(g.last))
}

// makeRoom keeps the number of sources bounded. Where none has been quiet for
// long enough, any one is forgotten. The caller holds mu.
func (b *Brake) makeRoom(now time.Time) {
	if len(b.sources) < maxSources {
		return
	}
	for key, g := range b.sources {
		if now.Sub(g.last) > forgetAfter && now.Sub(g.right) > forgetAfter {
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
