package native

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/internal/tick"
	"parley/recording"
	"parley/sound"
)

// tapeNobodyWrites is a recording of a class whose file cannot be opened, so
// that only the tick has to do with it.
func tapeNobodyWrites(c *class) *taping {
	return &taping{class: c, to: recording.Start(recording.Options{
		Dir: recording.NewDir(os.DevNull), Rate: c.rate, Ended: func(recording.Result) {},
	})}
}

// taped runs a test with a rig whose rooms can be recorded, in a bubble: that
// waits for the disk, too.
func taped(t *testing.T, test func(r *rig, dir string)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Recordings: recording.NewDir(dir)})
		defer r.sw.Close()
		test(r, dir)
	})
}

// next is the only fact about a recording that has come.
func (r *rig) next(s hall) (found engine.Fact) {
	r.Helper()
	synctest.Wait()
	for _, f := range s.take() {
		switch f.(type) {
		case engine.RecordingBegan, engine.RecordingEnded, engine.RecordingPaused:
			if found != nil {
				r.Errorf("%+v, and %+v", found, f)
			}
			found = f
		}
	}
	return found
}

func (r *rig) begins(s hall, op engine.OpID, how engine.Tape) engine.RecordingBegan {
	r.Helper()
	s.Record(op, how)
	f, ok := r.next(s).(engine.RecordingBegan)
	if !ok || f.Op != op {
		r.Fatalf("%+v", f)
	}
	return f
}

func (r *rig) ends(s hall, op engine.OpID) engine.RecordingEnded {
	r.Helper()
	f, ok := r.next(s).(engine.RecordingEnded)
	if !ok || f.Op != op {
		r.Fatalf("%+v", f)
	}
	return f
}

func wav(t *testing.T, file string) ([]int16, codec.Rate) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pcm, rate, err := sound.DecodeWAV(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return pcm, rate
}

func TestBridge_RecordsWhatTheRoomHears(t *testing.T) {
	taped(t, func(r *rig, dir string) {
		r.sounds["music"] = clip(16000, audiotest.Tone(16000, 1500, -20, 16000*5, 0))
		r.sounds["private"] = clip(16000, audiotest.Tone(16000, 2100, -20, 16000*5, 0))
		h := r.hall()
		speaker := r.call("speaker", codec.PCMU(), tone(8000, 400, -20))
		r.seat(h, 1, speaker, engine.MemberState{})
		r.seat(h, 2, r.call("wide", codec.L16(16000), tone(16000, 5000, -20)), engine.MemberState{})
		r.seat(h, 3, r.call("muted", codec.PCMU(), tone(8000, 700, -20)), engine.MemberState{Muted: true})
		r.seat(h, 4, r.call("waiting", codec.PCMU(), tone(8000, 1000, -20)), engine.MemberState{Waiting: true})
		speaker.Play(1, media("private"))
		r.run(5)
		began := r.begins(h, 7, engine.Tape{File: "sub/a"})
		if began.Rate != 16000 || began.File != filepath.Join(dir, "sub", "a.wav") {
			t.Errorf("%+v", began)
		}
		h.Play(2, media("music"), engine.Audience{Except: 1})
		r.run(100)
		h.PauseRecord(7, true)
		r.next(h)
		r.run(50)
		h.PauseRecord(7, false)
		r.next(h)
		r.run(50)
		h.StopRecord(7)
		ended := r.ends(h, 7)
		pcm, rate := wav(t, began.File)
		if want := 3 * time.Second; rate != 16000 || ended.Duration != want || len(pcm) != rate.Samples(want) || ended.Err != nil || ended.Lost != 0 {
			t.Errorf("%d samples at %d, %+v", len(pcm), rate, ended)
		}
		part := pcm[len(pcm)/2:]
		for freq, there := range map[float64]bool{400: true, 5000: true, 1500: true, 700: false, 1000: false, 2100: false} {
			got := audiotest.Power(part, int(rate), freq)
			if there && math.Abs(got+20) > 1.5 || !there && got > -60 {
				t.Errorf("%.0f Hz at %.1f dB, want it: %v", freq, got, there)
			}
		}
		if n := r.sw.Counters().Recordings; n != 0 {
			t.Errorf("%d recordings are counted", n)
		}
	})
}

