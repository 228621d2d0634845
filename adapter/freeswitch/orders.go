package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"parley/engine"
	"parley/esl/conference"
)

// apply makes the conference's state of a member the asked one; the error is
// what could not be done of it.
func (b *Bridge) apply(m *member) error {
	muted, deaf := m.asked.Muted || m.asked.Waiting, m.asked.Deaf || m.asked.Waiting
	var failed []error
	switchTo := func(is *bool, to bool, order func(*member, bool) error) {
		if *is == to {
			return
		}
		if err := order(m, to); err != nil {
			failed = append(failed, err)
			return
		}
		*is = to
	}
	switchTo(&m.state.Muted, muted, b.silence)
	switchTo(&m.state.Deaf, deaf, b.deafen)
	failed = append(failed,
		b.adjust(m, m.asked.Talk, &m.state.Talk, conference.VolumeInSet, conference.VolumeIn),
		b.adjust(m, m.asked.Listen, &m.state.Listen, conference.VolumeOutSet, conference.VolumeOut))
	b.store(m)
	return errors.Join(failed...)
}

func (b *Bridge) silence(m *member, on bool) error {
	if on {
		return b.order(m, conference.Muted, quietly(conference.Mute))
	}
	return b.order(m, conference.Unmuted, quietly(conference.Unmute))
}

func (b *Bridge) deafen(m *member, on bool) error {
	if on {
		return b.order(m, conference.Deafened, quietly(conference.Deaf))
	}
	return b.order(m, conference.Undeafened, quietly(conference.Undeaf))
}

// adjust sets a gain; what is in force is the nearest that the switch has.
func (b *Bridge) adjust(m *member, asked engine.Decibels, is *engine.Decibels, causes conference.Action,
	set func(room string, id conference.MemberID, step int) (string, error),
) error {
	step := conference.Step(float64(asked))
	if step == conference.Step(float64(*is)) {
		return nil
	}
	err := b.order(m, causes, func(room string, id conference.MemberID) (string, error) { return set(room, id, step) })
	if err == nil {
		*is = engine.Decibels(conference.Gain(step))
	}
	return err
}

// command is one about a member.
type command func(room string, id conference.MemberID) (string, error)

// quietly is a command without the sound that the switch would play.
func quietly(cmd func(room string, id conference.MemberID, quiet bool) (string, error)) command {
	return func(room string, id conference.MemberID) (string, error) { return cmd(room, id, true) }
}

// order gives an order about a member, whose event will come.
func (b *Bridge) order(m *member, causes conference.Action, cmd command) error {
	args, err := cmd(b.room, m.inner)
	if err == nil {
		err = m.call.echoes.order(causes, func() error { return b.link.confer(m.call, args) })
	}
	b.done(err)
	return err
}

// refused is an error of an order as the room is told of it: the switch said no,
// or said nothing.
func (b *Bridge) refused(err error) error {
	if err == nil {
		return nil
	}
	if no := new(conference.ReplyError); errors.As(err, &no) {
		return fmt.Errorf("%w: %s: %w", engine.ErrCannot, b.link.opt.Name, err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errMute
	}
	return fmt.Errorf("%w: %s: %w", engine.ErrAway, b.link.opt.Name, err)
}

// Reach implements engine.Reacher: over the link, or the own socket of a call.
func (b *Bridge) Reach(op engine.OpID) {
	b.do(func() {
		_, err := b.link.ask(b.any(), "version", "short")
		b.post(engine.Reached{Op: op, Err: b.refused(err)})
	})
}

// codecName is NAME/RATE, or "" where the switch has not said.
func codecName(name, rate string) string {
	if name == "" || rate == "" {
		return ""
	}
	return name + "/" + rate
}

// learnCodec asks for the codec of a call that had none yet when it came to us:
// it was not answered.
func (b *Bridge) learnCodec(c *call) {
	var is [2]string
	for i, name := range []string{"rtp_use_codec_name", "rtp_use_codec_rate"} {
		text, err := b.link.ask(c, "uuid_getvar", c.uuid+" "+name)
		if text = strings.TrimSpace(text); err != nil || text == "_undef_" {
			return
		}
		is[i] = text
	}
	c.codec = codecName(is[0], is[1])
}

func (b *Bridge) done(err error) bool {
	switch {
	case errors.Is(err, conference.ErrNoConference): // the last has left it
		b.link.log.Debug("freeswitch: the conference is over", "room", b.room, "error", err)
	case err != nil:
		b.link.log.Warn("freeswitch: the conference did not do it", "room", b.room, "error", err)
	}
	return err == nil
}

// tell runs a command of the conference.
func (b *Bridge) tell(args string, err error) {
	if err == nil {
		err = b.link.confer(b.any(), args)
	}
	b.done(err)
}

// confer runs a command of a conference: over the link, or while that is down
// over the own socket of a call.
func (l *Link) confer(by *call, args string) error {
	return conference.Answer(l.ask(by, "conference", args))
}

// ask runs a command of the switch as confer does.
func (l *Link) ask(by *call, cmd, args string) (string, error) {
	text, err := l.api(cmd, args)
	if errors.Is(err, errLink) && by != nil && by.session != nil {
		ctx, cancel := brief()
		defer cancel()
		text, err = by.session.API(ctx, cmd, args)
	}
	return text, err
}
