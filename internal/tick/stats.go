package tick

import (
	"sync/atomic"
	"time"
)

// Bounds are the upper ends of the lateness histogram's classes; what is above
// the last falls into one more class.
func Bounds() [7]time.Duration {
	return [7]time.Duration{
		500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
		10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond,
	}
}

// Stats are counters since the pool was made. A tick is late by the time that
// lies between its deadline and the moment a worker began it.
type Stats struct {
	Ticks    uint64    // ticks run
	Late     uint64    // of these, begun more than 2 ms after their deadline
	VeryLate uint64    // of these, begun more than 20 ms after their deadline
	Lost     uint64    // ticks not run because more than five were due
	Lateness [8]uint64 // ticks by lateness, see Bounds
}

// meter counts in classes; the workers add to it.
type meter struct {
	class [8]atomic.Uint64
	lost  atomic.Uint64
}

// late counts one tick.
func (m *meter) late(by time.Duration) {
	bounds := Bounds()
	i := 0
	for i < len(bounds) && by > bounds[i] {
		i++
	}
	m.class[i].Add(1)
}

func (m *meter) stats() Stats {
	st := Stats{Lost: m.lost.Load()}
	bounds := Bounds()
	for i := range m.class {
		n := m.class[i].Load()
		st.Lateness[i] = n
		st.Ticks += n
		if i > 0 && bounds[i-1] >= 2*time.Millisecond {
			st.Late += n
		}
		if i > 0 && bounds[i-1] >= Period {
			st.VeryLate += n
		}
	}
	return st
}
