package sip

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"parley/codec"
)

// requested does what the peer asks within the call.
func (c *Call) requested(tx *serverTx, from *hop) {
	defer func() { // whatever happens, it gets an answer
		if !tx.final.Load() {
			c.respond(tx, 500)
		}
	}()
	req := tx.req
	if c.state == over {
		c.respond(tx, 481)
		return
	}
	if seq := req.CSeq().SeqNo; seq <= c.dialog.remoteSeq { // RFC 3261 §12.2.2
		c.respond(tx, 500)
		return
	}
	c.dialog.remoteSeq = req.CSeq().SeqNo
	c.heardOn(from)
	switch req.Method {
	case sipgo.BYE:
		c.gotBye(tx)
	case sipgo.INVITE, sipgo.UPDATE:
		c.gotOffer(tx, from)
	case sipgo.INFO:
		c.gotInfo(tx)
	case sipgo.NOTIFY:
		c.gotNotify(tx)
	case sipgo.OPTIONS:
		c.respond(tx, 200, c.e.abilities(tx.hop)...)
	default:
		c.respond(tx, 405, header("Allow", allowed))
	}
}

// heardOn keeps to the connection that the peer used last.
func (c *Call) heardOn(from *hop) {
	if c.dialog.link == from.link {
		return
	}
	if s, ok := c.dialog.link.(*stream); ok {
		s.calls.Add(-1)
	}
	if s, ok := from.link.(*stream); ok {
		s.calls.Add(1)
	}
	c.dialog.link = from.link
}

// gotBye ends the call. Before our answer it ends the INVITE too
// (RFC 3261 §15.1.2).
func (c *Call) gotBye(tx *serverTx) {
	c.respond(tx, 200)
	end := End{Cause: ByPeer, Reason: reasonOf(tx.req)}
	if c.state == offering {
		c.decided.Store(true)
		c.refuse(487, End{Cause: Cancelled, Code: 487, Reason: end.Reason}, nil)
		return
	}
	c.finish(end)
}

// gotOffer takes a re-INVITE or an UPDATE: a new offer, a refresh, a new
// Contact.
func (c *Call) gotOffer(tx *serverTx, from *hop) {
	req, ask := tx.req, refreshAskOf(tx.req)
	if code, hs := c.untimely(ask); code != 0 {
		c.respond(tx, code, hs...)
		return
	}
	m, offered, code, hs := offerOf(req)
	if code != 0 {
		c.respond(tx, code, hs...)
		return
	}
	var body []byte
	var s Session
	switch {
	case offered:
		chosen, err := m.choose(c.preference(c.local.Codecs), false)
		if err != nil {
			c.respond(tx, 488, header("Warning", warning(305, "No common codec")))
			return
		}
		c.chosen = chosen
		s = m.session(chosen, chosen, c.local)
		body = c.text.answer(m, chosen, c.local, s.Direction)
	case req.Method == sipgo.INVITE:
		c.mine = numbered(c.preference(c.local.Codecs))
		body = c.text.offer(c.local, c.mine, c.session.Levels)
	}
	c.ask, c.refresh = ask, ask.grant(c.e.opt, c.refresh)
	if contact, ok := contactOf(req); ok {
		c.dialog.retarget(contact, from)
	}
	c.learn(req)
	if offered {
		c.changed(s)
	}
	c.success(tx, body, nil, !offered && body != nil)
}

// untimely is the refusal of an offer that may not come now, or of the time that it
// asks for; 0 is none.
func (c *Call) untimely(ask refreshAsk) (code int, hs []sipgo.Header) {
	switch {
	case c.state == offering: // its first INVITE has no answer yet
		return 500, []sipgo.Header{header("Retry-After", strconv.Itoa(rand.IntN(11)))}
	case c.asking || c.confirm.offer: // offers would cross (RFC 3261 §14.2)
		return 491, nil
	case ask.tooShort(c.e.opt.MinSE):
		return 422, []sipgo.Header{header("Min-SE", seconds(int64(c.e.opt.MinSE/time.Second)))}
	}
	return 0, nil
}

// preference is our codecs with the one in use first: what works stays.
func (c *Call) preference(ours []codec.Format) []codec.Format {
	if c.local.OneCodec {
		return []codec.Format{c.chosen.format}
	}
	out := make([]codec.Format, 0, len(ours))
	for _, f := range ours {
		if f.Name == c.chosen.format.Name && f.Clock == c.chosen.format.Clock {
			out = append([]codec.Format{f}, out...)
			continue
		}
		out = append(out, f)
	}
	return out
}

// answeredBy takes the peer's answer to our offer.
func (c *Call) answeredBy(body []byte, kind string) error {
	if len(body) == 0 || kind != "application/sdp" {
		return errors.New("no answer to our offer")
	}
	m, err := parseMedia(body)
	if err != nil {
		return err
	}
	theirs, err := m.choose(c.local.Codecs, true)
	if err != nil {
		return err
	}
	own := media{encodings: c.mine}
	mine, err := own.choose([]codec.Format{theirs.format}, false)
	if err != nil {
		return err
	}
	if theirs.digits.clock != mine.digits.clock {
		mine.digits = encoding{}
		for _, e := range c.mine {
			if e.events() && e.clock == theirs.digits.clock {
				mine.digits = e
			}
		}
	}
	c.chosen = mine
	c.changed(m.session(theirs, mine, c.local))
	return nil
}

// changed tells the new audio, if it is new.
func (c *Call) changed(s Session) {
	if s == c.session {
		return
	}
	c.setSession(s)
	c.events.Media(s)
}

// gotInfo takes digits.
func (c *Call) gotInfo(tx *serverTx) {
	body := string(tx.req.Body())
	var digit byte
	switch kind := contentType(tx.req); {
	case len(body) == 0:
		c.respond(tx, 200)
		return
	case len(body) > 1024:
		c.respond(tx, 513)
		return
	case kind == "application/dtmf-relay":
		for line := range strings.Lines(body) {
			if k, v, _ := strings.Cut(line, "="); strings.EqualFold(strings.TrimSpace(k), "signal") {
				digit = signalOf(strings.TrimSpace(v))
			}
		}
	case kind == "application/dtmf":
		digit = signalOf(strings.TrimSpace(body))
	default:
		c.respond(tx, 415, header("Accept", accepted))
		return
	}
	c.respond(tx, 200)
	if digit != 0 {
		c.events.Digit(digit)
	}
}

// signalOf reads a digit as phones write it: itself, or its number in RFC 4733.
// Zero is none.
func signalOf(s string) byte {
	const all = "0123456789*#ABCD"
	if len(s) == 1 && strings.Contains(all, strings.ToUpper(s)) {
		return strings.ToUpper(s)[0]
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && len(s) == 2 && n < uint64(len(all)) {
		return all[n]
	}
	return 0
}
