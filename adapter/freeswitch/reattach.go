package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"parley/adapter/seal"
	"parley/engine"
	"parley/esl"
)

// Channel variables of calls that may come back. The token is ours; the
// dialplan says by retry that it will try again, and by lost since when it has
// been without us, in microseconds as strmicroepoch has them.
const (
	tokenVariable = "parley_reattach"
	retryVariable = "parley_retry"
	lostVariable  = "parley_lost"
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
	Key    *seal.Key     // nil = nobody comes back
	Window time.Duration // after our start, or after we have lost the call; 0 = nobody comes back
}

// returns knows who may come back. It may be used from any goroutine.
type returns struct {
	Reattach
	since time.Time // this process takes calls

	mu    sync.Mutex
	lost  map[string]time.Time // guarded by mu: calls that we have lost with their switch, by UUID
	spent map[string]bool      // guarded by mu: calls that have come back or were given back; nil after the window
}

func newReturns(o Reattach, now time.Time) *returns {
	return &returns{Reattach: o, since: now, lost: map[string]time.Time{}, spent: map[string]bool{}}
}

func (r *returns) off() bool { return r.Key == nil || r.Window <= 0 }

// read opens a token of a call that is on its way to a room; "" is any.
func (r *returns) read(uuid, token, room string) (*engine.Rights, error) {
	if r.off() {
		return nil, errNoReturn
	}
	rights, err := r.Key.Open(engine.LegID(uuid), token)
	if err != nil {
		return nil, err
	}
	if room != "" && room != string(rights.Room) {
		return nil, fmt.Errorf("%w, %s", errOther, rights.Room)
	}
	return &rights, nil
}

// claim judges a token that a call has come with. It is good once: because we
// have just been started, or because we have just lost the call. Then lost is
// when, and the run of the room that it was in may have ended.
func (r *returns) claim(now time.Time, uuid, token, room string) (back *engine.Rights, lost time.Time, err error) {
	if back, err = r.read(uuid, token, room); err != nil {
		return nil, lost, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire(now)
	lost, missed := r.lost[uuid]
	switch {
	case missed:
		delete(r.lost, uuid)
		back.Instance = ""
	case r.spent == nil:
		return nil, lost, errLate
	case r.spent[uuid]:
		return nil, lost, errSpent
	}
	r.spend(uuid)
	return back, lost, nil
}

// good says whether a token would be good now; it stays so.
func (r *returns) good(now time.Time, uuid, token, room string) bool {
	_, err := r.read(uuid, token, room)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire(now)
	_, missed := r.lost[uuid]
	return err == nil && (missed || r.spent != nil && !r.spent[uuid])
}

// miss notes that the link to a call has ended.
func (r *returns) miss(now time.Time, uuid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lost) >= maxLost {
		r.expire(now)
	}
	if !r.off() && len(r.lost) < maxLost {
		r.lost[uuid] = now
	}
}

// end notes that a call has left in peace.
func (r *returns) end(uuid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lost, uuid)
	r.spend(uuid)
}

// spend needs mu.
func (r *returns) spend(uuid string) {
	if r.spent != nil {
		r.spent[uuid] = true
	}
}

// expire forgets what does not matter any more; it needs mu.
func (r *returns) expire(now time.Time) {
	if now.Sub(r.since) >= r.Window {
		r.spent = nil
	}
	for uuid, at := range r.lost {
		if now.Sub(at) >= r.Window {
			delete(r.lost, uuid)
		}
	}
}

// comesBack says what a call was whose dialplan has brought it here again.
func (c *call) comesBack(s *esl.Session) (back *engine.Rights, lost time.Time) {
	token := s.Var(tokenVariable)
	if token == "" {
		return nil, lost
	}
	back, lost, err := c.adapter.returns.claim(time.Now(), c.uuid, token, s.Var("parley_room"))
	if err != nil {
		c.log.Info("freeswitch: " + tokenVariable + " is ignored: " + err.Error() + ". The call comes in as any other. [reattach]")
		return nil, lost
	}
	if lost.IsZero() {
		if at, err := strconv.ParseInt(s.Var(lostVariable), 10, 64); err == nil && at > 0 {
			lost = time.UnixMicro(at)
		}
	}
	return back, lost
}

// Remember implements engine.Rememberer: the rights go onto the channel, in a
// form that only we can read. When we are leaving, what is there stays.
func (l *leg) Remember(now engine.Rights) {
	if now.Member != 0 {
		l.last.Store(&now.State)
	}
	if l.adapter.retreat.Load() {
		return
	}
	if l.rights.Swap(&now) == nil {
		l.tasks.Put(l.keep)
	}
}

// keep writes the newest rights that are to be remembered, and what a CDR says
// when the caller hangs up in the room; all but the result, whose absence tells
// the dialplan that we are.
func (c *call) keep() {
	rights := c.rights.Swap(nil)
	if c.place != here {
		return
	}
	vars, token := map[string]string{}, ""
	if rights.Member != 0 && c.inside.Load() == nil {
		vars = map[string]string{
			"parley_member_id": rights.Member.String(),
			"parley_reason":    string(engine.ReasonHangup), "parley_exit": string(engine.ExitHangup),
		}
	}
	if rights.Member != 0 && !c.adapter.returns.off() {
		var err error
		if token, err = c.adapter.returns.Key.Seal(c.id(), *rights); err != nil {
			c.log.Info("freeswitch: the call could not come back", "error", err)
		}
	}
	ctx, cancel := brief()
	defer cancel()
	vars[tokenVariable] = token
	if err := c.control.SetVars(ctx, vars); err != nil {
		c.log.Info("freeswitch: "+tokenVariable+" not set", "error", err) // a call that ends is told next
		return
	}
	c.token.Store(token != "")
}

// willReturn says whether we are leaving, and the call's dialplan will try
// again until the next Parley is there.
func (c *call) willReturn() bool { return c.adapter.retreat.Load() && c.retries && c.token.Load() }

// sendOn lets a dialplan go on at once that has come while we are leaving: the
// next Parley may be there soon.
func (c *call) sendOn(ctx context.Context, s *esl.Session) {
	if err := s.SetVars(ctx, noResults()); err != nil {
		c.log.Info("freeswitch: variables not set", "error", err)
	}
	if err := s.Exit(ctx); err != nil {
		c.log.Info("freeswitch: no goodbye from the switch", "error", err)
	}
}
