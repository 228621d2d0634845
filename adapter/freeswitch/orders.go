package freeswitch

import (
	"errors"

	"parley/engine"
	"parley/esl/conference"
)

// apply makes the conference's state of a member the asked one.
func (b *Bridge) apply(m *member) {
	muted, deaf := m.asked.Muted || m.asked.Waiting, m.asked.Deaf || m.asked.Waiting
	if muted != m.state.Muted && b.silence(m, muted) {
		m.state.Muted = muted
	}
	if deaf != m.state.Deaf && b.deafen(m, deaf) {
		m.state.Deaf = deaf
	}
	b.adjust(m, m.asked.Talk, &m.state.Talk, conference.VolumeInSet, conference.VolumeIn)
	b.adjust(m, m.asked.Listen, &m.state.Listen, conference.VolumeOutSet, conference.VolumeOut)
	b.store(m)
}

func (b *Bridge) silence(m *member, on bool) bool {
	if on {
		return b.order(m, conference.Muted, quietly(conference.Mute))
	}
	return b.order(m, conference.Unmuted, quietly(conference.Unmute))
}

func (b *Bridge) deafen(m *member, on bool) bool {
	if on {
		return b.order(m, conference.Deafened, quietly(conference.Deaf))
	}
	return b.order(m, conference.Undeafened, quietly(conference.Undeaf))
}

// adjust sets a gain; what is in force is the nearest that the switch has.
func (b *Bridge) adjust(m *member, asked engine.Decibels, is *engine.Decibels, causes conference.Action,
	set func(room string, id conference.MemberID, step int) (string, error),
) {
	step := conference.Step(float64(asked))
	if step == conference.Step(float64(*is)) {
		return
	}
	if b.order(m, causes, func(room string, id conference.MemberID) (string, error) { return set(room, id, step) }) {
		*is = engine.Decibels(conference.Gain(step))
	}
}

// command is one about a member.
type command func(room string, id conference.MemberID) (string, error)

// quietly is a command without the sound that the switch would play.
func quietly(cmd func(room string, id conference.MemberID, quiet bool) (string, error)) command {
	return func(room string, id conference.MemberID) (string, error) { return cmd(room, id, true) }
}

// order gives an order about a member, whose event will come, and says whether
// it was done.
func (b *Bridge) order(m *member, causes conference.Action, cmd command) bool {
	args, err := cmd(b.room, m.inner)
	if err == nil {
		err = m.call.echoes.order(causes, func() error { return b.link.confer(m.call, args) })
	}
	return b.done(err)
}

func (b *Bridge) done(err error) bool {
	if err != nil {
		b.link.log.Warn("freeswitch: the conference did not do it", "room", b.room, "error", err)
	}
	return err == nil
}

// tell runs a command of the conference and says whether it was done.
func (b *Bridge) tell(args string, err error) bool {
	if err == nil {
		err = b.link.confer(b.any(), args)
	}
	return b.done(err)
}

// confer runs a command of a conference: over the link, or while that is down
// over the own socket of a call.
func (l *Link) confer(by *call, args string) error {
	text, err := l.api("conference", args)
	if errors.Is(err, errLink) && by != nil && by.session != nil {
		ctx, cancel := brief()
		defer cancel()
		text, err = by.session.API(ctx, "conference", args)
	}
	return conference.Answer(text, err)
}
