package freeswitch

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"parley/engine"
	"parley/esl/conference"
)

// play is something that the conference plays for the room.
type play struct {
	op     engine.OpID
	file   string // as the switch was told
	beside bool   // what has its turn
	to     map[conference.MemberID]bool
	err    error // what could not be played of it
	paused bool
	doomed bool // to be stopped as soon as it has its turn
	gain   engine.Decibels
}

var (
	errWaits  = fmt.Errorf("%w: the play waits for its turn", engine.ErrCannot)
	errBeside = fmt.Errorf("%w: mod_conference pauses and seeks what has its turn, and nothing beside it", engine.ErrCannot)
	errUntold = errors.New("freeswitch: the switch does not play it any more, and has not told when it ended")
)

// head is how far it is: the switch says 0 of everything but pictures.
func (p *play) head() engine.Playhead { return engine.Playhead{Paused: p.paused, Unknown: true} }

// tag marks the files of a play, of this run of the room.
func (b *Bridge) tag(p *play) string { return fmt.Sprintf("%s-%d", b.run, p.op) }

// Play implements engine.Bridge. The switch tells the end by the tag of the
// file: of what it plays by itself, or somebody else has it play, none is ours.
func (b *Bridge) Play(op engine.OpID, what engine.Media, to engine.Audience) {
	b.do(func() {
		p := &play{op: op, beside: to.Beside}
		taken, err := b.play(p, what, to)
		if !taken {
			b.post(engine.Played{Op: op, Err: err})
			return
		}
		p.err = err
		b.plays = append(b.plays, p)
	})
}

// play has the switch play; taken says whether it does.
func (b *Bridge) play(p *play, what engine.Media, to engine.Audience) (taken bool, err error) {
	c := b.any()
	if c == nil {
		return false, nil
	}
	files, err := c.files(what)
	if len(files) == 0 {
		return false, errors.Join(errSilent, err)
	}
	p.file = inConference(files, false)
	file := conference.Tagged(p.file, b.tag(p))
	perform := func(args string, why error) bool {
		done, why := b.perform(args, why)
		if err == nil {
			err = why
		}
		return done
	}
	switch {
	case to.Beside:
		return perform(conference.PlayAsync(b.room, file)), err
	case to.Except == 0:
		return perform(conference.Play(b.room, file, 0)), err
	}
	p.to = map[conference.MemberID]bool{}
	for _, m := range b.members {
		if m.id != to.Except && m.inner != 0 && !m.asked.Waiting && perform(conference.Play(b.room, file, m.inner)) {
			p.to[m.inner] = true
		}
	}
	return len(p.to) > 0, err
}

// perform runs a command that plays something: whether it does, and what the
// switch says against it.
func (b *Bridge) perform(args string, err error) (done bool, why error) {
	if err == nil {
		err = b.link.confer(b.any(), args)
	}
	if errors.Is(err, conference.ErrNoConference) || errors.Is(err, errLink) {
		return b.done(err), nil
	}
	return err == nil, err
}

// playDone follows the end of a file, ours or not.
func (b *Bridge) playDone(e conference.Event) {
	defer b.stopDoomed()
	i := slices.IndexFunc(b.plays, func(p *play) bool { return e.Tag == b.tag(p) })
	if i < 0 {
		return
	}
	p := b.plays[i]
	delete(p.to, e.Member)
	if len(p.to) > 0 {
		return
	}
	b.playsOver([]*play{p}, nil)
}

// unheard is about a member who hears nothing any more.
func (b *Bridge) unheard(m *member) {
	for _, p := range slices.Clone(b.plays) {
		if p.to[m.inner] {
			b.playDone(conference.Event{Member: m.inner, Tag: b.tag(p)})
		}
	}
}

// playsOver tells of plays that have ended, and why if the switch has not.
func (b *Bridge) playsOver(over []*play, why error) {
	for _, p := range over {
		b.plays = slices.DeleteFunc(b.plays, func(o *play) bool { return o == p })
		b.post(engine.Played{Op: p.op, Err: errors.Join(p.err, why)})
	}
}

// stopDoomed stops what was to end before it had its turn, and has it now.
func (b *Bridge) stopDoomed() {
	if p := b.turn(); p != nil && p.doomed && b.ahead(p) == nil {
		b.tell(conference.StopOne(b.room, false))
	}
}

// turn is the first of those that the room hears one after the other, or nil.
func (b *Bridge) turn() *play {
	i := slices.IndexFunc(b.plays, func(p *play) bool { return !p.beside && p.to == nil })
	if i < 0 {
		return nil
	}
	return b.plays[i]
}

// heard is the file that a room, or a member, hears now.
func (b *Bridge) heard(id conference.MemberID) (string, error) {
	args, err := conference.PlayStatus(b.room, id)
	if err != nil {
		return "", err
	}
	return conference.Playing(b.link.ask(b.any(), "conference", args))
}

// is says whether the switch means p by a file: it has found it in a folder.
func (p *play) is(file string) bool { return path.Base(file) == path.Base(p.file) }

// ahead says why what is to be done to p would be done to another.
func (b *Bridge) ahead(p *play) error {
	if p.beside {
		return nil
	}
	if p != b.turn() {
		return errWaits
	}
	file, err := b.heard(0)
	if err == nil && !p.is(file) {
		return errWaits
	}
	return b.refused(err)
}

// StopPlay implements engine.Silencer.
func (b *Bridge) StopPlay() { b.do(func() { b.tell(conference.Stop(b.room, 0)) }) }

