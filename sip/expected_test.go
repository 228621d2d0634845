package sip

import (
	"sync/atomic"
	"testing"
)

// TestExpectedCallsAreNeitherLimitedNorBusy: who has asked for them says why he
// cannot have one.
func TestExpectedCallsAreNeitherLimitedNorBusy(t *testing.T) {
	var came atomic.Int64
	o := Options{
		Rate: Rate{Requests: 1, Burst: 1}, Busy: func() bool { return true }, MaxCalls: 1,
		Expected: func(user string) bool { return user == "~token" },
		Incoming: func(c *Call) Events { came.Add(1); _ = c.Reject(486); return nil },
	}
	bubble(t, o, func(t *testing.T, r *rig) {
		for range 20 {
			l := r.p.leg()
			l.uri = "sip:%7etoken@" + homeAddr
			invite := l.send(l.invite(pcmuSDP))
			r.p.response(100)
			r.p.confirm(invite, r.p.response(486))
		}
		if came.Load() != 20 {
			t.Errorf("%d came", came.Load())
		}
		for range 3 {
			r.p.send(r.p.leg().invite(pcmuSDP))
			r.p.response(503)
		}
		s := r.Stats()
		if s.Refused.Load() != 1 || s.Limited.Load() != 2 {
			t.Errorf("refused %d, limited %d", s.Refused.Load(), s.Limited.Load())
		}
	})
}
