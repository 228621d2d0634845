package native

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/tick"
	"parley/mixer"
	"parley/recording"
)

// ErrNoFolder: Options.Recordings is not set.
var ErrNoFolder = errors.New("native: there is no folder for recordings")

// taping is a recording of a room: a listener of its class who says nothing. Or
// it is one of a member.
type taping struct {
	op       engine.OpID
	class    *class // nil: of a member
	member   engine.MemberID
	resample *codec.Resampler // of what he says; nil = it has the rate of the recording
	to       *recording.Recorder
	limiter  mixer.Limiter // the tick's, as what follows
	next     uint64        // tick that follows the last one; 0: there was none yet
}

// tape hands what everybody hears to the recordings, and what a member says. It
// comes when all voices and the play are in the mixes of tick n. Ticks that were lost
// are silence: a recording is as long as the meeting.
func (p *plan) tape(s *scratch, turn []*seat, n uint64) {
	for _, t := range p.tapings {
		if t.next != 0 && n > t.next {
			t.to.Skip(n - t.next)
		}
		t.next = n + 1
		if t.class == nil {
			t.overhear(s, turn)
			continue
		}
		out := s.out[:len(t.class.all)]
		t.class.mix.All(out, &t.limiter)
		t.to.Put(out)
	}
}

// overhear records a member as he is heard, and one who waits as he speaks.
func (t *taping) overhear(s *scratch, turn []*seat) {
	i := slices.IndexFunc(turn, func(st *seat) bool { return st.member == t.member })
	if i < 0 {
		return
	}
	v, state := &turn[i].leg.voice, turn[i].state
	pcm := v.pcm
	if !v.spoke && (!state.Waiting || state.Muted || v.held || !v.live) {
		pcm = s.prompt[:len(v.pcm)]
		clear(pcm)
	}
	if t.resample != nil {
		pcm = s.out[:t.resample.Process(s.out[:], pcm)]
	}
	t.to.Put(pcm)
}

// Record implements engine.Recorder.
func (b *Bridge) Record(op engine.OpID, how engine.Tape) {
	b.order(func() engine.Fact {
		ended := engine.RecordingEnded{Op: op}
		rate, t := codec.Rate(how.Rate), &taping{op: op, member: how.Member}
		who := b.find(how.Member)
		if rate == 0 {
			rate = b.highest(who)
		}
		var name string
		switch dir := b.sw.opts.Recordings; {
		case b.state != bridgeOpen:
			ended.Err = ErrClosed
		case how.Member != 0 && who < 0:
			ended.Err = fmt.Errorf("%w: %s", engine.ErrNoMember, how.Member)
		case dir == nil:
			ended.Err = fmt.Errorf("%w: %w", engine.ErrCannot, ErrNoFolder)
		case !slices.Contains(recordable(), rate):
			ended.Err = fmt.Errorf("%w: %w: %d samples per second, want one of %v", engine.ErrBadCommand, ErrFormat, rate, recordable())
		default:
			name, ended.Err = dir.Name(how.File)
			ended.Err = refused(ended.Err)
		}
		if ended.Err != nil {
			return ended
		}
		if who < 0 {
			t.class = b.class(rate)
			if !slices.Contains(b.used(), t.class) {
				b.extendPlays(t.class)
			}
		} else if own := b.seats[who].leg.format.Rate; own != rate {
			t.resample = codec.NewResampler(own, rate)
		}
		t.to = recording.Start(b.options(name, rate, how, op))
		b.tapings = append(b.tapings, t)
		b.publish()
		return nil
	})
}

// recordable are the rates that a room can be recorded at: those with whole
// samples in 20 ms.
func recordable() []codec.Rate {
	return slices.DeleteFunc(slices.Clone(codec.Rates()), func(r codec.Rate) bool { return r%50 != 0 })
}

