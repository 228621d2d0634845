package sip

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// offerTries is how often an offer is made when it crosses the peer's.
const offerTries = 4

// reoffer offers the peer another local side. result is called once.
func (c *Call) reoffer(l Local, try int, result func(error)) {
	switch {
	case c.state == over:
		result(ErrOver)
		return
	case c.state == offering || c.state == leaving:
		result(ErrState)
		return
	case c.asking || c.confirm.res != nil: // something else is under way
		c.offerLater(l, try, result)
		return
	}
	if l.Codecs == nil {
		l.Codecs = c.e.opt.Codecs
	}
	mine := numbered(c.preference(l.Codecs))
	c.asking = true
	o := outgoing{method: sipgo.INVITE, with: c.refresh.ask(c.e.opt, c.least)}
	o.kind, o.body = "application/sdp", c.text.offer(l, mine, c.session.Levels)
	c.send(o, func(res *sipgo.Response, err error) {
		c.asking = false
		if err == nil {
			c.sendACK(res.CSeq().SeqNo)
		}
		switch {
		case c.state == over:
			result(ErrOver)
		case err == nil:
			c.local, c.mine = l, mine
			c.renewed(res)
			result(c.answeredBy(res.Body(), contentType(res)))
		case c.crossed(res, err, try):
			c.offerLater(l, try, result)
		default:
			result(err) // first: who waits is told this, not that the call is over
			c.gone(err)
		}
	})
}

// offerLater tries again after a while that depends on who made the call
// (RFC 3261 §14.1).
func (c *Call) offerLater(l Local, try int, result func(error)) {
	if try+1 >= offerTries {
		result(fmt.Errorf("%w: offers keep crossing", ErrState))
		return
	}
	d := time.Duration(rand.IntN(200)) * 10 * time.Millisecond
	if !c.info.Incoming {
		d = 2100*time.Millisecond + time.Duration(rand.IntN(190))*10*time.Millisecond
	}
	time.AfterFunc(d, func() { c.do(func() { c.reoffer(l, try+1, result) }) })
}

// crossed says whether a refusal is one to try again: 491, and 422 with what
// it asks for.
func (c *Call) crossed(res *sipgo.Response, err error, try int) bool {
	var refused *StatusError
	if !errors.As(err, &refused) || try+1 >= offerTries || res == nil {
		return false
	}
	if refused.Code == 422 {
		c.least = max(c.least, refreshAskOf(res).minimum)
	}
	return refused.Code == 491 || refused.Code == 422
}

// gone ends the call if a refusal means that the peer has no such call
// (RFC 3261 §12.2.1.2).
func (c *Call) gone(err error) {
	var refused *StatusError
	if c.state == over || (errors.As(err, &refused) && refused.Code != 408 && refused.Code != 481) {
		return
	}
	if refused == nil || refused.Code == 408 {
		c.bye(nil)
	}
	c.finish(End{Cause: Failed, Reason: err.Error()})
}

// renewed takes what every 2xx to an INVITE or UPDATE of ours may change.
func (c *Call) renewed(res *sipgo.Response) {
	if contact, ok := contactOf(res); ok {
		c.dialog.target = contact
	}
	c.learn(res)
	c.refresh = refreshAskOf(res).granted()
	c.keepAlive()
}

// keepAlive starts waiting for the next refresh, ours or theirs.
func (c *Call) keepAlive() {
	if c.clock != nil {
		c.clock.Stop()
		c.clock = nil
	}
	if c.refresh.interval == 0 {
		return
	}
	var t *time.Timer
	t = c.after(c.refresh.due(), func() {
		if c.clock != t { // refreshed while this was queued
			return
		}
		if c.refresh.ours {
			c.renew()
			return
		}
		c.e.stats.Expired.Add(1)
		c.bye(nil)
		c.finish(End{Cause: Expired})
	})
	c.clock = t
}

// renew refreshes the call: by UPDATE, which says nothing of audio, where the
// peer takes it.
func (c *Call) renew() {
	if !c.canUpdate {
		c.reoffer(c.local, 0, func(err error) { c.unrenewed(err) })
		return
	}
	o := outgoing{method: sipgo.UPDATE, with: c.refresh.ask(c.e.opt, c.least)}
	c.send(o, func(res *sipgo.Response, err error) {
		var refused *StatusError
		switch {
		case c.state == over:
		case err == nil:
			c.renewed(res)
		case errors.As(err, &refused) && (refused.Code == 405 || refused.Code == 501):
			c.canUpdate = false
			c.renew()
		case c.crossed(res, err, 0):
			c.clock = c.after(timerT2, c.renew)
		default:
			c.unrenewed(err)
		}
	})
}

// unrenewed takes the failure of a refresh: the peer is gone, or would not
// know that we are not.
func (c *Call) unrenewed(err error) {
	if err == nil || c.state == over {
		return
	}
	c.e.stats.Expired.Add(1)
	c.bye(nil)
	c.finish(End{Cause: Expired, Reason: err.Error()})
}

// sendDigit sends a digit by INFO.
func (c *Call) sendDigit(digit byte, d time.Duration, result func(error)) {
	if c.state != up {
		result(ErrState)
		return
	}
	body := fmt.Sprintf("Signal=%c\r\nDuration=%d\r\n", digit, d.Milliseconds())
	o := outgoing{method: sipgo.INFO, kind: "application/dtmf-relay", body: []byte(body)}
	c.send(o, func(_ *sipgo.Response, err error) { result(err) })
}

// hangUp ends the call from our side. After an answer the BYE must wait for
// the ACK (RFC 3261 §15).
func (c *Call) hangUp(end End, hs []Header) {
	switch c.state {
	case offering:
		c.decided.Store(true)
		if end.Code = 480; end.Cause == Failed {
			end.Code = 500
		}
		c.refuse(end.Code, end, hs)
	case answered:
		if c.invite != nil { // a handler panicked before the 200 was out
			c.respond(c.invite, 500)
			c.finish(end)
			return
		}
		c.steps(stepLeave)
		c.parting = &parting{end, hs}
	case up:
		c.bye(hs)
		c.finish(end)
	case leaving, over:
	}
}

// parting is a HangUp that waits for the ACK.
type parting struct {
	end End
	hs  []Header
}
