package native

import (
	"math"
	"testing"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/internal/tick"
)

func TestLeg_Recording(t *testing.T) {
	said := func(ok bool) engine.Recorded { return engine.Recorded{Leg: "a", Op: 1, OK: ok} }
	talk := func(from, to int) func(int) []int16 {
		sing, quiet := tone(8000, 400, -20), mute(8000)
		return func(n int) []int16 {
			if n >= from && n < to {
				return sing(n)
			}
			return quiet(n)
		}
	}
	for _, c := range []struct {
		name  string
		speak func(int) []int16
		do    func(r *rig, a *caller)
		want  []engine.Fact
		keeps float64 // seconds
	}{
		{"a name", talk(50, 80), func(r *rig, a *caller) { a.Record(1, 4*time.Second); r.run(201) }, []engine.Fact{said(true)}, 0.2 + 0.6 + 0.5},
		{"to the end", talk(0, 300), func(r *rig, a *caller) { a.Record(1, time.Second); r.run(51) }, []engine.Fact{said(true)}, 1},
		{"nothing said", talk(0, 0), func(r *rig, a *caller) { a.Record(1, time.Second); r.run(51) }, []engine.Fact{said(false)}, 0},
		{"not over yet", talk(0, 300), func(r *rig, a *caller) { a.Record(1, time.Second); r.run(45) }, nil, 0},
		{"stopped", talk(0, 300), func(r *rig, a *caller) { a.Record(1, time.Minute); r.run(24); a.StopRecord(); r.run(1) }, []engine.Fact{said(true)}, 0.5},
		{"stopped twice", talk(0, 300), func(r *rig, a *caller) {
			a.Record(1, time.Minute)
			r.run(24)
			a.StopRecord()
			r.run(1)
			a.StopRecord()
			r.run(1)
		}, []engine.Fact{said(true)}, 0.5},
		{"replaced", talk(0, 300), func(r *rig, a *caller) {
			a.Record(1, time.Minute)
			r.run(5)
			a.Record(2, 100*time.Millisecond)
			r.run(10)
		}, []engine.Fact{said(false), engine.Recorded{Leg: "a", Op: 2, OK: true}}, 0.1},
		{"closed meanwhile", talk(0, 300), func(r *rig, a *caller) { a.Record(1, time.Second); r.run(10); _ = a.Close(); r.run(60) }, nil, 0},
		{"while muted in a room", talk(0, 300), func(r *rig, a *caller) {
			r.seat(r.hall(), 1, a, engine.MemberState{Muted: true})
			a.Record(1, time.Second)
			r.run(51)
		}, []engine.Fact{said(true)}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				a := r.call("a", l16(), c.speak)
				c.do(r, a)
				a.sink.want(t, c.want...)
				got := 0.0
				if k := r.sw.recording("a"); k != nil {
					got = k.Duration().Seconds()
				}
				if math.Abs(got-c.keeps) > 0.021 {
					t.Errorf("kept %.2f s, want %.2f", got, c.keeps)
				}
			})
		})
	}
}

func TestLeg_RecordingIsPlayedToOthersAndExpires(t *testing.T) {
	inBubble(t, func(r *rig) {
		a := r.call("a", l16(), tone(8000, 400, -20))
		b := r.call("b", codec.L16(16000), mute(16000))
		a.Record(1, time.Second)
		r.run(52)
		_ = a.Close()
		mark := len(b.heard)
		b.Play(1, media(engine.RecordedName("a")))
		r.run(40)
		if got := audiotest.Power(b.since(mark)[3200:6400], 16000, 400); math.Abs(got+20) > 1.5 {
			t.Errorf("played at %.1f dB", got)
		}
		r.run(int(DefaultKeep/tick.Period) + 1)
		_ = b.Close() // somebody leaving clears up
		if r.sw.recording("a") != nil {
			t.Error("is kept for ever")
		}
	})
}
