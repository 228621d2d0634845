package engine

// Sound is how a room treats what its members say. The zero value is the
// default. It is a matter of the native place; a switch's own conference has
// settings of its own.
type Sound struct {
	// Transparent has the mixer add up what comes and do nothing else to it: for
	// modems, tests and music. The gate, the AGC and the comfort noise are off.
	Transparent bool
	Gate        Gate
	AGC         bool // brings all voices to -26 dBov
	Noise       int  // comfort noise, dBov; 0 = none
}

// Gate is the level from which on a member is mixed, in dBov: less than zero,
// or one of these.
type Gate int

// What stands out of the member's own noise, or everything.
const (
	GateAuto Gate = 0
	GateOff  Gate = 1
)

// Tuner is a Bridge that treats sound as it is told.
type Tuner interface {
	Bridge
	// Tune is for all members from now on. It settles with nothing.
	Tune(s Sound)
}

// tune has the room's places treat sound by its profile.
func (r *room) tune() {
	for _, v := range r.venues {
		if t, ok := v.bridge.(Tuner); ok {
			t.Tune(r.profile.Sound)
		}
	}
}
