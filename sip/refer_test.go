package sip

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Referred has a diary listen to what becomes of a Refer.
func (d *diary) Referred(code int, reason string) { d.note("referred %d %s", code, reason) }

const elsewhere = "sip:bob@10.0.0.9;user=phone?Replaces=1"

// referral begins a Refer, and takes the request that the peer gets.
func (r *rig) referral(c *Call) (req *text, taken chan error) {
	r.t.Helper()
	taken = make(chan error, 1)
	c.Refer(elsewhere, func(err error) { taken <- err })
	req = r.p.request("REFER")
	return req, taken
}

// notify tells how the peer's call goes.
func (l *leg) notify(state, line string) *text {
	return l.request("NOTIFY").add("Event", "refer;id=2").add("Subscription-State", state).with("message/sipfrag;version=2.0", line+"\r\n")
}

// talking runs test with a call that is up.
func talking(t *testing.T, test func(*testing.T, *rig, *leg, *Call)) {
	t.Helper()
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		c := <-r.last
		r.told.is(t, mediaUp)
		test(t, r, l, c)
	})
}

func TestReferAsksThePeerToCallElsewhere(t *testing.T) {
	talking(t, func(t *testing.T, r *rig, l *leg, c *Call) {
		req, taken := r.referral(c)
		if to, by := req.get("Refer-To"), req.get("Referred-By"); to != "<"+elsewhere+">" || by != "<sip:3001@10.0.0.1>" || req.get("Contact") == "" {
			t.Errorf("Refer-To %q, Referred-By %q, Contact %q", to, by, req.get("Contact"))
		}
		again := make(chan error, 1)
		c.Refer(elsewhere, func(err error) { again <- err })
		if err := <-again; !errors.Is(err, ErrState) {
			t.Errorf("a second, before the first has an answer: %v", err)
		}
		l.send(l.notify("active;expires=60", "SIP/2.0 100 Trying")) // may overtake the answer
		r.p.response(200)
		r.p.send(r.p.answer(req, 202, ""))
		if err := <-taken; err != nil {
			t.Error(err)
		}
		l.send(l.notify("active", "SIP/2.0 180 Ringing"))
		r.p.response(200)
		r.told.is(t)
		l.send(l.notify("terminated;reason=noresource", "SIP/2.0 200 OK"))
		r.p.response(200)
		r.told.is(t, "referred 200 OK")
		l.send(l.notify("terminated", "SIP/2.0 200 OK")) // it has told
		r.p.response(481)
		r.told.is(t)
		select {
		case <-c.Done():
			t.Error("the call has ended by itself")
		default:
		}
	})
}

// TestWhatCameOfAnEarlierReferIsNoAnswerToALaterOne, unless it has come about: who tells
// of more than one says of which.
func TestWhatCameOfAnEarlierReferIsNoAnswerToALaterOne(t *testing.T) {
	talking(t, func(t *testing.T, r *rig, l *leg, c *Call) {
		var ids []string
		for range 2 {
			req, taken := r.referral(c)
			ids = append(ids, strings.Fields(req.get("CSeq"))[0])
			r.p.send(r.p.answer(req, 202, ""))
			if err := <-taken; err != nil {
				t.Error(err)
			}
		}
		tells := func(id, status string, told ...string) {
			t.Helper()
			l.send(l.notify("terminated;reason=noresource", status).set("Event", "refer;id="+id))
			r.p.response(200)
			r.told.is(t, told...)
		}
		tells(ids[0], "SIP/2.0 486 Busy Here")
		tells(ids[1], "SIP/2.0 603 Decline", "referred 603 Decline")
		req, taken := r.referral(c)
		r.p.send(r.p.answer(req, 202, ""))
		if err := <-taken; err != nil {
			t.Error(err)
		}
		tells(ids[1], "SIP/2.0 200 OK", "referred 200 OK")
	})
}

func TestReferThatIsRefused(t *testing.T) {
	talking(t, func(t *testing.T, r *rig, l *leg, c *Call) {
		req, taken := r.referral(c)
		r.p.send(r.p.answer(req, 603, ""))
		var refused *StatusError
		if err := <-taken; !errors.As(err, &refused) || refused.Code != 603 || refused.Method != "REFER" {
			t.Errorf("refused: %v", err)
		}
		l.send(l.notify("terminated", "SIP/2.0 603 Decline"))
		r.p.response(481)
		req, taken = r.referral(c) // it may be asked again
		r.p.send(r.p.answer(req, 202, ""))
		if err := <-taken; err != nil {
			t.Error(err)
		}
		l.send(l.notify("terminated;reason=timeout", "nonsense")) // ends without a word
		r.p.response(200)
		r.told.is(t)
		for name, uri := range map[string]string{"space": "sip:a b@c", "bracket": "sip:a>", "line": "sip:a\r\nX: y"} {
			c.Refer(uri, func(err error) { taken <- err })
			if err := <-taken; !errors.Is(err, ErrState) {
				t.Errorf("%s: %v", name, err)
			}
		}
		c.HangUp()
		synctest.Wait()
		c.Refer(elsewhere, func(err error) { taken <- err })
		if err := <-taken; !errors.Is(err, ErrOver) {
			t.Errorf("of a call that is over: %v", err)
		}
	})
}

// A peer that does not answer is gone, as with all requests in a call.
func TestReferWithoutAnAnswer(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.p.leg().up(pcmuSDP)
		_, taken := r.referral(<-r.last)
		time.Sleep(2 * time.Minute)
		var refused *StatusError
		if err := <-taken; !errors.As(err, &refused) || refused.Code != 408 {
			t.Errorf("%v", err)
		}
		r.told.is(t, mediaUp, "ended failed 0")
	})
}

func TestNotifyOfNoReferralIsRefused(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		l.send(l.notify("terminated", "SIP/2.0 200 OK"))
		r.p.response(481)
		req, taken := r.referral(<-r.last)
		r.p.send(r.p.answer(req, 202, ""))
		if err := <-taken; err != nil {
			t.Error(err)
		}
		l.send(l.notify("active", "").set("Event", "presence"))
		r.p.response(481)
		l.send(l.notify("active", "").with("text/plain", "x"))
		r.p.response(415)
		r.p.send(r.p.leg().request("NOTIFY").add("Event", "message-summary"))
		r.p.response(481)
	})
}

func fragments() map[string]int {
	return map[string]int{
		"SIP/2.0 200 OK": 200, "SIP/2.0 100 Trying\r\n": 100, "SIP/2.0 699\n": 699, "SIP/2.0 603 Declined\r\nContact: <sip:a@b>\r\n\r\n": 603,
		"": 0, "SIP/2.0": 0, "SIP/2.0 20 OK": 0, "SIP/2.0 700 X": 0, "SIP/2.0 +200 X": 0, "sip 200 OK": 0, "SIP/2.0 200 \x01": 0,
		"INVITE sip:a@b SIP/2.0": 0, "SIP/2.0 200 " + strings.Repeat("x", maxFragment): 0,
	}
}

func TestParseFragment(t *testing.T) {
	for in, want := range fragments() {
		if code, _, ok := parseFragment([]byte(in)); code != want || ok != (want != 0) {
			t.Errorf("%.40q: %d %v, want %d", in, code, ok, want)
		}
	}
}

// FuzzFragment: what a peer tells of its call may be anything.
func FuzzFragment(f *testing.F) {
	for in := range fragments() {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		code, reason, ok := parseFragment(b)
		if ok != (code >= 100 && code <= 699) || !printable(reason) {
			t.Errorf("%d %q %v", code, reason, ok)
		}
	})
}
