package sip

import (
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// confirmation is a 2xx that is sent again until its ACK comes
// (RFC 3261 §13.3.1.4).
type confirmation struct {
	res    *sipgo.Response // nil: none is awaited
	hop    *hop
	seq    uint32
	offer  bool // it carried our offer: the ACK brings the answer
	passed time.Duration
	wait   time.Duration
	timer  *time.Timer
	free   func() // gives the place of a new caller back; nil = he has none
}

// stop ends it: the ACK has come, or the call has ended.
func (f *confirmation) stop() {
	if f.timer != nil {
		f.timer.Stop()
	}
	if f.free != nil {
		f.free()
	}
	*f = confirmation{}
}

func (c *Call) awaitACK(res *sipgo.Response, tx *serverTx, ourOffer bool) {
	free := c.confirm.free
	c.confirm.free = nil
	c.confirm.stop()
	c.confirm = confirmation{res: res, hop: tx.hop, seq: tx.req.CSeq().SeqNo, offer: ourOffer, wait: timerT1, free: free}
	c.rearm()
}

func (c *Call) rearm() {
	f := &c.confirm
	f.wait = min(f.wait, giveUp-f.passed)
	seq := f.seq
	f.timer = c.after(f.wait, func() {
		if c.confirm.res != nil && c.confirm.seq == seq {
			c.again()
		}
	})
}

// again sends the 2xx again, or gives the call up.
func (c *Call) again() {
	f := &c.confirm
	if f.passed += f.wait; f.passed >= giveUp {
		c.e.stats.NoACK.Add(1)
		c.confirm.stop()
		c.bye(nil)
		c.finish(End{Cause: NoACK})
		return
	}
	c.e.stats.Resent.Add(1)
	if err := f.hop.WriteMsg(f.res); err != nil {
		c.e.log.Debug("sip: answer again", "call", c.id.callID, "error", err)
	}
	f.wait = min(2*f.wait, timerT2)
	c.rearm()
}

// acked takes the ACK of a 2xx.
func (c *Call) acked(req *sipgo.Request) {
	if c.confirm.res == nil || req.CSeq().SeqNo != c.confirm.seq {
		return
	}
	ours := c.confirm.offer
	c.confirm.stop()
	first := c.steps(stepACK)
	if c.parting != nil {
		c.hangUp(c.parting.end, c.parting.hs)
		return
	}
	if ours {
		if err := c.answeredBy(req.Body(), contentType(req)); err != nil {
			if first {
				c.hangUp(End{Cause: Failed, Reason: err.Error()}, nil)
			}
			return
		}
	}
	if e, ok := c.events.(Confirmer); ok && first {
		e.Confirmed()
	}
}
