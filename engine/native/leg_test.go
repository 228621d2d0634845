package native

import (
	"math"
	"slices"
	"strings"
	"testing"
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

// Who is unheard says nothing to the room, whatever comes, and is sent what he
// was sent before; then he is heard again.
func TestLeg_UnheardIsNotSilenced(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), tone(8000, 400, -20))
		b := r.call("b", l16(), tone(8000, 700, -20))
		r.seat(h, 1, a, engine.MemberState{})
		r.seat(h, 2, b, engine.MemberState{})
		r.run(3)
		a.SetUnheard(true)
		r.run(2)
		mark, own := len(b.heard), len(a.heard)
		r.run(20)
		if !audiotest.Silent(b.since(mark), audiotest.Floor) {
			t.Error("he is heard")
		}
		if got := audiotest.Power(a.since(own), 8000, 700); math.Abs(got+20) > 2 {
			t.Errorf("he hears the room at %.1f dBFS", got)
		}
		a.SetUnheard(false)
		r.run(5)
		if got := audiotest.Power(b.heard[len(b.heard)-320:], 8000, 400); math.Abs(got+20) > 2 {
			t.Errorf("afterwards he is heard at %.1f dBFS", got)
		}
		r.every(a, 160)
	})
}
