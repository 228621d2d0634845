package native

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
)

// passages says pieces of a tone of 400 Hz, each so many frames at a level in
// dBFS, and then nothing.
func passages(pieces ...[2]float64) func(int) []int16 {
	var all []int16
	for _, p := range pieces {
		all = append(all, audiotest.Tone(8000, 400, p[1], int(p[0])*160, 0)...)
	}
	quiet := make([]int16, 160)
	return func(i int) []int16 {
		if len(all) < (i+1)*160 {
			return quiet
		}
		return all[i*160:][:160]
	}
}

func TestSound_TheFirstSyllableSurvivesTheGate(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		h.Tune(engine.Sound{Gate: -40})
		a := r.call("a", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{})
		b := r.call("b", l16(), passages([2]float64{30, -70}, [2]float64{3, -42}, [2]float64{40, -20}, [2]float64{60, -70}))
		r.seat(h, 2, b, engine.MemberState{})
		r.run(150)
		heard := a.heard
		start := slices.IndexFunc(heard, func(s int16) bool { return s != 0 })
		soft := b.speak(30)
		start -= firstSound(soft)
		if start < 0 || !slices.Equal(heard[start:start+len(soft)], soft) {
			t.Fatal("the soft beginning is not heard")
		}
		rest := heard[start:]
		said := 1 + slices.IndexFunc(rest, func(s int16) bool { return s > 2000 }) // where it gets loud
		if said < 160 || said > 3*160+20 {
			t.Errorf("the loud part comes %d samples after the beginning, want 160 to 500", said)
		}
		if step := audiotest.WorstStep(rest, 8000, 400); step > -30 { // the step of the voice itself
			t.Errorf("a click of %.1f dB on the way back", step)
		}
		if n := len(b.voice.fifo); n > 20 {
			t.Errorf("still %d samples late", n)
		}
		if tail := heard[len(heard)-20*160:]; !audiotest.Silent(tail, audiotest.Floor) {
			t.Error("the gate stays open")
		}
	})
}

func firstSound(pcm []int16) int { return slices.IndexFunc(pcm, func(s int16) bool { return s != 0 }) }

func TestSound_Gate(t *testing.T) {
	for _, c := range []struct {
		sound engine.Sound
		level float64 // of the tone, dBFS
		heard bool
	}{
		{engine.Sound{}, -70, false},
		{engine.Sound{}, -45, true},
		{engine.Sound{Gate: engine.GateOff}, -70, true},
		{engine.Sound{Transparent: true, Gate: -20, AGC: true, Noise: -40}, -70, true},
		{engine.Sound{Gate: -30}, -32, false},
		{engine.Sound{Gate: -30}, -20, true},
	} {
		inBubble(t, func(r *rig) {
			h := r.hall()
			h.Tune(c.sound)
			a := r.call("a", l16(), mute(8000))
			b := r.call("b", l16(), tone(8000, 400, c.level))
			r.seat(h, 1, a, engine.MemberState{})
			r.seat(h, 2, b, engine.MemberState{})
			r.run(2)
			mark, from := len(a.heard), b.drains
			r.run(100)
			var want []int16
			for n := from; n < b.drains; n++ {
				want = append(want, b.speak(n)...)
			}
			if !c.heard {
				clear(want)
			}
			if !slices.Equal(a.since(mark), want) {
				t.Errorf("%+v at %.0f dBFS: want to hear it: %v; at sample %d it differs", c.sound, c.level, c.heard, firstDifference(a.since(mark), want))
			}
		})
	}
}

