package asterisk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"parley/ari"
)

// lostContext is the context of the pasted dialplan that sends a caller on
// when his media channel ends without our doing: this process has died, and
// Asterisk keeps a channel in an application for ever. It looks itself whether
// the caller is still in the application.
const lostContext = "parley-lost"

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

// disarm takes the handler away once the call has been given back.
func (c *call) disarm(ctx context.Context) {
	err := c.link.client.SetVariable(ctx, c.mediaID, "CHANNEL(hangup_handler_wipe)", "")
	if err != nil && !errors.Is(err, ari.ErrNotFound) {
		c.log.Warn("asterisk: hangup handler of the media channel not removed", "error", err)
	}
}
