package bench

import (
	"sync/atomic"
	"time"
)

// driver moves the audio of all callers from one goroutine, with system calls
// that never wait and sockets nobody is woken for. Callers are spread over
// phases, as real ones do not all send at one moment.
type driver struct {
	legs     []*leg
	phases   int
	duration int         // periods that are measured
	measure  atomic.Bool // count from the next period on
	stop     atomic.Bool // at the end of this period

	// The rest belongs to run; others may read it once that has returned.
	in      *inbox
	gaps    histogram // between the packets of one stream
	late    histogram // of the driver itself
	periods int       // of 20 ms, measured
	pure    int64     // unix ns: from here on nobody says bursts
}

// moment says what a period is part of. The end of the time measured, as much
// of it as is written down, has two halves: one with bursts, for the delay, and
// one without, for what is wrong with a tone.
type moment struct{ measured, bursts, pure bool }

func newDriver(legs []*leg, o Options) *driver {
	return &driver{legs: legs, phases: o.Phases, duration: int(o.Duration / ptime), in: newInbox()}
}

// moment is what the next period is part of.
func (d *driver) moment() moment {
	if !d.measure.Load() {
		return moment{}
	}
	written := min(d.duration, clipPackets)
	half := d.duration - written/2
	return moment{measured: true, bursts: d.periods >= d.duration-written && d.periods < half, pure: d.periods >= half}
}

// run drives until stop. It keeps to absolute deadlines: after a delay it
// sends what is due at once, and the delay is reported.
func (d *driver) run() {
	step := ptime / time.Duration(d.phases)
	due := time.Now()
	for !d.stop.Load() {
		m := d.moment()
		if m.pure && d.pure == 0 {
			d.pure = due.UnixNano()
		}
		for phase := range d.phases {
			time.Sleep(time.Until(due))
			if m.measured {
				d.late.add(int64(time.Since(due)))
			}
			d.slot(phase, due.UnixNano(), m)
			due = due.Add(step)
		}
		if m.measured {
			d.periods++
		}
	}
}

// slot is the turn of every caller of a phase, and of every packet that was
// held back until now.
func (d *driver) slot(phase int, now int64, m moment) {
	for i := phase; i < len(d.legs); i += d.phases {
		if g := d.legs[i]; g.live.Load() {
			g.tick(d.in, now, &d.gaps, m)
		}
	}
	for _, g := range d.legs {
		if g.way == nil {
			break // nobody has one
		}
		if g.live.Load() {
			g.way.deliver(g.media, now)
		}
	}
}
