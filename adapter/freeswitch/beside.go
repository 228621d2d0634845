package freeswitch

import (
	"parley/engine"
	"parley/esl/conference"
)

// offstage takes what happens in a conference whose room is mixed by us, or is
// on its way: there our calls stand beside the mix.
func (l *Link) offstage(e conference.Event) {
	c := l.adapter.find(e.UUID)
	switch {
	case e.Action == conference.AddMember && c == nil && l.adapter.stands(l, e.Room):
		l.newcomer(e.Room, e)
	case c == nil, c.echoes.ours(e.Action):
	case e.Action == conference.Hupped, e.Action == conference.Kicked:
		c.tasks.Put(c.expelled)
	case e.Action == conference.DelMember:
		c.inside.Store(nil)
	default:
		if f, ok := change(e); ok {
			c.tasks.Put(func() { c.changedBeside(e.Room, f) })
		}
	}
}

// change is what an event says of a member's state, if it says anything.
func change(e conference.Event) (f engine.Changed, ok bool) {
	on, gain := true, engine.Decibels(conference.Gain(e.Level))
	switch e.Action { //nolint:exhaustive // the others are about something else
	case conference.Unmuted, conference.Undeafened:
		on = false
	}
	switch e.Action {
	case conference.Muted, conference.Unmuted:
		f.Muted = &on
	case conference.Deafened, conference.Undeafened:
		f.Deaf = &on
	case conference.VolumeInSet, conference.TalkKey:
		f.Talk = &gain
	case conference.VolumeOutSet, conference.ListenKey:
		f.Listen = &gain
	default:
		return f, false
	}
	return f, true
}

// changedBeside follows a change that somebody made at the switch to a call
// that stands beside the mix of its conference: it is asked of the room. What
// changes nothing there may change something here, since we have opened the
// switch's ears for those who are muted.
func (c *call) changedBeside(room string, f engine.Changed) {
	in := c.inside.Load()
	if in == nil || in.conference != room || c.place != here {
		return
	}
	now := *in
	f.Apply(&now.state)
	c.inside.Store(&now)
	f.Leg = c.id()
	c.sink.Post(f)
	c.listening()
}

// compareBeside holds what the conference has for a call beside its mix against
// what it has told us. What mend says so of is taken for a change.
func (c *call) compareBeside(room string, m *conference.Member, mend func(Difference) bool) {
	in, is := c.inside.Load(), stateOf(m)
	switch {
	case in == nil || in.conference != room:
	case in.state == is:
		c.tasks.Put(c.listening)
	case mend(Difference{Room: room, Call: m.UUID, Text: "other rights than on the roster"}):
		f := differing(in.state, is)
		c.tasks.Put(func() { c.changedBeside(room, f) })
	}
}

// differing is the change of one state to another.
func differing(was, is engine.MemberState) (f engine.Changed) {
	if was.Muted != is.Muted {
		f.Muted = &is.Muted
	}
	if was.Deaf != is.Deaf {
		f.Deaf = &is.Deaf
	}
	if was.Talk != is.Talk {
		f.Talk = &is.Talk
	}
	if was.Listen != is.Listen {
		f.Listen = &is.Listen
	}
	return f
}
