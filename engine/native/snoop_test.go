package native

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// snoop makes a call of a snoop.
func (r *rig) snoop(on *caller, spy, whisper Direction) *caller {
	r.Helper()
	c := &caller{sink: &sink{}}
	var err error
	if c.Leg, err = r.sw.Snoop("snoop", on.Leg, spy, whisper, func() {}); err != nil {
		r.Fatal(err)
	}
	c.Attach(c.sink)
	return c
}

// listening makes a room of a snoop and of somebody who says what speak returns, and
// hears the snoop at a rate.
func (r *rig) listening(s *caller, f codec.Format, speak func(int) []int16) *caller {
	r.Helper()
	h := r.hall()
	h.Tune(engine.Sound{Transparent: true})
	who := r.call("listens", f, speak)
	r.seat(h, 1, s, engine.MemberState{})
	r.seat(h, 2, who, engine.MemberState{})
	return who
}

// pair is a room of two who sing.
func (r *rig) pair(f codec.Format, one, other func(int) []int16) (h hall, a, b *caller) {
	r.Helper()
	h = r.hall()
	h.Tune(engine.Sound{Transparent: true})
	a, b = r.call("a", f, one), r.call("b", f, other)
	a.encoder, b.encoder = f.Encoder(), f.Encoder() // they may remember
	r.seat(h, 1, a, engine.MemberState{})
	r.seat(h, 2, b, engine.MemberState{})
	return h, a, b
}

// sounds fails unless of these tones, and of nothing else, just those with a level are
// heard, at that level, without a click.
func (c *caller) sounds(t testing.TB, what string, from int, want map[float64]float64) {
	t.Helper()
	pcm, rate := c.since(from), int(c.line.format.Rate)
	var tones []float64
	for hz, level := range want {
		got := audiotest.Power(pcm, rate, hz)
		switch {
		case level == 0 && got > -70:
			t.Errorf("%s: %v Hz is heard at %.1f dB", what, hz, got)
		case level != 0 && math.Abs(got-level) > 0.5:
			t.Errorf("%s: %v Hz is heard at %.1f dB, want %v", what, hz, got, level)
		}
		if level != 0 {
			tones = append(tones, hz)
		}
	}
	if len(tones) == 0 {
		if !audiotest.Silent(pcm, -66) {
			t.Errorf("%s: %.1f dB of something else", what, audiotest.Peak(pcm))
		}
		return
	}
	if click := audiotest.WorstClick(pcm, rate, tones...); click > -45 {
		t.Errorf("%s: a click of %.1f dB", what, click)
	}
}

// TestSnoop_HearsWhatIsSaidAndHeard in each direction, whatever the rates, and in
// whichever order the rooms are done.
func TestSnoop_HearsWhatIsSaidAndHeard(t *testing.T) {
	for _, f := range []codec.Format{codec.PCMU(), codec.G722(), codec.L16(48000)} {
		for _, backward := range []bool{false, true} {
			inBubble(t, func(r *rig) {
				if backward {
					r.clock.Turn()
				}
				_, a, _ := r.pair(f, tone(f.Rate, 440, -20), tone(f.Rate, 700, -26))
				var ears [3]*caller
				for i, spy := range []Direction{In, Out, In | Out} {
					ears[i] = r.listening(r.snoop(a, spy, 0), codec.L16(16000), mute(16000))
				}
				r.run(10)
				var from [3]int
				for i, e := range ears {
					from[i] = len(e.heard)
				}
				for range 20 {
					r.run(5)
					r.clock.Turn() // the phases of rooms change
				}
				what := fmt.Sprint(f.Name, f.Rate, backward)
				ears[0].sounds(t, what+" in", from[0], map[float64]float64{440: -20, 700: 0})
				ears[1].sounds(t, what+" out", from[1], map[float64]float64{440: 0, 700: -26})
				ears[2].sounds(t, what+" both", from[2], map[float64]float64{440: -20, 700: -26})
			})
		}
	}
}

