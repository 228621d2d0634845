package adapter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/adapter/asterisk"
	"parley/adapter/control"
	"parley/adapter/freeswitch"
	"parley/adapter/trouble"
	"parley/engine"
	"parley/esl/conference"
)

// conferences are those that run at our switches without us, as the API shows
// and takes them over.
type conferences struct {
	*freeswitch.Adapter
	links []link
}

// List implements control.Conferences.
func (c conferences) List() []control.Foreign {
	var list []control.Foreign
	for _, f := range c.Foreign() {
		one := control.Foreign{Switch: f.Switch, Kind: "freeswitch", Name: f.Name, Locked: f.Locked}
		for i := range slices.Backward(f.Members) { // the newest is the first
			one.Members = append(one.Members, stranger(f.Switch, &f.Members[i]))
		}
		list = append(list, one)
	}
	for _, ast := range asterisks(c.links) {
		for _, f := range ast.Foreign() {
			list = append(list, confBridge(ast.Name(), f))
		}
	}
	return list
}

// asterisks are those among the switches.
func asterisks(links []link) (all []*asterisk.Link) {
	for _, l := range links {
		if ast, ok := l.(*asterisk.Link); ok {
			all = append(all, ast)
		}
	}
	return all
}

// confBridge is a ConfBridge room of a switch.
func confBridge(from string, f asterisk.Foreign) control.Foreign {
	one := control.Foreign{Switch: from, Kind: "asterisk", Name: f.Name}
	for i, m := range f.Members {
		one.Members = append(one.Members, engine.MemberView{
			ID: engine.MemberID(i + 1), CallID: engine.LegID(m.ID), Role: engine.RoleMember.String(), Number: m.Number, Name: m.Name,
			Switch: from, Kind: "asterisk", State: "joined",
		})
	}
	return one
}

// stranger is a member of a foreign conference.
func stranger(from string, m *conference.Member) engine.MemberView {
	role := engine.RoleMember
	if m.Moderator {
		role = engine.RoleModerator
	}
	return engine.MemberView{
		ID: engine.MemberID(m.ID), CallID: engine.LegID(m.UUID), Role: role.String(), Number: m.CallerNumber, Name: m.CallerName,
		Switch: from, Kind: "freeswitch", State: "joined", Muted: !m.Speak, Deaf: !m.Hear, Talking: m.Talking,
	}
}

// Adopt implements control.Conferences. Every switch is asked: one that cannot
// be asked matters only where the others have nothing.
func (c conferences) Adopt(ctx context.Context, name engine.RoomName) (moves []engine.Move, err error) {
	adopts := []func(context.Context, engine.RoomName) ([]engine.Move, error){c.Adapter.Adopt}
	for _, ast := range asterisks(c.links) {
		adopts = append(adopts, ast.Adopt)
	}
	found := false
	var away error
	for _, adopt := range adopts {
		more, err := adopt(ctx, name)
		switch {
		case err == nil:
			found, moves = true, append(moves, more...)
		case errors.Is(err, conference.ErrNoConference), errors.Is(err, asterisk.ErrNoConference):
		case errors.Is(err, engine.ErrBadRoomName):
			return nil, err
		case errors.Is(err, engine.ErrAway):
			away = errors.Join(away, err)
		default:
			return nil, fmt.Errorf("%w: %w", control.ErrSwitch, err)
		}
	}
	switch {
	case found:
		return moves, nil
	case away != nil:
		return nil, fmt.Errorf("%w: %w", control.ErrSwitch, away)
	default:
		return nil, fmt.Errorf("%w: %s, here or on a switch", engine.ErrNoRoom, name)
	}
}

// auditTime is how long a switch may take to say what it has.
const auditTime = 3 * time.Second

// auditor compares our rosters with all switches that can tell theirs.
type auditor []link

// Audit implements control.Auditor. A switch that cannot be asked is a
// difference: nobody knows what it has.
func (a auditor) Audit(ctx context.Context) ([]control.Difference, error) {
	var all []control.Difference
	for _, l := range a {
		brief, cancel := context.WithTimeout(ctx, auditTime)
		found, err := differences(brief, l)
		cancel()
		if err != nil {
			name, _, _ := l.Check()
			all = append(all, control.Difference{Switch: name, Text: "cannot be asked: " + err.Error()})
		}
		all = append(all, found...)
	}
	return all, nil
}

// differences are those between a switch and us, now.
func differences(ctx context.Context, l link) (all []control.Difference, err error) {
	audited, ok := l.(interface {
		Audit(ctx context.Context) ([]trouble.Difference, error)
	})
	if !ok {
		return nil, nil
	}
	found, err := audited.Audit(ctx)
	for _, d := range found {
		all = append(all, control.Difference(d))
	}
	return all, err
}
