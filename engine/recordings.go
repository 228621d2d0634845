package engine

import (
	"fmt"
	"slices"
	"time"
)

const (
	maxRecordings = 16              // of one room at one time
	recordEndTime = 5 * time.Second // for files to be complete when the room is over
)

// taping is a recording of the room, from the order on until its file is
// complete.
type taping struct {
	Recording
	op     OpID
	at     *venue
	rate   int           // as asked for
	hush   time.Duration // likewise: the silence that ends it
	limit  time.Duration // likewise: how much is recorded at most; 0 = no matter how much
	before time.Duration // recorded up to the last pause
	since  time.Time     // it runs; zero = it is paused or has not begun

	stopped bool      // it was asked to end
	why     RecordEnd // what for
	giveUp  time.Time // it has not ended by then: we do not wait for it; zero = never

	starting chan error // the command that began it; nil = none, or it is answered
	carried  *carried   // the move that it came by; nil = none, or that knows
	stopping []*tapeWaiter
	pausing  []*tapeWaiter
	muting   []*tapeWaiter
}

// obeyRecord takes the commands about recordings.
func (r *room) obeyRecord(now time.Time, o order) {
	switch c := o.command.(type) {
	case Record:
		if err := r.record(now, c, o.reply); err != nil {
			o.reply <- err
		}
	case StopRecord:
		r.eachTaping(o, c.File, func(t *taping, w *tapeWaiter) {
			t.stopping = append(t.stopping, w)
			r.stopTaping(t, RecordStopped)
		})
	case PauseRecord:
		r.eachTaping(o, c.File, func(t *taping, w *tapeWaiter) {
			t.pausing = append(t.pausing, w)
			t.at.bridge.(Recorder).PauseRecord(t.op, c.On)
		})
	case MuteRecord:
		r.eachTaping(o, c.File, func(t *taping, w *tapeWaiter) { t.mute(w, c.On) })
	default:
		o.reply <- fmt.Errorf("%w: %T", ErrBadCommand, c)
	}
}

// record begins what a command asks for; reply is answered when it has begun.
func (r *room) record(now time.Time, c Record, reply chan error) error {
	name := c.File
	if name == "" {
		c.Exists = ExistsNumber
		var err error
		if name, err = RecordFile(r.profile.RecordFile, r.name, r.instance, now); err != nil {
			return fmt.Errorf("%w: record_file: %w", ErrBadCommand, err)
		}
	}
	if c.Rate == 0 && c.Member == 0 {
		c.Rate = r.profile.RecordRate
	}
	switch {
	case r.at == nil || r.present() == 0:
		return fmt.Errorf("%w in room %s", ErrNoMember, r.name)
	case c.Member != 0 && r.memberSeat(c.Member) == nil:
		return r.noMember(c.Member)
	case r.moving != nil:
		return fmt.Errorf("%w: room %s, %s", ErrMoving, r.name, r.moving)
	case len(r.tapings) >= maxRecordings:
		return fmt.Errorf("%w: %d recordings of room %s run already", ErrCannot, maxRecordings, r.name)
	case slices.ContainsFunc(r.tapings, func(t *taping) bool { return t.Name == name && !t.stopped }):
		return fmt.Errorf("%w: room %s is being recorded to %s", ErrInUse, r.name, name)
	}
	return r.tape(&taping{Recording: Recording{Name: name, Member: c.Member}, rate: c.Rate, hush: c.MaxSilence, limit: c.MaxDuration, starting: reply}, c.Exists)
}

// tape begins a recording where the room is.
func (r *room) tape(t *taping, exists Exists) error {
	b, ok := r.at.bridge.(Recorder)
	if !ok {
		return fmt.Errorf("%w: %s records nothing", ErrCannot, r.at.place)
	}
	r.ops++
	t.op, t.at, t.State = r.ops, r.at, RecordingStarting
	r.tapings = append(r.tapings, t)
	b.Record(t.op, Tape{File: t.Name, Rate: t.rate, Exists: exists, Member: t.Member, MaxSilence: t.hush})
	return nil
}

// eachTaping does something to the recordings that a command means. What is
// stopped is not tried elsewhere either.
func (r *room) eachTaping(o order, name string, do func(*taping, *tapeWaiter)) {
	w := &tapeWaiter{reply: o.reply}
	if _, stop := o.command.(StopRecord); stop {
		r.owed = slices.DeleteFunc(r.owed, func(t *taping) bool { return t.is(name) })
	}
	var found []*taping
	for _, t := range r.tapings {
		if t.is(name) && !t.stopped {
			found = append(found, t)
			w.open++
		}
	}
	switch {
	case len(found) == 0 && name == "":
		o.reply <- fmt.Errorf("%w: room %s is not being recorded", ErrNoRecording, r.name)
	case len(found) == 0:
		o.reply <- fmt.Errorf("%w: room %s is not being recorded to %s", ErrNoRecording, r.name, clip(name))
	}
	for _, t := range found {
		do(t, w)
	}
}

// tapeFact takes a fact about a recording.
func (r *room) tapeFact(now time.Time, f Fact) {
	switch f := f.(type) {
	case RecordingBegan:
		if t := r.taping(f.Op); t != nil {
			r.tapeBegan(now, t, f)
		}
	case RecordingPaused:
		if t := r.taping(f.Op); t != nil {
			r.tapePaused(now, t, f)
		}
	case RecordingMuted:
		if t := r.taping(f.Op); t != nil {
			settleAll(&t.muting, f.Err)
		}
	case RecordingEnded:
		if t := r.taping(f.Op); t != nil {
			r.tapeEnded(now, t, f)
		}
	default:
		panic(fmt.Sprintf("engine: %T is no fact of a bridge", f))
	}
}

