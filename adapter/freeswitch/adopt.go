package freeswitch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/engine"
	"parley/esl/conference"
)

// adoptTime is how long the members of a conference may take to become members
// of a room.
const adoptTime = 5 * time.Second

var errLate = errors.New("not there in time")

// Foreign is a conference on a switch that is no room of ours.
type Foreign struct {
	Switch string
	conference.Room
}

// Foreign lists the conferences that are no rooms of ours, as of the last look.
func (a *Adapter) Foreign() (list []Foreign) {
	a.mu.Lock()
	links := slices.Clone(a.links)
	a.mu.Unlock()
	for _, l := range links {
		for _, r := range l.Foreign() {
			list = append(list, Foreign{l.opt.Name, r})
		}
	}
	return list
}

// Adopt makes a conference that runs on a switch, without us, a room of ours:
// every call in it becomes a member, with the rights it has there, and hears
// nothing of it. It returns when all are, and how long those were in neither
// whose audio came to us, to a room that we mix. If one cannot be taken on the
// error is an engine.NotTakenError, and nobody's audio is with us. It wraps
// conference.ErrNoConference when no switch has it, engine.ErrAway when one cannot
// be asked.
func (a *Adapter) Adopt(ctx context.Context, name engine.RoomName) ([]engine.Move, error) {
	ctx, cancel := context.WithTimeout(ctx, adoptTime)
	defer cancel()
	a.mu.Lock()
	links := slices.Clone(a.links)
	a.mu.Unlock()
	err := fmt.Errorf("%w: %s", conference.ErrNoConference, name)
	for _, l := range links {
		calls, why := l.adoptAll(ctx, string(name))
		if why == nil {
			return l.awaitMembers(ctx, name, calls)
		}
		if !errors.Is(why, conference.ErrNoConference) {
			err = why
		}
	}
	return nil, err
}

// taken is a call of a conference that is taken on.
type taken struct {
	*call
	member *conference.Member
	fresh  bool // it was not ours before
}

// adoptAll asks for every call of a conference.
func (l *Link) adoptAll(ctx context.Context, name string) (calls []taken, err error) {
	c := l.connection()
	if c == nil {
		return nil, fmt.Errorf("%w: %w %s", engine.ErrAway, errLink, l.opt.Name)
	}
	rooms, err := listed(ctx, c)
	if err != nil {
		return nil, err
	}
	r := conference.Named(rooms, name)
	if r == nil {
		return nil, fmt.Errorf("%w: %s on %s", conference.ErrNoConference, name, l.opt.Name)
	}
	for i := range r.Members {
		fresh := l.adapter.find(r.Members[i].UUID) == nil
		if c := l.adopt(r, &r.Members[i]); c != nil {
			calls = append(calls, taken{c, &r.Members[i], fresh})
		}
	}
	return calls, nil
}

