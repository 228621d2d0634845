package freeswitch

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl/conference"
	"parley/recording"
)

// Times that the switch has for a recording.
const (
	tapeTime = 5 * time.Second // to tell of what it was asked
	lastTape = 2 * time.Second // to tell that one is over whose conference is
)

var errTape = errors.New("freeswitch: no confirmation of the recording")

// tape is a recording that the switch makes.
type tape struct {
	op   engine.OpID
	path string
	on   time.Time // since when the file is open; zero = it is not
}

// Record implements engine.Recorder: the switch writes below its own folder of
// recordings, at the rate of its conference.
func (b *Bridge) Record(op engine.OpID, how engine.Tape) {
	b.do(func() {
		t := &tape{op: op}
		b.tapes = append(b.tapes, t)
		if err := b.record(t, how); err != nil {
			b.untape(t, engine.RecordingEnded{Err: err})
			return
		}
		time.AfterFunc(tapeTime, func() {
			b.do(func() {
				if t.on.IsZero() {
					b.untape(t, engine.RecordingEnded{Err: errTape})
				}
			})
		})
	})
}

func (b *Bridge) record(t *tape, how engine.Tape) error {
	switch {
	case how.Member != 0:
		return fmt.Errorf("%w: of a conference of a FreeSWITCH all is recorded, and not one member", engine.ErrCannot)
	case how.MaxSilence != 0:
		return fmt.Errorf("%w: no silence ends the recording of a FreeSWITCH's conference", engine.ErrCannot)
	case how.Exists == engine.ExistsAppend:
		return fmt.Errorf("%w: a FreeSWITCH begins a file for each recording of a conference", engine.ErrCannot)
	}
	dir, err := b.link.api("global_getvar", "recordings_dir")
	dir = strings.TrimSpace(dir)
	if err == nil && !path.IsAbs(dir) {
		err = fmt.Errorf("freeswitch: recordings_dir of the switch is %.100q", dir)
	}
	if err != nil {
		return err
	}
	name, err := recording.NameIn(dir, how.File)
	if err != nil {
		return fmt.Errorf("%w: %w", engine.ErrBadCommand, err)
	}
	if t.path, err = b.free(dir, name, how.Exists); err != nil {
		return err
	}
	args, err := conference.Record(b.room, t.path)
	if err == nil {
		err = b.link.confer(b.any(), args)
	}
	if errors.Is(err, conference.ErrTaping) { // somebody at the switch does
		return fmt.Errorf("%w: %s: %w", engine.ErrInUse, b.link.opt.Name, err)
	}
	return err
}

// free is the file to record to, as far as those that are there already leave it.
func (b *Bridge) free(dir, name string, exists engine.Exists) (string, error) {
	for n := 1; ; n++ {
		file := path.Join(dir, recording.Part(name, n))
		if slices.ContainsFunc(b.tapes, func(o *tape) bool { return o.path == file }) {
			if exists != engine.ExistsNumber {
				return "", fmt.Errorf("%w: %w: %s", engine.ErrInUse, recording.ErrInUse, file)
			}
			continue
		}
		if exists == engine.ExistsReplace {
			return file, nil
		}
		there, err := b.link.api("file_exists", file)
		switch {
		case err != nil:
			return "", err
		case strings.TrimSpace(there) == "false":
			return file, nil
		case exists != engine.ExistsNumber, n == recording.MaxParts:
			return "", fmt.Errorf("%w: %w: %s", engine.ErrInUse, recording.ErrExists, file)
		}
	}
}

// PauseRecord implements engine.Recorder.
func (b *Bridge) PauseRecord(op engine.OpID, on bool) {
	b.do(func() {
		t := b.tape(func(t *tape) bool { return t.op == op })
		if t == nil {
			return // that it has ended has been told
		}
		order := conference.ResumeRecord
		if on {
			order = conference.PauseRecord
		}
		args, err := order(b.room, t.path)
		if err == nil {
			err = b.link.confer(b.any(), args)
		}
		if err != nil {
			b.post(engine.RecordingPaused{Op: op, On: !on, Err: err})
		}
	})
}

// StopRecord implements engine.Recorder. What the switch does not know any more
// is about to be told of, unless the link was down.
func (b *Bridge) StopRecord(op engine.OpID) {
	b.do(func() {
		t := b.tape(func(t *tape) bool { return t.op == op })
		if t == nil {
			return
		}
		args, err := conference.StopRecord(b.room, t.path)
		if err == nil {
			err = b.link.confer(b.any(), args)
		}
		wait := tapeTime
		if errors.Is(err, conference.ErrNoConference) || errors.Is(err, conference.ErrNoFile) {
			wait, err = lastTape, nil
		}
		if err != nil {
			b.untape(t, engine.RecordingEnded{Err: err})
			return
		}
		time.AfterFunc(wait, func() { b.do(func() { b.untape(t, engine.RecordingEnded{Err: errTape}) }) })
	})
}

// taped follows what the switch tells of a recording, ours or not.
func (b *Bridge) taped(e conference.Event) {
	t := b.tape(func(t *tape) bool { return t.path == e.Path })
	if t == nil {
		return
	}
	switch e.Action { //nolint:exhaustive // others do not come here
	case conference.RecordStart:
		if e.Error != "" {
			b.untape(t, engine.RecordingEnded{Err: fmt.Errorf("freeswitch: %s: %s", t.path, e.Error)})
			return
		}
		t.on = time.Now()
		b.post(engine.RecordingBegan{Op: t.op, File: t.path, Rate: b.rate()})
	case conference.RecordPause, conference.RecordResume:
		b.post(engine.RecordingPaused{Op: t.op, On: e.Action == conference.RecordPause})
	case conference.RecordStop:
		b.untape(t, engine.RecordingEnded{Duration: e.Played})
	}
}

// unrecorded ends the recordings of a conference that the switch says it does
// not record, though it has told of no end. One that has just begun may not have
// been there yet when it said so.
func (b *Bridge) unrecorded(mend func(Difference) bool) {
	for _, t := range slices.Clone(b.tapes) {
		if t.on.IsZero() || time.Since(t.on) < tapeTime {
			continue
		}
		if mend(Difference{Room: b.room, Text: "the switch does not record any more to " + t.path}) {
			b.untape(t, engine.RecordingEnded{Err: errTape})
		}
	}
}

// rate is the conference's; 0 when the switch does not say.
func (b *Bridge) rate() int {
	text, _ := b.link.api("conference", b.room+" get rate")
	n, _ := strconv.Atoi(strings.TrimSpace(text)) // 0 where it is none
	return n
}

func (b *Bridge) tape(is func(*tape) bool) *tape {
	i := slices.IndexFunc(b.tapes, is)
	if i < 0 {
		return nil
	}
	return b.tapes[i]
}

// untape tells the end of a recording, once.
func (b *Bridge) untape(t *tape, f engine.RecordingEnded) {
	n := len(b.tapes)
	b.tapes = slices.DeleteFunc(b.tapes, func(o *tape) bool { return o == t })
	if len(b.tapes) < n {
		f.Op = t.op
		b.post(f)
	}
}
