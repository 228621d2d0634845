package asterisk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/ami"
	"parley/ari"
	"parley/engine"
	"parley/engine/native"
)

const (
	// adoptTime is how long the members of a ConfBridge room may take to become
	// members of a room of ours.
	adoptTime = 10 * time.Second
	adoptLook = 50 * time.Millisecond

	// returnTime is how long they may take to go back when one cannot come.
	returnTime = 5 * time.Second
)

// Errors of taking over a ConfBridge room.
var (
	ErrNoConference = errors.New("asterisk: no such conference")
	errNotAdopted   = errors.New("asterisk: not taken over")
	errLate         = errors.New("not there in time")
)

// Adopt makes a ConfBridge room a room of ours: each call in it is sent into our
// application, keeps its role and whether it is muted, and goes on behind its
// ConfBridge() in the end. It returns when all are members, and how long each was
// in neither. If one cannot come, those who have go back, and the error is an
// engine.NotTakenError. It wraps ErrNoConference when no room of that name runs,
// engine.ErrAway when the switch cannot be asked.
func (l *Link) Adopt(ctx context.Context, name engine.RoomName) ([]engine.Move, error) {
	ctx, cancel := context.WithTimeout(ctx, adoptTime)
	defer cancel()
	if err := l.mayAdopt(ctx, name); err != nil {
		return nil, err
	}
	c, err := l.opt.manager(ctx)
	if err != nil {
		return nil, l.notAdopted(err)
	}
	defer c.Close()
	calls, err := l.adoptable(ctx, c, name)
	if err != nil {
		return nil, err
	}
	if err := l.opt.Switch.Fits(len(calls)); err != nil {
		why := fmt.Sprintf("%d calls cannot come: %s", len(calls), strings.TrimPrefix(err.Error(), native.ErrBusy.Error()+": "))
		return nil, &engine.RefusalError{Reason: engine.ReasonNodeBusy, Why: why}
	}
	if !l.expect(calls) {
		return nil, fmt.Errorf("%w: calls of %s are on their way already", engine.ErrMoving, name)
	}
	defer l.lookForeign(context.WithoutCancel(ctx))
	l.fetchAll(c, calls)
	moves, complete := l.awaitAdopted(ctx, name, calls)
	if complete {
		return moves, nil
	}
	return nil, l.sendBack(ctx, name, calls)
}

// adoptable are the calls of a ConfBridge room. Their numbers follow those that
// the room has given, if it runs.
func (l *Link) adoptable(ctx context.Context, c *ami.Client, name engine.RoomName) (calls []*adopted, err error) {
	members, err := c.Members(string(name))
	switch {
	case errors.Is(err, ami.ErrNoRoom), err == nil && len(members) == 0:
		return nil, fmt.Errorf("%w: %s on %s", ErrNoConference, name, l.opt.Name)
	case err != nil:
		return nil, l.notAdopted(err)
	}
	guided, err := c.HasContext(l.opt.App + takeOverContext)
	if err != nil {
		return nil, l.notAdopted(err)
	}
	if !guided {
		l.log.Warn(fmt.Sprintf("ami %s: %s", l.opt.Name, l.opt.unguided()))
	}
	room, err := l.opt.Exchange.Room(ctx, name)
	if err != nil && !errors.Is(err, engine.ErrNoRoom) {
		return nil, err
	}
	for i, m := range members {
		calls = append(calls, &adopted{
			room: name, member: m, lastID: room.LastID + engine.MemberID(len(members)), id: room.LastID + engine.MemberID(i+1), guided: guided,
			came: newLatch(), over: newLatch(), recalled: newLatch(),
		})
	}
	for _, a := range calls {
		a.party = calls
	}
	return calls, nil
}

// fetchAll sends all calls here, until one cannot come.
func (l *Link) fetchAll(c *ami.Client, calls []*adopted) {
	refused := false
	for _, a := range calls {
		if refused || slices.ContainsFunc(calls, (*adopted).isMissed) {
			a.over.set() // where it is
			continue
		}
		a.sent = time.Now()
		err := l.fetch(c, a)
		if err == nil {
			continue
		}
		no, answered := errors.AsType[*ami.RefusalError](err)
		if answered {
			a.over.set() // without an answer it may be on its way
		}
		if refused = !answered || !strings.Contains(no.Message, "does not exist"); refused { // else it has hung up
			a.miss(errors.New(l.opt.amiTrouble(err)))
		}
	}
}

// fetch takes a call out of its conference and sends it here.
func (l *Link) fetch(c *ami.Client, a *adopted) error {
	channel, at := a.member.Channel, a.member.At
	if !a.guided { // this context Asterisk has by itself
		return c.Redirect(channel, ami.Place{Context: "stasis-" + l.opt.App, Extension: string(a.room), Priority: 1})
	}
	place := func(priority int) string { return fmt.Sprintf("%s,%s,%d", at.Context, at.Extension, priority) }
	return cmp.Or(
		c.SetVariable(channel, "PARLEY_TAKEOVER", string(a.room)), c.SetVariable(channel, "PARLEY_BACK", place(at.Priority)),
		c.SetVariable(channel, "PARLEY_BEHIND", place(at.Priority+1)),
		c.Redirect(channel, ami.Place{Context: l.opt.App + takeOverContext, Extension: "s", Priority: 1}),
	)
}

