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

	confBridge = "ConfBridge" // who makes the bridge of such a room
)

// Errors of taking over a ConfBridge room.
var (
	ErrNoConference = errors.New("asterisk: no such conference")
	errNotAdopted   = errors.New("asterisk: not taken over")
)

// Foreign is a ConfBridge room: a conference that is not ours.
type Foreign struct {
	Name    string
	Members []ForeignMember
}

// ForeignMember is a call in it. What it may do there ARI does not tell.
type ForeignMember struct{ ID, Number, Name string }

// Foreign are the ConfBridge rooms of the switch, as of the last look.
func (l *Link) Foreign() []Foreign {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.foreign)
}

// see notes the conferences that are not ours.
func (l *Link) see(channels []ari.Channel, bridges []ari.Bridge) {
	who := map[string]ForeignMember{}
	for i := range channels {
		c := &channels[i]
		who[c.ID] = ForeignMember{c.ID, c.GetCaller().GetNumber(), c.GetCaller().GetName()}
	}
	var all []Foreign
	for _, b := range bridges {
		if b.Creator != confBridge {
			continue
		}
		f := Foreign{Name: b.Name}
		for _, id := range b.ChannelIDs {
			if m, ok := who[id]; ok { // not those that Asterisk keeps to itself
				f.Members = append(f.Members, m)
			}
		}
		all = append(all, f)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.foreign = all
}

// adopted is a call that is on its way out of a ConfBridge room.
type adopted struct {
	room   engine.RoomName
	member ami.Member
	lastID engine.MemberID
	id     engine.MemberID
	sent   time.Time
	guided bool // by the context of the pasted dialplan, which sends him back if we die
}

// takeOver is the end of the name of that context; before it stands the
// application's.
const takeOver = "-takeover"

// args are those of the call, arguments of the Stasis() that it came by.
func (a *adopted) args(given map[string]string) map[string]string {
	if given == nil || !a.guided {
		given = map[string]string{}
	}
	given["room"] = string(a.room)
	return given
}

// place is where the call is in its dialplan, as the hangup handler of its audio
// needs it: what comes next takes him back.
func (a *adopted) place(at *ari.Location) *ari.Location {
	if a.guided {
		return at
	}
	return &ari.Location{Context: a.member.At.Context, Exten: a.member.At.Extension, Priority: int64(a.member.At.Priority) - 1}
}

// next is where he goes on: behind his ConfBridge(), or into it again where we
// cannot serve him any more.
func (a *adopted) next(back bool) ari.Place {
	at := a.member.At
	if !back {
		at.Priority++
	}
	return ari.Place{Context: at.Context, Extension: at.Extension, Priority: at.Priority}
}

// Adopt makes a ConfBridge room a room of ours: each call in it is sent into our
// application, keeps its role and whether it is muted, and goes on behind its
// ConfBridge() in the end. It returns when all are members, and how long each was
// in neither. The error wraps ErrNoConference when no room of that name runs.
func (l *Link) Adopt(ctx context.Context, name engine.RoomName) ([]engine.Move, error) {
	ctx, cancel := context.WithTimeout(ctx, adoptTime)
	defer cancel()
	_, up, text := l.Check()
	switch {
	case !up:
		return nil, fmt.Errorf("%w: %s", errNotAdopted, text)
	case l.opt.AMI.Address == "":
		return nil, l.without(ctx, name)
	}
	c, err := l.opt.manager(ctx)
	if err != nil {
		return nil, l.notAdopted(err)
	}
	defer c.Close()
	calls, err := l.adoptable(c, name)
	if err != nil {
		return nil, err
	}
	if err := l.opt.Switch.Fits(len(calls)); err != nil {
		why := fmt.Sprintf("%d calls cannot come: %s", len(calls), strings.TrimPrefix(err.Error(), native.ErrBusy.Error()+": "))
		return nil, &engine.RefusalError{Reason: engine.ReasonNodeBusy, Why: why}
	}
	var failed error
	for i := range calls {
		a := &calls[i]
		l.expect(a)
		a.sent = time.Now()
		if err := l.fetch(c, a); err != nil {
			l.adopts(a.member.ID)
			failed = errors.Join(failed, l.notAdopted(err))
		}
	}
	moves, err := l.awaitAdopted(ctx, name, calls)
	return moves, errors.Join(failed, err)
}

// adoptable are the calls of a ConfBridge room.
func (l *Link) adoptable(c *ami.Client, name engine.RoomName) (calls []adopted, err error) {
	members, err := c.Members(string(name))
	switch {
	case errors.Is(err, ami.ErrNoRoom):
		return nil, fmt.Errorf("%w: %s on %s", ErrNoConference, name, l.opt.Name)
	case err != nil:
		return nil, l.notAdopted(err)
	}
	guided, err := c.HasContext(l.opt.App + takeOver)
	if err != nil {
		return nil, l.notAdopted(err)
	}
	if !guided {
		l.log.Warn(fmt.Sprintf("ami %s: %s", l.opt.Name, l.opt.unguided()))
	}
	for i, m := range members {
		calls = append(calls, adopted{room: name, member: m, lastID: engine.MemberID(len(members)), id: engine.MemberID(i + 1), guided: guided})
	}
	return calls, nil
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
		c.Redirect(channel, ami.Place{Context: l.opt.App + takeOver, Extension: "s", Priority: 1}),
	)
}

