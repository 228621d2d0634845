package native

import (
	"fmt"
	"slices"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// What one hears of another must not be touched, not by one bit, by anything a
// third does who says nothing, nor by the way from a mix that is shared to one
// of his own.
func TestRoom_AListenersToneIsContinuous(t *testing.T) {
	quiet := engine.MemberState{}
	for _, c := range []struct {
		name string
		do   func(r *rig, h hall, a, b, third *caller)
	}{
		{"nothing", func(*rig, hall, *caller, *caller, *caller) {}},
		{"a third joins and leaves", func(r *rig, h hall, _, _, third *caller) {
			r.seat(h, 3, third, quiet)
			r.run(3)
			h.Remove(0, 3)
		}},
		{"a third joins, deaf and muted", func(r *rig, h hall, _, _, third *caller) {
			r.seat(h, 3, third, engine.MemberState{Muted: true, Deaf: true})
		}},
		{"a third joins with another rate, and leaves", func(r *rig, h hall, _, _, _ *caller) {
			wide := r.call("wide", codec.L16(16000), mute(16000))
			r.seat(h, 3, wide, quiet)
			r.run(5)
			h.Remove(0, 3)
		}},
		{"a third hangs up", func(r *rig, h hall, _, _, third *caller) {
			r.seat(h, 3, third, quiet)
			_ = third.Close()
			r.run(3)
			h.Remove(0, 3)
		}},
		{"a third is played a prompt", func(r *rig, h hall, _, _, third *caller) {
			r.seat(h, 3, third, quiet)
			third.Play(1, engine.Media{Items: []string{"beep"}})
		}},
		{"he is muted and unmuted", func(r *rig, h hall, _, _, _ *caller) {
			h.Set(0, 1, engine.MemberState{Muted: true})
			r.run(4)
			h.Set(0, 1, quiet)
		}},
		{"he begins and stops to speak", func(r *rig, _ hall, a, _, _ *caller) {
			a.speak = tone(8000, 2900, -20)
			r.run(4)
			a.speak = mute(8000)
		}},
		{"he has a prompt of silence", func(r *rig, _ hall, a, _, _ *caller) {
			a.Play(1, engine.Media{Items: []string{"silence"}})
		}},
		{"the room has a play of silence, not for him", func(_ *rig, h hall, _, _, _ *caller) {
			h.Play(0, engine.Media{Items: []string{"silence"}}, engine.Audience{Except: 1})
		}},
		{"the room has a play of silence, for him", func(_ *rig, h hall, _, _, _ *caller) {
			h.Play(0, engine.Media{Items: []string{"silence"}}, engine.Audience{})
		}},
		{"the order of the ticks changes", func(r *rig, _ hall, _, _, _ *caller) { r.clock.Turn() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.sounds["silence"] = clip(8000, make([]int16, 1000))
				r.sounds["beep"] = clip(8000, audiotest.Tone(8000, 2000, -20, 1000, 0))
				h := r.hall()
				a := r.call("a", l16(), mute(8000))
				b := r.call("b", l16(), tone(8000, 440, -20))
				third := r.call("third", l16(), mute(8000))
				r.seat(h, 1, a, quiet)
				r.seat(h, 2, b, quiet)
				r.run(2)
				mark, from := len(a.heard), b.drains
				r.run(3)
				c.do(r, h, a, b, third)
				r.run(10)
				var want []int16
				for n := from; n < b.drains; n++ {
					want = append(want, b.speak(n)...)
				}
				if got := a.since(mark); !slices.Equal(got, want) {
					t.Errorf("differs from what was said at sample %d of %d", firstDifference(got, want), len(want))
				}
			})
		})
	}
}

