package native

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/internal/tick"
)

func media(items ...string) engine.Media { return engine.Media{Items: items} }

// every says that a caller got one frame per tick, in step.
func (r *rig) every(c *caller, step uint32) {
	r.Helper()
	for i := 1; i < len(c.stamps); i++ {
		if c.stamps[i] != c.stamps[i-1]+step {
			r.Fatalf("%s: timestamp %d after %d", c.ID(), c.stamps[i], c.stamps[i-1])
		}
	}
	if len(c.stamps) != c.drains {
		r.Errorf("%s: %d frames in %d ticks", c.ID(), len(c.stamps), c.drains)
	}
}

// From its own task to a room, back, and to another room: in every tick one
// frame, in whichever order the tasks run.
func TestLeg_MovesLoseAndDoubleNothing(t *testing.T) {
	for _, turns := range []string{"no", "always", "between"} {
		t.Run(turns, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				one, two := r.hall(), r.hall()
				a := r.call("a", l16(), tone(8000, 440, -20))
				b := r.call("b", codec.L16(16000), mute(16000))
				other := r.call("other", l16(), mute(8000))
				r.seat(one, 9, other, engine.MemberState{})
				if turns == "always" {
					r.clock.Turn()
				}
				for round := range engine.MemberID(6) {
					h := []hall{one, two}[round%2]
					r.run(3)
					h.Admit(1, round, a, engine.MemberState{})
					h.Admit(2, round+100, b, engine.MemberState{})
					if turns == "between" {
						r.clock.Turn()
					}
					r.run(int(1 + round%3))
					h.Remove(3, round)
					h.Remove(4, round+100)
					if round%2 == 1 { // straight on to the next room
						two.Admit(5, round+200, a, engine.MemberState{})
						r.run(2)
						two.Remove(6, round+200)
					}
				}
				r.run(3)
				ticks := int(r.clock.Now().UnixNano() / int64(tick.Period))
				if a.drains != ticks || b.drains != ticks {
					t.Errorf("%d ticks; a had %d, b %d", ticks, a.drains, b.drains)
				}
				r.every(a, 160)
				r.every(b, 320)
				if n := r.clock.Tasks(); n != 3 { // a, b, and the room of other
					t.Errorf("%d tasks in the end", n)
				}
			})
		})
	}
}

// A leg that is in its own tick at that very moment is not taken in yet, nor is
// the member told to have joined.
func TestLeg_IsTakenInBetweenItsTicks(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		r.run(1)
		a.owner.Store(r.sw.alone) // its own task is at it
		h.Admit(1, 1, a, engine.MemberState{})
		r.run(2)
		h.want(t)
		a.owner.Store(nil)
		r.run(1)
		h.want(t, engine.Joined{Op: 1, Member: 1})
	})
}

func TestLeg_HoldIsSilentBothWays(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), tone(8000, 400, -20))
		b := r.call("b", l16(), tone(8000, 700, -20))
		r.seat(h, 1, a, engine.MemberState{})
		r.seat(h, 2, b, engine.MemberState{})
		r.run(3)
		a.SetHold(true)
		r.run(1)
		sent, mark := len(a.stamps), len(b.heard)
		r.run(10)
		if len(a.stamps) != sent {
			t.Errorf("%d frames sent to a held caller", len(a.stamps)-sent)
		}
		if !audiotest.Silent(b.since(mark), audiotest.Floor) {
			t.Error("a held caller is heard")
		}
		a.SetHold(false)
		r.run(5)
		if !slices.Equal(a.markers, []int{0, sent}) {
			t.Errorf("markers at %v, want 0 and %d", a.markers, sent)
		}
		if got, want := a.stamps[sent]-a.stamps[sent-1], uint32(12*160); got != want {
			t.Errorf("timestamp went on by %d over the hold, want %d", got, want)
		}
		if got := audiotest.Power(b.heard[len(b.heard)-320:], 8000, 400); math.Abs(got+20) > 2 {
			t.Errorf("back from hold at %.1f dB", got)
		}
	})
}

func TestLeg_MediaLost(t *testing.T) {
	gone := engine.LegGone{Leg: "a", Reason: engine.ReasonMediaLost}
	const patience = 1500 // ticks in 30 s
	for _, c := range []struct {
		name string
		do   func(r *rig, a *caller)
		want []engine.Fact
	}{
		{"silence for as long", func(r *rig, _ *caller) { r.run(patience) }, nil},
		{"one more, told once", func(r *rig, _ *caller) { r.run(patience + 50) }, []engine.Fact{gone}},
		{"while held", func(r *rig, a *caller) { a.SetHold(true); r.run(2 * patience) }, nil},
		{"after hold", func(r *rig, a *caller) {
			a.SetHold(true)
			r.run(2 * patience)
			a.SetHold(false)
			r.run(patience - 10)
			if len(a.sink.facts) > 0 {
				r.Error("the time of the hold counts")
			}
			r.run(20)
		}, []engine.Fact{gone}},
		{"it waits for ever", func(r *rig, a *caller) { a.SetMediaLost(0); r.run(2 * patience) }, nil},
		{"it waits for less", func(r *rig, a *caller) { a.SetMediaLost(time.Second); r.run(60) }, []engine.Fact{gone}},
		{"a packet now and then", func(r *rig, a *caller) {
			for range 3 {
				r.run(patience - 10)
				a.arrived++
			}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				a := r.call("a", l16(), mute(8000))
				r.run(1)
				a.speak = nil
				c.do(r, a)
				a.sink.want(t, c.want...)
			})
		})
	}
}

