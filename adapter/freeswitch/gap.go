package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley/esl"
	"parley/esl/conference"
)

// order is the number of the newest event about each member of each conference,
// and under "" about the conference. The switch numbers all its events, so those
// that we ask for have gaps between them which say nothing; but its threads
// overtake each other.
type order map[string]map[string]uint64

// overtaken says whether an event happened before one that has come already:
// what we make of the two may be the opposite of how things are.
func (o order) overtaken(e conference.Event) bool {
	if e.Sequence == 0 {
		return false
	}
	if e.Action == conference.Destroyed {
		delete(o, e.Room)
		return false
	}
	newest := o[e.Room]
	if newest == nil {
		newest = map[string]uint64{}
		o[e.Room] = newest
	}
	late := e.Sequence < newest[e.UUID]
	newest[e.UUID] = max(newest[e.UUID], e.Sequence)
	return late
}

// watchLoss has the switch say when it drops events.
func (l *Link) watchLoss(ctx context.Context, c *esl.Client) error {
	err := c.WatchLoss(ctx)
	if refused, ok := errors.AsType[*esl.ReplyError](err); ok {
		l.log.Info("esl "+l.opt.Name+": what events the switch drops it does not tell us; they are found out every ten seconds", "said", refused.Text)
		return nil
	}
	return err
}

// missed follows the switch's word that it has dropped events: told once for
// each connection. All is compared with it at once.
func (l *Link) missed(loss esl.Loss) {
	l.dropped.Add(loss.Events)
	if l.blind {
		return
	}
	l.blind = true
	l.log.Error(fmt.Sprintf("esl %s: the switch has dropped events because a client of it reads too slowly (%q). "+
		"Rooms and calls are compared with it now. [esl_events_lost]", l.opt.Name, loss.Text))
}

// Events are how many the switches have dropped, and how many came after a
// newer one about the same member of a conference.
func (a *Adapter) Events() (dropped, overtaken uint64) {
	a.mu.Lock()
	links := slices.Clone(a.links)
	a.mu.Unlock()
	for _, l := range links {
		dropped += l.dropped.Load()
		overtaken += l.overtaken.Load()
	}
	return dropped, overtaken
}
