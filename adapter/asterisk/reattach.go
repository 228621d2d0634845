package asterisk

import (
	"context"
	"strconv"
	"time"

	"parley/engine"
)

// Names of calls that may come back. The token is ours; the dialplan says by an
// argument of Stasis() that it will try again, and by a variable since when it
// has been without us, in ms since 1970.
const (
	tokenVariable = "PARLEY_REATTACH"
	lostVariable  = "PARLEY_LOST"
	retryArg      = "retry"
)

// backTime is how long a call whose audio has broken may be out of the
// application before its seat is given up: the pasted dialplan brings it back
// after 500 ms.
const backTime = 250 * time.Millisecond

// sealedFor is the name that a call's token is good for. Two switches may use
// the same channel id.
func (c *call) sealedFor() engine.LegID { return engine.LegID(c.link.opt.Name + "/" + c.channel) }

// comesBack says what a call was whose dialplan has brought it here again, and
// since when it has been without us.
func (c *call) comesBack(ctx context.Context, room string) (back *engine.Rights, lost time.Time) {
	if c.link.returns.Off() {
		return nil, lost
	}
	token, err := c.link.client.Variable(ctx, c.channel, tokenVariable)
	if token == "" || err != nil {
		return nil, lost
	}
	// What a Parley that has died had the switch drop of what it says or hears is
	// dropped until somebody says otherwise.
	c.warn("not unmuted", c.silence(ctx, true, true, false)) //nolint:contextcheck // the log takes none
	back, lost, err = c.link.returns.Claim(time.Now(), string(c.sealedFor()), token, room)
	if err != nil {
		c.log.Info("asterisk: " + tokenVariable + " is ignored: " + err.Error() + ". The call comes in as any other. [reattach]")
		c.set(ctx, tokenVariable, "")
		return nil, lost
	}
	since, err := c.link.client.Variable(ctx, c.channel, lostVariable)
	if ms, bad := strconv.ParseInt(since, 10, 64); err == nil && bad == nil && ms > 0 && lost.IsZero() {
		lost = time.UnixMilli(ms)
	}
	c.set(ctx, lostVariable, "")
	return back, lost
}

// Remember implements engine.Rememberer: the rights go onto the channel, in a
// form that only we can read. When we are leaving, what is there stays.
func (l *leg) Remember(now engine.Rights) {
	if l.link.retreat.Load() {
		return
	}
	if l.rights.Swap(&now) == nil {
		l.tasks.Put(l.keep)
	}
}

// keep writes the newest rights that are to be remembered, and what a CDR says
// when the caller hangs up in the room.
func (c *call) keep() {
	rights := c.rights.Swap(nil)
	ctx, cancel := context.WithTimeout(context.Background(), outTime)
	defer cancel()
	if !c.link.returns.Off() {
		c.seal(ctx, rights)
	}
	if rights.Member == 0 || rights.Member == c.noted {
		return
	}
	c.noted = rights.Member
	for _, v := range hangup(rights.Member) {
		if !c.set(ctx, channelVariable(v.Name), v.Value) {
			return
		}
	}
}

// hangup is what a member leaves who hangs up; all but the result, whose
// absence tells the dialplan that we have died.
func hangup(m engine.MemberID) []engine.Variable {
	return []engine.Variable{
		{Name: "reason", Value: string(engine.ReasonHangup)}, {Name: "exit", Value: string(engine.ExitHangup)}, {Name: "member_id", Value: m.String()},
	}
}

func (c *call) seal(ctx context.Context, rights *engine.Rights) {
	token := ""
	if rights.Member != 0 {
		var err error
		if token, err = c.link.returns.Key.Seal(c.sealedFor(), *rights); err != nil {
			c.log.Info("asterisk: the call could not come back", "error", err)
		}
	}
	c.sealed = c.set(ctx, tokenVariable, token) && token != ""
}

// set says whether a variable of the channel is set.
func (c *call) set(ctx context.Context, name, value string) bool {
	if c.left.isSet() {
		return false
	}
	err := c.link.client.SetVariable(ctx, c.channel, name, value)
	if err != nil && !isAway(err) {
		c.log.Log(ctx, c.link.gravity(), "asterisk: "+name+" not set", "error", err)
	}
	return err == nil
}

// Retreat has calls whose dialplans try again leave without a result from now
// on: the next Parley may be there soon.
func (l *Link) Retreat() { l.retreat.Store(true) }

// willReturn says whether we are leaving, and the call's dialplan will try again
// until the next Parley is there.
func (c *call) willReturn() bool { return c.link.retreat.Load() && c.retries() && c.sealed }

func (c *call) retries() bool { return c.args[retryArg] == "yes" }

// misses notes that a call that has left may come back: it is its audio that
// was lost.
func (c *call) misses() { c.link.returns.Miss(time.Now(), string(c.sealedFor())) }

// settleUp notes that a call is given back for good.
func (c *call) settleUp(ctx context.Context) {
	c.link.returns.End(string(c.sealedFor()))
	if c.sealed {
		c.set(ctx, tokenVariable, "")
	}
}
