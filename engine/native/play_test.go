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
)

// The report of an item that cannot be played comes with the end of the play.
func TestBridge_PlayErrorNamesTheItem(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.sounds["beep"] = clip(8000, audiotest.Tone(8000, 1000, -20, 1600, 0))
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{})
		mark := len(a.heard)
		h.Play(1, media("nowhere", "beep"), engine.Audience{})
		r.run(15)
		facts := h.take()
		if len(facts) != 1 || !errors.Is(facts[0].(engine.Played).Err, errNoSound) || !strings.Contains(fmt.Sprint(facts), "nowhere") {
			t.Errorf("facts %v", facts)
		}
		if audiotest.Silent(a.since(mark), -30) {
			t.Error("the rest is not played")
		}
	})
}

func TestBridge_PlaysQueueForTheirAudience(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.sounds["one"] = clip(16000, audiotest.Tone(16000, 1000, -20, 16000, 0))
		r.sounds["two"] = clip(16000, audiotest.Tone(16000, 1270, -20, 16000, 0))
		h := r.hall()
		callers := []*caller{
			r.call("speaker", codec.PCMU(), tone(8000, 400, -20)),
			r.call("listener", codec.PCMU(), mute(8000)),
			r.call("wide", codec.L16(16000), mute(16000)),
			r.call("deaf", codec.PCMU(), mute(8000)),
			r.call("waiting", codec.PCMU(), mute(8000)),
			r.call("muted", codec.PCMU(), mute(8000)),
		}
		states := []engine.MemberState{{}, {}, {}, {Deaf: true}, {Waiting: true}, {Muted: true}}
		for i, c := range callers {
			r.seat(h, engine.MemberID(i+1), c, states[i])
		}
		h.take()
		h.Play(1, media("one"), engine.Audience{Except: 2})
		h.Play(2, media("two"), engine.Audience{})
		synctest.Wait()
		mark := func() (at []int) {
			for _, c := range callers {
				at = append(at, len(c.heard))
			}
			return at
		}
		hears := func(from, to []int, freq float64, want ...bool) {
			t.Helper()
			for i, c := range callers {
				got := audiotest.Power(c.heard[from[i]:to[i]], int(c.line.format.Rate), freq)
				if want[i] && math.Abs(got+20) > 1.5 || !want[i] && got > -65 {
					t.Errorf("%s: %.0f Hz at %.1f dB, want it: %v", c.ID(), freq, got, want[i])
				}
			}
		}
		at0 := mark()
		r.run(50)
		at1 := mark()
		h.want(t)
		r.run(1)
		h.want(t, engine.Played{Op: 1})
		at2 := mark()
		r.run(49)
		at3 := mark()
		r.run(3)
		h.want(t, engine.Played{Op: 2})
		at4 := mark()
		r.run(10)
		hears(at0, at1, 1000, true, false, true, false, false, true)
		hears(at0, at1, 1270, false, false, false, false, false, false)
		hears(at0, at1, 400, false, true, true, false, false, true)
		hears(at2, at3, 1270, true, true, true, false, false, true)
		hears(at2, at3, 1000, false, false, false, false, false, false)
		hears(at4, mark(), 1270, false, false, false, false, false, false)
	})
}

// Whoever comes with a rate nobody had so far hears the play from where it is.
func TestBridge_PlayReachesALateClass(t *testing.T) {
	inBubble(t, func(r *rig) {
		early, late := audiotest.Tone(16000, 1000, -20, 16000, 0), audiotest.Tone(16000, 1400, -20, 16000, 0)
		r.sounds["both"] = clip(16000, slices.Concat(early, late))
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{})
		h.Play(1, media("both"), engine.Audience{})
		synctest.Wait()
		r.run(60)
		b := r.call("b", codec.L16(16000), mute(16000))
		r.seat(h, 2, b, engine.MemberState{})
		mark := len(b.heard)
		r.run(30)
		if got := audiotest.Power(b.since(mark), 16000, 1400); math.Abs(got+20) > 1.5 {
			t.Errorf("%.1f dB", got)
		}
		if got := audiotest.Power(b.since(mark), 16000, 1000); got > -80 {
			t.Errorf("hears it from the beginning: %.1f dB", got)
		}
		h.Remove(2, 1) // only the late class is left
		r.run(15)
		if facts := h.take(); !slices.Contains(facts, engine.Fact(engine.Played{Op: 1})) {
			t.Errorf("facts %v", facts)
		}
	})
}

func TestBridge_EndlessPlayEndsForTheNext(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.sounds["beep"] = clip(8000, audiotest.Tone(8000, 1000, -20, 8000, 0))
		r.sounds["quiet"] = clip(8000, make([]int16, 8000))
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{})
		h.take()
		h.Play(1, engine.Media{Items: []string{"beep"}, Loop: true}, engine.Audience{})
		r.run(200)
		h.want(t)
		mark := len(a.heard)
		h.Play(2, media("quiet"), engine.Audience{})
		r.run(3)
		h.want(t, engine.Played{Op: 1})
		if step := audiotest.WorstStep(a.since(mark), 8000, 1000); step > -50 {
			t.Errorf("ends with a click of %.1f dB", step)
		}
		r.run(50)
		h.want(t, engine.Played{Op: 2})
	})
}

// What is beside the others is mixed with them, and gives way to the next such.
func TestBridge_PlaysBeside(t *testing.T) {
	inBubble(t, func(r *rig) {
		for name, hz := range map[string]float64{"first": 1000, "music": 1270, "other": 1600} {
			r.sounds[name] = clip(8000, audiotest.Tone(8000, hz, -20, 8000, 0))
		}
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{})
		h.take()
		beside := engine.Audience{Beside: true}
		h.Play(1, engine.Media{Items: []string{"music"}, Loop: true}, beside)
		h.Play(2, media("first"), engine.Audience{})
		synctest.Wait()
		hears := func(ticks int, want ...float64) {
			t.Helper()
			mark := len(a.heard)
			r.run(ticks)
			for _, hz := range []float64{1000, 1270, 1600} {
				if got := audiotest.Power(a.since(mark), 8000, hz) > -40; got != slices.Contains(want, hz) {
					t.Errorf("%.0f Hz is heard: %v", hz, got)
				}
			}
		}
		hears(25, 1000, 1270)
		h.want(t)
		h.Play(3, media("other"), beside)
		synctest.Wait()
		h.want(t, engine.Played{Op: 1})
		hears(20, 1000, 1600)
		r.run(6)
		h.want(t, engine.Played{Op: 2})
		hears(20, 1600)
		r.run(10)
		h.want(t, engine.Played{Op: 3})
	})
}