func TestLeg_Digits(t *testing.T) {
	inBubble(t, func(r *rig) {
		p := &line{t: t, format: l16(), ptime: 20, pressed: []byte("12")}
		l, err := r.sw.NewLeg("a", p, l16())
		if err != nil {
			t.Fatal(err)
		}
		r.run(3)
		if len(p.pressed) != 2 {
			t.Error("keys are taken before there is anybody to tell")
		}
		s := &sink{}
		l.Attach(s)
		p.pressed = append(p.pressed, "34*#5"...)
		r.run(3)
		var got strings.Builder
		for _, f := range s.take() {
			got.WriteByte(f.(engine.Digit).Digit)
		}
		if got.String() != "1234*#5" {
			t.Errorf("digits %s", got.String())
		}
		h := r.hall()
		h.Admit(1, 1, &caller{Leg: l, line: p}, engine.MemberState{})
		p.pressed = []byte("7")
		r.run(2)
		s.want(t, engine.Digit{Leg: "a", Digit: '7'})
		_ = l.Close()
		p.pressed = []byte("8")
		r.run(2)
		s.want(t)
	})
}

// While the courier is behind, what there is to tell is kept.
func TestLeg_FullRingLosesNothing(t *testing.T) {
	r := newRig(t, Options{}) // outside a bubble: the courier is stopped
	r.sw.Close()
	a := r.call("a", l16(), mute(8000))
	for r.sw.notes.put(&note{kind: noteDigit, leg: a.Leg, digit: '0'}) {
	}
	a.pressed = []byte("123")
	for range 3 {
		r.clock.Step()
	}
	if string(a.pressed) != "23" {
		t.Errorf("keys left: %s", a.pressed)
	}
	for n, ok := r.sw.notes.take(); ok; n, ok = r.sw.notes.take() {
		r.sw.deliver(n)
	}
	a.sink.take()
	r.clock.Step()
	for n, ok := r.sw.notes.take(); ok; n, ok = r.sw.notes.take() {
		r.sw.deliver(n)
	}
	a.sink.want(t, engine.Digit{Leg: "a", Digit: '1'}, engine.Digit{Leg: "a", Digit: '2'}, engine.Digit{Leg: "a", Digit: '3'})
}

func TestLeg_Prompts(t *testing.T) {
	done := func(op engine.OpID) engine.PromptDone { return engine.PromptDone{Leg: "a", Op: op} }
	for _, c := range []struct {
		name string
		do   func(r *rig, a *caller)
		want []engine.Fact
	}{
		{"ends by itself", func(r *rig, a *caller) { a.Play(1, media("beep")); r.run(20) }, []engine.Fact{done(1)}},
		{"one after the other", func(r *rig, a *caller) { a.Play(1, media("beep", "beep")); r.run(30) }, []engine.Fact{done(1)}},
		{"is not over yet", func(r *rig, a *caller) { a.Play(1, media("beep", "beep")); r.run(15) }, nil},
		{"is replaced", func(r *rig, a *caller) { a.Play(1, media("beep")); r.run(5); a.Play(2, media("beep")); r.run(20) }, []engine.Fact{done(2)}},
		{"is replaced at once", func(r *rig, a *caller) { a.Play(1, media("beep")); a.Play(2, media("beep")); r.run(20) }, []engine.Fact{done(2)}},
		{"is stopped", func(r *rig, a *caller) { a.Play(1, media("beep")); r.run(5); a.StopPlay(); r.run(20) }, nil},
		{"is stopped when it has just ended", func(r *rig, a *caller) {
			a.Play(1, media("beep"))
			for range 11 {
				r.run(1)
			}
			r.clock.Step() // its end is told, and not yet posted
			a.StopPlay()
			r.run(3)
		}, nil},
		{"loops", func(r *rig, a *caller) { a.Play(1, engine.Media{Items: []string{"beep"}, Loop: true}); r.run(200) }, nil},
		{"nothing at all", func(r *rig, a *caller) { a.Play(1, media()); r.run(1) }, []engine.Fact{done(1)}},
		{"no samples, looped", func(r *rig, a *caller) {
			a.Play(1, engine.Media{Items: []string{"empty"}, Loop: true})
			r.run(2)
		}, []engine.Fact{done(1)}},
		{"while held", func(r *rig, a *caller) { a.SetHold(true); a.Play(1, media("beep")); r.run(20) }, []engine.Fact{done(1)}},
		{"after Close", func(r *rig, a *caller) {
			a.Play(1, media("beep"))
			_ = a.Close()
			r.run(20)
			a.Play(2, media())
			r.run(1)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.sounds["beep"] = clip(8000, audiotest.Tone(8000, 1000, -20, 1760, 0)) // 11 frames
				r.sounds["empty"] = clip(8000, nil)
				a := r.call("a", l16(), mute(8000))
				r.run(1)
				c.do(r, a)
				a.sink.want(t, c.want...)
				if !a.shut && len(c.want) > 0 && a.Leg.prompt.Load() != nil {
					t.Error("the prompt is still there")
				}
			})
		})
	}
}

