package freeswitch

import (
	"slices"
	"time"

	"parley/engine"
	"parley/esl/conference"
)

// event takes what the conference reports, our own doings among it.
func (b *Bridge) event(e conference.Event) {
	m := b.byCall(e.UUID)
	switch e.Action { //nolint:exhaustive // what is about a member comes below
	case conference.AddMember:
		b.entered(m, e)
		return
	case conference.Locked, conference.Unlocked:
		if !b.echoes.ours(e.Action) {
			b.relocked(e.Action == conference.Locked)
		}
		return
	case conference.RecordStart, conference.RecordStop, conference.RecordPause, conference.RecordResume:
		b.taped(e)
		return
	case conference.PlayDone:
		b.playDone(e)
		return
	case conference.FloorChange:
		b.floor(m, e)
		return
	case conference.Destroyed:
		b.locked = false // the next one will not be
		b.playsOver(slices.Clone(b.plays), nil)
		return
	}
	if e.Action == conference.MemberDone && e.Tag != "" {
		b.playDone(e)
		return
	}
	if m == nil { // he is on his way, or beside the mix
		b.link.offstage(e)
		return
	}
	if !m.call.echoes.ours(e.Action) {
		b.memberEvent(m, e)
	}
}

// memberEvent takes what somebody else has done to a member, or he himself.
func (b *Bridge) memberEvent(m *member, e conference.Event) {
	if f, ok := change(e); ok {
		b.changed(m, f)
		return
	}
	switch e.Action {
	case conference.DelMember:
		b.exited(m, e)
	case conference.Hupped, conference.Kicked:
		m.kicked = m.remove == 0
	case conference.StartTalking, conference.StopTalking:
		m.talking = e.Action == conference.StartTalking
		b.post(engine.Talking{Member: m.id, On: m.talking})
	case conference.MemberDone:
		m.call.tasks.Put(m.call.played)
	default:
	}
}

// floor follows whom the switch has given the floor.
func (b *Bridge) floor(m *member, e conference.Event) {
	switch {
	case e.NewFloor == 0:
		b.post(engine.Floor{})
	case m != nil:
		b.post(engine.Floor{Member: m.id})
	}
}

// entered follows a call into the conference. Who has come by a dialplan of the
// switch's own is taken on.
func (b *Bridge) entered(m *member, e conference.Event) {
	if m == nil {
		b.link.newcomer(b.room, e)
		return
	}
	m.inner, m.out = e.Member, false
	m.state = engine.MemberState{Muted: !e.Speak, Deaf: !e.Hear}
	if m.admit != 0 {
		b.admitted(m)
	}
}

// exited follows a call out of the conference. Whose call has ended, or is
// elsewhere, is told by the call itself.
func (b *Bridge) exited(m *member, e conference.Event) {
	m.call.inside.Store(nil)
	switch {
	case m.admit != 0:
		b.overdue(m, m.admit)
	case m.remove != 0:
		b.gone(m)
	case e.Cause != "":
		b.forget(m)
		time.AfterFunc(bridgeEnd, func() { m.call.tasks.Put(m.call.hungUpThere) })
	case m.kicked:
		b.forget(m)
		b.post(engine.Left{Member: m.id, Reason: engine.ReasonKicked})
	default:
		b.unexplained(m)
	}
}

// unexplained is about a member who is out for a cause that the conference does
// not know. If his call was transferred, it says so itself in a moment.
func (b *Bridge) unexplained(m *member) {
	m.out = true
	time.AfterFunc(bridgeEnd, func() {
		b.do(func() {
			if b.find(m.id) == m {
				b.gone(m)
			}
		})
	})
}

// changed follows a change that somebody made at the switch, unless it is ours.
func (b *Bridge) changed(m *member, f engine.Changed) {
	was := m.state
	f.Apply(&m.state)
	if m.state == was {
		return
	}
	b.store(m)
	if m.asked.Waiting { // who waits, waits
		_ = b.apply(m) // it is logged
		return
	}
	m.asked = m.state
	b.post(engine.Applied{Member: m.id, State: m.reported()})
}

func (b *Bridge) relocked(on bool) {
	if b.locked != on {
		b.locked, b.shut = on, on
		b.post(engine.Locked{On: on})
	}
}

// compare holds the members against what the switch has, nil if it has no such
// conference. What mend says so of is brought in line: those that it does not
// have are gone, those that we do not have are taken on.
func (b *Bridge) compare(r *conference.Room, mend func(Difference) bool) {
	over := make(chan struct{})
	b.tasks.Put(func() {
		defer close(over)
		for _, m := range slices.Clone(b.members) {
			b.compareMember(m, roster(r, m.call.uuid), mend)
		}
		b.unplayed(mend)
		if r == nil {
			return
		}
		for i := range r.Members {
			in := &r.Members[i]
			if b.link.adapter.find(in.UUID) == nil && mend(Difference{Room: b.room, Call: in.UUID, Text: "in the conference, not on the roster"}) {
				b.link.adopt(r, in)
			}
		}
		if !r.Recording {
			b.unrecorded(mend)
		}
		if b.locked != r.Locked && mend(Difference{Room: b.room, Text: "the lock is not alike"}) {
			b.relocked(r.Locked)
		}
	})
	select {
	case <-over:
	case <-b.quit:
	}
}

func (b *Bridge) compareMember(m *member, in *conference.Member, mend func(Difference) bool) {
	d := Difference{Room: b.room, Call: m.call.uuid}
	switch {
	case m.admit != 0 && in != nil: // we have missed his coming
		m.inner, m.state, m.out = in.ID, stateOf(in), false
		b.admitted(m)
	case m.inner == 0 || m.out || m.remove != 0 || m.call.voice.Load() != nil:
	case in == nil:
		d.Text = "on the roster, not in the conference"
		if mend(d) {
			b.exited(m, conference.Event{})
		}
	case stateOf(in) != m.state:
		d.Text = "other rights than on the roster"
		if mend(d) {
			b.changed(m, differing(m.state, stateOf(in)))
		}
	}
}

// roster finds a call among a conference's members.
func roster(r *conference.Room, uuid string) *conference.Member {
	if r == nil {
		return nil
	}
	for i := range r.Members {
		if r.Members[i].UUID == uuid {
			return &r.Members[i]
		}
	}
	return nil
}

// stateOf is a conference's member in our words.
func stateOf(m *conference.Member) engine.MemberState {
	return engine.MemberState{
		Muted: !m.Speak, Deaf: !m.Hear,
		Talk: engine.Decibels(conference.Gain(m.VolumeIn)), Listen: engine.Decibels(conference.Gain(m.VolumeOut)),
	}
}
