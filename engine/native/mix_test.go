package native

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

func TestRoom_EverybodyHearsExactlyTheOthers(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		freqs := []float64{400, 700, 1100}
		var all []*caller
		for i, f := range freqs {
			c := r.call(engine.LegID(fmt.Sprint(i)), l16(), tone(8000, f, -20))
			all = append(all, c)
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		}
		r.run(1)
		marks := []int{len(all[0].heard), len(all[1].heard), len(all[2].heard)}
		begin := []int{all[0].drains, all[1].drains, all[2].drains}
		r.run(50)
		for i, c := range all {
			var others [][]int16
			for k := range all {
				if k != i {
					var said []int16
					for n := range 50 {
						said = append(said, all[k].speak(begin[k]+n)...)
					}
					others = append(others, said)
				}
			}
			if got := c.since(marks[i]); !slices.Equal(got, audiotest.Sum(others...)) {
				t.Errorf("caller %d does not hear the sum of the others", i)
			}
		}
	})
}

func TestRoom_TonesInG711(t *testing.T) {
	for _, callers := range []int{2, 3, 8} {
		t.Run(fmt.Sprint(callers), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				h := r.hall()
				var all []*caller
				for i := range callers {
					f := []codec.Format{codec.PCMU(), codec.PCMA()}[i%2]
					c := r.call(engine.LegID(fmt.Sprint(i)), f, tone(8000, freqOf(i), -30))
					all = append(all, c)
					r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
				}
				r.run(5)
				mark := make([]int, callers)
				for i, c := range all {
					mark[i] = len(c.heard)
				}
				r.run(50)
				for i, c := range all {
					for k := range all {
						got := audiotest.Power(c.since(mark[i]), 8000, freqOf(k))
						switch {
						case k == i && got > -65:
							t.Errorf("caller %d hears himself at %.1f dB", i, got)
						case k != i && math.Abs(got+30) > 1.5:
							t.Errorf("caller %d hears %d at %.1f dB, want -30", i, k, got)
						}
					}
				}
			})
		})
	}
}

func freqOf(i int) float64 { return 350 + 230*float64(i) }

func TestRoom_AllLoud(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		var all []*caller
		var freqs []float64
		for i := range 8 {
			c := r.call(engine.LegID(fmt.Sprint(i)), l16(), tone(8000, freqOf(i), 0))
			all = append(all, c)
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
			freqs = append(freqs, freqOf(i))
		}
		r.run(20)
		mark := len(all[0].heard)
		r.run(50)
		got := all[0].since(mark)
		if thd := audiotest.THDN(got, 8000, freqs[1:]...); thd > -50 {
			t.Errorf("distortion %.1f dB", thd)
		}
		if p := audiotest.Peak(got); p < -3 {
			t.Errorf("peak %.1f dB: turned down too far", p)
		}
		if own := audiotest.Power(got, 8000, freqs[0]); own > -70 {
			t.Errorf("hears himself at %.1f dB", own)
		}
	})
}

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
// or comes back to it, goes on at the same volume.
func TestRoom_VolumeStaysWhereTheMixIsShared(t *testing.T) {
	for _, company := range []bool{true, false} {
		t.Run(fmt.Sprint("another shares it: ", company), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.sounds["silence"] = clip(8000, make([]int16, 3200))
				h := r.hall()
				for i := range 4 {
					r.seat(h, engine.MemberID(i+1), r.call(engine.LegID(fmt.Sprint(i)), l16(), tone(8000, 200*float64(i+1), 0)), engine.MemberState{})
				}
				a := r.call("a", l16(), mute(8000))
				r.seat(h, 5, a, engine.MemberState{})
				if company {
					r.seat(h, 6, r.call("b", l16(), mute(8000)), engine.MemberState{})
				}
				r.run(30)
				mark := len(a.heard)
				for range 2 {
					r.run(3)
					a.Play(1, media("silence"))
					r.run(30)
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

func TestRoom_Gains(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), tone(8000, 700, -30))
		b := r.call("b", l16(), tone(8000, 400, -30))
		c := r.call("c", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{Listen: 6})
		r.seat(h, 2, b, engine.MemberState{Talk: -10})
		r.seat(h, 3, c, engine.MemberState{})
		r.run(3)
		mark := len(a.heard)
		r.run(25)
		for _, k := range []struct {
			who   *caller
			freq  float64
			level float64
		}{{a, 400, -34}, {a, 700, -120}, {b, 700, -30}, {b, 400, -120}, {c, 400, -40}, {c, 700, -30}} {
			if got := audiotest.Power(k.who.since(mark), 8000, k.freq); got > k.level+0.2 || k.level > -100 && got < k.level-0.2 {
				t.Errorf("%s hears %.0f Hz at %.1f dB, want %.1f", k.who.ID(), k.freq, got, k.level)
			}
		}
	})
}

func TestRoom_SilentListenersShareOneEncode(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		speak := []func(int) []int16{tone(8000, 400, -20), tone(8000, 600, -20), mute(8000), mute(8000), mute(8000), mute(8000)}
		formats := []codec.Format{codec.PCMU(), codec.PCMU(), codec.PCMU(), codec.PCMU(), codec.PCMA(), codec.PCMA()}
		formats[3].Payload = 77 // is the port's affair
		var all []*caller
		for i := range speak {
			c := r.call(engine.LegID(fmt.Sprint(i)), formats[i], speak[i])
			all = append(all, c)
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		}
		r.run(3)
		// A payload that is shared has an address of its own; the others are made
		// one after the other in the same place.
		same := func(i, k int) bool {
			return all[i].voice.shared && all[k].voice.shared && &all[i].last[0] == &all[k].last[0]
		}
		if !same(2, 3) || !same(4, 5) {
			t.Error("listeners of one format have an encode each")
		}
		if same(2, 4) || all[0].voice.shared || all[1].voice.shared {
			t.Error("talkers, or formats, share an encode")
		}
		r.sounds["x"] = clip(8000, make([]int16, 16000))
		all[2].Play(1, engine.Media{Items: []string{"x"}})
		h.Set(0, 4, engine.MemberState{Listen: 3})
		r.run(2)
		if all[2].voice.shared || all[3].voice.shared {
			t.Error("one with a prompt, or a volume of his own, shares")
		}
	})
}

