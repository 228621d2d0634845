package asterisk

import (
	"time"

	"parley/engine"
	"parley/engine/native"
)

// leg is a call as the engine drives it: an engine.Mover. Its audio always
// reaches us; at the switch's place it stands in the room's bridge there except
// while something is played to it alone.
type leg struct{ *call }

// ID implements engine.Leg: the channel's id.
func (l *leg) ID() engine.LegID { return l.leg }

// Voice is the audio as our mixer takes it.
func (l *leg) Voice() *native.Leg { return l.sound.Load().voice }

// Codec implements engine.Coder.
func (l *leg) Codec() string {
	if s := l.sound.Load(); s != nil {
		return s.voice.Codec()
	}
	return ""
}

// At implements engine.Mover.
func (l *leg) At() engine.Place {
	if l.away.Load() {
		return l.Home()
	}
	return engine.Place{}
}

// Home implements engine.Mover.
func (l *leg) Home() engine.Place { return engine.Place{Switch: l.link.opt.Name} }

// Move implements engine.Mover. To the switch nothing has to be done before its
// bridge asks for the channel.
func (l *leg) Move(op engine.OpID, to engine.Place) {
	l.tasks.Put(func() {
		was := l.away.Swap(!to.Native())
		l.prompt = 0
		err := l.settle(outTime)
		if err != nil {
			l.away.Store(was)
		} else if !to.Native() {
			l.Voice().EndSnoops()
		}
		l.sink.Post(engine.Moved{Leg: l.leg, Op: op, Err: err})
	})
}

// Release implements engine.Leg.
func (l *leg) Release(o engine.Outcome) { l.released <- o }

// Press implements engine.Presser.
func (l *leg) Press(digits string) error { return l.Voice().Press(digits) }

// Play implements engine.Voice.
func (l *leg) Play(op engine.OpID, what engine.Media) {
	if !l.away.Load() {
		l.Voice().Play(op, what)
		return
	}
	l.tasks.Put(func() {
		l.prompt = op
		l.warn("not taken aside for a prompt", l.settle(outTime))
		l.Voice().Play(op, what)
	})
}

// StopPlay implements engine.Voice.
func (l *leg) StopPlay() {
	if !l.away.Load() {
		l.Voice().StopPlay()
		return
	}
	l.tasks.Put(func() {
		l.Voice().StopPlay()
		l.said(l.prompt)
	})
}

// ControlPlay implements engine.Player. What is asked for after a Play comes after it.
func (l *leg) ControlPlay(op, play engine.OpID, c engine.PlayControl) {
	if !l.away.Load() {
		l.Voice().ControlPlay(op, play, c)
		return
	}
	l.tasks.Put(func() { l.Voice().ControlPlay(op, play, c) })
}

// Playhead implements engine.Player.
func (l *leg) Playhead(play engine.OpID) (engine.Playhead, bool) { return l.Voice().Playhead(play) }

// Record implements engine.Voice.
func (l *leg) Record(op engine.OpID, limit time.Duration) { l.Voice().Record(op, limit) }

// StopRecord implements engine.Voice.
func (l *leg) StopRecord() { l.Voice().StopRecord() }

// tap passes on what the voice reports, and sees when a prompt is over. Keys
// come as events of ARI: those of the audio would be the same again.
type tap struct{ *call }

// Post implements engine.Sink.
func (t tap) Post(f engine.Fact) {
	switch f := f.(type) {
	case engine.Digit:
		return
	case engine.PromptDone:
		if t.away.Load() {
			t.tasks.Put(func() { t.said(f.Op) })
		}
	}
	t.sink.Post(f)
}

// said lets a member back into the room after a prompt, unless there is another.
func (c *call) said(op engine.OpID) {
	if op == 0 || c.prompt != op {
		return
	}
	c.prompt = 0
	time.AfterFunc(pause, func() {
		c.tasks.Put(func() { c.warn("not back in the room after a prompt", c.settle(outTime)) })
	})
}