func TestSound_VoicesBecomeEquallyLoud(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), mute(8000))
		b := r.call("b", l16(), tone(8000, 400, -33))
		c := r.call("c", l16(), tone(8000, 900, -15))
		for i, who := range []*caller{a, b, c} {
			r.seat(h, engine.MemberID(i+1), who, engine.MemberState{})
		}
		h.Tune(engine.Sound{AGC: true})
		r.run(800)
		mark := len(a.heard)
		r.run(50)
		for _, hz := range []float64{400, 900} { // -26 dBov is a sine of -23 dBFS
			if got := audiotest.Power(a.since(mark), 8000, hz); math.Abs(got+23) > 1 {
				t.Errorf("%.0f Hz at %.1f dBFS, want -23", hz, got)
			}
		}
		if own := audiotest.Power(b.since(mark), 8000, 400); own > -80 {
			t.Errorf("b hears himself at %.1f dBFS", own)
		}
		h.Tune(engine.Sound{})
		r.run(5)
		mark = len(a.heard)
		r.run(50)
		if got := audiotest.Power(a.since(mark), 8000, 400); math.Abs(got+33) > 0.1 {
			t.Errorf("without it %.1f dBFS, want -33", got)
		}
	})
}

func TestSound_ComfortNoise(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		h.Tune(engine.Sound{Noise: -60})
		var all []*caller
		for i, f := range []codec.Format{l16(), l16(), codec.L16(16000)} {
			c := r.call(engine.LegID(fmt.Sprint(i)), f, mute(f.Rate))
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
			all = append(all, c)
		}
		mark := []int{len(all[0].heard), len(all[1].heard), len(all[2].heard)}
		r.run(100)
		for i, c := range all {
			if got := audiotest.RMS(c.since(mark[i])) - 3; math.Abs(got+60) > 0.7 {
				t.Errorf("caller %d hears %.1f dBov, want -60", i, got)
			}
		}
		if !all[0].voice.shared || &all[0].last[0] != &all[1].last[0] {
			t.Error("who says nothing has an encode of his own")
		}
	})
}

// quietPhone is a caller who sends comfort noise instead of silence.
type quietPhone struct {
	line
	comfort []byte
}

func (p *quietPhone) Comfort() []byte { return p.comfort }

func TestSound_ThePhonesOwnNoise(t *testing.T) {
	for _, c := range []struct {
		gate  engine.Gate
		level float64
	}{{engine.GateOff, -45}, {engine.GateAuto, -200}} {
		inBubble(t, func(r *rig) {
			h := r.hall()
			h.Tune(engine.Sound{Gate: c.gate})
			a := r.call("a", l16(), mute(8000))
			b := &caller{sink: &sink{}}
			port := &quietPhone{line: line{t: t, format: l16(), ptime: 20}, comfort: []byte{45, 127 - 60}}
			var err error
			if b.Leg, err = r.sw.NewLeg("b", port, l16()); err != nil {
				t.Fatal(err)
			}
			r.seat(h, 1, a, engine.MemberState{})
			r.seat(h, 2, b, engine.MemberState{})
			r.run(3)
			mark := len(a.heard)
			r.run(100)
			if got := max(audiotest.RMS(a.since(mark))-3, -200); math.Abs(got-c.level) > 1 {
				t.Errorf("gate %d: heard at %.1f dBov, want %.1f", c.gate, got, c.level)
			}
			if b.talking.Load() {
				t.Error("noise counts as talking")
			}
		})
	}
}

func TestSound_TheTickAllocatesNothing(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		h.Tune(engine.Sound{AGC: true, Noise: -60, Gate: -50})
		p := through(network{spread: 20 * ms, loss: 0.02}, l16(), audiotest.Tone(8000, 400, -20, 8000*60, 0),
			func(pcm []int16) []byte { return encode(t, l16(), pcm) })
		l, err := r.sw.NewLeg("a", p, l16())
		if err != nil {
			t.Fatal(err)
		}
		r.seat(h, 1, &caller{Leg: l}, engine.MemberState{})
		wide := r.call("b", codec.L16(16000), mute(16000))
		r.seat(h, 2, wide, engine.MemberState{})
		r.run(10)
		wide.line.speak = nil
		v := &l.voice
		n := v.last
		if got := testing.AllocsPerRun(500, func() {
			n++
			l.begin(&r.sw.scratch[0], int64(n)*20e6, n)
			st := &h.mine.plan.seats[0]
			st.talk(h.sound)
			st.class.murmur(&r.sw.scratch[0], -60)
		}); got != 0 {
			t.Errorf("%v allocations", got)
		}
	})
}

