package asterisk

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/ari"
	"parley/engine"
)

// orderArg is the argument of our application for the calls that we have the
// switch make: one whose order nobody knows any more is hung up.
const orderArg = "parley_job"

// Way has the switch call an endpoint of its own: PJSIP/1001, Local/….
func (l *Link) Way(endpoint string) engine.Way {
	return func(ctx context.Context, c engine.OutCall) error {
		if l.troubled() {
			return &engine.CallError{Cause: engine.CauseNetworkDown, Text: "no link to switch " + l.opt.Name}
		}
		o := engine.NewPlaced(c, endpoint)
		l.orders.Add(o)
		defer l.orders.Remove(o)
		if err := l.originate(ctx, o); err != nil {
			return err
		}
		late := time.NewTimer(c.Timeout + engine.VerdictTime + engine.ArrivalTime)
		defer late.Stop()
		select {
		case err := <-o.Ended():
			return err
		case <-late.C:
			return engine.ErrNotTaken
		case <-ctx.Done():
			l.giveUp(ctx, c.Leg, engine.GivenUp(ctx))
			return ctx.Err()
		}
	}
}

// originate orders the call.
func (l *Link) originate(ctx context.Context, o *engine.Placed) error {
	c := &o.OutCall
	caller := c.Caller.Number
	if c.Caller.Name != "" {
		caller = fmt.Sprintf("%q <%s>", strings.Map(quotable, c.Caller.Name), caller)
	}
	_, err := l.client.Originate(ctx, ari.Originate{
		ID: string(c.Leg), Endpoint: o.Endpoint, Args: orderArg + "=" + string(c.Invite.Job), CallerID: caller,
		Timeout: c.Timeout, Variables: c.Channel,
	})
	if refused, ok := errors.AsType[*ari.Error](err); ok {
		return &engine.CallError{Cause: engine.CauseOutOfOrder, Text: refused.Message}
	}
	return err
}

func quotable(r rune) rune {
	if r == '"' || r == '\\' || r == '<' || r == '>' {
		return -1
	}
	return r
}

// giveUp ends a call that is not answered, though our time for it is over.
func (l *Link) giveUp(ctx context.Context, leg engine.LegID, why engine.Cause) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBack)
	defer cancel()
	if err := l.client.Hangup(ctx, string(leg), reasonFor(why)); err != nil && !isAway(err) {
		l.log.Info("asterisk: call not given up", "call", leg, "error", err)
	}
}

// reasonFor is how an Asterisk is told why a call is ended: one that is given up is
// a normal end to it.
func reasonFor(c engine.Cause) string {
	switch c {
	case engine.CauseNone, engine.CauseNormal, engine.CauseOriginatorCancel:
		return "normal"
	default:
		return strconv.Itoa(c.Number())
	}
}

// progress follows a call that the switch makes for us.
func (l *Link) progress(ch *ari.Channel) {
	if o := l.orders.Find(engine.LegID(ch.ID)); o != nil && ch.State == "Ringing" {
		o.Ringing(0)
	}
}

// failed notes that such a call has ended, if it never came here.
func (l *Link) failed(e *ari.ChannelDestroyed) {
	if o := l.orders.Find(engine.LegID(e.Channel.ID)); o != nil {
		o.Settle(&engine.CallError{Cause: engine.CauseOf(e.Cause), Text: e.CauseTxt})
	}
}

// stray says whether a call was ordered by somebody who is gone.
func stray(o *engine.Placed, args []string) bool {
	return o == nil && len(args) > 0 && strings.HasPrefix(args[0], orderArg+"=")
}
