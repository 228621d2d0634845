package engine

import (
	"strings"
	"sync"
	"time"
)

// ThrottleOptions sets how wrong PINs of one source are slowed down.
type ThrottleOptions struct {
	Failures int           // wrong PINs before the brake; 0 = DefaultThrottleFailures
	Period   time.Duration // then one PIN each Period, and forgotten after 60 of them; 0 = DefaultThrottlePeriod
	Sources  int           // remembered; 0 = DefaultThrottleSources
}

// Defaults of ThrottleOptions.
const (
	DefaultThrottleFailures = 5
	DefaultThrottlePeriod   = 10 * time.Second
	DefaultThrottleSources  = 10_000
)

// throttleCrowd is how many times Failures the callers of one trunk may fail at
// one room, all of them together.
const throttleCrowd = 10

// throttle counts wrong PINs per source: an address, or a switch and a number.
// The number is what the caller says it is. So all calls of one switch are
// counted together, too, per room, with a wider limit. It is shared by all
// rooms and remembers a bounded number of sources: when the younger half is
// full, the older half, which nobody in it has used since, is forgotten.
type throttle struct {
	opt ThrottleOptions

	mu         sync.Mutex
	young, old map[string]*failures // guarded by mu
}

// failures are one source's wrong PINs, and those that are being judged.
type failures struct {
	count int
	last  time.Time // of a guess that was let through
}

func newThrottle(o ThrottleOptions) *throttle {
	if o.Failures == 0 {
		o.Failures = DefaultThrottleFailures
	}
	if o.Period == 0 {
		o.Period = DefaultThrottlePeriod
	}
	if o.Sources == 0 {
		o.Sources = DefaultThrottleSources
	}
	return &throttle{opt: o, young: map[string]*failures{}}
}

// account is a source that is counted, and its limit.
type account struct {
	key   string
	limit int
}

func (t *throttle) accounts(room RoomName, source string) []account {
	all := []account{{source, t.opt.Failures}}
	if trunk, _, ok := strings.Cut(source, "/"); ok {
		all = append(all, account{trunk + "/\n" + string(room), throttleCrowd * t.opt.Failures})
	}
	return all
}

// tries returns how many PINs a call may be asked for: all it would have
// anyway, one when its source has failed too often, none until the next period.
func (t *throttle) tries(room RoomName, source string, now time.Time, attempts int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.accounts(room, source) {
		switch f := t.find(a.key, now); {
		case f == nil || f.count < a.limit:
		case now.Sub(f.last) < t.opt.Period:
			return 0
		default:
			attempts = min(1, attempts)
		}
	}
	return attempts
}

// guess says whether a PIN may be looked at now. It counts as wrong until
// right is called, so that guesses at the same moment do not pass together.
func (t *throttle) guess(room RoomName, source string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.accounts(room, source)
	for _, a := range all {
		if f := t.find(a.key, now); f != nil && f.count >= a.limit && now.Sub(f.last) < t.opt.Period {
			return false
		}
	}
	for _, a := range all {
		f := t.find(a.key, now)
		if f == nil {
			f = &failures{}
			t.keep(a.key, f)
		}
		f.count++
		f.last = now
	}
	return true
}

// right takes back the guess that was right. Those before it stay: one good PIN
// does not make up for guessing others.
func (t *throttle) right(room RoomName, source string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.accounts(room, source) {
		if f := t.find(a.key, now); f != nil && f.count > 0 {
			f.count--
		}
	}
}

// braked counts the sources that have failed too often and may try one PIN per
// period.
func (t *throttle) braked(now time.Time) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := map[*failures]bool{} // one may be in both halves
	for _, half := range []map[string]*failures{t.young, t.old} {
		for key, f := range half {
			limit := t.opt.Failures
			if strings.Contains(key, "\n") {
				limit *= throttleCrowd
			}
			if f.count >= limit && now.Sub(f.last) <= 60*t.opt.Period && !seen[f] {
				seen[f] = true
				n++
			}
		}
	}
	return n
}

// find returns what is remembered of a source, nil when that is nothing. The
// caller holds mu, as for keep.
func (t *throttle) find(key string, now time.Time) *failures {
	f := t.young[key]
	if f == nil {
		if f = t.old[key]; f == nil {
			return nil
		}
		t.keep(key, f)
	}
	if now.Sub(f.last) > 60*t.opt.Period {
		f.count = 0
	}
	return f
}

func (t *throttle) keep(key string, f *failures) {
	if len(t.young) >= t.opt.Sources/2 {
		t.old, t.young = t.young, map[string]*failures{}
	}
	t.young[key] = f
}
