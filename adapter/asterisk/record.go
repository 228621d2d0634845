package asterisk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/ari"
	"parley/engine"
	"parley/recording"
)

// Times that the switch has for a recording.
const (
	tapeTime = 5 * time.Second // to tell of what it was asked
	lastTape = 2 * time.Second // to tell that one is over which it does not know any more
)

// spool is where an Asterisk writes recordings, unless it was built otherwise:
// names are below it, and it tells nobody where it is.
const spool = "/var/spool/asterisk/recording"

var errTape = errors.New("asterisk: no confirmation of the recording")

// tape is a recording that the switch makes.
type tape struct {
	op           engine.OpID
	name, format string
	begun        bool
}

// Record implements engine.Recorder: the switch writes to its own folder of
// recordings, at 8 kHz, or at 16 kHz where record_rate is at least that.
func (b *Bridge) Record(op engine.OpID, how engine.Tape) {
	b.link.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), mediaTime)
		defer cancel()
		t := &tape{op: op, format: "wav"}
		if how.Rate >= 16000 {
			t.format = "wav16"
		}
		if err := b.record(ctx, t, how); err != nil {
			b.untape(t, engine.RecordingEnded{Err: err})
			return
		}
		time.AfterFunc(tapeTime, func() {
			b.mu.Lock()
			begun := t.begun
			b.mu.Unlock()
			if !begun {
				b.untape(t, engine.RecordingEnded{Err: errTape})
			}
		})
	})
}

// record has the switch begin, under the first name that is free where others
// may be taken.
func (b *Bridge) record(ctx context.Context, t *tape, how engine.Tape) error {
	b.keep(t)
	if how.Member != 0 {
		return fmt.Errorf("%w: an Asterisk does not record a channel while it is in a bridge", engine.ErrCannot)
	}
	file, err := recording.NameIn(spool, how.File)
	if err != nil {
		return fmt.Errorf("%w: %w", engine.ErrBadCommand, err)
	}
	home, err := b.made(ctx)
	if err != nil {
		return err
	}
	as := ari.Tape{Format: t.format, Exists: existing(how.Exists), MaxSilence: how.MaxSilence}
	for n := 1; ; n++ {
		as.Name = withoutExtension(recording.Part(file, n))
		err := b.begin(ctx, t, home, as)
		switch {
		case errors.Is(err, ari.ErrSwitch):
			return b.cannotRecord(ctx, err)
		case !errors.Is(err, engine.ErrInUse), how.Exists != engine.ExistsNumber, n == recording.MaxParts:
			return err
		}
	}
}

// existing is Asterisk's word for what becomes of a file that is there.
func existing(e engine.Exists) string {
	switch e {
	case engine.ExistsReplace:
		return "overwrite"
	case engine.ExistsAppend:
		return "append"
	case engine.ExistsFail, engine.ExistsNumber:
	}
	return "fail"
}

// cannotRecord says what an Asterisk that fails to record may lack.
func (b *Bridge) cannotRecord(ctx context.Context, err error) error {
	for _, module := range []string{"chan_bridge_media.so", "res_ari_recordings.so"} {
		if trouble := b.link.client.ModuleTrouble(ctx, module); trouble != "" {
			return fmt.Errorf("%w: %s", err, trouble)
		}
	}
	if b.link.client.RecordingsTrouble(ctx) != "" {
		return fmt.Errorf("%w: %s", err, NoSpool(b.link.opt.Name))
	}
	return fmt.Errorf("%w (may the user that Asterisk runs as write to %s?)", err, spool)
}

// NoSpool says that a switch has nowhere to record to, and what to do.
func NoSpool(name string) string {
	return fmt.Sprintf("switch %s has no folder %s, or one that it may not read: make it, for the user that Asterisk runs as "+
		"(it is below astspooldir of asterisk.conf)", name, spool)
}

// begin has the switch record to one name. Asked for a name that it is recording
// to, Asterisk 22 says no, and does not find that recording any more: so it is
// not asked.
func (b *Bridge) begin(ctx context.Context, t *tape, home string, as ari.Tape) error {
	if b.link.taping(as.Name) {
		return fmt.Errorf("%w: %s is being recorded to", engine.ErrInUse, as.Name)
	}
	b.mu.Lock()
	t.name = as.Name
	b.mu.Unlock()
	err := b.link.client.Record(ctx, home, as)
	if errors.Is(err, ari.ErrConflict) {
		b.mu.Lock()
		t.name = ""
		b.mu.Unlock()
		err = fmt.Errorf("%w: %w", engine.ErrInUse, err)
	}
	return err
}