// TestAMembersOwnGate: one of two who whisper is let through, the other by the
// room's gate is not.
func TestAMembersOwnGate(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		h.Tune(engine.Sound{Gate: -40})
		a := r.call("a", l16(), tone(8000, 700, -50))
		b := r.call("b", l16(), tone(8000, 400, -50))
		c := r.call("c", l16(), mute(8000))
		for i, who := range []*caller{a, b, c} {
			r.seat(h, engine.MemberID(i+1), who, engine.MemberState{})
		}
		h.Treat(99, 1, engine.Treatment{OwnGate: true, Gate: engine.GateOff})
		r.run(3)
		h.want(t, engine.Applied{Op: 99, Member: 1})
		mark := len(c.heard)
		r.run(25)
		if got := audiotest.Power(c.since(mark), 8000, 700); math.Abs(got+50) > 1 {
			t.Errorf("who has an open gate is heard at %.1f dB", got)
		}
		if got := audiotest.Power(c.since(mark), 8000, 400); got > -80 {
			t.Errorf("who has the room's gate is heard at %.1f dB", got)
		}
		h.Treat(100, 9, engine.Treatment{})
		r.run(1)
		h.want(t, engine.Left{Op: 100, Member: 9})
	})
}

// TestAMembersCeiling: who is too loud for longer than is let through is not
// heard, until he has been lower for the time; his neighbour is.
func TestAMembersCeiling(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a := r.call("a", l16(), func(n int) []int16 { return tone(8000, 700, []float64{-10, -40}[n/100%2])(n) })
		b := r.call("b", l16(), tone(8000, 400, -10))
		c := r.call("c", l16(), mute(8000))
		for i, who := range []*caller{a, b, c} {
			r.seat(h, engine.MemberID(i+1), who, engine.MemberState{})
		}
		h.Treat(99, 1, engine.Treatment{OwnGate: true, Gate: engine.GateOff, Ceiling: engine.Ceiling{Level: -20, Hits: 3, Mute: time.Second}})
		hears := func(ticks int, hz, db float64) {
			t.Helper()
			mark := len(c.heard)
			r.run(ticks)
			if got := audiotest.Power(c.since(mark), 8000, hz); math.Abs(got-db) > 2 && (db > -80 || got > -70) {
				t.Errorf("%.0f Hz is heard at %.1f dB, want %.0f", hz, got, db)
			}
		}
		r.run(10)
		hears(20, 700, -100)
		hears(20, 400, -10)
		r.run(102 - a.drains)
		hears(40, 700, -100)
		r.run(20)
		hears(20, 700, -40)
	})
}

// TestKeysGoOutWhereThePortSendsThem, and elsewhere the caller is told.
func TestKeysGoOutWhereThePortSendsThem(t *testing.T) {
	r := newRig(t, Options{})
	defer r.sw.Close()
	c := r.call("a", l16(), nil)
	if err := c.Press("12"); err == nil || !strings.Contains(err.Error(), "no way for keys") {
		t.Errorf("%v", err)
	}
}

// TestGate_IsTold: of one who talks below it, at once when it has let nothing
// through for a second, and no longer when it has; pauses are no matter.
func TestGate_IsTold(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		h.Tune(engine.Sound{Gate: -30})
		a := r.call("a", l16(), tone(8000, 400, -37)) // talks, by its level
		r.seat(h, 1, a, engine.MemberState{})
		gated := func(when string, want bool) {
			t.Helper()
			if m := h.Levels(nil)[0]; m.Gated != want {
				t.Errorf("%s: %+v", when, m)
			}
		}
		r.run(20)
		gated("at first", false)
		r.run(50)
		gated("after a second", true)
		if !h.Levels(nil)[0].Talking {
			t.Error("he does not talk")
		}
		a.speak = tone(8000, 400, -20)
		r.run(2)
		gated("louder", false)
		a.speak = mute(8000)
		r.run(40)
		gated("a pause", false)
	})
}