// TestSnoop_Whispers in each direction. What is whispered does not come back to who
// whispers, whatever he hears.
func TestSnoop_Whispers(t *testing.T) {
	for whisper, want := range map[Direction]struct{ a, b float64 }{0: {}, In: {b: -23}, Out: {a: -23}, In | Out: {a: -23, b: -23}} {
		inBubble(t, func(r *rig) {
			_, a, b := r.pair(codec.PCMU(), tone(8000, 440, -20), tone(8000, 700, -26))
			boss := r.listening(r.snoop(a, In|Out, whisper), codec.L16(16000), tone(16000, 1000, -23))
			r.run(10)
			from := [3]int{len(a.heard), len(b.heard), len(boss.heard)}
			r.run(100)
			what := fmt.Sprint("whisper ", whisper)
			a.sounds(t, what+": he", from[0], map[float64]float64{440: 0, 700: -26, 1000: want.a})
			b.sounds(t, what+": the others", from[1], map[float64]float64{440: -20, 700: 0, 1000: want.b})
			boss.sounds(t, what+": the supervisor", from[2], map[float64]float64{440: -20, 700: -26, 1000: 0})
		})
	}
}

// TestSnoop_FollowsWhoIsMuted: he is not heard, and what is whispered as if he said it
// is not either; what is whispered to him is, also while he is deaf, waits, or is in no
// room.
func TestSnoop_FollowsWhoIsMuted(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, a, b := r.pair(codec.PCMU(), tone(8000, 440, -20), tone(8000, 700, -26))
		boss := r.listening(r.snoop(a, In, In|Out), codec.PCMU(), tone(8000, 1000, -23))
		set := func(what string, st engine.MemberState, him, others, supervisor map[float64]float64) {
			t.Helper()
			h.Set(1, 1, st)
			r.run(10)
			from := [3]int{len(a.heard), len(b.heard), len(boss.heard)}
			r.run(100)
			a.sounds(t, what+": he", from[0], him)
			b.sounds(t, what+": the others", from[1], others)
			boss.sounds(t, what+": the supervisor", from[2], supervisor)
		}
		none := map[float64]float64{440: 0, 700: 0, 1000: 0}
		set("muted", engine.MemberState{Muted: true}, map[float64]float64{700: -26, 1000: -23}, none, none)
		set("deaf", engine.MemberState{Deaf: true}, map[float64]float64{700: 0, 1000: -23}, map[float64]float64{440: -20, 1000: -23}, map[float64]float64{440: -20, 1000: 0})
		set("waits", engine.MemberState{Waiting: true}, map[float64]float64{700: 0, 1000: -23}, none, map[float64]float64{440: -20, 1000: 0})
		h.Remove(2, 1)
		set("no room", engine.MemberState{}, map[float64]float64{700: 0, 1000: -23}, none, map[float64]float64{440: -20, 1000: 0})
		a.SetHold(true)
		set("held", engine.MemberState{}, map[float64]float64{}, none, none)
	})
}

// TestSnoop_IsTwoTicksBehind, also across a room that he leaves for another.
func TestSnoop_IsTwoTicksBehind(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, a, _ := r.pair(codec.PCMU(), tone(8000, 440, -20), mute(8000))
		ear := r.listening(r.snoop(a, In, 0), codec.PCMU(), mute(8000))
		r.run(10)
		from := len(ear.heard)
		r.run(20)
		h.Remove(1, 1)
		r.run(20)
		other := r.hall()
		r.seat(other, 1, a, engine.MemberState{})
		r.run(20)
		ear.sounds(t, "who moves", from, map[float64]float64{440: -20})

		a.line.speak = mute(8000)
		r.run(20)
		said := 0
		a.line.speak = func(int) []int16 {
			said++
			return audiotest.Tone(8000, 440, -20, 160, 0)
		}
		for mark := len(ear.heard); audiotest.Silent(ear.since(mark), -60); r.run(1) {
		}
		if got := said - 1; got != apart {
			t.Errorf("heard %d ticks later, want %d", got, apart)
		}
	})
}

