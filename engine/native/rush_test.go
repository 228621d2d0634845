package native

import (
	"runtime"
	"testing"

	"parley/codec"
	"parley/engine"
)

// A meeting that ends: all leave between two ticks, and what that costs does not
// grow with the square of their number. The plan in force stays what it is.
func TestBridge_ManyChangesBetweenTicksAreOnePlan(t *testing.T) {
	inBubble(t, func(r *rig) {
		const people = 200
		h := r.hall()
		for m := range engine.MemberID(people) {
			r.seat(h, m+1, r.call(engine.LegID(rune('a'+m)), codec.PCMU(), mute(8000)), engine.MemberState{})
		}
		r.run(3)
		inForce := h.mine.plan
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for m := range engine.MemberID(people) {
			h.Set(engine.OpID(1000+m), m+1, engine.MemberState{Muted: true})
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / people; each > 4096 {
			t.Errorf("%d bytes for each of %d changes", each, people)
		}
		for i := range inForce.seats {
			if inForce != h.mine.plan || inForce.seats[i].state.Muted {
				t.Fatal("the plan in force was changed")
			}
		}
		r.run(2)
		if p := h.mine.plan; p == inForce || len(p.seats) != people || !p.seats[people-1].state.Muted {
			t.Error("the last plan is not in force")
		}
	})
}
