package sip

import (
	"errors"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"golang.org/x/time/rate"
)

// Timers of RFC 3261 §17.1.1.1, for what the dialogs send again themselves.
// sipgo's transaction machines have the same values as theirs.
const (
	timerT1 = 500 * time.Millisecond
	timerT2 = 4 * time.Second
	giveUp  = 64 * timerT1
)

// fullTime is how often it is told at most that calls are refused since there are
// as many as there may be.
const fullTime = time.Minute

// tellFull logs that calls are refused, if it is for that reason.
func (e *Endpoint) tellFull(now time.Time) {
	n, last := e.calls.len(), e.toldFull.Load()
	if n >= e.opt.MaxCalls && now.UnixNano()-last >= int64(fullTime) && e.toldFull.CompareAndSwap(last, now.UnixNano()) {
		e.log.Warn("sip: calls are refused (503): as many are up, or being set up, as there may be", "calls", n)
	}
}

// invited judges an INVITE outside calls. Refusals leave nothing behind,
// unless the caller proved who he is: then sipgo keeps what was answered, for
// a copy of the request would look like a replay.
func (e *Endpoint) invited(req *sipgo.Request, h, from *hop, key string) {
	o := origin{req.CallID().Value(), tagOf(req.From().Params), req.CSeq().SeqNo}
	if e.calls.merged(o) {
		e.reply(req, h, 482)
		return
	}
	if e.draining.Load() || e.refusing() && !e.expected(req) {
		e.stats.Refused.Add(1)
		e.tellFull(time.Now())
		e.reply(req, h, 503, e.retryAfter())
		return
	}
	v := e.judge(req, from)
	if v.refuse != 0 {
		e.reply(req, h, v.refuse, v.with...)
		return
	}
	c, code, hs := e.newCall(req, from, v.user)
	if code == 0 {
		code, hs = e.place(c, req, from)
	}
	if code != 0 && v.user == "" {
		e.reply(req, h, code, hs...)
		return
	}
	tx := e.serve(key, req, h)
	if tx == nil {
		if c != nil {
			c.confirm.stop()
		}
		return
	}
	if code != 0 {
		_ = tx.respond(e.newResponse(req, code, e.tagFor(req), hs...)) // it is asked again if that fails
		return
	}
	e.ringIn(c, tx, o)
}

// place gives a call one of its source's, or says how to refuse it.
func (e *Endpoint) place(c *Call, req *sipgo.Request, from *hop) (code int, hs []sipgo.Header) {
	if e.expected(req) || e.trusted(from.peer()) {
		return 0, nil
	}
	free, ok := e.limit.place(from.peer())
	if !ok {
		e.stats.Limited.Add(1)
		return 503, []sipgo.Header{e.retryAfter()}
	}
	c.confirm.free = free
	return 0, nil
}

// judge looks at who calls.
func (e *Endpoint) judge(req *sipgo.Request, from *hop) verdict {
	if e.trusted(from.peer()) {
		return verdict{}
	}
	v := e.auth.judge(req, from.peer(), time.Now())
	switch {
	case v.wrong || v.refuse == 403:
		e.stats.Unauthorized.Add(1)
	case v.refuse != 0:
		e.stats.Challenged.Add(1)
	}
	return v
}