func (r *room) taping(op OpID) *taping {
	i := slices.IndexFunc(r.tapings, func(t *taping) bool { return t.op == op })
	if i < 0 {
		return nil
	}
	return r.tapings[i]
}

func (r *room) tapeBegan(now time.Time, t *taping, f RecordingBegan) {
	t.File, t.Rate, t.State, t.StartedAt, t.since = f.File, f.Rate, RecordingRunning, now, now
	r.tellTape(now, EventRecordStarted, t)
	t.answerStart(nil)
	t.answerMove(nil)
	if t.Member == 0 {
		r.announceTape(r.profile.RecordSound)
	}
}

func (t *taping) answerStart(err error) {
	if t.starting != nil {
		t.starting <- err
		t.starting = nil
	}
}

func (t *taping) answerMove(err error) {
	if t.carried != nil {
		t.carried.settle(err)
		t.carried = nil
	}
}

// carried is a move that is answered when the recordings that came along have
// begun in the new place, or could not.
type carried struct {
	open   int
	answer relocated
	reply  chan relocated // nil = nobody waits
}

func (c *carried) settle(err error) {
	c.open--
	if err != nil && c.answer.err == nil {
		c.answer.err = fmt.Errorf("%w: %w", ErrUnrecorded, err)
	}
	if c.open == 0 && c.reply != nil {
		c.reply <- c.answer
	}
}

// announceTape plays to the room that it is recorded, or not any more.
func (r *room) announceTape(sound string) {
	if m := media(r.profile.Language, sound); r.audible() > 0 && !m.Empty() && r.ending == ReasonNone {
		r.ops++
		r.at.bridge.Play(r.ops, m, Audience{})
	}
}

func (r *room) tapePaused(now time.Time, t *taping, f RecordingPaused) {
	if paused := t.State == RecordingPausing; f.Err == nil && paused != f.On && t.State != RecordingStarting {
		what, state, since := EventRecordResumed, RecordingRunning, now
		if f.On {
			what, state, since = EventRecordPaused, RecordingPausing, time.Time{}
		}
		t.before, t.State, t.since = t.duration(now), state, since
		r.tellTape(now, what, t)
	}
	settleAll(&t.pausing, f.Err)
}

// duration is how much is recorded.
func (t *taping) duration(now time.Time) time.Duration {
	if t.since.IsZero() {
		return t.before
	}
	return t.before + now.Sub(t.since)
}

func (r *room) tellTape(now time.Time, what EventType, t *taping) {
	e := r.event(now, what, nil, ReasonNone)
	view := t.view(now)
	e.Recording = &view
	r.house.observe(e)
}

func (t *taping) view(now time.Time) Recording {
	v := t.Recording
	v.DurationMS = t.duration(now).Milliseconds()
	return v
}

// recordings are those of the room as lists show them.
func (r *room) recordings(now time.Time) []Recording {
	var list []Recording
	for _, t := range r.tapings {
		list = append(list, t.view(now))
	}
	return list
}

// settleTapes begins what the profile wants recorded, and ends everything once
// nobody is there.
func (r *room) settleTapes(now time.Time) {
	p := r.profile
	for _, t := range r.tapings {
		if t.Member != 0 && r.memberSeat(t.Member) == nil {
			r.lastTaping(now, t)
		}
	}
	switch {
	case r.count(func(s *seat) bool { return s.phase.inBridge() }) == 0:
		r.taped, r.owed = false, nil
		for _, t := range r.tapings {
			r.lastTaping(now, t)
		}
	case r.taped || p.Record == RecordOff || r.at == nil || r.moving != nil:
	case r.audible() < max(1, p.RecordMin) || p.Record == RecordOnModerator && r.moderators() == 0:
	default:
		r.taped = true
		r.autoRecord(now)
	}
}

// autoRecord records as the profile says. Where it cannot, it is told once and
// tried again where the room moves to.
func (r *room) autoRecord(now time.Time) {
	t := &taping{Recording: Recording{Name: r.profile.RecordFile, Auto: true}, rate: r.profile.RecordRate, at: r.at}
	name, err := RecordFile(r.profile.RecordFile, r.name, r.instance, now)
	if err == nil {
		t.Name = name
		err = r.tape(t, ExistsNumber)
	}
	if err != nil {
		t.State = RecordingStarting
		r.tapeEnded(now, t, RecordingEnded{Err: err})
	}
}

// moveTapes has recordings go on where the room is now, in files of their own.
func (r *room) moveTapes(now time.Time, ended []*taping, c *carried) {
	for _, t := range r.tapings {
		if t.at != r.at && !t.stopped {
			ended = append(ended, t)
			r.stopTaping(t, RecordMoved)
		}
	}
	for _, old := range ended {
		t := &taping{Recording: Recording{Name: old.Name, Auto: old.Auto, Member: old.Member}, rate: old.rate, hush: old.hush, carried: c}
		if old.limit > 0 {
			t.limit = max(time.Nanosecond, old.limit-old.duration(now))
		}
		c.open++
		if err := r.tape(t, ExistsNumber); err != nil {
			t.State, t.at = RecordingStarting, r.at
			r.tapeEnded(now, t, RecordingEnded{Err: err})
		}
	}
}