func (l *Link) notAdopted(err error) error {
	return fmt.Errorf("%w: %s", errNotAdopted, l.opt.amiTrouble(err))
}

// mayAdopt looks, without the manager interface, whether there is a room and what
// is missing to take it over.
func (l *Link) mayAdopt(ctx context.Context, name engine.RoomName) error {
	if _, up, text := l.Check(); !up {
		return fmt.Errorf("%w: %w: %s", errNotAdopted, engine.ErrAway, text)
	}
	bridges, err := l.client.Bridges(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotAdopted, err)
	}
	if !slices.ContainsFunc(bridges, func(b ari.Bridge) bool { return b.Creator == confBridge && strings.EqualFold(b.Name, string(name)) }) {
		return fmt.Errorf("%w: %s on %s", ErrNoConference, name, l.opt.Name)
	}
	if l.opt.AMI.Address == "" {
		return fmt.Errorf("%w: ConfBridge room %s runs at switch %s, and ARI cannot move its calls. Set ami, ami_user and ami_password_file of "+
			"switch %s to a user of manager.conf with read = reporting,call and write = reporting,call. [ami_missing]", errNotAdopted, name, l.opt.Name, l.opt.Name)
	}
	return nil
}

// expect notes that calls are about to come; false: some are already.
func (l *Link) expect(calls []*adopted) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(calls, func(a *adopted) bool {
		other := l.adopting[a.member.ID]
		return other != nil && !other.recalled.isSet() // that one is in its conference again
	}) {
		return false
	}
	for _, a := range calls {
		l.adopting[a.member.ID] = a
	}
	return true
}

// adopts returns what is known of a call that has come out of a ConfBridge room;
// nil: it comes by its own dialplan.
func (l *Link) adopts(channel string) *adopted {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.adopting[channel]
	delete(l.adopting, channel)
	if a != nil {
		a.came.set()
	}
	return a
}

// drop forgets calls that will not come.
func (l *Link) drop(calls []*adopted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range calls {
		if a.over.isSet() && l.adopting[a.member.ID] == a {
			delete(l.adopting, a.member.ID)
		}
	}
}

// awaitAdopted waits until the calls are members of a room, or have hung up. It
// is over as soon as one cannot come.
func (l *Link) awaitAdopted(ctx context.Context, name engine.RoomName, calls []*adopted) (moves []engine.Move, complete bool) {
	missing := calls
	for looks := 1; ; looks++ {
		if view, err := l.opt.Exchange.Room(ctx, name); ctx.Err() == nil && (err == nil || errors.Is(err, engine.ErrNoRoom)) {
			moves, missing = arrivals(view.Members, calls)
		}
		switch {
		case slices.ContainsFunc(calls, (*adopted).isMissed):
			return nil, false
		case len(missing) == 0:
			l.drop(calls)
			return moves, true
		case looks%20 == 0:
			l.hungUp(ctx, missing)
		}
		select {
		case <-ctx.Done():
			for _, a := range missing {
				a.miss(errLate)
			}
			return nil, false
		case <-time.After(adoptLook):
		}
	}
}

// arrivals are the moves of those who are members, and who neither is one nor has
// left.
func arrivals(members []engine.MemberView, calls []*adopted) (moves []engine.Move, missing []*adopted) {
	for _, a := range calls {
		over := a.over.isSet()
		i := slices.IndexFunc(members, func(v engine.MemberView) bool {
			return v.CallID == engine.LegID(a.member.ID) && !v.JoinedAt.IsZero()
		})
		switch {
		case i >= 0:
			moves = append(moves, engine.Move{Member: members[i].ID, Gap: members[i].JoinedAt.Sub(a.sent)})
		case !over:
			missing = append(missing, a)
		}
	}
	return moves, missing
}

// hungUp finds calls that have hung up on their way here.
func (l *Link) hungUp(ctx context.Context, calls []*adopted) {
	for _, a := range calls {
		if a.came.isSet() {
			continue
		}
		if _, err := l.client.Channel(ctx, a.member.ID); errors.Is(err, ari.ErrNotFound) {
			a.over.set()
		}
	}
}

// sendBack has those who have come go back into their conference, waits for it,
// and says who could not come. Who comes from now on goes back at once.
func (l *Link) sendBack(ctx context.Context, name engine.RoomName, calls []*adopted) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnTime)
	defer cancel()
	failed := &engine.NotTakenError{Room: name, Switch: l.opt.Name, Calls: len(calls)}
	for _, a := range calls {
		if why := a.why(); why != nil {
			failed.Absent = append(failed.Absent, a.absent(why))
			if no, ok := errors.AsType[*engine.RefusalError](why); ok && failed.Cause == nil {
				failed.Cause = no
			}
		}
		a.recalled.set()
	}
	for _, a := range calls {
		select {
		case <-a.over.done:
		case <-ctx.Done():
			if a.came.isSet() {
				failed.Stayed = append(failed.Stayed, a.absent(errLate))
			}
		}
		if why := a.stuck.Load(); why != nil {
			failed.Stayed = append(failed.Stayed, a.absent(*why))
		}
	}
	l.drop(calls)
	l.log.Warn("asterisk: "+failed.Error(), "room", name)
	return failed
}