// newCall makes the call of an INVITE, or says how to refuse it.
func (e *Endpoint) newCall(req *sipgo.Request, from *hop, user string) (*Call, int, []sipgo.Header) {
	contact, ok := contactOf(req)
	info, fine := infoIn(req, from, user)
	if !ok || !fine {
		e.stats.Malformed.Add(1)
		return nil, 400, []sipgo.Header{header("Warning", warning(399, "Bad Contact or Name"))}
	}
	offer, offered, code, hs := offerOf(req)
	if code != 0 {
		return nil, code, hs
	}
	ask := refreshAskOf(req)
	if ask.tooShort(e.opt.MinSE) {
		return nil, 422, []sipgo.Header{header("Min-SE", seconds(int64(e.opt.MinSE/time.Second)))}
	}
	c := e.blankCall(info)
	c.id = dialogID{info.CallID, random(8), tagOf(req.From().Params)}
	c.offer, c.ask = offer, ask
	c.info.Offered = offered
	if offered {
		chosen, err := offer.choose(e.opt.Codecs, e.opt.TheirOrder)
		if err != nil {
			e.noCodec(info, offer)
			return nil, 488, []sipgo.Header{header("Warning", warning(305, "No common codec"))}
		}
		c.session = offer.session(chosen, chosen, Local{})
	}
	c.dialog = dialogIn(req, c.id.local)
	c.dialog.link = from.link
	c.dialog.retarget(contact, from)
	c.learn(req)
	return c, 0, nil
}

// blankCall has what all calls have.
func (e *Endpoint) blankCall(info Info) *Call {
	return &Call{
		e: e, info: info, done: make(chan struct{}), events: nobody{},
		pace: rate.NewLimiter(callPace, callBurst),
		text: describer{id: uint64(time.Now().UnixMilli()), version: 1},
	}
}

// infoIn is what a handler gets to know. It is false if a name in it is not
// printable.
func infoIn(req *sipgo.Request, from *hop, user string) (Info, bool) {
	i := Info{
		Incoming: true, CallID: req.CallID().Value(), Target: unescape(req.Recipient.User),
		From:   party(req.From().DisplayName, req.From().Address),
		To:     party(req.To().DisplayName, req.To().Address),
		Source: from.to, Transport: from.network(), User: user, Headers: keptHeaders(req),
	}
	if ua := first(req, "User-Agent"); printable(ua) {
		i.UserAgent = ua
	}
	return i, printable(i.Target + i.From.User + i.From.Host + i.To.User + i.To.Host)
}

// party reads one side. Blanks within the quotes of a name are part of it, as at a
// FreeSWITCH.
func party(quoted string, u sipgo.Uri) Party {
	return Party{User: unescape(u.User), Host: strings.Trim(u.Host, "[]"), Name: legible(unpaired(quoted))}
}

// legible makes a name printable: blanks for control characters, the sign for
// what cannot be read in place of bytes that are no UTF-8.
func legible(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
}

// offerOf reads the offer of a request, or says how to refuse it.
func offerOf(req *sipgo.Request) (m media, offered bool, code int, hs []sipgo.Header) {
	if len(req.Body()) == 0 {
		return m, false, 0, nil
	}
	if enc := first(req, "Content-Encoding", "e"); enc != "" && !strings.EqualFold(enc, "identity") {
		return m, false, 415, []sipgo.Header{header("Accept-Encoding", "identity")}
	}
	if contentType(req) != "application/sdp" {
		return m, false, 415, []sipgo.Header{header("Accept", "application/sdp")}
	}
	m, err := parseMedia(req.Body())
	switch {
	case errors.Is(err, ErrSDPLimit):
		return m, false, 513, nil
	case errors.Is(err, ErrNoAudio):
		return m, false, 488, []sipgo.Header{header("Warning", warning(304, "No plain RTP audio"))}
	case err != nil:
		return m, false, 400, []sipgo.Header{header("Warning", warning(399, err.Error()))}
	}
	return m, true, 0, nil
}

// contentType is what the body is, without parameters.
func contentType(m interface {
	ContentType() *sipgo.ContentTypeHeader
},
) string {
	t := m.ContentType()
	if t == nil {
		return ""
	}
	value, _, _ := strings.Cut(t.Value(), ";")
	return strings.ToLower(strings.TrimSpace(value))
}

// learn notes what the peer can do.
func (c *Call) learn(m sipgo.Message) {
	for _, t := range tokens(m, "Allow") {
		if t == "update" {
			c.canUpdate = true
		}
	}
}

