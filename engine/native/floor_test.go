package native

import (
	"slices"
	"testing"

	"parley/engine"
	"parley/internal/audiotest"
)

// spell is so many ticks in which three members are this loud, dBov; 0 is one
// who does not talk, 1 one who is not there.
type spell struct {
	ticks  int
	levels [3]float32
}

// holders plays spells and returns who has the floor at the end of each.
func holders(spells ...spell) (all []engine.MemberID) {
	var f floor
	var bids [3]bid
	for _, s := range spells {
		var has engine.MemberID
		for range s.ticks {
			f.begin()
			for i, level := range s.levels {
				if level != 1 {
					f.hear(engine.MemberID(i+1), &bids[i], level < 0, level, level)
				}
			}
			has = f.end()
		}
		all = append(all, has)
	}
	return all
}

func TestFloor(t *testing.T) {
	for _, c := range []struct {
		name   string
		want   []engine.MemberID
		spells []spell
	}{
		{"nobody's where nobody talks", []engine.MemberID{0}, []spell{{500, [3]float32{}}}},
		{"free until somebody has talked for 200 ms", []engine.MemberID{0, 1}, []spell{{9, [3]float32{-20}}, {1, [3]float32{-20}}}},
		{"not for a cough", []engine.MemberID{0, 0}, []spell{{6, [3]float32{-10}}, {100, [3]float32{}}}},
		{"the louder of two who begin at once", []engine.MemberID{2}, []spell{{10, [3]float32{-30, -20}}}},
		{"kept through pauses between words", []engine.MemberID{1, 1, 1}, []spell{{50, [3]float32{-20}}, {20, [3]float32{-90}}, {50, [3]float32{-20}}}},
		{"kept against who is as loud", []engine.MemberID{1, 1}, []spell{{50, [3]float32{-20}}, {500, [3]float32{-20, -18}}}},
		{"kept against who is louder for a word", []engine.MemberID{1, 1, 1}, []spell{{50, [3]float32{-30}}, {40, [3]float32{-30, -10}}, {200, [3]float32{-30}}}},
		{"lost to who is louder for a second", []engine.MemberID{1, 2}, []spell{{50, [3]float32{-30}}, {60, [3]float32{-30, -10}}}},
		{"and not won back by being as loud", []engine.MemberID{1, 2, 2}, []spell{{50, [3]float32{-30}}, {60, [3]float32{-30, -10}}, {300, [3]float32{-9, -10}}}},
		{"his who talks on when the holder falls silent", []engine.MemberID{1, 3}, []spell{{50, [3]float32{-20, 0, -35}}, {2, [3]float32{0, 0, -35}}}},
		{"kept for two seconds of silence", []engine.MemberID{1, 1, 0}, []spell{{50, [3]float32{-20}}, {100, [3]float32{}}, {1, [3]float32{}}}},
		{"nobody's when the holder is gone", []engine.MemberID{1, 0}, []spell{{50, [3]float32{-20}}, {1, [3]float32{1}}}},
		{"not for noise that is no speech", []engine.MemberID{0}, []spell{{500, [3]float32{-50, -60}}}},
	} {
		if got := holders(c.spells...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestFloor_OfARoom follows it through real voices, a mute and a leaver.
func TestFloor_OfARoom(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a, b := r.call("a", l16(), tone(8000, 400, -20)), r.call("b", l16(), mute(8000))
		r.seat(h, 1, a, engine.MemberState{})
		r.seat(h, 2, b, engine.MemberState{})
		floors := func() (all []engine.MemberID) {
			for _, f := range h.take() {
				if f, ok := f.(engine.Floor); ok {
					all = append(all, f.Member)
				}
			}
			return all
		}
		r.run(20)
		b.speak = tone(8000, 700, -20)
		r.run(100)
		if got := floors(); !slices.Equal(got, []engine.MemberID{1}) {
			t.Errorf("one talks, another joins in: %v", got)
		}
		h.Set(5, 1, engine.MemberState{Muted: true})
		r.run(3)
		if got := floors(); !slices.Equal(got, []engine.MemberID{2}) {
			t.Errorf("the holder is muted: %v", got)
		}
		h.Remove(6, 2)
		r.run(3)
		if got := floors(); !slices.Equal(got, []engine.MemberID{0}) {
			t.Errorf("the holder leaves, nobody else is heard: %v", got)
		}
	})
}

// TestFloor_GainCounts: who is louder is who is louder in the mix.
func TestFloor_GainCounts(t *testing.T) {
	inBubble(t, func(r *rig) {
		h := r.hall()
		a, b := r.call("a", l16(), tone(8000, 400, -20)), r.call("b", l16(), tone(8000, 700, -20))
		r.seat(h, 1, a, engine.MemberState{})
		r.run(20)
		r.seat(h, 2, b, engine.MemberState{Talk: 10})
		h.take()
		r.run(60)
		if got := h.take(); !slices.Contains(got, engine.Fact(engine.Floor{Member: 2})) {
			t.Errorf("10 dB louder for a second: %v", got)
		}
		if audiotest.Power(a.since(len(a.heard)-8000), 8000, 700) < -15 {
			t.Error("he is not louder")
		}
	})
}
