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

// There is room for packets of a frame, also where a gate opens; who sends longer ones
// gets it when they need it.
func TestRoom_LongPacketsTakeMemory(t *testing.T) {
	const usual, most = 6 * 160, 11 * 160
	inBubble(t, func(r *rig) {
		h := r.hall()
		b := r.call("b", l16(), replies(8000))
		r.seat(h, 1, b, engine.MemberState{})
		r.run(240)
		if got := cap(b.voice.fifo); got != usual || !b.voice.open {
			t.Errorf("packets of 20 ms: room for %d samples, want %d", got, usual)
		}
	})
	v, pcm := newVoice(l16()), tone(8000, 400, -20)(0)
	var want []int16
	for cap(v.fifo) == usual {
		v.add(pcm)
		want = append(want, pcm...)
	}
	if !slices.Equal(v.fifo, want) || len(want) != usual+len(pcm) || cap(v.fifo) != most {
		t.Errorf("%d of %d samples are there, room for %d", len(v.fifo), len(want), cap(v.fifo))
	}
	if v.add(make([]int16, most)); len(v.fifo) != most || cap(v.fifo) != most {
		t.Errorf("%d samples, room for %d", len(v.fifo), cap(v.fifo))
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