func (l *Link) notAdopted(err error) error {
	return fmt.Errorf("%w: %s", errNotAdopted, l.opt.amiTrouble(err))
}

// without says what is missing to take a room over, if there is one.
func (l *Link) without(ctx context.Context, name engine.RoomName) error {
	bridges, err := l.client.Bridges(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotAdopted, err)
	}
	if !slices.ContainsFunc(bridges, func(b ari.Bridge) bool { return b.Creator == confBridge && b.Name == string(name) }) {
		return fmt.Errorf("%w: %s on %s", ErrNoConference, name, l.opt.Name)
	}
	return fmt.Errorf("%w: ConfBridge room %s runs at switch %s, and ARI cannot move its calls. Set ami, ami_user and ami_password_file of "+
		"switch %s to a user of manager.conf with read = reporting,call and write = reporting,call. [ami_missing]", errNotAdopted, name, l.opt.Name, l.opt.Name)
}

// expect notes that a call is about to come.
func (l *Link) expect(a *adopted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.adopting[a.member.ID] = a
}

// adopts returns what is known of a call that has come out of a ConfBridge room;
// nil: it comes by its own dialplan.
func (l *Link) adopts(channel string) *adopted {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.adopting[channel]
	delete(l.adopting, channel)
	return a
}

// rights are what an adopted call was in its ConfBridge room.
func (a *adopted) rights() *engine.Rights {
	role := engine.RoleMember
	if a.member.Admin {
		role = engine.RoleModerator
	}
	return &engine.Rights{
		Room: a.room, Opened: true, LastID: a.lastID, Member: a.id, Role: role, State: engine.MemberState{Muted: a.member.Muted && !a.member.Waiting},
	}
}

// awaitAdopted waits until the calls are members of a room.
func (l *Link) awaitAdopted(ctx context.Context, name engine.RoomName, calls []adopted) ([]engine.Move, error) {
	for {
		view, err := l.opt.Exchange.Room(ctx, name)
		var moves []engine.Move
		for _, a := range calls {
			i := slices.IndexFunc(view.Members, func(v engine.MemberView) bool {
				return v.CallID == engine.LegID(a.member.ID) && !v.JoinedAt.IsZero()
			})
			if i >= 0 {
				moves = append(moves, engine.Move{Member: view.Members[i].ID, Gap: view.Members[i].JoinedAt.Sub(a.sent)})
			}
		}
		if len(moves) == len(calls) && err == nil {
			return moves, nil
		}
		select {
		case <-ctx.Done():
			for _, a := range calls {
				l.adopts(a.member.ID)
			}
			return moves, fmt.Errorf("%w: %d of %d calls of %s did not come in time", errNotAdopted, len(calls)-len(moves), len(calls), name)
		case <-time.After(adoptLook):
		}
	}
}
