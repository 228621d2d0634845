package engine

import (
	"strings"
	"sync"
	"time"
)

// ThrottleOptions sets how wrong PINs are slowed down.
type ThrottleOptions struct {
	Failures int           // wrong PINs of one source before the brake; 0 = DefaultThrottleFailures
	Period   time.Duration // then one PIN each Period, and forgotten after 60 of them; 0 = DefaultThrottlePeriod
	Sources  int           // remembered; 0 = DefaultThrottleSources

	// RoomFailures is how many wrong PINs all callers of one trunk together, or
	// all that come by themselves, may give one room; one is forgotten each
	// Period. 0 = DefaultThrottleRoomFailures.
	RoomFailures int
}

// Defaults of ThrottleOptions.
const (
	DefaultThrottleFailures     = 5
	DefaultThrottlePeriod       = 10 * time.Second
	DefaultThrottleSources      = 10_000
	DefaultThrottleRoomFailures = 20
)

// throttle counts wrong PINs per source: an address, or a switch and a number.
// The number is what the caller says it is, and addresses can be many. So all
// calls of one switch, and all that come by themselves, are counted together,
// too, per room; a source that has given a right PIN of the room is left out of
// that, so that guessers do not lock out who comes every day. It is shared by
// all rooms and remembers a bounded number of sources: when the younger half is
// full, the older half, which nobody in it has used since, is forgotten.
type throttle struct {
	opt ThrottleOptions

	mu         sync.Mutex
	young, old map[string]*failures // guarded by mu
}

// failures are one source's wrong PINs, and those that are being judged.
type failures struct {
	count int
	last  time.Time // of a guess that was let through; of a room: when the last one was forgotten
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
	if o.RoomFailures == 0 {
		o.RoomFailures = DefaultThrottleRoomFailures
	}
	return &throttle{opt: o, young: map[string]*failures{}}
}

// account is what is counted: a source, or a room as callers of one trunk see
// it. It can be asked for while mu is held.
type account struct {
	key   string
	limit int
	room  bool
}

// roomMark is in the keys of rooms, knownMark in those of sources that know a
// PIN. Neither is in an address or number that came in a message.
const (
	roomMark  = "\n"
	knownMark = "\r"
)

func (t *throttle) accounts(room RoomName, source string, now time.Time) []account {
	all := []account{{source, t.opt.Failures, false}}
	if t.find(source+knownMark+string(room), now) == nil {
		trunk, _, _ := strings.Cut(source, "/")
		if trunk == source { // it comes by itself
			trunk = ""
		}
		all = append(all, account{trunk + roomMark + string(room), t.opt.RoomFailures, true})
	}
	return all
}

// left is how many guesses an account is good for now.
func (t *throttle) left(a account, now time.Time) int {
	f := t.find(a.key, now)
	switch {
	case f == nil:
		return a.limit
	case f.count < a.limit:
		return a.limit - f.count
	case a.room || now.Sub(f.last) < t.opt.Period:
		return 0
	}
	return 1
}

// tries returns how many PINs a call may be asked for: all it would have
// anyway, one when its source has failed too often, none until the next period.
func (t *throttle) tries(room RoomName, source string, now time.Time, attempts int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.accounts(room, source, now) {
		if t.spent(a, now) {
			attempts = min(t.left(a, now), attempts)
		}
	}
	return attempts
}

// spent says whether an account is at its limit.
func (t *throttle) spent(a account, now time.Time) bool {
	f := t.find(a.key, now)
	return f != nil && f.count >= a.limit
}

// guess says whether a PIN may be looked at now. It counts as wrong until
// right is called, so that guesses at the same moment do not pass together.
func (t *throttle) guess(room RoomName, source string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.accounts(room, source, now)
	for _, a := range all {
		if t.left(a, now) == 0 {
			return false
		}
	}
	for _, a := range all {
		f := t.find(a.key, now)
		if f == nil {
			f = &failures{last: now}
			t.keep(a.key, f)
		}
		if f.count++; !a.room {
			f.last = now
		}
	}
	return true
}

// right takes back the guess that was right. Those before it stay: one good PIN
// does not make up for guessing others. The source is known from now on.
func (t *throttle) right(room RoomName, source string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.accounts(room, source, now) {
		if f := t.find(a.key, now); f != nil && f.count > 0 {
			f.count--
		}
	}
	t.keep(source+knownMark+string(room), &failures{last: now})
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
			if strings.Contains(key, roomMark) {
				limit = t.opt.RoomFailures
				t.leak(f, now)
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
	switch {
	case strings.Contains(key, roomMark):
		t.leak(f, now)
	case now.Sub(f.last) > 60*t.opt.Period:
		f.count = 0
	}
	return f
}

// leak forgets one failure of a room each period.
func (t *throttle) leak(f *failures, now time.Time) {
	n := int(now.Sub(f.last) / t.opt.Period)
	if f.count -= n; f.count > 0 {
		f.last = f.last.Add(time.Duration(n) * t.opt.Period)
		return
	}
	f.count, f.last = 0, now
}

func (t *throttle) keep(key string, f *failures) {
	if len(t.young) >= t.opt.Sources/2 {
		t.old, t.young = t.young, map[string]*failures{}
	}
	t.young[key] = f
}
