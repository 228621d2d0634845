package freeswitch

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"parley/engine"
	"parley/engine/native"
)

// leg is a call as the engine drives it: an engine.Mover. What it is asked is
// done by our mixer while that has the audio, else by the switch.
type leg struct{ *call }

// ID implements engine.Leg: the channel's UUID.
func (l *leg) ID() engine.LegID { return l.id() }

// Voice is the audio in our mixer; nil while the switch has it.
func (l *leg) Voice() *native.Leg { return l.voice.Load() }

// Codec implements engine.Coder.
func (l *leg) Codec() string {
	if v := l.voice.Load(); v != nil {
		return v.Codec()
	}
	return ""
}

// At implements engine.Mover.
func (l *leg) At() engine.Place {
	if l.voice.Load() != nil {
		return engine.Place{}
	}
	return l.Home()
}

// Home implements engine.Mover. A call of a switch that is not configured has
// no home but our mixer.
func (l *leg) Home() engine.Place {
	if l.link == nil {
		return engine.Place{}
	}
	return engine.Place{Switch: l.link.opt.Name}
}

// Move implements engine.Mover.
func (l *leg) Move(op engine.OpID, to engine.Place) {
	l.tasks.Put(func() {
		if to.Native() {
			l.toUs(op)
		} else {
			l.toSwitch(op)
		}
	})
}

// Release implements engine.Leg.
func (l *leg) Release(o engine.Outcome) { l.release <- o }

// Play implements engine.Voice.
func (l *leg) Play(op engine.OpID, what engine.Media) {
	if l.stays() || l.willReturn() || l.stranger() {
		l.prompted(op, nil) // it hears no goodbye, or knows nothing of us
		return
	}
	if v := l.voice.Load(); v != nil {
		v.Play(op, what)
		return
	}
	l.tasks.Put(func() { l.say(op, what) })
}

// Bound implements engine.Resident. A call that has come into its conference by
// the switch's own dialplan stays there: what follows is that dialplan's.
func (l *leg) Bound() error {
	if l.adopted.Load() && l.voice.Load() == nil {
		return errors.New("the call has come into the conference by the switch's own dialplan: conference NAME transfer there moves it")
	}
	return nil
}

// Press implements engine.Presser, where we have the audio.
func (l *leg) Press(digits string) error {
	v := l.voice.Load()
	if v == nil {
		return errors.New("the switch has the audio of the call: uuid_send_dtmf there sends keys")
	}
	return v.Press(digits)
}

// StopPlay implements engine.Voice.
func (l *leg) StopPlay() {
	if v := l.voice.Load(); v != nil {
		v.StopPlay()
		return
	}
	l.tasks.Put(l.hush)
}

// ControlPlay implements engine.Player. Of what the switch plays, it pauses and
// seeks what its conference does.
func (l *leg) ControlPlay(op, play engine.OpID, c engine.PlayControl) {
	if v := l.voice.Load(); v != nil {
		v.ControlPlay(op, play, c)
		return
	}
	l.tasks.Put(func() { l.steerPrompt(op, play, c) })
}

// Playhead implements engine.Player.
func (l *leg) Playhead(play engine.OpID) (engine.Playhead, bool) {
	if v := l.voice.Load(); v != nil {
		return v.Playhead(play)
	}
	return engine.Playhead{Paused: l.still.Load() == uint64(play), Unknown: true}, true
}

var errTheirs = fmt.Errorf("%w: the switch plays it", engine.ErrCannot)

// Record implements engine.Voice. The switch has no place of ours to keep a
// recording at, so there none is made.
func (l *leg) Record(op engine.OpID, limit time.Duration) {
	if v := l.voice.Load(); v != nil {
		v.Record(op, limit)
		return
	}
	l.tasks.Put(func() { l.tape(op, limit) })
}

// StopRecord implements engine.Voice.
func (l *leg) StopRecord() {
	if v := l.voice.Load(); v != nil {
		v.StopRecord()
		return
	}
	l.tasks.Put(l.stopTape)
}

// pressed passes on a key that the switch heard. What comes while the audio is
// with us, comes with it. How long it was held the switch counts at 8 kHz.
func (c *call) pressed(key, units string) {
	if c.media == nil && c.sink != nil && len(key) == 1 {
		n, _ := strconv.ParseUint(units, 10, 16) // 0 where it is none
		c.sink.Post(engine.Digit{Leg: c.id(), Digit: key[0], Held: time.Duration(n) * time.Second / 8000})
	}
}
