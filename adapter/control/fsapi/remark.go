package fsapi

import (
	"slices"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// note takes over what has happened, an event of the engine or a remark, and says
// how the switch would tell it. The caller holds mu.
func (a *API) note(item any) []telling {
	switch i := item.(type) {
	case engine.Event:
		before, after := a.legs(i)
		return slices.Concat(before, a.event(i), after)
	case remark:
		if r := a.rooms[i.of()]; r != nil {
			return i.tell(r)
		}
	case keepsake:
		if r := a.rooms[i.of()]; r != nil {
			i.keep(r)
		}
	}
	return nil
}

// remark is what the switch tells of a run of a room, and the engine does not.
type remark interface {
	of() engine.InstanceID
	tell(*run) []telling
}

// keepsake is what the switch knows of a run of a room, and the engine does not.
type keepsake interface {
	of() engine.InstanceID
	keep(*run)
}

// again is an event of the switch for what the engine has none: it knows nothing
// of it, or refuses it.
type again struct {
	instance engine.InstanceID
	member   engine.MemberID
	action   conference.Action
	more     esl.Headers
}

// leaving says what is told of a member who is about to be taken out, where that
// is not what the engine's reason says; "" = nothing beside his leaving.
type leaving struct {
	instance engine.InstanceID
	member   engine.MemberID
	told     conference.Action
	stays    bool // he is not taken out after all
}

// floor gives the floor to a member, or with 0 to nobody.
type floor struct {
	instance engine.InstanceID
	to       engine.MemberID
}

// doorFile is the sound that a command has set for who comes or goes.
type doorFile struct {
	instance   engine.InstanceID
	door, file string
}

func (a again) of() engine.InstanceID    { return a.instance }
func (l leaving) of() engine.InstanceID  { return l.instance }
func (f floor) of() engine.InstanceID    { return f.instance }
func (d doorFile) of() engine.InstanceID { return d.instance }
func (l levelled) of() engine.InstanceID { return l.instance }
func (t typed) of() engine.InstanceID    { return t.instance }
func (v variable) of() engine.InstanceID { return v.instance }
func (s setting) of() engine.InstanceID  { return s.instance }

func (a again) tell(r *run) []telling { return []telling{r.tell(a.action, a.member, a.more)} }

// keep notes one more command, or takes it back: of several the first is obeyed.
func (l leaving) keep(r *run) {
	list := r.leaves[l.member]
	switch i := slices.Index(list, l.told); {
	case !l.stays:
		list = append(list, l.told)
	case i >= 0:
		list = slices.Delete(list, i, i+1)
	}
	if r.leaves[l.member] = list; len(list) == 0 {
		delete(r.leaves, l.member)
	}
}

func (f floor) tell(r *run) []telling {
	if f.to != 0 && r.members[f.to] == nil {
		return nil
	}
	return []telling{r.giveFloor(f.to)}
}

func (d doorFile) keep(r *run) { r.door[d.door] = d.file }

func (l levelled) tell(r *run) []telling {
	r.levels[l.member] = l.to
	return []telling{r.tell(l.action, l.member, l.more)}
}

func (t typed) keep(r *run) {
	r.typed[t.play] = t.file
	if t.file == "" {
		delete(r.typed, t.play)
	}
}

func (v variable) keep(r *run) { r.vars = v.set(r.vars) }

func (s setting) keep(r *run) { r.set[s.name] = s.value }
