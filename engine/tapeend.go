package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// stopTaping has a recording end, for the first of the reasons that there are.
func (r *room) stopTaping(t *taping, why RecordEnd) {
	if !t.stopped {
		t.stopped, t.why = true, why
		t.at.bridge.(Recorder).StopRecord(t.op)
	}
}

// full is when a recording has all that it may have; zero = it does not run, or
// nothing but a command ends it.
func (t *taping) full() time.Time {
	if t.limit == 0 || t.stopped || t.since.IsZero() {
		return time.Time{}
	}
	return t.since.Add(t.limit - t.before)
}

// lastTaping ends a recording of which nobody is left.
func (r *room) lastTaping(now time.Time, t *taping) {
	if t.giveUp.IsZero() {
		t.giveUp = now.Add(recordEndTime)
	}
	r.stopTaping(t, RecordLeft)
}

// tapeEnded follows the end of a recording: it was asked for, its disk is full,
// or the place is gone.
func (r *room) tapeEnded(now time.Time, t *taping, f RecordingEnded) {
	r.tapings = slices.DeleteFunc(r.tapings, func(o *taping) bool { return o == t })
	begun := t.State != RecordingStarting
	if t.before = t.duration(now); f.Duration > 0 {
		t.before = f.Duration
	}
	t.since = time.Time{}
	t.Bytes, t.LostMS, t.TalkedMS, t.State = f.Bytes, f.Lost.Milliseconds(), f.Talked.Milliseconds(), RecordingDone
	what := EventRecordEnded
	if t.End = r.endOf(t); f.Err != nil {
		t.State, t.Error, t.End, what = RecordingFailed, f.Err.Error(), "", EventRecordFailed
	}
	r.tellTape(now, what, t)
	classed := errors.Is(f.Err, ErrBadCommand) || errors.Is(f.Err, ErrInUse) || errors.Is(f.Err, ErrCannot)
	if t.starting != nil && f.Err != nil && !classed {
		f.Err = fmt.Errorf("%w: %w", ErrNotRecorded, f.Err)
	}
	ordered := t.starting != nil
	t.answerStart(f.Err)
	t.answerMove(f.Err)
	over := fmt.Errorf("%w: it has ended", ErrNoRecording)
	settleAll(&t.stopping, f.Err)
	settleAll(&t.pausing, over)
	settleAll(&t.muting, over)
	if begun && t.Member == 0 && !slices.ContainsFunc(r.tapings, func(o *taping) bool { return o.State != RecordingStarting && o.Member == 0 }) {
		r.announceTape(r.profile.RecordEndSound)
	}
	r.inherit(t, begun, ordered, f.Err)
}

// endOf is why a recording has ended that has not failed.
func (r *room) endOf(t *taping) RecordEnd {
	switch {
	case !t.stopped && r.moving != nil && t.at == r.moving.from:
		return RecordMoved
	case !t.stopped && t.hush > 0:
		return RecordSilent
	}
	return t.why
}

// inherit keeps a recording that has ended, though nobody asked it to, for where
// the room goes: it goes on where the room is being moved to. What the place
// could not begin is tried by the next one.
func (r *room) inherit(t *taping, begun, ordered bool, why error) {
	switch m := r.moving; {
	case t.stopped || why != nil && (begun || ordered):
	case why != nil:
		r.owed = append(r.owed, t)
	case m != nil && t.at == m.from:
		m.tapes = append(m.tapes, t)
	}
}

// abandonTapes does not wait for ever for those of a place that is gone.
func (r *room) abandonTapes(now time.Time, at *venue) {
	for _, t := range r.tapings {
		if t.at == at && t.giveUp.IsZero() {
			t.stopped, t.giveUp = true, now.Add(recordEndTime)
		}
	}
}

// dueTapes ends those that are full, and those whose place does not say that they
// have ended.
func (r *room) dueTapes(now time.Time) {
	for _, t := range slices.Clone(r.tapings) {
		if due(now, t.full()) {
			r.stopTaping(t, RecordFull)
		}
		if due(now, t.giveUp) {
			r.tapeEnded(now, t, RecordingEnded{Err: fmt.Errorf("%w: it was not confirmed that %s is complete", ErrClosed, pick(t.File, t.Name))})
		}
	}
}
