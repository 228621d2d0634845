package asterisk

import (
	"context"
	"fmt"
	"strings"
)

// lostContext is the context of the pasted dialplan that sends a caller on
// when his media channel ends without our doing: this process has died, and
// Asterisk keeps a channel in an application for ever. It looks itself whether
// the caller is still in the application.
const lostContext = "parley-lost"

// guardArg is the argument of Stasis() that asks us to switch the dialplan's
// TIMEOUT(absolute) off. Until then it guards the caller against a Parley that
// is frozen, or dies before there is a media channel.
const guardArg = "clear_timeout"

// mediaVariables are set on a call's media channel before it does anything: a
// hangup handler that sends the caller to the priority after his Stasis().
// Names that would read as further arguments get none.
func (c *call) mediaVariables() map[string]string {
	d := c.snapshot.Dialplan
	if d == nil || strings.ContainsAny(c.snapshot.Name+d.Context+d.Exten, ",()") {
		c.log.Warn("asterisk: no hangup handler: the caller's channel or extension has a comma or bracket in its name")
		return nil
	}
	return map[string]string{
		"CHANNEL(hangup_handler_push)": fmt.Sprintf("%s,s,1(%s,%s,%s,%d)",
			lostContext, c.snapshot.Name, d.Context, d.Exten, d.Priority+1),
	}
}

// disarm takes the handler of a media channel away.
func (l *Link) disarm(ctx context.Context, mediaID string) {
	err := l.client.SetVariable(ctx, mediaID, "CHANNEL(hangup_handler_wipe)", "")
	if err != nil && !isAway(err) {
		l.log.Log(ctx, l.gravity(), "asterisk: hangup handler of a media channel not removed", "channel", mediaID, "error", err)
	}
}

// unguard switches the dialplan's timeout off: from here on the handler guards.
func (c *call) unguard(ctx context.Context) {
	if c.args[guardArg] != "yes" {
		return
	}
	err := c.link.client.SetVariable(ctx, c.channel, "TIMEOUT(absolute)", "0")
	if err != nil && !isAway(err) {
		c.log.Warn("asterisk: TIMEOUT(absolute) not cleared: the call will be cut", "error", err)
	}
}