// ringIn lets a call in: 100 at once, then the handler.
func (e *Endpoint) ringIn(c *Call, tx *serverTx, o origin) {
	c.invite, tx.call = tx, c
	if s, ok := c.dialog.link.(*stream); ok {
		s.calls.Add(1)
	}
	e.calls.add(c, &o)
	e.stats.CallsIn.Add(1)
	_ = tx.respond(e.newResponse(tx.req, 100, "")) // the INVITE is sent again if that is lost
	c.do(func() {
		if e.opt.Incoming == nil {
			c.decided.Store(true)
			c.refuse(480, End{Cause: Refused, Code: 480}, nil)
			return
		}
		if ev := e.opt.Incoming(c); ev != nil {
			c.events = ev
		}
	})
}

// ring tells the caller that somebody is being called.
func (c *Call) ring() {
	if c.state == offering && c.invite != nil && !c.decided.Load() {
		c.respond(c.invite, 180, c.e.contact(c.invite.hop))
	}
}

// respond answers a request of the peer. If it cannot be sent, the peer asks
// again or gives up; there is nothing to do about it here.
func (c *Call) respond(tx *serverTx, code int, hs ...sipgo.Header) {
	if err := tx.respond(c.e.newResponse(tx.req, code, c.id.local, hs...)); err != nil {
		c.e.log.Debug("sip: respond", "call", c.id.callID, "code", code, "error", err)
	}
}

// accept answers the INVITE with 200.
func (c *Call) accept(l Local, hs []Header) {
	if !c.steps(stepAnswer) {
		return
	}
	c.local = l
	c.refresh = c.ask.grant(c.e.opt, refresh{})
	var body []byte
	if c.info.Offered {
		c.chosen, _ = c.offer.choose(l.Codecs, c.e.opt.TheirOrder) // Answer looked
		s := c.offer.session(c.chosen, c.chosen, l)
		body = c.text.answer(c.offer, c.chosen, l, s.Direction)
		c.setSession(s)
		c.events.Media(s) // first: audio may come as soon as the answer is out
	} else {
		c.mine = numbered(l.Codecs)
		body = c.text.offer(l, c.mine, Levels{})
	}
	c.success(c.invite, body, hs, !c.info.Offered)
	c.invite = nil
}

// success answers an INVITE or UPDATE with 200 and a description.
func (c *Call) success(tx *serverTx, body []byte, extra []Header, ourOffer bool) {
	hs := append(c.refresh.reply(c.ask),
		c.e.contact(tx.hop), header("Allow", allowed), header("Supported", supported), header("Accept", accepted))
	hs = append(hs, plain(extra)...)
	if body != nil {
		hs = append(hs, header("Content-Type", "application/sdp"))
	}
	res := c.e.newResponse(tx.req, 200, c.id.local, hs...)
	res.SetBody(body)
	if err := tx.respond(res); err != nil {
		c.e.log.Debug("sip: answer", "call", c.id.callID, "error", err)
	}
	if tx.req.Method == sipgo.INVITE {
		c.awaitACK(res, tx, ourOffer)
	}
	c.keepAlive()
}

// refuse ends a call that is not answered.
func (c *Call) refuse(code int, end End, extra []Header) {
	if !c.steps(stepRefuse) {
		return
	}
	hs := plain(extra)
	if code == 503 {
		c.e.stats.Refused.Add(1)
		if len(hs) == 0 {
			hs = append(hs, c.e.retryAfter())
		}
	}
	c.respond(c.invite, code, hs...)
	c.ended(end)
}

// cancelled takes the caller's CANCEL, unless our answer was quicker.
func (c *Call) cancelled(req *sipgo.Request) {
	if c.state != offering {
		return
	}
	c.decided.Store(true)
	c.refuse(487, End{Cause: Cancelled, Code: 487, Reason: reasonOf(req)}, nil)
}

// reasonOf is the Reason header (RFC 3326), if there is one to show.
func reasonOf(m sipgo.Message) string {
	if r := first(m, "Reason"); len(r) <= 256 && printable(r) {
		return r
	}
	return ""
}