func firstDifference(a, b []int16) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// A third who speaks is faded in and out: his own tone makes no click either.
func TestRoom_ComingAndGoingDoesNotClick(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(r *rig, h hall, third *caller)
	}{
		{"joins and leaves", func(_ *rig, h hall, _ *caller) { h.Remove(0, 3) }},
		{"is muted", func(_ *rig, h hall, _ *caller) { h.Set(0, 3, engine.MemberState{Muted: true}) }},
		{"has to wait", func(_ *rig, h hall, _ *caller) { h.Set(0, 3, engine.MemberState{Waiting: true}) }},
		{"is held", func(_ *rig, _ hall, c *caller) { c.SetHold(true) }},
		{"hangs up", func(_ *rig, _ hall, c *caller) { _ = c.Close() }},
		{"sends nothing more", func(_ *rig, _ hall, c *caller) { c.speak = nil }},
		{"is turned down", func(_ *rig, h hall, _ *caller) { h.Set(0, 3, engine.MemberState{Talk: -70}) }},
	} {
		for _, f := range []codec.Format{l16(), codec.L16(16000)} {
			t.Run(fmt.Sprint(c.name, f.Rate), func(t *testing.T) {
				inBubble(t, func(r *rig) {
					h := r.hall()
					a := r.call("a", l16(), mute(8000))
					third := r.call("third", f, tone(f.Rate, 300, -6))
					r.seat(h, 1, a, engine.MemberState{})
					mark := len(a.heard)
					r.seat(h, 3, third, engine.MemberState{})
					r.run(5)
					c.do(r, h, third)
					r.run(10)
					got := a.since(mark)
					if step := audiotest.WorstStep(got, 8000, 300); step > -35 {
						t.Errorf("a click of %.1f dB", step)
					}
					if loud := audiotest.Peak(got); loud < -7 {
						t.Fatalf("never heard in full: %.1f dB", loud)
					}
					if !audiotest.Silent(got[len(got)-160:], -80) {
						t.Errorf("is still heard")
					}
				})
			})
		}
	}
}

// In a room that has to be turned down, one who leaves the mix that all share,
// or comes to it first, goes on at the same volume.
func TestRoom_VolumeStaysWhereTheMixIsShared(t *testing.T) {
	for _, alone := range []bool{false, true} {
		t.Run(fmt.Sprint("on his own when it gets loud: ", alone), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.sounds["silence"] = clip(8000, make([]int16, 8000))
				h := r.hall()
				var singers []*caller
				for i := range 4 {
					c := r.call(engine.LegID(fmt.Sprint(i)), l16(), mute(8000))
					r.seat(h, engine.MemberID(i+1), c, engine.MemberState{Deaf: true})
					singers = append(singers, c)
				}
				a := r.call("a", l16(), mute(8000))
				r.seat(h, 5, a, engine.MemberState{})
				r.run(3)
				if alone {
					a.Play(1, media("silence"))
				}
				for i, c := range singers {
					c.speak = tone(8000, 200*float64(i+1), 0)
				}
				r.run(20)
				mark := len(a.heard)
				if alone == a.voice.shared {
					t.Fatalf("shares the mix: %v", a.voice.shared)
				}
				if !alone {
					a.Play(1, media("silence"))
				}
				r.run(40)
				if alone != a.voice.shared {
					t.Fatalf("shares the mix in the end: %v", a.voice.shared)
				}
				if click := audiotest.WorstClick(a.since(mark), 8000, 200, 400, 600, 800); click > -60 {
					t.Errorf("differs from a steady sound by %.1f dB", click)
				}
			})
		})
	}
}

func TestRoom_ListenerIsFadedToo(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		b := r.call("b", l16(), tone(8000, 300, -6))
		r.seat(h, 2, b, engine.MemberState{})
		mark := len(a.heard)
		r.seat(h, 1, a, engine.MemberState{})
		r.run(3)
		h.Set(0, 1, engine.MemberState{Deaf: true})
		r.run(3)
		h.Set(0, 1, engine.MemberState{})
		r.run(3)
		h.Set(0, 1, engine.MemberState{Listen: -20})
		r.run(3)
		h.Set(0, 1, engine.MemberState{})
		r.run(3)
		h.Remove(0, 1)
		r.run(3)
		if step := audiotest.WorstStep(a.since(mark), 8000, 300); step > -35 {
			t.Errorf("a click of %.1f dB", step)
		}
	})
}
