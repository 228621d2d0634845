package freeswitch

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

var errSilent = errors.New("freeswitch: nothing of it can be played at the switch")

// speaker is what the switch plays to, or records of, one call.
type speaker struct {
	op      engine.OpID     // of the prompt; 0: none
	app     string          // Application-UUID of what plays it outside of a conference
	running string          // Application-UUID of what has begun
	doomed  map[string]bool // to be stopped as soon as they have begun, and not over yet
	taping  engine.OpID     // of the recording; 0: none
	tape    string          // Application-UUID of what records
}

// say plays to a call whose audio is at the switch: in a conference over what
// it hears there.
func (c *call) say(op engine.OpID, what engine.Media) {
	c.hush()
	files, err := c.files(what)
	if len(files) == 0 {
		c.prompted(op, errors.Join(errSilent, err))
		return
	}
	c.speaker.op = op
	if in := c.inside.Load(); in != nil {
		err = c.confer(conference.Play(in.conference, inConference(files, what.Loop), in.member))
	} else {
		app, arg := "playback", oneFile(files)
		if what.Loop {
			app = "endless_playback"
		}
		c.speaker.app, err = c.begin(app, arg)
	}
	if err != nil {
		c.speaker.op = 0
		c.prompted(op, err)
	}
}

// begin starts an application on the call.
func (c *call) begin(app, arg string) (id string, err error) {
	if !esl.Literal(arg) {
		return "", fmt.Errorf("freeswitch: %s of %.40q", app, arg)
	}
	ctx, cancel := brief()
	defer cancel()
	return c.control.Start(ctx, app, arg)
}

// hush ends the prompt.
func (c *call) hush() {
	s := &c.speaker
	if s.op == 0 {
		return
	}
	s.op = 0
	if in := c.inside.Load(); in != nil && s.app == "" {
		_ = c.confer(conference.Stop(in.conference, in.member)) // it may be over
		return
	}
	c.halt(s.app)
	s.app = ""
}

// halt stops an application of ours: at once, or when it begins.
func (c *call) halt(app string) {
	s := &c.speaker
	if app == "" {
		return
	}
	if s.doomed == nil {
		s.doomed = map[string]bool{}
	}
	s.doomed[app] = true
	if s.running == app {
		_, _ = c.api("uuid_break", c.uuid) // it may be over
	}
}

// begun follows the start of an application.
func (c *call) begun(e *esl.Event) {
	s := &c.speaker
	s.running = e.Value("Application-UUID")
	if s.doomed[s.running] {
		_, _ = c.api("uuid_break", c.uuid)
	}
}

// finished follows the end of an application.
func (c *call) finished(e *esl.Event) {
	s := &c.speaker
	id := e.Value("Application-UUID")
	delete(s.doomed, id)
	if s.running == id {
		s.running = ""
	}
	switch id {
	case "":
	case s.app:
		op := s.op
		s.app, s.op = "", 0
		c.prompted(op, playError(e))
	case s.tape:
		op := s.taping
		s.tape, s.taping = "", 0
		ms, _ := strconv.Atoi(e.Var("record_ms"))
		c.sink.Post(engine.Recorded{Leg: c.id(), Op: op, OK: ms >= 300})
	}
}

// playError is what the switch says of a file it could not play.
func playError(e *esl.Event) error {
	switch how := e.Value("Application-Response"); how {
	case "FILE NOT FOUND", "PLAYBACK ERROR":
		return fmt.Errorf("freeswitch: %s: %.200s", how, e.Value("Application-Data"))
	}
	return nil
}

// played follows the end of a file that the conference played to the call.
func (c *call) played() {
	s := &c.speaker
	if s.op == 0 || s.app != "" {
		return
	}
	op := s.op
	s.op = 0
	c.prompted(op, nil)
}

func (c *call) prompted(op engine.OpID, err error) {
	c.sink.Post(engine.PromptDone{Leg: c.id(), Op: op, Err: err})
}

// tape records what the caller says, where the switch can see our files.
func (c *call) tape(op engine.OpID, limit time.Duration) {
	path := c.recording()
	if path == "" {
		c.sink.Post(engine.Recorded{Leg: c.id(), Op: op})
		return
	}
	c.hush()
	id, err := c.begin("record", fmt.Sprintf("%s %d", path, int(limit.Seconds())))
	if err != nil {
		c.sink.Post(engine.Recorded{Leg: c.id(), Op: op})
		return
	}
	c.speaker.taping, c.speaker.tape = op, id
}

func (c *call) stopTape() { c.halt(c.speaker.tape) }

// recording is the file of the caller's name; "" when there can be none.
func (c *call) recording() string {
	if c.link == nil || !c.link.shares() {
		return ""
	}
	return filepath.Join(c.adapter.opt.Share.Dir, "name-"+c.uuid+".wav")
}