// EndPlay implements engine.Ender. What waits is stopped when its turn comes:
// the switch can take nothing out of its queue.
func (b *Bridge) EndPlay(op engine.OpID) {
	b.do(func() {
		p := b.playOf(op)
		if p == nil {
			return
		}
		if err := b.ahead(p); errors.Is(err, errWaits) {
			p.doomed = true
			return
		}
		b.tell(conference.StopOne(b.room, p.beside))
	})
}

// ControlPlay implements engine.Player.
func (b *Bridge) ControlPlay(op, of engine.OpID, c engine.PlayControl) {
	b.do(func() {
		p := b.playOf(of)
		if p == nil {
			return // that it has ended has been told
		}
		err := b.ahead(p)
		if err == nil {
			err = b.control(p, c)
		}
		b.post(engine.PlayChanged{Op: op, At: p.head(), Err: err})
	})
}

// Playhead implements engine.Player.
func (b *Bridge) Playhead(of engine.OpID) (engine.Playhead, bool) {
	heads := b.heads.Load()
	if heads == nil {
		return engine.Playhead{}, false
	}
	h, ok := (*heads)[of]
	return h, ok
}

func (b *Bridge) playOf(op engine.OpID) *play {
	i := slices.IndexFunc(b.plays, func(p *play) bool { return p.op == op })
	if i < 0 {
		return nil
	}
	return b.plays[i]
}

// control changes what plays. The switch answers what has become of it.
func (b *Bridge) control(p *play, c engine.PlayControl) error {
	if p.beside && (c.Pause != nil || c.Seek != nil) {
		return errBeside
	}
	ask := func(args string) (string, error) { return b.link.ask(b.any(), "conference", args) }
	if err := steer(ask, b.room, 0, &p.paused, c); err != nil {
		return b.refused(err)
	}
	if c.Gain == nil {
		return nil
	}
	return b.amplify(p, *c.Gain)
}

// steer pauses and seeks what has its turn, of a room or of a member. The order
// to pause turns round what is, which somebody at the switch may have changed:
// then it is given again.
func steer(ask func(args string) (string, error), room string, id conference.MemberID, paused *bool, c engine.PlayControl) error {
	for n := 0; c.Pause != nil && *paused != *c.Pause && n < 2; n++ {
		args, err := conference.PausePlay(room, id)
		if err == nil {
			*paused, err = conference.Paused(ask(args))
		}
		if err != nil {
			return err
		}
	}
	if c.Seek == nil {
		return nil
	}
	to := c.Seek.To
	if !c.Seek.By {
		to = max(0, to)
	}
	args, err := conference.SeekPlay(room, id, to, c.Seek.By)
	if err != nil {
		return err
	}
	return conference.Answer(ask(args))
}

// amplify sets the gain of a play, in whole dB, as the switch has it.
func (b *Bridge) amplify(p *play, gain engine.Decibels) error {
	n := int(max(-conference.MaxFileVolume, min(conference.MaxFileVolume, gain)))
	args, err := conference.FileVolume(b.room, n, p.beside)
	if err == nil {
		err = b.link.confer(b.any(), args)
	}
	if err == nil {
		p.gain = gain
	}
	return b.refused(err)
}

// unplayed ends the plays that the switch says it does not play, though it has
// told of no end.
func (b *Bridge) unplayed(mend func(Difference) bool) {
	over := slices.DeleteFunc(slices.Clone(b.plays), b.lasts)
	over = slices.DeleteFunc(over, func(p *play) bool {
		return !mend(Difference{Room: b.room, Text: "the switch does not play any more: " + p.file})
	})
	b.playsOver(over, errUntold)
	b.stopDoomed()
}

// lasts says whether the switch still has a play, or cannot say. Beside the
// others it only tells when it is asked to play it as loud as it does.
func (b *Bridge) lasts(p *play) bool {
	switch {
	case p.beside:
		return !gone(b.amplify(p, p.gain))
	case p.to != nil:
		maps.DeleteFunc(p.to, func(id conference.MemberID, _ bool) bool {
			_, err := b.heard(id)
			return gone(err)
		})
		return len(p.to) > 0
	}
	file, err := b.heard(0)
	if err != nil || p.is(file) {
		return !gone(err)
	}
	behind := b.plays[slices.Index(b.plays, p)+1:]
	return !slices.ContainsFunc(behind, func(o *play) bool { return !o.beside && o.to == nil && o.is(file) })
}

// gone says whether the switch says that nothing of the kind plays.
func gone(err error) bool {
	return errors.Is(err, conference.ErrNoFile) || errors.Is(err, conference.ErrNoMember) || errors.Is(err, conference.ErrNoConference)
}

// steerPrompt changes what the conference plays to the call.
func (c *call) steerPrompt(op, of engine.OpID, change engine.PlayControl) {
	s, in := &c.speaker, c.inside.Load()
	if s.op != of {
		return // that it has ended has been told
	}
	paused, err := engine.OpID(c.still.Load()) == of, errTheirs
	if in != nil && s.app == "" && change.Gain == nil {
		err = steer(func(args string) (string, error) { return c.api("conference", args) }, in.conference, in.member, &paused, change)
		if no := new(conference.ReplyError); errors.As(err, &no) {
			err = fmt.Errorf("%w: %w", engine.ErrCannot, err)
		}
	}
	if paused {
		c.still.Store(uint64(of))
	} else {
		c.still.Store(0)
	}
	c.sink.Post(engine.PlayChanged{Leg: c.id(), Op: op, At: engine.Playhead{Paused: paused, Unknown: true}, Err: err})
}
