// Package door says who may stay of those that connect to a server, so that nobody
// without a password can keep out who has one.
package door

import (
	"context"
	"net/netip"
	"sync"

	"parley/internal/brake"
)

// Limits are how many connections there may be. Where one is reached the guest
// makes room who has been quiet for longest, and if there is no guest, nobody.
type Limits struct {
	All       int // at once
	PerSource int // of these from one brake.Source
	Guests    int // of these that have shown no password
}

// Door counts the connections of a server. Its methods, and those of Visitor, may
// be called from any goroutine, and wait for nobody.
type Door struct {
	limits Limits

	mu       sync.Mutex
	visitors map[*Visitor]bool // guarded by mu, as all below and what changes in a Visitor
	sources  map[netip.Addr]*source
	last     uint64 // of the numbers given
}

// source is what one address has open.
type source struct{ all, guests int }

// standing is what a visitor is to others who come.
type standing uint8

const (
	quiet  standing = iota
	asking          // what it has asked for is being done
	inLine          // it has given a password, and waits for its turn: for others of its address it stays
	known           // it has given the right one: it stays
)

// Visitor is one connection. The methods of nil, which is none, do nothing.
type Visitor struct {
	door *Door
	from netip.Addr
	out  func()

	is     standing
	number uint64 // the greater, the later it came, or has been served
}

// New returns a Door through which nobody has come.
func New(l Limits) *Door {
	return &Door{limits: l, visitors: map[*Visitor]bool{}, sources: map[netip.Addr]*source{}}
}

// Admit counts a connection, until Leave. Where it is one too many it calls out of
// another, which is counted no more, or returns nil if there is none to make room.
func (d *Door) Admit(from netip.Addr, out func()) *Visitor {
	v := &Visitor{door: d, from: brake.Source(from), out: out}
	oldest, ok := d.admit(v)
	if oldest != nil {
		oldest.out()
	}
	if !ok {
		return nil
	}
	return v
}

func (d *Door) admit(v *Visitor) (oldest *Visitor, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := d.sources[v.from]
	if from == nil {
		from = &source{}
	}
	crowd := from.all >= d.limits.PerSource || from.guests >= d.limits.Guests
	if crowd || len(d.visitors) >= d.limits.All {
		if oldest = d.oldest(v.from, crowd); oldest == nil {
			return nil, false
		}
		d.forget(oldest)
	}
	d.visitors[v], d.sources[v.from] = true, from
	v.renew()
	from.all++
	from.guests++
	return oldest, true
}

// oldest is the guest to make room: one of the same source, or any. It is a quiet
// one, unless more are asking: else those who ask for what takes long would leave
// who has just come no time to ask. The caller holds mu.
func (d *Door) oldest(from netip.Addr, only bool) *Visitor {
	var first [known]*Visitor
	var n [known]int
	for v := range d.visitors {
		if v.is == known || only && (v.from != from || v.is == inLine) {
			continue
		}
		n[v.is]++
		if f := first[v.is]; f == nil || v.number < f.number {
			first[v.is] = v
		}
	}
	switch {
	case n[asking] > n[quiet]:
		return first[asking]
	case n[quiet] > 0:
		return first[quiet]
	default:
		return first[inLine]
	}
}

// renew makes it the youngest. The caller holds mu.
func (v *Visitor) renew() {
	v.door.last++
	v.number = v.door.last
}

// forget counts a connection no more. The caller holds mu.
func (d *Door) forget(v *Visitor) {
	if !d.visitors[v] {
		return
	}
	delete(d.visitors, v)
	from := d.sources[v.from]
	from.all--
	if v.is != known {
		from.guests--
	}
	if from.all == 0 {
		delete(d.sources, v.from)
	}
}

// Ask says that what a guest asks for is being done, until Rest.
func (v *Visitor) Ask() { v.become(asking) }

// Rest says that it is done: the guest is quiet from now on.
func (v *Visitor) Rest() { v.become(quiet) }

// Wait says that a guest has given a password, and waits for its turn.
func (v *Visitor) Wait() { v.become(inLine) }

// become changes the standing of a guest.
func (v *Visitor) become(s standing) {
	if v == nil {
		return
	}
	v.door.mu.Lock()
	defer v.door.mu.Unlock()
	if v.is == known {
		return
	}
	v.is = s
	if s == quiet {
		v.renew()
	}
}

// Welcome says that the right password was given: it is a guest no more. It is
// false for one that has just made room.
func (v *Visitor) Welcome() bool {
	if v == nil {
		return false
	}
	v.door.mu.Lock()
	defer v.door.mu.Unlock()
	if !v.door.visitors[v] {
		return false
	}
	if v.is != known {
		v.is = known
		v.door.sources[v.from].guests--
	}
	return true
}

// Leave counts it no more.
func (v *Visitor) Leave() {
	if v == nil {
		return
	}
	v.door.mu.Lock()
	defer v.door.mu.Unlock()
	v.door.forget(v)
}

type key struct{}

// Into is a context of what a visitor asks for.
func Into(ctx context.Context, v *Visitor) context.Context { return context.WithValue(ctx, key{}, v) }

// Of is the visitor of a context, or nil.
func Of(ctx context.Context) *Visitor {
	v, _ := ctx.Value(key{}).(*Visitor)
	return v
}
