package asterisk

import "context"

// mediaVariables are set on a call's media channel: what Asterisk does for the
// caller if we die.
func (c *call) mediaVariables() map[string]string { return nil }

// disarm ends what mediaVariables began: the call is given back in order.
func (c *call) disarm(context.Context) {}
