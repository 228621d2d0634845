package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// How many calls that have left are remembered, and how long.
const (
	archiveCalls = 1000
	archiveTime  = time.Hour
)

// archive remembers calls that have left, the last ones, so that they can still
// be explained.
type archive struct {
	mu    sync.Mutex
	calls []callFacts // guarded by mu: a ring once it is full
	next  int         // guarded by mu: the oldest of a full ring
}

func (a *archive) add(f callFacts) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.calls) < archiveCalls {
		a.calls = append(a.calls, f)
		return
	}
	a.calls[a.next] = f
	a.next = (a.next + 1) % archiveCalls
}

// find returns the latest stay of a call.
func (a *archive) find(now time.Time, leg LegID) (found callFacts, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.calls {
		if f.leg == leg && now.Sub(f.leftAt) <= archiveTime && f.leftAt.After(found.leftAt) {
			found, ok = f, true
		}
	}
	return found, ok
}

// explaining asks the owner of calls for one of them, a room for itself when
// leg is "". The answer is nil when there is no such call.
type explaining struct {
	leg   LegID
	reply chan *Explanation // capacity 1
}

// ExplainRoom says where each setting of a room comes from. One that does not
// run is explained as the next caller would find it.
func (x *Exchange) ExplainRoom(ctx context.Context, name RoomName) (Explanation, error) {
	if _, err := ParseRoomName(string(name)); err != nil {
		return Explanation{}, err
	}
	x.mu.Lock()
	r := x.rooms[name]
	x.mu.Unlock()
	if r != nil {
		if e, err := ask(ctx, r.box, r.done, ""); err != nil || e != nil {
			x.findFaults(e)
			return *e, err
		}
	}
	e := roomFacts{directory: x.dir.Load(), name: name}.explain()
	if entry := x.dir.Load().Rooms[name]; entry != nil {
		e.Title = entry.Title
	}
	x.findFaults(&e)
	return e, nil
}

// findFaults marks the sounds that cannot be played: where we mix, as we find
// them; at a switch, as far as it was tried.
func (x *Exchange) findFaults(e *Explanation) {
	all := settings(e.Settings)
	here := all.value("mixer") == string(MixerNative) && x.playable != nil
	for i := range all {
		s := &all[i]
		if !strings.HasSuffix(s.Name, "_sound") || s.Lost != "" || s.Value == "" || s.Value == "none" || s.Value == "default" {
			continue
		}
		if here {
			if err := x.playable(s.Value, all.value("language")); err != nil {
				s.Fault = err.Error()
			}
			continue
		}
		for _, text := range e.Warnings {
			if strings.Contains(text, s.Value) {
				s.Fault = strings.TrimPrefix(text, notPlayed)
			}
		}
	}
}

// notPlayed begins the warning of a sound that could not be played.
const notPlayed = "sound not played: "

// ExplainCall says where each setting of a call comes from: one in a room, at
// the attendant, or one that has left not long ago.
func (x *Exchange) ExplainCall(ctx context.Context, leg LegID) (Explanation, error) {
	e, err := ask(ctx, x.lobby.box, x.vacated, leg)
	if err != nil || e != nil {
		return *e, err
	}
	x.mu.Lock()
	rooms := slices.Collect(maps.Keys(x.all))
	x.mu.Unlock()
	for _, r := range rooms {
		if e, err := ask(ctx, r.box, r.done, leg); err != nil || e != nil {
			return *e, err
		}
	}
	if f, ok := x.house.archive.find(time.Now(), leg); ok {
		return f.explain(), nil
	}
	return Explanation{}, fmt.Errorf("%w: %s is not here, and not among the calls of the last hour", ErrNoCall, clip(string(leg)))
}

// ask puts the question to one owner. Nil without an error means no.
func ask(ctx context.Context, box *mailbox, done <-chan struct{}, leg LegID) (*Explanation, error) {
	reply := make(chan *Explanation, 1)
	if !box.put(explaining{leg, reply}) {
		return nil, nil //nolint:nilnil // nobody is there to say yes
	}
	select {
	case e := <-reply:
		return e, nil
	case <-done:
		return nil, nil //nolint:nilnil // as above
	case <-ctx.Done():
		return &Explanation{}, ctx.Err()
	}
}

// explain answers for the room and the calls in it.
func (r *room) explain(q explaining) {
	if q.leg == "" {
		e := r.facts().explain()
		e.Instance, e.Title, e.State = r.instance, r.title, r.stateWord()
		e.Settings = append([]Setting{r.lockSetting()}, e.Settings...)
		for _, text := range r.unheard {
			e.Warnings = append(e.Warnings, notPlayed+text)
		}
		q.reply <- &e
		return
	}
	i := slices.IndexFunc(r.seats, func(s *seat) bool { return s.leg.ID() == q.leg })
	if i < 0 {
		q.reply <- nil
		return
	}
	e := r.callFacts(r.seats[i]).explain()
	e.Title = r.title
	q.reply <- &e
}

// explain answers for a call at the attendant.
func (l *lobby) explain(q explaining) {
	i := slices.IndexFunc(l.calls, func(c *lobbyCall) bool { return c.leg.ID() == q.leg })
	if i < 0 {
		q.reply <- nil
		return
	}
	e := l.calls[i].facts().explain()
	q.reply <- &e
}

func (r *room) facts() roomFacts {
	f := roomFacts{
		directory: r.directory, name: r.name, asked: r.asked, own: r.own, live: r.live, opener: r.opener, origins: r.origins, moved: r.movedBy,
		limits: r.limits(),
	}
	if r.at != nil {
		f.mixed = r.at.place.String()
	}
	return f
}

func (r *room) callFacts(s *seat) callFacts {
	f := s.facts()
	f.room, f.instance, f.directory, f.opened = r.facts(), r.instance, s.directory, s.opened
	f.role, f.byPIN, f.restored, f.changes = s.role, s.byPIN, s.restored, slices.Clone(s.changes)
	f.out.Member = s.member
	return f
}

// facts are those that the attendant knows.
func (c *call) facts() callFacts {
	f := callFacts{
		leg: c.leg.ID(), invite: c.invite, variables: keep(c.invite.Variables), state: c.phase.String(), out: c.out,
	}
	f.invite.Variables = nil
	return f
}

// left are the facts of a call that leaves now.
func (f callFacts) left(now time.Time) callFacts {
	f.state, f.leftAt = "left", now
	return f
}
