package tick

import "time"

// timer wakes the one worker that waits. Only wake may be called by others; a
// wake that comes while nobody waits is kept for the next wait.
type timer interface {
	arm(at time.Time) // the next wait ends at a moment, in place of an earlier order
	disarm()          // it ends by a wake alone
	wait()            // until it fires; it may return early, and then wants to be armed again
	wake()            // fire now
	close()           // nobody waits any more
}

// plainTimer is made of the runtime's own timers.
type plainTimer struct {
	t    *time.Timer
	kick chan struct{}
}

func newPlainTimer() *plainTimer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &plainTimer{t: t, kick: make(chan struct{}, 1)}
}

func (p *plainTimer) arm(at time.Time) { p.t.Reset(time.Until(at)) }
func (p *plainTimer) disarm()          { p.t.Stop() }
func (p *plainTimer) close()           { p.t.Stop() }

func (p *plainTimer) wait() {
	select {
	case <-p.t.C:
	case <-p.kick:
	}
}

func (p *plainTimer) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}
