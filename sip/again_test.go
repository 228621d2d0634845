package sip

import (
	"testing"
	"time"
)

func TestInviteAgainIsNotASecondCall(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		inv := l.send(l.invite(pcmuSDP))
		r.p.send(inv)
		r.p.send(inv)
		m := r.p.response(100)
		for m.code() == 100 { // each copy may bring one
			m = r.p.next(time.Second)
		}
		for late := r.p.next(time.Millisecond); late != nil; late = r.p.next(time.Millisecond) {
			if late.code() != 100 { // that of a copy may overtake the answer
				t.Errorf("unexpected %q", late.start)
			}
		}
		l.remote = tagIn(m.get("To"))
		r.p.send(inv)
		l.send(l.request("ACK"))
		r.p.quiet(time.Minute)
		if n := r.Stats().CallsIn.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
		other := readText(inv.bytes()).set("Via", "SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKother")
		r.p.send(other)
		r.p.response(482)
	})
}

// Copies of an INVITE are answered as it was last answered: while it rings, and after
// the answer, until the ACK.
func TestInviteAgainWhileItRings(t *testing.T) {
	var o Options
	calls := 0
	o.Incoming = func(c *Call) Events {
		calls++
		c.Ringing()
		time.AfterFunc(time.Second, func() { _ = c.Answer(ours()) })
		return &diary{}
	}
	bubble(t, o, func(t *testing.T, r *rig) {
		l := r.p.leg()
		inv := l.send(l.invite(pcmuSDP))
		r.p.response(100)
		ringing := r.p.response(180)
		for range 3 {
			r.p.send(inv)
			if again := r.p.response(180); string(again.bytes()) != string(ringing.bytes()) {
				t.Errorf("%q\nbefore %q", again.bytes(), ringing.bytes())
			}
		}
		ok := r.p.response(200)
		r.p.send(inv)
		if again := r.p.response(200); string(again.bytes()) != string(ok.bytes()) {
			t.Errorf("%q\nbefore %q", again.bytes(), ok.bytes())
		}
		l.remote = tagIn(ok.get("To"))
		l.send(l.request("ACK"))
		r.p.send(inv)
		r.p.quiet(time.Minute)
		if calls != 1 {
			t.Errorf("%d calls", calls)
		}
	})
}
