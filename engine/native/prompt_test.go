package native

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/sound"
)

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
		{"is stopped when its end is already told", func(r *rig, a *caller) {
			a.Play(1, media("beep"))
			synctest.Wait()
			p := a.Leg.prompt.Load()
			a.StopPlay()
			a.settle(p, nil) // as the courier does
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

// TestWhatIsHeardOfASoundThatIsMissing: a tone, or the built-in music instead of
// some; of a recording nothing. That it is missing is told all the same.
func TestWhatIsHeardOfASoundThatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name string
		what engine.Media
		hz   float64 // 0: silence
	}{
		{"a prompt", media("nowhere"), 700},
		{"music", engine.Media{Items: []string{"nowhere"}, Loop: true}, 1900},
		{"a recording", media("recorded:nobody"), 0},
		{"what is there", media("there", "nowhere"), 1200},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				for spec, hz := range map[string]float64{sound.Fallback: 700, sound.HoldMusic: 1900, "there": 1200} {
					r.sounds[spec] = clip(8000, audiotest.Tone(8000, hz, -20, 1600, 0))
				}
				a := r.call("a", l16(), mute(8000))
				r.run(1)
				mark := len(a.heard)
				a.Play(7, c.what)
				synctest.Wait()
				r.run(8)
				for _, hz := range []float64{700, 1200, 1900} {
					if heard := audiotest.Power(a.since(mark)[320:], 8000, hz) > -30; heard != (hz == c.hz) {
						t.Errorf("%.0f Hz are heard: %v", hz, heard)
					}
				}
				a.StopPlay()
				r.run(30)
				for _, f := range a.sink.take() {
					if done, ok := f.(engine.PromptDone); ok && done.Err == nil {
						t.Errorf("nobody is told: %+v", done)
					}
				}
			})
		})
	}
}

func TestASoundThatPanicsIsOneThatCannotBePlayed(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, a := r.hall(), r.call("a", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{})
		a.Play(7, media("panic"))
		h.Play(8, media("panic"), engine.Audience{})
		r.run(2)
		for _, facts := range [][]engine.Fact{a.sink.take(), h.sink.take()} {
			if len(facts) != 1 || !strings.Contains(fmt.Sprint(facts), "a broken sound") {
				t.Errorf("facts %v", facts)
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
