package freeswitch

import (
	"errors"
	"maps"

	"parley/engine"
	"parley/esl/conference"
)

// pair is two members by the conference's own numbers: the second does not hear
// the first.
type pair struct{ from, to conference.MemberID }

// Relate implements engine.Relater. The switch keeps a relation of two members
// until one of them leaves.
func (b *Bridge) Relate(op engine.OpID, deaf []engine.Edge) {
	b.do(func() {
		b.deaf = deaf
		b.post(engine.Related{Op: op, Err: b.relate()})
	})
}

// relate brings the conference's relations in line.
func (b *Bridge) relate() (all error) {
	wanted := map[pair]bool{}
	for _, e := range b.deaf {
		from, to := b.find(e.From), b.find(e.To)
		if from != nil && to != nil && from.inner != 0 && to.inner != 0 {
			wanted[pair{from.inner, to.inner}] = true
		}
	}
	there := map[conference.MemberID]bool{}
	for _, m := range b.members {
		there[m.inner] = true
	}
	maps.DeleteFunc(b.related, func(p pair, _ bool) bool { return !there[p.from] || !there[p.to] })
	for p := range wanted {
		if !b.related[p] {
			all = errors.Join(all, b.setRelation(p, true))
		}
	}
	for p := range b.related {
		if !wanted[p] {
			all = errors.Join(all, b.setRelation(p, false))
		}
	}
	return all
}

// setRelation keeps two members apart, or no longer.
func (b *Bridge) setRelation(p pair, on bool) error {
	args, err := conference.Relate(b.room, p.from, p.to, on)
	if err == nil {
		err = b.link.confer(b.any(), args)
	}
	switch {
	case !b.done(err):
		return err
	case on:
		b.related[p] = true
	default:
		delete(b.related, p)
	}
	return nil
}
