package sip

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// async runs f beside the bubble and hands back what it returns.
func async(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}

func TestWeReinvite(t *testing.T) {
	hold := ours()
	hold.Direction = SendOnly
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		c := <-r.last
		r.told.is(t, mediaUp)

		done := async(func() error { return c.Reinvite(t.Context(), hold) })
		req := r.p.request("INVITE")
		if !strings.Contains(req.body, "a=sendonly") || req.get("Contact") != "<sip:parley@10.0.0.1:5070>" {
			t.Errorf("%+v", req)
		}
		r.p.send(r.p.answer(req, 200, "").with("application/sdp", pcmuSDP+"a=recvonly\r\n"))
		ack := r.p.request("ACK")
		if err := <-done; err != nil || ack.get("CSeq") != strings.Replace(req.get("CSeq"), "INVITE", "ACK", 1) {
			t.Errorf("%v, ACK %q", err, ack.get("CSeq"))
		}
		r.told.is(t, "media PCMU/8000 sendonly 10.0.0.2:4000")
		r.p.send(r.p.answer(req, 200, "").with("application/sdp", pcmuSDP)) // our ACK was lost
		r.p.request("ACK")

		done = async(func() error { return c.Reinvite(t.Context(), ours()) })
		req = r.p.request("INVITE")
		r.p.send(r.p.answer(req, 488, ""))
		r.p.request("ACK")
		var refused *StatusError
		if err := <-done; !errors.As(err, &refused) || refused.Code != 488 {
			t.Errorf("refused: %v", err)
		}
		r.told.is(t)
		if d := c.Session().Direction; d != SendOnly {
			t.Errorf("direction %v after a refusal", d)
		}
	})
}

func TestOffersThatCross(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		c := <-r.last
		done := async(func() error { return c.Reinvite(t.Context(), ours()) })
		req := r.p.request("INVITE")
		theirs := l.send(l.invite(pcmuSDP))
		r.p.confirm(theirs, r.p.response(491))
		r.p.send(r.p.answer(req, 491, ""))
		r.p.request("ACK")
		start := time.Now()
		req = r.p.request("INVITE")
		if d := time.Since(start); d > 2*time.Second { // the peer made the call: we are the quick one
			t.Errorf("again after %v", d)
		}
		r.p.send(r.p.answer(req, 200, "").with("application/sdp", pcmuSDP))
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestOneOfferAtATime(t *testing.T) {
	hold := ours()
	hold.Direction = Inactive
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		l.remote = tagIn(r.p.response(200).get("To"))
		c := <-r.last
		first := async(func() error { return c.Reinvite(t.Context(), hold) })
		synctest.Wait()
		l.send(l.request("ACK"))
		req := r.p.request("INVITE") // not before the ACK
		second := async(func() error { return c.Reinvite(t.Context(), ours()) })
		r.p.quiet(100 * time.Millisecond)
		r.p.send(r.p.answer(req, 200, "").with("application/sdp", pcmuSDP+"a=inactive\r\n"))
		r.p.request("ACK")
		req = r.p.request("INVITE")
		r.p.send(r.p.answer(req, 200, "").with("application/sdp", pcmuSDP))
		r.p.request("ACK")
		if a, b := <-first, <-second; a != nil || b != nil {
			t.Error(a, b)
		}
		r.told.is(t, mediaUp, "media PCMU/8000 inactive 10.0.0.2:4000", mediaUp)
	})
}

func TestPeerThatWantsToKnowWhoWeAreWithinACall(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		out := r.dial(t.Context(), InviteOptions{Auth: &Auth{"alice", "wonder"}})
		inv := r.p.request("INVITE")
		r.p.send(r.p.answer(inv, 200, "b").with("application/sdp", pcmuSDP))
		r.p.request("ACK")
		c := (<-out).call
		done := async(func() error { return c.SendDigit(t.Context(), '1', time.Second) })
		req := r.p.request("INFO")
		r.p.send(r.p.answer(req, 401, "").add("WWW-Authenticate", `Digest realm="x", nonce="n", qop="auth"`))
		req = r.p.request("INFO")
		if !strings.HasPrefix(req.get("Authorization"), `Digest username="alice"`) || req.get("CSeq") != "3 INFO" {
			t.Errorf("%+v", req)
		}
		r.p.send(r.p.answer(req, 401, "").add("WWW-Authenticate", `Digest realm="x", nonce="n2", qop="auth"`))
		var refused *StatusError
		if err := <-done; !errors.As(err, &refused) || refused.Code != 401 {
			t.Error(err)
		}
	})
}

func TestReinviteOfACallThatIsGone(t *testing.T) {
	for _, code := range []int{481, 408} {
		bubble(t, Options{}, func(t *testing.T, r *rig) {
			l := r.p.leg()
			l.up(pcmuSDP)
			c := <-r.last
			done := async(func() error { return c.Reinvite(t.Context(), ours()) })
			req := r.p.request("INVITE")
			r.p.send(r.p.answer(req, code, ""))
			r.p.request("ACK")
			if err := <-done; err == nil {
				t.Error("no error")
			}
			if code == 408 {
				r.p.request("BYE")
			}
			r.told.is(t, mediaUp, "ended failed 0")
			if err := c.Reinvite(t.Context(), ours()); !errors.Is(err, ErrOver) {
				t.Error(err)
			}
		})
	}
}

func TestPeerThatFallsSilent(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		c := <-r.last
		start := time.Now()
		err := c.Reinvite(t.Context(), ours())
		var refused *StatusError
		if !errors.As(err, &refused) || refused.Code != 408 || time.Since(start) != giveUp {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		r.told.is(t, mediaUp, "ended failed 0")
	})
}

func TestReinviteGivesUpWithItsContext(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := <-r.last
		if err := c.Reinvite(ctx, ours()); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := c.Reinvite(t.Context(), Local{Addr: netip.MustParseAddrPort("0.0.0.0:1")}); !errors.Is(err, ErrLocal) {
			t.Error(err)
		}
	})
}

func TestSendDigit(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		c := <-r.last
		done := async(func() error { return c.SendDigit(t.Context(), '#', 160*time.Millisecond) })
		req := r.p.request("INFO")
		if req.body != "Signal=#\r\nDuration=160\r\n" || req.get("Content-Type") != "application/dtmf-relay" {
			t.Errorf("%+v", req)
		}
		r.p.send(r.p.answer(req, 200, ""))
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := c.SendDigit(t.Context(), 'x', 0); !errors.Is(err, ErrState) {
			t.Error(err)
		}
	})
}