func TestLeg_PromptErrorsNameTheItem(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.sounds["beep"] = clip(8000, audiotest.Tone(8000, 1000, -20, 160, 0))
		a := r.call("a", l16(), mute(8000))
		for _, c := range []struct {
			items []string
			plays bool
		}{{[]string{"nowhere"}, false}, {[]string{"nowhere", "beep"}, true}, {[]string{"recorded:nobody"}, false}} {
			mark := len(a.heard)
			a.Play(7, media(c.items...))
			r.run(4)
			facts := a.sink.take()
			if len(facts) != 1 {
				t.Fatalf("%v: facts %v", c.items, facts)
			}
			err := facts[0].(engine.PromptDone).Err
			if err == nil || !strings.Contains(err.Error(), c.items[0]) || !errors.Is(err, errNoSound) && !errors.Is(err, ErrNoRecording) {
				t.Errorf("%v: error %v", c.items, err)
			}
			if audiotest.Silent(a.since(mark), -60) == c.plays {
				t.Errorf("%v: played %v", c.items, !c.plays)
			}
		}
	})
}

func TestLeg_PromptSamplesAreExact(t *testing.T) {
	inBubble(t, func(r *rig) {
		beep := audiotest.Tone(8000, 1000, -20, 400, 0)
		r.sounds["beep"] = clip(8000, beep)
		a := r.call("a", l16(), mute(8000))
		r.run(1)
		mark := len(a.heard)
		a.Play(1, engine.Media{Items: []string{"beep", "beep"}, Loop: true})
		synctest.Wait() // it is loaded
		r.run(10)
		if want := slices.Concat(beep, beep, beep, beep); !slices.Equal(a.since(mark), want) {
			t.Errorf("differs at %d", firstDifference(a.since(mark), want))
		}
		a.StopPlay()
		r.run(4)
		got := a.since(mark)
		if step := audiotest.WorstStep(got[160:], 8000, 1000); step > -35 {
			t.Errorf("stops with a click of %.1f dB", step)
		}
		if !audiotest.Silent(got[len(got)-480:], audiotest.Floor) {
			t.Error("plays on")
		}
	})
}

func TestLeg_PromptLiesOverTheRoom(t *testing.T) {
	for _, st := range []engine.MemberState{{}, {Deaf: true}, {Waiting: true}, {Muted: true}} {
		t.Run(fmt.Sprintf("%+v", st), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.sounds["beep"] = clip(8000, audiotest.Tone(8000, 1000, -30, 16000, 0))
				h := r.hall()
				a := r.call("a", codec.PCMU(), tone(8000, 1500, -30))
				b := r.call("b", l16(), tone(8000, 400, -30))
				r.seat(h, 1, a, st)
				r.seat(h, 2, b, engine.MemberState{})
				a.Play(1, media("beep"))
				r.run(3)
				mark := len(a.heard)
				r.run(20)
				apart := st.Deaf || st.Waiting
				if got := audiotest.Power(a.since(mark), 8000, 1000); math.Abs(got+30) > 1.5 {
					t.Errorf("prompt at %.1f dB", got)
				}
				if got := audiotest.Power(a.since(mark), 8000, 400); apart != (got < -70) || !apart && math.Abs(got+30) > 1.5 {
					t.Errorf("the other at %.1f dB", got)
				}
				if got := audiotest.Power(a.since(mark), 8000, 1500); got > -65 {
					t.Errorf("himself at %.1f dB", got)
				}
				heard := audiotest.Power(b.since(mark), 8000, 1500)
				if silent := st.Muted || st.Waiting; silent != (heard < -70) {
					t.Errorf("is heard at %.1f dB", heard)
				}
				if got := audiotest.Power(b.since(mark), 8000, 1000); got > -70 {
					t.Errorf("his prompt is heard by the other at %.1f dB", got)
				}
			})
		})
	}
}

