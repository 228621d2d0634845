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

// choir is a room of callers who sing a tone each.
func choir(r *rig, formats ...codec.Format) (hall, []*caller) {
	r.Helper()
	h := r.hall()
	var all []*caller
	for i, f := range formats {
		c := r.call(engine.LegID(fmt.Sprint(i+1)), f, tone(f.Rate, freqOf(i), -30))
		all = append(all, c)
		r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
	}
	r.run(10)
	return h, all
}

// relate says who does not hear whom, and waits until it is so.
func (r *rig) relate(h hall, deaf ...engine.Edge) {
	r.Helper()
	r.op++
	h.take()
	h.Relate(r.op, deaf)
	r.run(3)
	if !slices.Contains(h.take(), engine.Fact(engine.Related{Op: r.op})) {
		r.Fatal("the relation was not confirmed")
	}
}

// hears checks, for each caller, whose tones he hears.
func (r *rig) hears(all []*caller, deaf ...engine.Edge) {
	r.Helper()
	mark := make([]int, len(all))
	for i, c := range all {
		mark[i] = len(c.heard)
	}
	r.run(12)
	for i, c := range all {
		for k, o := range all {
			got := audiotest.Power(c.since(mark[i]), int(c.line.format.Rate), freqOf(k))
			silent := i == k || slices.Contains(deaf, engine.Edge{From: engine.MemberID(k + 1), To: engine.MemberID(i + 1)})
			switch {
			case silent && got > -75:
				r.Errorf("%s hears %s at %.1f dB", c.ID(), o.ID(), got)
			case !silent && math.Abs(got+30) > 1:
				r.Errorf("%s hears %s at %.1f dB, want -30", c.ID(), o.ID(), got)
			}
		}
	}
}

func TestRelations(t *testing.T) {
	for _, rates := range [][]codec.Rate{{8000, 8000, 8000, 8000}, {8000, 16000, 16000, 48000}, {48000, 8000, 16000, 16000}} {
		t.Run(fmt.Sprint(rates), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				var formats []codec.Format
				for _, rate := range rates {
					formats = append(formats, codec.L16(rate))
				}
				h, all := choir(r, formats...)
				r.hears(all)
				one := []engine.Edge{{From: 2, To: 1}}
				r.relate(h, one...)
				r.hears(all, one...)
				both := []engine.Edge{{From: 2, To: 1}, {From: 1, To: 2}, {From: 4, To: 1}, {From: 3, To: 4}, {From: 99, To: 1}}
				r.relate(h, both...)
				r.hears(all, both...)
				r.relate(h, both[2:]...)
				r.hears(all, both[2:]...)
				r.relate(h)
				r.hears(all)
				if len(h.denials) != 0 {
					t.Errorf("%d denials are left", len(h.denials))
				}
			})
		})
	}
}

// TestARelationBeginsAndEndsWithoutAClick: the tone fades, nothing jumps.
func TestARelationBeginsAndEndsWithoutAClick(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, all := choir(r, l16(), l16())
		mark := len(all[0].heard)
		r.run(10)
		steady := bend(all[0].since(mark))
		mark = len(all[0].heard)
		r.relate(h, engine.Edge{From: 2, To: 1})
		r.relate(h)
		if got := bend(all[0].since(mark)); got > steady+steady/4 {
			t.Errorf("bends by %d where the tone bends by %d", got, steady)
		}
	})
}

// bend is the greatest second difference of a signal.
func bend(pcm []int16) (most int) {
	for i := 2; i < len(pcm); i++ {
		d := int(pcm[i]) - 2*int(pcm[i-1]) + int(pcm[i-2])
		most = max(most, d, -d)
	}
	return most
}

// TestRelationsEndWithTheirMembers: who comes to sit where one was is heard.
func TestRelationsEndWithTheirMembers(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, all := choir(r, l16(), codec.L16(16000), l16())
		edge := engine.Edge{From: 2, To: 1}
		r.relate(h, edge)
		h.Remove(77, 2)
		r.run(3)
		h.Relate(0, nil)
		r.run(3)
		h.take()
		r.seat(h, 4, all[1], engine.MemberState{})
		r.run(10)
		r.hears(all)
		h.Close()
		r.op++
		h.Relate(r.op, []engine.Edge{edge})
	})
}

func TestRelatedListenersShareWhatTheyMay(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		var all []*caller
		for i, speak := range []func(int) []int16{tone(8000, 400, -20), mute(8000), mute(8000), mute(8000)} {
			c := r.call(engine.LegID(fmt.Sprint(i)), codec.PCMU(), speak)
			all = append(all, c)
			r.seat(h, engine.MemberID(i+1), c, engine.MemberState{})
		}
		r.relate(h, engine.Edge{From: 1, To: 2}, engine.Edge{From: 4, To: 3})
		if all[1].voice.shared {
			t.Error("who does not hear the talker has the mix of all")
		}
		if !all[2].voice.shared || !all[3].voice.shared {
			t.Error("who is kept from somebody silent has a mix of his own")
		}
	})
}

func TestBridge_TickOfRelationsAllocatesNothing(t *testing.T) {
	r := newRig(t, Options{})
	defer r.sw.Close()
	b := crowd(r, 40, 10, codec.PCMU())
	wide := &quietPort{payload: encode(t, codec.L16(16000), tone(16000, 400, -20)(0))}
	l, err := r.sw.NewLeg("wide", wide, codec.L16(16000))
	if err != nil {
		t.Fatal(err)
	}
	b.Admit(0, 1000, &caller{Leg: l}, engine.MemberState{})
	var deaf []engine.Edge
	for i := range engine.MemberID(10) {
		deaf = append(deaf, engine.Edge{From: i + 1, To: 1000}, engine.Edge{From: 1000, To: i + 1}, engine.Edge{From: i + 1, To: 20}, engine.Edge{From: i + 1, To: (i+1)%10 + 1})
	}
	b.Relate(0, deaf)
	settle(t, r, b)
	n := uint64(1000)
	if got := testing.AllocsPerRun(200, func() { n++; b.run(0, int64(n)*20e6, n) }); got != 0 {
		t.Errorf("%v allocations per tick", got)
	}
}

// A room of 100 in which each of ten talkers is kept from ten listeners.
func BenchmarkRelations(b *testing.B) {
	r := newRig(b, Options{})
	defer r.sw.Close()
	room := crowd(r, 100, 10, codec.PCMU())
	var deaf []engine.Edge
	for i := range engine.MemberID(10) {
		for k := range engine.MemberID(10) {
			deaf = append(deaf, engine.Edge{From: i + 1, To: 10*i + k + 1})
		}
	}
	room.Relate(0, deaf)
	settle(b, r, room)
	n := uint64(1000)
	b.ReportAllocs()
	for b.Loop() {
		n++
		room.run(0, int64(n)*20e6, n)
	}
	perLeg(b, 100)
}
