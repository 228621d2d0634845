package engine

import (
	"fmt"
	"slices"
	"time"
)

// Reacher is a Bridge whose place may be out of reach for a while. Commands that
// the place has to do ask first.
type Reacher interface {
	// Reach asks whether the place can be told things now: Reached.
	Reach(op OpID)
}

// Reached settles Reach. Err, an ErrAway, is why the place cannot be told
// anything.
type Reached struct {
	Op  OpID
	Err error
}

func (Reached) isFact() {}

// reaching is a command that waits for its place to be reached.
type reaching struct {
	op    OpID
	at    *venue
	order order
}

// vacate is End at a shutdown, which waits for no switch.
type vacate struct{}

func (vacate) isCommand() {}

// obey takes a command, and asks before whether the place is there that it is
// about.
func (r *room) obey(now time.Time, o order) {
	if r.at == nil || !placed(o.command) {
		r.carryOut(now, o)
		return
	}
	b, ok := r.at.bridge.(Reacher)
	if !ok {
		r.carryOut(now, o)
		return
	}
	r.ops++
	r.reaching = append(r.reaching, reaching{r.ops, r.at, o})
	b.Reach(r.ops)
}

// placed says whether a command comes true at the place that mixes the room.
func placed(c Command) bool {
	switch c.(type) {
	case Rule, Press, vacate:
		return false
	default:
		return true
	}
}

// reached goes on with a command, or says that its place is away.
func (r *room) reached(now time.Time, f Reached) {
	i := slices.IndexFunc(r.reaching, func(w reaching) bool { return w.op == f.Op })
	if i < 0 {
		return
	}
	w := r.reaching[i]
	r.reaching = slices.Delete(r.reaching, i, i+1)
	if f.Err != nil {
		w.order.reply <- fmt.Errorf("room %s: %w", r.name, f.Err)
		return
	}
	r.carryOut(now, w.order)
}

// unreached goes on with the commands whose place is closed: the room is
// elsewhere, and they are obeyed there.
func (r *room) unreached(now time.Time, at *venue) {
	for _, w := range slices.Clone(r.reaching) {
		if w.at == at {
			r.reached(now, Reached{Op: w.op})
		}
	}
	for op, w := range r.pending {
		if w.at == at {
			r.settleOp(op, nil)
		}
	}
}

// lockAsked locks the room by command. It is answered when its place, if that
// has a lock, has it too. That it is so already is told, too.
func (r *room) lockAsked(now time.Time, o order, on bool) {
	if r.locked == on {
		r.tellLock(now)
		o.reply <- nil
		return
	}
	op := r.lock(now, on, byCommand)
	if op == 0 {
		o.reply <- nil
		return
	}
	r.pending[op] = &waiter{open: 1, reply: o.reply, at: r.at}
}
