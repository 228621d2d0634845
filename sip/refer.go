package sip

import (
	"strconv"
	"strings"

	sipgo "github.com/emiago/sipgo/sip"
)

// Referrer is what the Events of a call may be besides: told, once for each
// Refer that the peer has taken, how it got on with it, if it tells.
type Referrer interface {
	// Referred tells the final answer that the peer got where it was sent to.
	Referred(code int, reason string)
}

// referral is how far a Refer is.
type referral struct {
	asking bool   // the peer has not answered
	open   bool   // it may tell what came of it
	id     string // of its subscription, once the peer has taken it: RFC 3515 §2.4.6
	before string // of the Refer before it, of which the peer may still tell; "" = there was none
}

// maxFragment is how long a message/sipfrag may be.
const maxFragment = 4096

// Refer asks the peer to call uri in place of us (RFC 3515). taken is called
// once, in the call's turn: nil when the peer has said that it will, a
// *StatusError when it will not, ErrState for a call that is not up or while
// another Refer has no answer, ErrOver. What comes of it is told to a Referrer, once
// there is another one only if it has come about. The
// call stays as it is until somebody ends it. uri is printable, without spaces and
// angle brackets (else ErrState).
func (c *Call) Refer(uri string, taken func(error)) {
	c.do(func() { c.sendRefer(uri, taken) })
}

func (c *Call) sendRefer(uri string, taken func(error)) {
	switch {
	case c.state == over:
		taken(ErrOver)
		return
	case c.state != up || c.refer.asking || !printable(uri) || strings.ContainsAny(uri, " <>"):
		taken(ErrState)
		return
	}
	c.refer = referral{asking: true, open: true, before: c.refer.id} // the peer may tell before it answers
	by := c.dialog.local.Address
	o := outgoing{method: sipgo.REFER, with: []sipgo.Header{header("Refer-To", "<"+uri+">"), header("Referred-By", "<"+by.String()+">")}}
	c.send(o, func(res *sipgo.Response, err error) {
		c.refer.asking = false
		taken(err)
		if err != nil {
			c.refer.open = false
			c.gone(err)
			return
		}
		c.refer.id = strconv.FormatUint(uint64(res.CSeq().SeqNo), 10)
	})
}

// gotNotify takes what a peer tells of its call that Refer asked for.
func (c *Call) gotNotify(tx *serverTx) {
	event, parameters, _ := strings.Cut(first(tx.req, "Event", "o"), ";")
	if !c.refer.open || !strings.EqualFold(strings.TrimSpace(event), "refer") {
		c.respond(tx, 481)
		return
	}
	if kind := contentType(tx.req); kind != "" && kind != "message/sipfrag" {
		c.respond(tx, 415, header("Accept", "message/sipfrag"))
		return
	}
	c.respond(tx, 200)
	code, reason, ok := parseFragment(tx.req.Body())
	state, _, _ := strings.Cut(first(tx.req, "Subscription-State"), ";")
	over := strings.EqualFold(strings.TrimSpace(state), "terminated")
	earlier := c.refer.before != "" && strings.TrimSpace(parameters) == "id="+c.refer.before
	if !over && code < 200 || earlier && code/100 != 2 {
		return
	}
	c.refer.open = false
	if r, listens := c.events.(Referrer); listens && ok && code >= 200 {
		r.Referred(code, reason)
	}
}

// parseFragment reads the status line that a message/sipfrag begins with.
func parseFragment(body []byte) (code int, reason string, ok bool) {
	if len(body) > maxFragment {
		return 0, "", false
	}
	line, _, _ := strings.Cut(string(body), "\n")
	version, rest, _ := strings.Cut(strings.TrimRight(line, "\r"), " ")
	number, reason, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || len(number) != 3 || version != "SIP/2.0" || n < 100 || n > 699 || !printable(reason) {
		return 0, "", false
	}
	return int(n), reason, true
}