// awaitMembers waits until calls are members of a room, or have left.
func (l *Link) awaitMembers(ctx context.Context, name engine.RoomName, calls []taken) ([]engine.Move, error) {
	failed := &engine.NotTakenError{Room: name, Switch: l.opt.Name, Calls: len(calls)}
	for {
		view, err := l.adapter.opt.Exchange.Room(ctx, name)
		moves, missing := arrivals(view.Members, calls)
		failed.Absent, failed.Cause = refused(calls)
		switch {
		case len(missing) > 0:
		case len(failed.Absent) > 0:
			l.sendBack(calls, failed)
			return nil, failed
		case err == nil:
			return moves, nil
		}
		select {
		case <-ctx.Done():
			for _, c := range missing {
				failed.Absent = append(failed.Absent, c.absent(errLate))
			}
			l.sendBack(calls, failed)
			return nil, failed
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// arrivals are the moves of those whose audio has come to us, and who neither is
// a member nor has left.
func arrivals(members []engine.MemberView, calls []taken) (moves []engine.Move, missing []taken) {
	for _, c := range calls {
		over := c.ended()
		i := slices.IndexFunc(members, func(m engine.MemberView) bool { return m.CallID == c.id() && !m.JoinedAt.IsZero() })
		switch gap := time.Duration(c.gap.Load()); {
		case i < 0 && !over:
			missing = append(missing, c)
		case i >= 0 && c.fresh && gap > 0:
			moves = append(moves, engine.Move{Member: members[i].ID, Gap: gap})
		}
	}
	return moves, missing
}

// refused are those who were refused, and the class of the first's reason.
func refused(calls []taken) (absent []engine.Absent, cause error) {
	for _, c := range calls {
		why := c.untaken.Load()
		if why == nil {
			continue
		}
		absent = append(absent, c.absent(*why))
		if no, ok := errors.AsType[*engine.RefusalError](*why); ok && cause == nil {
			cause = no
		}
	}
	return absent, cause
}

func (c taken) absent(why error) engine.Absent {
	return engine.Absent{Leg: c.id(), Number: c.member.CallerNumber, Name: c.member.CallerName, Why: why.Error()}
}

// sendBack has those go back into the mix of their conference whose audio has
// come to us, and waits for it. The others have never been out of it.
func (l *Link) sendBack(calls []taken, failed *engine.NotTakenError) {
	limit := time.NewTimer(adoptTime)
	defer limit.Stop()
	for _, c := range calls {
		if c.fresh {
			c.recall()
		}
	}
	for _, c := range calls {
		if !c.recalled.Load() {
			continue
		}
		select {
		case <-c.done:
		case <-limit.C:
			limit.Reset(0) // nor is there time for the others
			failed.Stayed = append(failed.Stayed, c.absent(errLate))
		}
	}
}

// recall has a call leave its room if that is mixed by us.
func (c *call) recall() {
	if c.voice.Load() == nil {
		return
	}
	c.recalled.Store(true)
	c.tasks.Put(func() { c.sink.Post(engine.LegGone{Leg: c.id(), Reason: engine.ReasonTransferred}) })
}

// remains says whether a call that its room has let go stays in its conference,
// in the mix again: as it was before we came, or with the rights that it had with
// us.
func (c *call) remains(ctx context.Context, o engine.Outcome) bool {
	switch {
	case c.unmade(o):
		c.leaveThere(ctx, o)
	case c.recalled.Load() && c.inside.Load() != nil:
		c.detach(ctx)
		c.adapter.returns.End(c.uuid)
		c.set(ctx, c.original)
	case c.stays() && o.Reason == engine.ReasonEnded:
		c.detach(ctx)
	default:
		return false
	}
	return true
}

// unmade says whether an outcome is that of a call which stands in a conference
// by the switch's own dialplan and was never made a member of its room: the
// conference is where it belongs. Whose audio cannot come to a room that we mix
// would be alone there: his dialplan goes on.
func (c *call) unmade(o engine.Outcome) bool {
	if !c.stranger() || c.inside.Load() == nil || o.Reason == engine.ReasonMediaLost {
		return false
	}
	return o.Result == engine.ResultFailed || o.Reason == engine.ReasonBadRoomName
}

// stranger says whether the call is not, or not yet, a member of a room and has no
// dialplan line of ours.
func (c *call) stranger() bool { return c.session == nil && c.last.Load() == nil }

// leaveThere leaves a call to its conference as it was before we came.
func (c *call) leaveThere(ctx context.Context, o engine.Outcome) {
	c.drop()
	c.hush()
	if c.place != here {
		return
	}
	c.log.Warn("freeswitch: a call could not be taken on; it stays in its conference", "reason", o.Reason)
	var why error = &engine.RefusalError{Reason: o.Reason}
	c.untaken.Store(&why)
	c.set(ctx, c.original)
}

// newcomer takes on a call that a dialplan of the switch's own brought into the
// conference of a room of ours.
func (l *Link) newcomer(room string, e conference.Event) {
	l.adopt(&conference.Room{Name: room}, &conference.Member{
		ID: e.Member, UUID: e.UUID, CallerName: e.CallerName, CallerNumber: e.CallerNumber,
		Hear: e.Hear, Speak: e.Speak, Moderator: e.Moderator,
	})
}

// adopt makes a member of a conference a member of the room of that name. It
// returns the call.
func (l *Link) adopt(r *conference.Room, m *conference.Member) *call {
	c := l.adapter.newCall(m.UUID, nil)
	c.link = l
	c.adopted.Store(true)
	if !l.adapter.reserve(c) {
		return l.adapter.find(m.UUID) // it is ours already
	}
	room, member := *r, *m
	l.adapter.group.Go(func() {
		defer l.adapter.leave(c)
		if err := l.takeOn(c, &room, &member); err != nil {
			c.log.Warn("freeswitch: a call in the conference could not be taken on", "room", room.Name, "error", err)
			if l.exists(c.uuid) { // else it has hung up
				c.untaken.Store(&err)
			}
			return
		}
		c.enter(l.invitation(c, &room, &member))
		c.serve(l.adapter.context())
	})
	return c
}

// takeOn gets hold of a call that is in a conference.
func (l *Link) takeOn(c *call, r *conference.Room, m *conference.Member) error {
	n, err := l.connect(m.UUID)
	if err != nil {
		return err
	}
	c.control = n
	text, err := l.api("uuid_dump", m.UUID+" json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), &c.dump); err != nil {
		return fmt.Errorf("freeswitch: uuid_dump: %w", err)
	}
	c.profile = c.dump.value("variable_sofia_profile_name")
	if c.profile == "" {
		c.profile = "internal"
	}
	c.codecs = offered(c.dump.value("Channel-Read-Codec-Rate"))
	c.codec = codecName(c.dump.value("Channel-Read-Codec-Name"), c.dump.value("Channel-Read-Codec-Rate"))
	vars := c.borrow(nil, func(name string) string { return c.dump.value("variable_" + name) })
	c.inside.Store(&inside{conference: r.Name, member: m.ID, state: stateOf(m), locked: r.Locked})
	c.original[tokenVariable] = ""
	delete(vars, "socket_resume")
	ctx, cancel := brief()
	defer cancel()
	return c.control.SetVars(ctx, vars)
}

// dump is what uuid_dump says of a channel.
type dump map[string]any

func (d dump) value(name string) string {
	s, _ := d[name].(string)
	return s
}

// invitation is how an adopted call arrives: with the rights it has.
func (l *Link) invitation(c *call, r *conference.Room, m *conference.Member) engine.Invite {
	in := engine.Invite{
		Room: r.Name, Kind: "freeswitch", Switch: l.opt.Name, Dialplan: true,
		Caller: engine.Caller{Number: m.CallerNumber, Name: m.CallerName},
		Source: l.opt.Name + "/" + m.CallerNumber, Variables: map[string]string{},
	}
	in.Restore, in.Lost, _ = l.adapter.returns.Claim(time.Now(), c.uuid, c.dump.value("variable_"+tokenVariable), r.Name)
	if in.Restore == nil {
		role := engine.RoleMember
		if m.Moderator {
			role = engine.RoleModerator
		}
		in.Restore = &engine.Rights{
			Room: engine.RoomName(r.Name), Locked: r.Locked, Opened: true, LastID: engine.MemberID(m.ID),
			Member: engine.MemberID(m.ID), Role: role, State: stateOf(m),
		}
	}
	return in
}

// readopt looks whether a conference that no room stands for was a room of a
// Parley that has died, or one that we have lost: then it is one again.
func (l *Link) readopt(r *conference.Room) bool {
	if l.known(r.UUID) {
		return false
	}
	found := false
	for i := range r.Members {
		m := &r.Members[i]
		token, err := l.api("uuid_getvar", m.UUID+" "+tokenVariable)
		if err == nil && l.adapter.returns.Good(time.Now(), m.UUID, token, r.Name) {
			found = true
		}
	}
	if found {
		l.log.Info("freeswitch: a room that runs at the switch is taken up again", "room", r.Name)
		for i := range r.Members {
			l.adopt(r, &r.Members[i])
		}
	}
	return found
}