// TestSnoop_OfASnoop, and two of one call.
func TestSnoop_OfASnoop(t *testing.T) {
	inBubble(t, func(r *rig) {
		_, a, _ := r.pair(codec.PCMU(), tone(8000, 440, -20), tone(8000, 700, -26))
		first := r.snoop(a, In, Out)
		boss := r.listening(first, codec.PCMU(), tone(8000, 1000, -23))
		second := r.listening(r.snoop(first, In|Out, Out), codec.PCMU(), tone(8000, 1300, -29))
		third := r.listening(r.snoop(a, Out, Out), codec.PCMU(), tone(8000, 1600, -32))
		r.run(20)
		from := [4]int{len(a.heard), len(boss.heard), len(second.heard), len(third.heard)}
		r.run(100)
		a.sounds(t, "he", from[0], map[float64]float64{440: 0, 700: -26, 1000: -23, 1300: -29, 1600: -32})
		boss.sounds(t, "the first", from[1], map[float64]float64{440: -20, 700: 0, 1300: 0})
		second.sounds(t, "the second", from[2], map[float64]float64{440: -20, 700: 0, 1000: -23, 1300: 0})
		third.sounds(t, "the third", from[3], map[float64]float64{440: 0, 700: -26, 1000: 0, 1600: 0})
	})
}

// TestSnoop_EndsWithoutAClick: of who is snooped on, of the snoop, and of either's tick
// that comes late.
func TestSnoop_EndsWithoutAClick(t *testing.T) {
	inBubble(t, func(r *rig) {
		_, a, _ := r.pair(codec.PCMU(), tone(8000, 440, -20), mute(8000))
		s := r.snoop(a, In, Out)
		boss := r.listening(s, codec.PCMU(), tone(8000, 1000, -23))
		r.run(20)
		from := len(a.heard)
		_ = s.Close()
		r.run(20)
		if step := audiotest.WorstStep(a.since(from), 8000, 1000); step > -30 {
			t.Errorf("what is whispered ends with a step of %.1f dB", step)
		}
		if !audiotest.Silent(a.since(len(a.heard)-800), -60) {
			t.Error("it does not end")
		}

		over := 0
		leg, err := r.sw.Snoop("again", a.Leg, In, Out, func() { over++ })
		if err != nil {
			t.Fatal(err)
		}
		h := r.hall()
		r.seat(h, 1, &caller{Leg: leg}, engine.MemberState{})
		ear := r.call("ear", codec.PCMU(), mute(8000))
		r.seat(h, 2, ear, engine.MemberState{})
		r.run(20)
		from = len(ear.heard)
		_ = a.Close()
		_ = a.Close()
		r.run(20)
		if over != 1 {
			t.Errorf("told %d times that it is over", over)
		}
		if step := audiotest.WorstStep(ear.since(from), 8000, 440); step > -30 {
			t.Errorf("what is heard ends with a step of %.1f dB", step)
		}
		if _, err := r.sw.Snoop("late", a.Leg, In, 0, func() {}); !errors.Is(err, ErrClosed) {
			t.Errorf("a call that is closed: %v", err)
		}
		legs := r.sw.Counters().Legs
		_ = leg.Close()
		_ = boss.Close()
		if got := r.sw.Counters().Legs; got != legs-2 {
			t.Errorf("%d legs of %d", got, legs)
		}
	})
}

// TestSnoop_AllocatesNothing in the tick of either room.
func TestSnoop_AllocatesNothing(t *testing.T) {
	r := newRig(t, Options{})
	defer r.sw.Close()
	b := crowd(r, 3, 2, codec.PCMU())
	s, err := r.sw.Snoop("snoop", b.seats[0].leg, In|Out, In|Out, func() {})
	if err != nil {
		t.Fatal(err)
	}
	far := crowd(r, 2, 1, codec.G722())
	far.Admit(0, 100, &caller{Leg: s}, engine.MemberState{})
	settle(t, r, b)
	settle(t, r, far)
	n := uint64(1000)
	if got := testing.AllocsPerRun(200, func() {
		n++
		b.run(0, int64(n)*20e6, n)
		if n%50 > 3 { // else it is late
			far.run(0, int64(n)*20e6, n)
		}
	}); got != 0 {
		t.Errorf("%v allocations per tick of two rooms", got)
	}
}

