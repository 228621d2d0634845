package native

import (
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

// A fact is a fact: it comes when a tick has done what was asked, not before.
func TestBridge_FactsFollowTheTick(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		muted := engine.MemberState{Muted: true}
		step := func(want ...engine.Fact) {
			t.Helper()
			synctest.Wait()
			h.want(t)
			r.run(1)
			h.want(t, want...)
		}
		h.Admit(1, 1, a, engine.MemberState{})
		step(engine.Joined{Op: 1, Member: 1})
		h.Set(2, 1, muted)
		h.Set(3, 1, engine.MemberState{Deaf: true})
		step(engine.Applied{Op: 2, Member: 1, State: muted}, engine.Applied{Op: 3, Member: 1, State: engine.MemberState{Deaf: true}})
		h.Remove(4, 1)
		step(engine.Left{Op: 4, Member: 1})
		h.Admit(5, 2, a, engine.MemberState{})
		h.Remove(6, 2)
		h.Admit(7, 3, a, engine.MemberState{})
		step(engine.Joined{Op: 5, Member: 2}, engine.Left{Op: 6, Member: 2}, engine.Joined{Op: 7, Member: 3})
		r.every(a, 160)
	})
}

func TestBridge_FactsWaitForTheirOwnPlan(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		h.Admit(1, 1, r.call("a", l16(), nil), engine.MemberState{})
		first := h.number
		h.Set(2, 1, engine.MemberState{Muted: true})
		h.acknowledged(first) // as the courier does
		h.want(t, engine.Joined{Op: 1, Member: 1})
	})
}

func TestBridge_EveryOrderIsSettled(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, other := r.hall(), r.hall()
		a, b := r.call("a", l16(), nil), r.call("b", l16(), nil)
		r.seat(other, 1, b, engine.MemberState{})
		h.Set(1, 9, engine.MemberState{})
		h.Remove(2, 9)
		h.Admit(3, 1, voiceless{}, engine.MemberState{})
		h.Admit(4, 2, b, engine.MemberState{}) // is in the other room
		h.want(t, engine.Left{Op: 1, Member: 9}, engine.Left{Op: 2, Member: 9},
			engine.AdmitFailed{Op: 3, Member: 1, Reason: engine.ReasonMediaLost},
			engine.AdmitFailed{Op: 4, Member: 2, Reason: engine.ReasonMediaLost})
		h.Play(5, media(), engine.Audience{})
		h.Play(6, media("nowhere"), engine.Audience{})
		r.run(4)
		facts := h.take()
		if len(facts) != 2 || facts[0] != (engine.Played{Op: 5}) || !strings.Contains(fmt.Sprint(facts[1]), "Op:6") && facts[1].(engine.Played).Op != 6 {
			t.Errorf("facts %v", facts)
		}
		_ = a.Close()
		h.Admit(7, 3, a, engine.MemberState{}) // has hung up: silent, until removed
		r.run(1)
		h.Remove(8, 3)
		r.run(1)
		h.want(t, engine.Joined{Op: 7, Member: 3}, engine.Left{Op: 8, Member: 3})
		h.Admit(9, 4, r.call("c", l16(), nil), engine.MemberState{})
		h.Bridge.Close()
		r.run(3)
		h.Set(10, 4, engine.MemberState{})
		r.run(3)
		h.want(t)
	})
}

type voiceless struct{ engine.Leg }

func TestBridge_WaitingHearAndAreHeardByNobody(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.sounds["music"] = clip(8000, audiotest.Tone(8000, 2000, -25, 8000, 0))
		h := r.hall()
		a := r.call("a", codec.PCMU(), tone(8000, 400, -20))
		b := r.call("b", codec.PCMU(), tone(8000, 700, -20))
		m := r.call("m", codec.PCMU(), tone(8000, 1100, -20))
		waiting := engine.MemberState{Waiting: true}
		r.seat(h, 1, a, waiting)
		r.seat(h, 2, b, waiting)
		a.Play(1, engine.Media{Items: []string{"music"}, Loop: true})
		r.seat(h, 3, m, engine.MemberState{})
		r.run(3)
		at := []int{len(a.heard), len(b.heard), len(m.heard)}
		r.run(30)
		hears := func(c *caller, from int, want ...float64) {
			t.Helper()
			for _, f := range []float64{400, 700, 1100, 2000} {
				got := audiotest.Power(c.since(from), 8000, f)
				if slices.Contains(want, f) != (got > -30) || got < -30 && got > -65 {
					t.Errorf("%s hears %.0f Hz at %.1f dB", c.ID(), f, got)
				}
			}
		}
		hears(a, at[0], 2000)
		hears(b, at[1])
		hears(m, at[2])
		h.Set(0, 1, engine.MemberState{})
		h.Set(0, 2, engine.MemberState{})
		a.StopPlay()
		r.run(3)
		at = []int{len(a.heard), len(b.heard), len(m.heard)}
		r.run(30)
		hears(a, at[0], 700, 1100)
		hears(b, at[1], 400, 1100)
		hears(m, at[2], 400, 700)
	})
}

func TestBridge_Talking(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), tone(8000, 400, -20))
		r.run(2) // talks before he is a member
		h.Admit(1, 1, a, engine.MemberState{})
		r.clock.Turn()
		r.run(4)
		h.want(t, engine.Joined{Op: 1, Member: 1}, engine.Talking{Member: 1, On: true})
		a.speak = mute(8000)
		r.run(40)
		h.want(t, engine.Talking{Member: 1, On: false})
		a.speak = tone(8000, 400, -20)
		r.run(2)
		h.want(t, engine.Talking{Member: 1, On: true})
		h.Set(2, 1, engine.MemberState{Muted: true})
		r.run(5)
		facts := h.take()
		if len(facts) != 2 || !slices.Contains(facts, engine.Fact(engine.Talking{Member: 1})) {
			t.Errorf("muted while talking: %v", facts)
		}
		if m := h.Levels(nil); len(m) != 1 || !m[0].Talking || math.Abs(m[0].Level+23) > 0.5 || m[0].Codec != "L16/8000" {
			t.Errorf("levels %+v", m)
		}
	})
}

