package bench

import (
	"sync/atomic"
	"time"
)

const ptime = 20 * time.Millisecond

// driver moves the audio of all callers from one goroutine, with system calls
// that never wait and sockets nobody is woken for. Callers are spread over
// phases, as real ones do not all send at one moment.
type driver struct {
	legs    []*leg
	phases  int
	measure atomic.Bool // count from the next period on
	stop    atomic.Bool // at the end of this period

	// The rest belongs to run; others may read it once that has returned.
	in      *inbox
	gaps    histogram // between the packets of one stream
	late    histogram // of the driver itself
	periods int       // of 20 ms, measured
}

func newDriver(legs []*leg, phases int) *driver {
	return &driver{legs: legs, phases: phases, in: newInbox()}
}

// run drives until stop. It keeps to absolute deadlines: after a delay it
// sends what is due at once, and the delay is reported.
func (d *driver) run() {
	step := ptime / time.Duration(d.phases)
	due := time.Now()
	for !d.stop.Load() {
		measure := d.measure.Load()
		for phase := range d.phases {
			time.Sleep(time.Until(due))
			if measure {
				d.late.add(int64(time.Since(due)))
			}
			d.slot(phase, measure)
			due = due.Add(step)
		}
		if measure {
			d.periods++
		}
	}
}

// slot is the turn of every caller of a phase.
func (d *driver) slot(phase int, measure bool) {
	for i := phase; i < len(d.legs); i += d.phases {
		if g := d.legs[i]; g.live.Load() {
			g.tick(d.in, &d.gaps, measure)
		}
	}
}
