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