// taping says whether a room is being recorded to a name.
func (l *Link) taping(name string) bool {
	l.mu.Lock()
	rooms := slices.Collect(maps.Values(l.rooms))
	l.mu.Unlock()
	for _, b := range rooms {
		b.mu.Lock()
		for _, t := range b.tapes {
			if t.name == name {
				b.mu.Unlock()
				return true
			}
		}
		b.mu.Unlock()
	}
	return false
}

// PauseRecord implements engine.Recorder. The switch has no event for it.
func (b *Bridge) PauseRecord(op engine.OpID, on bool) {
	b.onTape(op, func(ctx context.Context, _ *tape, name string) {
		f := engine.RecordingPaused{Op: op, On: on}
		if f.Err = b.link.client.PauseRecord(ctx, name, on); f.Err != nil {
			f.On = !on
		}
		b.post(f)
	})
}

// MuteRecord implements engine.RecordMuter.
func (b *Bridge) MuteRecord(op engine.OpID, on bool) {
	b.onTape(op, func(ctx context.Context, _ *tape, name string) {
		b.post(engine.RecordingMuted{Op: op, On: on, Err: b.link.client.MuteRecord(ctx, name, on)})
	})
}

// StopRecord implements engine.Recorder. What the switch does not know any more
// is about to be told of, unless the link was down.
func (b *Bridge) StopRecord(op engine.OpID) {
	b.onTape(op, func(ctx context.Context, t *tape, name string) {
		wait := tapeTime
		err := b.link.client.StopRecord(ctx, name)
		switch {
		case errors.Is(err, ari.ErrNotFound):
			wait = lastTape
		case err != nil:
			b.untape(t, engine.RecordingEnded{Err: err})
			return
		}
		time.AfterFunc(wait, func() { b.untape(t, engine.RecordingEnded{Err: errTape}) })
	})
}

// onTape asks the switch about a recording that has not ended.
func (b *Bridge) onTape(op engine.OpID, ask func(ctx context.Context, t *tape, name string)) {
	b.mu.Lock()
	t := b.tapes[op]
	name := ""
	if t != nil {
		name = t.name
	}
	b.mu.Unlock()
	if t == nil {
		return // that it has ended has been told
	}
	b.link.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), mediaTime)
		defer cancel()
		ask(ctx, t, name)
	})
}

// taped follows what the switch tells of a recording of a bridge; state is
// Asterisk's word for it.
func (l *Link) taped(target, name, state, cause string, took time.Duration) {
	id, ok := strings.CutPrefix(target, "bridge:")
	b := l.room(id)
	if !ok || b == nil {
		return
	}
	b.mu.Lock()
	var t *tape
	for _, one := range b.tapes {
		if one.name == name {
			t = one
		}
	}
	began := t != nil && state == "recording" && !t.begun
	if began {
		t.begun = true
	}
	b.mu.Unlock()
	switch {
	case t == nil: // somebody else's
	case began:
		rate := 8000
		if t.format == "wav16" {
			rate = 16000
		}
		b.post(engine.RecordingBegan{Op: t.op, File: spool + "/" + name + "." + t.format, Rate: rate})
	case state == "failed":
		b.untape(t, engine.RecordingEnded{Err: fmt.Errorf("asterisk: recording %s: %s", name, cause)})
	case state == "done", state == "canceled":
		b.untape(t, engine.RecordingEnded{Duration: took})
	}
}

func (b *Bridge) keep(t *tape) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tapes[t.op] = t
}

// untape tells the end of a recording, once.
func (b *Bridge) untape(t *tape, f engine.RecordingEnded) {
	b.mu.Lock()
	_, runs := b.tapes[t.op]
	delete(b.tapes, t.op)
	b.mu.Unlock()
	if runs {
		f.Op = t.op
		b.post(f)
	}
}

func withoutExtension(file string) string { return file[:len(file)-len(recording.Extension)] }