func TestBridge_Levels(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", codec.PCMU(), nil)
		a.stats = Health{Received: 90, Lost: 10, Delay: 40}
		r.seat(h, 1, a, engine.MemberState{})
		r.seat(h, 2, r.call("b", codec.L16(16000), tone(16000, 400, -10)), engine.MemberState{})
		dst := h.Levels(make([]engine.MemberMedia, 0, 4))
		if want := (engine.MemberMedia{Member: 1, Level: -127, Codec: "PCMU/8000", Lost: 0.1, Delay: 40, Quiet: -1}); dst[0] != want {
			t.Errorf("%+v, want %+v", dst[0], want)
		}
		if m := dst[1]; m.Member != 2 || !m.Talking || math.Abs(m.Level+13) > 0.5 || m.Lost != 0 {
			t.Errorf("%+v", m)
		}
		h.Bridge.Close()
		if n := len(h.Levels(nil)); n != 0 {
			t.Errorf("%d members of a closed room", n)
		}
	})
}

func TestBridge_EmptyRoomCostsNoTick(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.sounds["beep"] = clip(8000, audiotest.Tone(8000, 1000, -20, 1600, 0))
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		tasks := func(want int, when string) {
			t.Helper()
			if n := r.clock.Tasks(); n != want {
				t.Errorf("%s: %d tasks, want %d", when, n, want)
			}
		}
		r.run(1)
		tasks(1, "empty")
		r.seat(h, 1, a, engine.MemberState{})
		tasks(1, "with a member, who has no task of his own")
		h.Remove(1, 1)
		r.run(2)
		tasks(1, "empty again")
		h.Play(2, media("beep"), engine.Audience{})
		r.run(5)
		tasks(1, "after a play nobody heard")
		r.seat(h, 2, a, engine.MemberState{})
		h.Bridge.Close()
		r.run(2)
		tasks(1, "closed")
		r.seat(r.hall(), 3, a, engine.MemberState{})
		_ = a.Close()
		tasks(1, "a member who has hung up")
		a.room.Load().Remove(3, 3)
		r.run(2)
		tasks(0, "in the end")
	})
}

func TestBridge_PanicEndsTheRoomOnly(t *testing.T) {
	inBubble(t, func(r *rig) {
		bad, good := r.hall(), r.hall()
		a, b := r.call("a", l16(), mute(8000)), r.call("b", l16(), mute(8000))
		c, d := r.call("c", l16(), tone(8000, 400, -20)), r.call("d", l16(), mute(8000))
		r.seat(bad, 1, a, engine.MemberState{})
		r.seat(bad, 2, b, engine.MemberState{})
		r.seat(good, 1, c, engine.MemberState{})
		r.seat(good, 2, d, engine.MemberState{})
		good.take()
		e := r.call("e", l16(), mute(8000))
		once := true
		b.burst = func() {
			if once {
				once = false
				panic("a port with a fault")
			}
		}
		bad.Admit(5, 3, e, engine.MemberState{})
		bad.Set(6, 1, engine.MemberState{Muted: true})
		bad.Remove(7, 1)
		bad.Play(8, media("nowhere"), engine.Audience{})
		mark, frames := len(d.heard), len(a.stamps)
		r.run(1)
		facts := bad.take()
		if len(facts) != 5 {
			t.Fatalf("facts %v", facts)
		}
		for i, want := range []engine.Fact{
			engine.AdmitFailed{Op: 5, Member: 3, Reason: engine.ReasonMediaLost},
			engine.Left{Op: 6, Member: 1},
			engine.Left{Op: 7, Member: 1},
		} {
			if facts[i] != want {
				t.Errorf("fact %v, want %v", facts[i], want)
			}
		}
		if p, ok := facts[3].(engine.Played); !ok || p.Op != 8 || p.Err == nil {
			t.Errorf("fact %v", facts[3])
		}
		if f, ok := facts[4].(engine.BridgeFailed); !ok || !strings.Contains(f.Err.Error(), "a port with a fault") {
			t.Errorf("fact %v", facts[4])
		}
		bad.Admit(9, 4, a, engine.MemberState{})
		bad.Set(10, 2, engine.MemberState{})
		bad.Play(11, media("nowhere"), engine.Audience{})
		r.run(10)
		bad.want(t, engine.AdmitFailed{Op: 9, Member: 4, Reason: engine.ReasonNodeBusy}, engine.Left{Op: 10, Member: 2},
			engine.Played{Op: 11, Err: ErrClosed})
		if n := len(a.stamps) - frames; n < 10 {
			t.Errorf("a leg of the room had %d frames in 11 ticks", n)
		}
		if got := len(d.heard) - mark; got != 11*160 || audiotest.LongestGap(d.since(mark), -40) > 20 {
			t.Errorf("the other room: %d samples, gap %d", got, audiotest.LongestGap(d.since(mark), -40))
		}
		r.seat(good, 3, a, engine.MemberState{}) // its legs are as good as new
		bad.Bridge.Close()
		if n := r.sw.Counters(); n.Failed != 1 || n.Rooms != 1 {
			t.Errorf("counters %+v", n)
		}
		if tasks := r.clock.Tasks(); tasks != 1+2 { // the good room, b and e
			t.Errorf("%d tasks", tasks)
		}
	})
}