// highest is the highest rate that a member has, or that of one of them.
func (b *Bridge) highest(who int) codec.Rate {
	if who >= 0 {
		return b.seats[who].class.rate
	}
	rate := codec.Rate(8000)
	for i := range b.seats {
		rate = max(rate, b.seats[i].class.rate)
	}
	return rate
}

// options are those of a recorder that tells the room.
func (b *Bridge) options(name string, rate codec.Rate, how engine.Tape, op engine.OpID) recording.Options {
	sw := b.sw
	sw.totals.recordings.Add(1)
	return recording.Options{
		Dir: sw.opts.Recordings, Name: name, Rate: rate, Exists: existing(how.Exists), MaxSilence: how.MaxSilence,
		Began: func(file string) { b.out.post(engine.RecordingBegan{Op: op, File: file, Rate: int(rate)}) },
		Missing: func(frames int) {
			sw.totals.unrecorded.Add(uint64(frames))
			sw.opts.Log.Warn("the disk, or this machine, is too slow for a recording: there is silence in it", slog.String("room", string(b.room)),
				slog.String("file", name), slog.Duration("missing", time.Duration(frames)*tick.Period))
		},
		Ended: func(r recording.Result) {
			sw.totals.recordings.Add(-1)
			b.untape(op)
			b.out.post(engine.RecordingEnded{
				Op: op, Duration: r.Duration, Bytes: r.Bytes, Lost: time.Duration(r.Lost) * tick.Period,
				Talked: r.Talked, Err: refused(r.Err),
			})
		},
	}
}

// refused gives an error the class that the engine knows.
func refused(err error) error {
	switch {
	case errors.Is(err, recording.ErrName), errors.Is(err, recording.ErrFormat):
		return fmt.Errorf("%w: %w", engine.ErrBadCommand, err)
	case errors.Is(err, recording.ErrExists), errors.Is(err, recording.ErrInUse):
		return fmt.Errorf("%w: %w", engine.ErrInUse, err)
	}
	return err
}

func existing(e engine.Exists) recording.Exists {
	switch e {
	case engine.ExistsReplace:
		return recording.Replace
	case engine.ExistsNumber:
		return recording.Number
	case engine.ExistsAppend:
		return recording.Append
	case engine.ExistsFail:
	}
	return recording.Fail
}

// untape takes a recording out of the plan.
func (b *Bridge) untape(op engine.OpID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.tapings)
	b.tapings = slices.DeleteFunc(b.tapings, func(t *taping) bool { return t.op == op })
	if len(b.tapings) != n && b.state == bridgeOpen {
		b.publish()
	}
}

// PauseRecord implements engine.Recorder.
func (b *Bridge) PauseRecord(op engine.OpID, on bool) {
	b.onTaping(op, func(t *taping) engine.Fact {
		t.to.Pause(on)
		return engine.RecordingPaused{Op: op, On: on}
	})
}

// MuteRecord implements engine.RecordMuter.
func (b *Bridge) MuteRecord(op engine.OpID, on bool) {
	b.onTaping(op, func(t *taping) engine.Fact {
		t.to.Mute(on)
		return engine.RecordingMuted{Op: op, On: on}
	})
}

// StopRecord implements engine.Recorder.
func (b *Bridge) StopRecord(op engine.OpID) {
	b.onTaping(op, func(t *taping) engine.Fact {
		t.to.Stop()
		return nil
	})
}

// onTaping does something to a recording. Of one that has ended RecordingEnded has
// been posted, or is about to be.
func (b *Bridge) onTaping(op engine.OpID, do func(*taping) engine.Fact) {
	b.order(func() engine.Fact {
		if t := b.taping(op); t != nil {
			return do(t)
		}
		return nil
	})
}

// taping finds a recording that has not ended. The caller holds mu.
func (b *Bridge) taping(op engine.OpID) *taping {
	i := slices.IndexFunc(b.tapings, func(t *taping) bool { return t.op == op })
	if i < 0 {
		return nil
	}
	return b.tapings[i]
}
