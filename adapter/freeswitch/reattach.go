package freeswitch

import (
	"context"
	"strconv"
	"time"

	"parley/engine"
	"parley/esl"
)

// Channel variables of calls that may come back. The token is ours; the
// dialplan says by retry that it will try again, and by lost since when it has
// been without us, in microseconds as strmicroepoch has them. fallback is the
// room that the call is in, for a dialplan that goes on without a result: who
// was asked for the number has it nowhere else.
const (
	tokenVariable    = "parley_reattach"
	fallbackVariable = "parley_fallback"
	retryVariable    = "parley_retry"
	lostVariable     = "parley_lost"
)

// comesBack says what a call was whose dialplan has brought it here again.
func (c *call) comesBack(s *esl.Session) (back *engine.Rights, lost time.Time) {
	token := s.Var(tokenVariable)
	if token == "" {
		return nil, lost
	}
	back, lost, err := c.adapter.returns.Claim(time.Now(), c.uuid, token, s.Var("parley_room"))
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
	vars, token := map[string]string{fallbackVariable: string(rights.Room)}, ""
	if rights.Member != 0 && c.inside.Load() == nil {
		vars["parley_member_id"] = rights.Member.String()
		vars["parley_reason"], vars["parley_exit"] = string(engine.ReasonHangup), string(engine.ExitHangup)
	}
	if rights.Member != 0 && !c.adapter.returns.Off() {
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