// A room that is as loud as can be, and a loud prompt over it: nothing wraps.
func TestLeg_LoudPromptOverLoudRoom(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.sounds["beep"] = clip(8000, audiotest.Tone(8000, 1000, 0, 32000, 0))
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		b := r.call("b", l16(), tone(8000, 400, 0))
		r.seat(h, 1, a, engine.MemberState{})
		r.seat(h, 2, b, engine.MemberState{})
		a.Play(1, media("beep"))
		r.run(3)
		mark := len(a.heard)
		r.run(30)
		if thd := audiotest.THDN(a.since(mark), 8000, 400, 1000); thd > -50 {
			t.Errorf("distortion %.1f dB", thd)
		}
	})
}

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

func TestLeg_PanicEndsTheLegOnly(t *testing.T) {
	inBubble(t, func(r *rig) {
		a := r.call("a", l16(), mute(8000))
		b := r.call("b", l16(), mute(8000))
		a.burst = func() { panic("a port with a fault") }
		r.run(5)
		a.sink.want(t, engine.LegGone{Leg: "a", Reason: engine.ReasonMediaLost})
		if len(b.stamps) != 5 {
			t.Errorf("the other leg had %d of 5 ticks", len(b.stamps))
		}
	})
}

func TestSwitch_RefusesWhatItCannotDo(t *testing.T) {
	inBubble(t, func(r *rig) {
		for _, f := range []codec.Format{
			{}, {Name: "G729", Rate: 8000, Clock: 8000}, {Name: "L16", Rate: 11025, Clock: 11025},
			{Name: "L16", Rate: 96000, Clock: 96000}, {Name: "L16", Rate: 8000}, {Name: "PCMU", Rate: -8000, Clock: 8000},
		} {
			if _, err := r.sw.NewLeg("x", &line{t: t}, f); !errors.Is(err, ErrFormat) {
				t.Errorf("%+v: %v", f, err)
			}
		}
		if c := r.sw.Counters(); c.Legs != 0 || r.clock.Tasks() != 0 {
			t.Errorf("%d legs, %d tasks", c.Legs, r.clock.Tasks())
		}
	})
	for _, o := range []Options{{}, {Clock: &tick.Manual{}}, {Clock: &tick.Manual{}, Sounds: shelf{}, MaxLegs: -1}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// loaded is a clock under load.
type loaded struct {
	*tick.Manual
	load float64
}

func (l *loaded) Load() float64 { return l.load }

func TestSwitch_Busy(t *testing.T) {
	clock := &loaded{Manual: &tick.Manual{}}
	r := newRig(t, Options{Clock: clock, MaxLegs: 2, MaxLoad: 0.5})
	defer r.sw.Close()
	a := r.call("a", l16(), nil)
	r.call("b", l16(), nil)
	_, err := r.sw.NewLeg("c", &line{t: t}, l16())
	_, err2 := r.sw.Bridge("3001", "i", &sink{})
	if !errors.Is(err, ErrBusy) || !errors.Is(err2, ErrBusy) {
		t.Errorf("with as many legs as may be: %v, %v", err, err2)
	}
	_ = a.Close()
	_ = a.Close()
	c := r.call("c", l16(), nil)
	_ = c.Close()
	clock.load = 0.51
	_, err = r.sw.NewLeg("d", &line{t: t}, l16())
	bridge, err2 := r.sw.Bridge("3001", "i", &sink{})
	if !errors.Is(err, ErrBusy) || !errors.Is(err2, ErrBusy) || bridge != nil {
		t.Errorf("with no time left: %v, %v, %v", err, err2, bridge)
	}
}

func TestSwitch_CountersOutliveLegs(t *testing.T) {
	inBubble(t, func(r *rig) {
		a := r.call("a", l16(), nil)
		b := r.call("b", l16(), nil)
		a.stats = Health{Received: 10, Lost: 1, Dropped: map[string]uint64{"late": 3}}
		b.stats = Health{Received: 5, Dropped: map[string]uint64{"late": 1, "source": 2}}
		for range 2 {
			c := r.sw.Counters()
			if c.Legs != 2 || c.Received != 15 || c.Lost != 1 || c.Dropped["late"] != 4 || c.Dropped["source"] != 2 {
				t.Errorf("%+v", c)
			}
		}
		a.stats = Health{Received: 12, Lost: 1, Dropped: map[string]uint64{"late": 4}}
		_ = a.Close()
		h := r.hall()
		if c := r.sw.Counters(); c.Legs != 1 || c.Rooms != 1 || c.Received != 17 || c.Dropped["late"] != 5 {
			t.Errorf("after a has gone: %+v", c)
		}
		h.Close()
		h.Close()
		if c := r.sw.Counters(); c.Rooms != 0 {
			t.Errorf("%d rooms", c.Rooms)
		}
	})
}