// TestSnoop_BearsTicksThatAreLate: a room that catches up with five at once, and one
// whose next tick comes before the other's last.
func TestSnoop_BearsTicksThatAreLate(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, a, _ := r.pair(codec.PCMU(), tone(8000, 440, -20), mute(8000))
		far := r.hall()
		far.Tune(engine.Sound{Transparent: true})
		boss := r.call("listens", codec.PCMU(), tone(8000, 1000, -23))
		r.seat(far, 1, r.snoop(a, In, Out), engine.MemberState{})
		r.seat(far, 2, boss, engine.MemberState{})
		r.run(10)
		from, heard := len(boss.heard), len(a.heard)
		n := uint64(r.clock.Now().UnixNano() / 20e6)
		done := [2]uint64{n, n}
		ahead := func(b *Bridge, of int, to uint64) {
			for ; done[of] < to; done[of]++ {
				b.run(0, int64(done[of]+1)*20e6, done[of]+1)
			}
		}
		for range 30 {
			ahead(h.Bridge, 0, done[0]+1)
			ahead(far.Bridge, 1, done[0]+1) // it is ahead by one
			ahead(h.Bridge, 0, done[1]+1)   // and now the other
			ahead(far.Bridge, 1, done[0])
		}
		boss.sounds(t, "one ahead", from, map[float64]float64{440: -20})
		a.sounds(t, "one ahead", heard, map[float64]float64{1000: -23})
		from = len(boss.heard)
		for range 20 {
			ahead(h.Bridge, 0, done[0]+5)
			ahead(far.Bridge, 1, done[0]) // five at once
		}
		boss.sounds(t, "catching up", from, map[float64]float64{440: -20})
	})
}

// TestSnoop_OfOpus, whose coders are lent: who only listens has an encoder of his own
// when something is whispered to him, and who is in no room is decoded.
func TestSnoop_OfOpus(t *testing.T) {
	inBubble(t, func(r *rig) {
		f := codec.Opus(16000)
		h, a, _ := r.pair(f, tone(16000, 440, -20), tone(16000, 700, -26))
		d := f.Decoder()
		a.listen = func(payload []byte) {
			pcm := make([]int16, maxFrame)
			n, err := d.Decode(pcm, payload)
			if err != nil {
				t.Error(err)
			}
			a.heard = append(a.heard, pcm[:n]...)
		}
		boss := r.listening(r.snoop(a, In|Out, Out), codec.L16(16000), tone(16000, 1000, -23))
		judge := func(what string, c *caller, want map[float64]float64) {
			t.Helper()
			pcm := c.since(len(c.heard) - 16000)
			for hz, level := range want {
				got := audiotest.Steady(pcm, 16000, hz)
				if level == 0 && got > -50 || level != 0 && math.Abs(got-level) > 1.5 {
					t.Errorf("%s: %v Hz is heard at %.1f dB, want %v", what, hz, got, level)
				}
			}
		}
		r.run(100)
		judge("he", a, map[float64]float64{440: 0, 700: -26, 1000: -23})
		judge("the supervisor", boss, map[float64]float64{440: -20, 700: -26, 1000: 0})
		a.line.speak = mute(16000)
		r.run(100)
		judge("who only listens", a, map[float64]float64{440: 0, 700: -26, 1000: -23})
		judge("the supervisor of him", boss, map[float64]float64{440: 0, 700: -26, 1000: 0})
		a.line.speak = tone(16000, 440, -20)
		h.Remove(1, 1)
		r.run(100)
		judge("who is in no room", a, map[float64]float64{440: 0, 700: 0, 1000: -23})
		judge("the supervisor of that one", boss, map[float64]float64{440: -20, 700: 0, 1000: 0})
	})
}
