package asterisk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"parley/ari"
	"parley/engine"
)

// orderArg is the argument of our application for the calls that we have the
// switch make: one whose order nobody knows any more is hung up.
const orderArg = "parley_job"

// Times of a call that the switch makes.
const (
	verdictAfter = 10 * time.Second // for the switch to tell, when the party had time enough
	arrivalAfter = 20 * time.Second // from the answer until we have the call
)

var errNotTaken = errors.New("asterisk: the call was answered, but not taken by us")

// outgoing is a call that a switch makes for us: answered, it enters our
// application like any other, and is known by its channel.
type outgoing struct {
	call     engine.OutCall
	endpoint string
	answered latch
	ended    chan error // capacity 1: it came to nothing, or has arrived (nil)
	once     sync.Once
}

func (o *outgoing) settle(err error) { o.once.Do(func() { o.ended <- err }) }

// invite is what the call arrives with.
func (o *outgoing) invite(l *Link) engine.Invite {
	in := o.call.Invite
	in.Kind, in.Switch = "asterisk", l.opt.Name
	if in.Caller.Number == "" {
		in.Caller.Number = party(o.endpoint)
	}
	return in
}

// party is whom an endpoint names: PJSIP/1001@trunk, Local/1001@default.
func party(endpoint string) string {
	name := endpoint[strings.LastIndexByte(endpoint, '/')+1:]
	name, _, _ = strings.Cut(name, "@")
	return strings.TrimPrefix(name, "sip:")
}

// Way has the switch call an endpoint of its own: PJSIP/1001, Local/….
func (l *Link) Way(endpoint string) engine.Way {
	return func(ctx context.Context, c engine.OutCall) error {
		if l.troubled() {
			return &engine.CallError{Cause: engine.CauseNetworkDown, Text: "no link to switch " + l.opt.Name}
		}
		o := &outgoing{call: c, endpoint: endpoint, answered: newLatch(), ended: make(chan error, 1)}
		l.setOrder(o, true)
		defer l.setOrder(o, false)
		if err := l.originate(ctx, o); err != nil {
			return err
		}
		late := time.NewTimer(c.Timeout + verdictAfter + arrivalAfter)
		defer late.Stop()
		select {
		case err := <-o.ended:
			return err
		case <-late.C:
			return errNotTaken
		case <-ctx.Done():
			l.giveUp(ctx, c.Leg)
			return ctx.Err()
		}
	}
}

// originate orders the call.
func (l *Link) originate(ctx context.Context, o *outgoing) error {
	c := o.call
	caller := c.Caller.Number
	if c.Caller.Name != "" {
		caller = fmt.Sprintf("%q <%s>", strings.Map(quotable, c.Caller.Name), caller)
	}
	_, err := l.client.Originate(ctx, ari.Originate{
		ID: string(c.Leg), Endpoint: o.endpoint, Args: orderArg + "=" + string(c.Invite.Job), CallerID: caller,
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
func (l *Link) giveUp(ctx context.Context, leg engine.LegID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBack)
	defer cancel()
	if err := l.client.Hangup(ctx, string(leg), ""); err != nil && !isAway(err) {
		l.log.Info("asterisk: call not given up", "call", leg, "error", err)
	}
}

func (l *Link) setOrder(o *outgoing, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if on {
		l.orders[string(o.call.Leg)] = o
	} else {
		delete(l.orders, string(o.call.Leg))
	}
}

func (l *Link) orderOf(channel string) *outgoing {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.orders[channel]
}

// progress follows a call that the switch makes for us.
func (l *Link) progress(ch *ari.Channel) {
	if o := l.orderOf(ch.ID); o != nil && ch.State == "Ringing" {
		o.call.Ringing(0)
	}
}

// failed notes that such a call has ended, if it never came here.
func (l *Link) failed(e *ari.ChannelDestroyed) {
	if o := l.orderOf(e.Channel.ID); o != nil {
		o.settle(&engine.CallError{Cause: engine.CauseOf(e.Cause), Text: e.CauseTxt})
	}
}

// stray says whether a call was ordered by somebody who is gone.
func stray(o *outgoing, args []string) bool {
	return o == nil && len(args) > 0 && strings.HasPrefix(args[0], orderArg+"=")
}
