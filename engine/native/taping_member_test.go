package native

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/recording"
)

// settled is the answer to MuteRecord.
func (r *rig) settled(h hall) {
	r.Helper()
	synctest.Wait()
	if !slices.ContainsFunc(h.take(), func(f engine.Fact) bool { _, is := f.(engine.RecordingMuted); return is }) {
		r.Error("no RecordingMuted")
	}
}

// TestBridge_RecordsOneMember: what he says, and nobody else, whether he waits or
// is a member; silence while he or the recording is muted.
func TestBridge_RecordsOneMember(t *testing.T) {
	taped(t, func(r *rig, _ string) {
		h := r.hall()
		r.seat(h, 1, r.call("a", codec.PCMU(), tone(8000, 400, -20)), engine.MemberState{Waiting: true})
		r.seat(h, 2, r.call("b", codec.L16(16000), tone(16000, 900, -20)), engine.MemberState{})
		r.run(5)
		began := r.begins(h, 1, engine.Tape{File: "a", Member: 1})
		wide := r.begins(h, 2, engine.Tape{File: "wide", Member: 1, Rate: 16000})
		r.run(50)
		h.Set(3, 1, engine.MemberState{})
		r.run(50)
		h.Set(4, 1, engine.MemberState{Muted: true})
		r.run(50)
		h.Set(5, 1, engine.MemberState{})
		h.MuteRecord(1, true)
		r.settled(h)
		r.run(50)
		h.MuteRecord(1, false)
		r.settled(h)
		h.Remove(6, 1)
		r.run(10)
		h.StopRecord(1)
		if f := r.ends(h, 1); f.Err != nil || f.Duration < 4*time.Second || f.Duration > 4*time.Second+50*time.Millisecond {
			t.Errorf("%+v", f)
		}
		h.StopRecord(2)
		r.ends(h, 2)
		pcm, rate := wav(t, began.File)
		if rate != 8000 {
			t.Fatalf("rate %d", rate)
		}
		for i, there := range []bool{true, true, false, false} {
			part := pcm[i*8000+1600 : (i+1)*8000-800]
			if got := audiotest.Power(part, 8000, 400); there && math.Abs(got+20) > 1 || !there && got > -90 {
				t.Errorf("second %d: %.1f dB", i, got)
			}
			if got := audiotest.Power(part, 8000, 900); got > -60 {
				t.Errorf("second %d: the other one at %.1f dB", i, got)
			}
		}
		pcm, rate = wav(t, wide.File)
		if got := audiotest.Power(pcm[4000:12000], int(rate), 400); rate != 16000 || math.Abs(got+20) > 1 {
			t.Errorf("at %d: %.1f dB", rate, got)
		}
		h.Record(9, engine.Tape{File: "none", Member: 7})
		if f := r.ends(h, 9); f.Err == nil {
			t.Errorf("one who is not there: %+v", f)
		}
	})
}

func TestBridge_SilenceEndsARecordingAndMoreIsAdded(t *testing.T) {
	taped(t, func(r *rig, _ string) {
		h := r.hall()
		r.seat(h, 1, r.call("a", codec.PCMU(), mute(8000)), engine.MemberState{})
		began := r.begins(h, 1, engine.Tape{File: "a", Member: 1, MaxSilence: time.Second})
		r.run(100)
		if f := r.ends(h, 1); f.Err != nil || f.Duration != 200*time.Millisecond || f.Talked != 0 {
			t.Errorf("%+v", f)
		}
		r.begins(h, 2, engine.Tape{File: "a", Member: 1, Exists: engine.ExistsAppend})
		r.run(50)
		h.StopRecord(2)
		r.ends(h, 2)
		if pcm, _ := wav(t, began.File); len(pcm) < 9600 || len(pcm) > 9600+480 {
			t.Errorf("%d samples", len(pcm))
		}
		h.Record(3, engine.Tape{File: "a", Rate: 16000, Exists: engine.ExistsAppend})
		if f := r.ends(h, 3); f.Err == nil {
			t.Errorf("at another rate: %+v", f)
		}
	})
}

// TestMemberTapeAllocates nothing in the tick, resampled or not.
func TestMemberTapeAllocates(t *testing.T) {
	taped(t, func(r *rig, _ string) {
		h := r.hall()
		r.seat(h, 1, r.call("a", codec.PCMU(), tone(8000, 400, -20)), engine.MemberState{})
		r.run(5)
		s := &scratch{}
		turn := []*seat{&h.mine.plan.seats[0]}
		for _, re := range []*codec.Resampler{nil, codec.NewResampler(8000, 16000)} {
			tape := &taping{member: 1, resample: re, to: recording.Start(recording.Options{
				Dir: recording.NewDir("/dev/null"), Rate: 16000, Ended: func(recording.Result) {},
			})}
			if n := testing.AllocsPerRun(100, func() { tape.overhear(s, turn) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		}
	})
}