// A recording is as long as the meeting, also of a machine that loses ticks: silence
// takes their place, but for a pause.
func TestBridge_RecordsTheTimeOfLostTicks(t *testing.T) {
	taped(t, func(r *rig, _ string) {
		h := r.hall()
		r.seat(h, 1, r.call("speaker", codec.PCMU(), tone(8000, 400, -20)), engine.MemberState{})
		r.clock.Lose(100) // before it
		began := r.begins(h, 7, engine.Tape{File: "a"})
		r.run(50)
		r.clock.Lose(20)
		r.run(30)
		h.PauseRecord(7, true)
		r.next(h)
		r.clock.Lose(10)
		r.run(10)
		h.PauseRecord(7, false)
		r.next(h)
		r.run(20)
		h.StopRecord(7)
		ended := r.ends(h, 7)
		pcm, rate := wav(t, began.File)
		if want := 120 * tick.Period; ended.Duration != want || len(pcm) != rate.Samples(want) || ended.Lost != 20*tick.Period {
			t.Errorf("%d samples, %+v", len(pcm), ended)
		}
		quiet := pcm[rate.Samples(50*tick.Period):rate.Samples(70*tick.Period)]
		if got := audiotest.Power(quiet, int(rate), 400); got > -90 {
			t.Errorf("%.1f dB in the gap", got)
		}
	})
}

// A recording at a rate that nobody has is a class of its own, and stays what it
// is when members come and go.
func TestBridge_RecordsAtItsOwnRate(t *testing.T) {
	taped(t, func(r *rig, _ string) {
		h := r.hall()
		r.seat(h, 1, r.call("a", codec.PCMU(), tone(8000, 400, -20)), engine.MemberState{})
		began := r.begins(h, 1, engine.Tape{File: "a", Rate: 48000})
		r.run(50)
		b := r.call("b", codec.L16(16000), tone(16000, 900, -20))
		r.seat(h, 2, b, engine.MemberState{})
		h.take()
		r.run(50)
		h.Remove(99, 2)
		r.run(50)
		h.StopRecord(1)
		r.ends(h, 1)
		pcm, rate := wav(t, began.File)
		if rate != 48000 {
			t.Fatalf("rate %d", rate)
		}
		whole := audiotest.Power(pcm[len(pcm)/3:], int(rate), 400)
		if math.Abs(whole+20) > 1 {
			t.Errorf("400 Hz at %.1f dB", whole)
		}
		if got := audiotest.Power(pcm[len(pcm)*45/100:len(pcm)*60/100], int(rate), 900); math.Abs(got+20) > 1.5 {
			t.Errorf("900 Hz at %.1f dB while he is there", got)
		}
	})
}

func TestBridge_RecordRefusals(t *testing.T) {
	taped(t, func(r *rig, dir string) {
		h := r.hall()
		r.seat(h, 1, r.call("a", codec.PCMU(), mute(8000)), engine.MemberState{})
		r.begins(h, 1, engine.Tape{File: "a.wav"})
		for i, c := range []struct {
			how  engine.Tape
			want error
		}{
			{engine.Tape{File: "../a.wav"}, recording.ErrName},
			{engine.Tape{File: "a.wav", Exists: engine.ExistsReplace}, recording.ErrInUse},
			{engine.Tape{File: "b.wav", Rate: 11111}, ErrFormat},
			{engine.Tape{File: "b.wav", Rate: -1}, ErrFormat},
		} {
			h.Record(engine.OpID(10+i), c.how)
			if f := r.ends(h, engine.OpID(10+i)); !errors.Is(f.Err, c.want) {
				t.Errorf("%+v: %v", c.how, f.Err)
			} else if errors.Is(c.want, ErrFormat) && !strings.Contains(f.Err.Error(), "want one of [8000 16000 22050 24000 32000 44100 48000]") {
				t.Errorf("%v", f.Err)
			}
		}
		if f := r.begins(h, 20, engine.Tape{File: "a.wav", Exists: engine.ExistsNumber}); f.File != filepath.Join(dir, "a-2.wav") {
			t.Errorf("%+v", f)
		}
		none := newRig(t, Options{})
		defer none.sw.Close()
		g := none.hall()
		defer h.Close()
		g.Record(1, engine.Tape{File: "a.wav"})
		if f := none.ends(g, 1); !errors.Is(f.Err, ErrNoFolder) {
			t.Errorf("%v", f.Err)
		}
	})
}

// The files of a room that ends, or whose tick panics, are complete.
func TestBridge_RecordingsOfARoomThatEnds(t *testing.T) {
	for _, panics := range []bool{false, true} {
		taped(t, func(r *rig, _ string) {
			h := r.hall()
			a := r.call("a", codec.PCMU(), tone(8000, 400, -20))
			r.seat(h, 1, a, engine.MemberState{})
			began := r.begins(h, 1, engine.Tape{File: "a"})
			r.run(20)
			if panics {
				a.burst = func() { panic("on purpose") }
				r.run(2)
				r.ends(h, 1)
			} else {
				h.Close()
				synctest.Wait()
			}
			if pcm, _ := wav(t, began.File); len(pcm) < 20*160 {
				t.Errorf("panics %v: %d samples", panics, len(pcm))
			}
		})
	}
}
