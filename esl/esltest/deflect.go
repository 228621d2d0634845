package esltest

import "cmp"

// Referred is what phones tell from now on of where "uuid_deflect" sends them, "" for
// nothing.
func (k *Core) Referred(reply string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.referred = reply
}

// deflect sends the caller's phone elsewhere, and hangs up whatever came of it.
func (c *Call) deflect() string {
	if c.core.referred != "" {
		c.vars["sip_refer_reply"] = c.core.referred
	}
	c.hangup("BLIND_TRANSFER")
	return "+OK:" + cmp.Or(c.core.referred, "no reply") + "\n"
}
