package engine

import (
	"sync"
	"time"
)

// ThrottleOptions sets how wrong PINs of one source are slowed down.
type ThrottleOptions struct {
	Failures int           // wrong PINs before the brake; 0 = 5
	Period   time.Duration // then one call each Period, and forgotten after 60 of them; 0 = 10 s
	Sources  int           // remembered; 0 = 10,000
}

// throttle counts wrong PINs per source (an address or a caller's number).
// It is shared by all rooms.
type throttle struct {
	opt ThrottleOptions

	mu      sync.Mutex
	sources map[string]*failures // guarded by mu
}

type failures struct {
	count int
	last  time.Time // of a failure, or of a call that was let through the brake
}

func newThrottle(o ThrottleOptions) *throttle {
	if o.Failures == 0 {
		o.Failures = 5
	}
	if o.Period == 0 {
		o.Period = 10 * time.Second
	}
	if o.Sources == 0 {
		o.Sources = 10_000
	}
	return &throttle{opt: o, sources: map[string]*failures{}}
}

// tries returns how many PINs a call of source may try now: all it would have
// anyway, or one each period once the source has failed too often.
func (t *throttle) tries(source string, now time.Time, attempts int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.sources[source]
	if f == nil || f.count < t.opt.Failures {
		return attempts
	}
	if now.Sub(f.last) < t.opt.Period {
		return 0
	}
	f.last = now
	return min(1, attempts)
}

// failed notes a wrong PIN.
func (t *throttle) failed(source string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.sources[source]
	if f == nil || now.Sub(f.last) > 60*t.opt.Period {
		t.makeRoom(now)
		f = &failures{}
		t.sources[source] = f
	}
	f.count++
	f.last = now
}

// makeRoom forgets what is old, and when all of it is young, any one source:
// the table never grows beyond its limit.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.sources) < t.opt.Sources {
		return
	}
	for s, f := range t.sources {
		if now.Sub(f.last) > 60*t.opt.Period {
			delete(t.sources, s)
		}
	}
	for s := range t.sources {
		if len(t.sources) < t.opt.Sources {
			return
		}
		delete(t.sources, s)
	}
}
