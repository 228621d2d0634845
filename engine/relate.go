package engine

import (
	"fmt"
	"slices"
	"time"
)

// Relation is what one member is kept from by the other: From is not heard by
// To, or does not hear To, or both.
type Relation struct {
	From    MemberID `json:"from"`
	To      MemberID `json:"to"`
	NoSpeak bool     `json:"no_speak"` // From is not heard by To
	NoHear  bool     `json:"no_hear"`  // From does not hear To
}

// Edge is one direction between two members: To does not hear From.
type Edge struct{ From, To MemberID }

// Relater is a Bridge that can keep members from hearing one another.
type Relater interface {
	Bridge
	// Relate says who does not hear whom, from now on and whoever of them is
	// there: all that was said before is over. It settles with Related.
	Relate(op OpID, deaf []Edge)
}

// Related settles Relate. Err is why it did not come true.
type Related struct {
	Op  OpID
	Err error
}

func (Related) isFact() {}

// maxRelations is how many a room keeps.
const maxRelations = 10_000

// relate sets or ends the relation of one member to another.
func (r *room) relate(o order, c Relate) {
	bridge, err := r.relater(c)
	if err != nil {
		o.reply <- err
		return
	}
	was := r.put(Relation(c))
	r.ops++
	r.pending[r.ops] = &waiter{open: 1, reply: o.reply, relation: &c, was: was}
	bridge.Relate(r.ops, r.edges())
	for _, v := range r.venues {
		if v != r.at {
			r.relateAt(v)
		}
	}
}

// put makes a relation what it is to be, and returns what it was.
func (r *room) put(rel Relation) (was Relation) {
	was = Relation{From: rel.From, To: rel.To}
	list := slices.Clone(r.relations)
	i := slices.IndexFunc(list, func(old Relation) bool { return old.From == rel.From && old.To == rel.To })
	if i >= 0 {
		was = list[i]
	}
	switch on := rel.NoSpeak || rel.NoHear; {
	case i >= 0 && on:
		list[i] = rel
	case i >= 0:
		list = slices.Delete(list, i, i+1)
	case on:
		list = append(list, rel)
	}
	r.relations = list
	return was
}

// relater is the place that is to do it.
func (r *room) relater(c Relate) (Relater, error) {
	for _, id := range []MemberID{c.From, c.To} {
		if r.memberSeat(id) == nil {
			return nil, fmt.Errorf("%w: %s in room %s", ErrNoMember, id, r.name)
		}
	}
	if len(r.relations) >= maxRelations && (c.NoSpeak || c.NoHear) {
		return nil, fmt.Errorf("%w: room %s has %d relations already", ErrBadCommand, r.name, maxRelations)
	}
	b, ok := r.at.bridge.(Relater)
	if !ok {
		return nil, fmt.Errorf("%w: %s cannot keep members from hearing one another", ErrCannot, r.at.place)
	}
	return b, nil
}

// edges is who does not hear whom.
func (r *room) edges() []Edge {
	var list []Edge
	seen := map[Edge]bool{}
	add := func(e Edge, on bool) {
		if on && !seen[e] && e.From != e.To {
			seen[e] = true
			list = append(list, e)
		}
	}
	for _, rel := range r.relations {
		add(Edge{rel.From, rel.To}, rel.NoSpeak)
		add(Edge{rel.To, rel.From}, rel.NoHear)
	}
	return list
}

// relateAt brings a venue in line.
func (r *room) relateAt(v *venue) {
	if b, ok := v.bridge.(Relater); ok {
		b.Relate(0, r.edges())
	}
}

// related follows a relation that has come true, or has not.
func (r *room) related(now time.Time, f Related) {
	w := r.pending[f.Op]
	if w == nil || w.relation == nil {
		return
	}
	if f.Err != nil {
		r.put(w.was)
	} else {
		r.changed(now, EventRoomModified, ReasonNone, w.relation.String()+" "+byCommand)
	}
	r.settleOp(f.Op, f.Err)
}

// unrelate forgets the relations of a member who has left.
func (r *room) unrelate(id MemberID) {
	n := len(r.relations)
	r.relations = slices.DeleteFunc(slices.Clone(r.relations), func(rel Relation) bool { return rel.From == id || rel.To == id })
	if len(r.relations) == n {
		return
	}
	for _, v := range r.venues {
		r.relateAt(v)
	}
}

// String says what a command has made of two members.
func (c Relate) String() string {
	switch {
	case c.NoSpeak && c.NoHear:
		return fmt.Sprintf("members %s and %s do not hear each other", c.From, c.To)
	case c.NoSpeak:
		return fmt.Sprintf("member %s is not heard by %s", c.From, c.To)
	case c.NoHear:
		return fmt.Sprintf("member %s does not hear %s", c.From, c.To)
	default:
		return fmt.Sprintf("members %s and %s have no relation", c.From, c.To)
	}
}
