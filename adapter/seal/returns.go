package seal

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/engine"
)

// maxLost is how many lost calls are remembered at one time.
const maxLost = 10_000

// Reasons not to take a call for what its token says.
var (
	errNoReturn = errors.New("nobody comes back here: there is no key, or reattach_window_s is 0")
	errSpent    = errors.New("the call has come back before, or was given back")
	errLate     = errors.New("we have neither been started nor lost the call within reattach_window_s")
	errOther    = errors.New("it is for another room")
)

// Reattach lets calls come back as what they were.
type Reattach struct {
	Key    *Key          // nil = nobody comes back
	Window time.Duration // after our start, or after we have lost the call; 0 = nobody comes back
}

// Returns knows who may come back. It may be used from any goroutine.
type Returns struct {
	Reattach
	since time.Time // this process takes calls

	mu    sync.Mutex
	lost  map[string]time.Time // guarded by mu: calls that we have lost with their switch, by name
	spent map[string]bool      // guarded by mu: calls that have come back or were given back; nil after the window
}

// NewReturns begins at now, when this process begins to take calls.
func NewReturns(o Reattach, now time.Time) *Returns {
	return &Returns{Reattach: o, since: now, lost: map[string]time.Time{}, spent: map[string]bool{}}
}

// Off says that nobody comes back.
func (r *Returns) Off() bool { return r.Key == nil || r.Window <= 0 }

// read opens a token of a call that is on its way to a room; "" is any.
func (r *Returns) read(call, token, room string) (*engine.Rights, error) {
	if r.Off() {
		return nil, errNoReturn
	}
	rights, err := r.Key.Open(engine.LegID(call), token)
	if err != nil {
		return nil, err
	}
	if room != "" && room != string(rights.Room) {
		return nil, fmt.Errorf("%w, %s", errOther, rights.Room)
	}
	return &rights, nil
}

// Claim judges a token that a call has come with. It is good once: because we
// have just been started, or because we have just lost the call. Then lost is
// when, and the run of the room that it was in may have ended.
func (r *Returns) Claim(now time.Time, call, token, room string) (back *engine.Rights, lost time.Time, err error) {
	if back, err = r.read(call, token, room); err != nil {
		return nil, lost, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire(now)
	lost, missed := r.lost[call]
	switch {
	case missed:
		delete(r.lost, call)
		back.Instance = ""
	case r.spent == nil:
		return nil, lost, errLate
	case r.spent[call]:
		return nil, lost, errSpent
	}
	r.spend(call)
	return back, lost, nil
}

// Good says whether a token would be good now; it stays so.
func (r *Returns) Good(now time.Time, call, token, room string) bool {
	_, err := r.read(call, token, room)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire(now)
	_, missed := r.lost[call]
	return err == nil && (missed || r.spent != nil && !r.spent[call])
}

// Miss notes that the link to a call has ended.
func (r *Returns) Miss(now time.Time, call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lost) >= maxLost {
		r.expire(now)
	}
	if !r.Off() && len(r.lost) < maxLost {
		r.lost[call] = now
	}
}

// End notes that a call has left in peace.
func (r *Returns) End(call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lost, call)
	r.spend(call)
}

// spend needs mu.
func (r *Returns) spend(call string) {
	if r.spent != nil {
		r.spent[call] = true
	}
}

// expire forgets what does not matter any more; it needs mu.
func (r *Returns) expire(now time.Time) {
	if now.Sub(r.since) >= r.Window {
		r.spent = nil
	}
	for call, at := range r.lost {
		if now.Sub(at) >= r.Window {
			delete(r.lost, call)
		}
	}
}