func TestRoom_RatesMeet(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		wide := func(f float64) func(int) []int16 {
			high, low := tone(16000, 6000, -30), tone(16000, f, -30)
			return func(n int) []int16 { return audiotest.Sum(high(n), low(n)) }
		}
		a := r.call("a", codec.L16(16000), wide(500))
		b := r.call("b", codec.SLIN(16000), wide(800))
		c := r.call("c", codec.PCMU(), tone(8000, 1100, -30))
		d := r.call("d", codec.L16(48000), mute(48000))
		for i, k := range []*caller{a, b, c, d} {
			r.seat(h, engine.MemberID(i+1), k, engine.MemberState{})
		}
		r.run(5)
		mark := []int{len(a.heard), len(b.heard), len(c.heard), len(d.heard)}
		r.run(50)
		for _, k := range []struct {
			name   string
			pcm    []int16
			rate   int
			freq   float64
			wanted bool
		}{
			{"a hears b", a.since(mark[0]), 16000, 800, true},
			{"a hears b above 4 kHz", a.since(mark[0]), 16000, 6000, true},
			{"a hears c", a.since(mark[0]), 16000, 1100, true},
			{"a hears himself", a.since(mark[0]), 16000, 500, false},
			{"c hears a", c.since(mark[2]), 8000, 500, true},
			{"c hears b", c.since(mark[2]), 8000, 800, true},
			{"c hears himself", c.since(mark[2]), 8000, 1100, false},
			{"c hears 6 kHz folded to 2", c.since(mark[2]), 8000, 2000, false},
			{"d hears a", d.since(mark[3]), 48000, 500, true},
			{"d hears c", d.since(mark[3]), 48000, 1100, true},
			{"b hears c", b.since(mark[1]), 16000, 1100, true},
			{"b hears himself", b.since(mark[1]), 16000, 800, false},
		} {
			got := audiotest.Power(k.pcm, k.rate, k.freq)
			if k.wanted && math.Abs(got+30) > 1.5 || !k.wanted && got > -65 {
				t.Errorf("%s: %.1f dB", k.name, got)
			}
		}
		if n := len(d.heard) / 960; n != d.drains {
			t.Errorf("d got %d frames in %d ticks", n, d.drains)
		}
	})
}

func TestRoom_TwoTalkers(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", codec.PCMU(), tone(8000, 400, -20))
		b := r.call("b", codec.PCMA(), tone(8000, 900, -20))
		r.seat(h, 1, a, engine.MemberState{})
		r.seat(h, 2, b, engine.MemberState{})
		r.run(1)
		mark := len(a.heard)
		r.run(30)
		if thd := audiotest.THDN(a.since(mark), 8000, 900); thd > -30 {
			t.Errorf("a hears more than b: %.1f dB", thd)
		}
		if thd := audiotest.THDN(b.since(mark), 8000, 400); thd > -30 {
			t.Errorf("b hears more than a: %.1f dB", thd)
		}
	})
}

func TestRoom_PacketTimes(t *testing.T) {
	for _, ptime := range []int{10, 20, 30, 40, 60, 120} {
		t.Run(fmt.Sprint(ptime), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				h := r.hall()
				a := r.call("a", l16(), mute(8000))
				b := r.call("b", l16(), tone(8000, 440, -20))
				b.ptime = ptime
				r.seat(h, 1, a, engine.MemberState{})
				r.seat(h, 2, b, engine.MemberState{})
				r.run(10)
				mark := len(a.heard)
				r.run(60)
				if click := audiotest.WorstClick(a.since(mark), 8000, 440); click > -85 {
					t.Errorf("a click of %.1f dB", click)
				}
			})
		})
	}
}

func TestRoom_LossIsConcealed(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		b := r.call("b", l16(), tone(8000, 400, -20))
		b.lose = func(n int) bool { return n%10 == 7 }
		r.seat(h, 1, a, engine.MemberState{})
		r.seat(h, 2, b, engine.MemberState{})
		r.run(5)
		mark := len(a.heard)
		r.run(100)
		if gap := audiotest.LongestGap(a.since(mark), -40); gap > 40 {
			t.Errorf("a gap of %d samples", gap)
		}
		if got := audiotest.Power(a.since(mark), 8000, 400); math.Abs(got+20) > 1.5 {
			t.Errorf("%.1f dB, want -20", got)
		}
	})
}

func TestRoom_GarbageIsSilence(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		b := r.call("b", l16(), tone(8000, 400, -20))
		r.seat(h, 1, a, engine.MemberState{})
		r.seat(h, 2, b, engine.MemberState{})
		b.burst = func() {
			b.queue = append(b.queue[:0], []byte{1, 2, 3}, make([]byte, 4000), []byte{9})
		}
		r.run(10)
		if !audiotest.Silent(a.heard[len(a.heard)-160:], -60) {
			t.Error("garbage is heard")
		}
		if n := r.sw.Counters().Undecodable; n < 10 {
			t.Errorf("%d undecodable payloads counted", n)
		}
	})
}
