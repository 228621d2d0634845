package sip

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// InviteOptions say how to make a call.
type InviteOptions struct {
	CallID   string   // "" means a random one
	From     Party    // Host "" means how the peer reaches us; User "" means Options.User
	Headers  []Header // more headers of the INVITE
	Local    Local
	Auth     *Auth                         // nil: a challenge is a refusal
	Events   Events                        // nil: nobody wants to know
	Progress func(code int, reason string) // told of each 18x; must not wait; may be nil
	GiveUp   func() []Header               // headers of a CANCEL, or of the BYE that comes too late for one; nil: none
}

// Invite calls a URI ("sip:3001@host:port;transport=tcp") and waits for the
// answer. When ctx ends first the call is cancelled. A refusal is a
// *StatusError; redirections (3xx) are not followed. When several phones
// answer (forking), the first one wins and the others are hung up.
func (e *Endpoint) Invite(ctx context.Context, uri string, o InviteOptions) (*Call, error) {
	p, err := e.prepare(uri, o)
	if err != nil {
		return nil, err
	}
	type outcome struct {
		call *Call
		err  error
	}
	result := make(chan outcome)
	spawned := e.tasks.spawn(func() {
		defer e.guard("invite")
		c, err := p.place(ctx)
		select {
		case result <- outcome{c, err}:
		case <-ctx.Done(): // nobody is left to take it
			if c != nil {
				c.HangUp(p.givingUp()...)
			}
		}
	})
	if !spawned {
		return nil, ErrClosed
	}
	select {
	case r := <-result:
		return r.call, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Do has f done in the call's turn, between its events: who made a call takes
// it over there. It is not done any more when the endpoint has been closed.
func (c *Call) Do(f func()) { c.do(f) }

// placing is a call that is being made. One goroutine makes it; more is told
// of what comes after the first answer.
type placing struct {
	e      *Endpoint
	o      InviteOptions
	target sipgo.Uri
	id     string
	tag    string
	seq    uint32
	mine   []encoding
	body   []byte
	text   describer
	proof  []sipgo.Header // credentials
	least  time.Duration  // the peer's Min-SE

	settled chan struct{} // closed once the first final answer is dealt with
	call    *Call         // of the first 2xx; set before settled is closed
	mu      sync.Mutex
	forks   map[string]bool // guarded by mu: other phones that answered, by tag
}

func (e *Endpoint) prepare(uri string, o InviteOptions) (*placing, error) {
	p := &placing{e: e, o: o, id: o.CallID, tag: random(8), seq: 1, forks: map[string]bool{}}
	setDefault(&p.id, random(12))
	if err := sipgo.ParseUri(uri, &p.target); err != nil || !printable(uri) || p.target.Host == "" || p.target.Scheme != "sip" {
		return nil, fmt.Errorf("%w: uri %q", ErrOptions, uri)
	}
	if !o.Local.valid() {
		return nil, ErrLocal
	}
	if !token(p.id) {
		return nil, fmt.Errorf("%w: Call-ID", ErrOptions)
	}
	for _, h := range o.Headers {
		if !token(h.Name) || !printable(h.Value) {
			return nil, fmt.Errorf("%w: header %q", ErrOptions, h.Name)
		}
	}
	if !printable(o.From.Host+o.From.Name) || strings.ContainsAny(o.From.Host, " <>@;,") {
		return nil, fmt.Errorf("%w: From", ErrOptions)
	}
	if e.calls.len() >= e.opt.MaxCalls {
		return nil, fmt.Errorf("%w: %d calls", ErrState, e.opt.MaxCalls)
	}
	if p.o.Local.Codecs == nil {
		p.o.Local.Codecs = e.opt.Codecs
	}
	p.mine = numbered(p.o.Local.Codecs)
	p.text = describer{id: uint64(time.Now().UnixMilli()), version: 1}
	p.body = p.text.offer(p.o.Local, p.mine, Levels{})
	return p, nil
}

// place sends INVITEs until one is answered for good: a challenge and a longer
// session interval are worth another.
func (p *placing) place(ctx context.Context) (*Call, error) {
	for try := 0; ; try++ {
		req, res, err := p.once(ctx)
		if err != nil {
			return nil, err
		}
		if p.call != nil {
			return p.call, nil
		}
		again := false
		switch code := res.StatusCode; {
		case (code == 401 || code == 407) && try < 2 && (p.proof == nil || stale(res)):
			var h sipgo.Header
			if h, again = p.o.Auth.credentials(req, res); again {
				p.proof = []sipgo.Header{h}
			}
		case code == 422 && try < 3:
			least := refreshAskOf(res).minimum
			again = least > p.least
			p.least = least
		}
		if !again {
			return nil, &StatusError{Method: "INVITE", Code: res.StatusCode, Reason: res.Reason, Header: reasonOf(res)}
		}
		p.seq++
	}
}

func stale(res *sipgo.Response) bool {
	all := first(res, "WWW-Authenticate") + first(res, "Proxy-Authenticate")
	return strings.Contains(strings.ToLower(all), "stale=true")
}

// once sends one INVITE. It returns the refusal, or has set p.call.
func (p *placing) once(ctx context.Context) (*sipgo.Request, *sipgo.Response, error) {
	h, err := p.reach(ctx)
	if err != nil {
		return nil, nil, err
	}
	req := p.request(h)
	settled := make(chan struct{})
	p.settled = settled
	defer close(settled)
	tx, err := p.e.open(req, h, func(res *sipgo.Response) { p.more(req, res, h, settled) })
	if err != nil {
		return nil, nil, err
	}
	res, err := p.await(ctx, tx, req, h)
	if err != nil {
		return nil, nil, err
	}
	if res.IsSuccess() {
		p.call, err = p.established(req, res, h)
	}
	return req, res, err
}

func (p *placing) reach(ctx context.Context) (*hop, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.e.tasks.spawn(func() {
		select {
		case <-p.e.ctx.Done():
			cancel()
		case <-ctx.Done():
		}
	})
	return p.e.reach(ctx, way{next: p.target})
}

func (p *placing) request(h *hop) *sipgo.Request {
	host, _ := p.e.here(h)
	from := sipgo.FromHeader{DisplayName: paired(p.o.From.Name), Address: sipgo.Uri{Scheme: "sip", User: escape(p.o.From.User), Host: p.o.From.Host}}
	setDefault(&from.Address.User, p.e.opt.User)
	setDefault(&from.Address.Host, host)
	from.Params.Add("tag", p.tag)
	to := p.target.Clone()
	to.UriParams, to.Headers, to.Port = nil, nil, 0
	id := sipgo.CallIDHeader(p.id)
	forwards := sipgo.MaxForwardsHeader(70)
	req := sipgo.NewRequest(sipgo.INVITE, *p.target.Clone())
	req.AppendHeader(&forwards)
	req.AppendHeader(&from)
	req.AppendHeader(&sipgo.ToHeader{Address: *to})
	req.AppendHeader(&id)
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: p.seq, MethodName: sipgo.INVITE})
	for _, h := range append(refresh{}.ask(p.e.opt, p.least), p.proof...) {
		req.AppendHeader(h)
	}
	for _, h := range p.o.Headers {
		req.AppendHeader(header(h.Name, h.Value))
	}
	p.e.complete(req, h)
	req.AppendHeader(header("Content-Type", "application/sdp"))
	req.SetBody(p.body)
	return req
}

// await waits for the final answer, and cancels when ctx ends: once the peer
// has been heard of (RFC 3261 §9.1).
func (p *placing) await(ctx context.Context, tx *clientTx, req *sipgo.Request, h *hop) (*sipgo.Response, error) {
	left := ctx.Done()
	var limit <-chan time.Time
	heard, cancelled := false, false
	for {
		if heard && ctx.Err() != nil && !cancelled {
			cancelled = true
			p.cancel(req, h)
			limit = time.After(giveUp)
		}
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res, nil
			}
			heard = true
			if p.o.Progress != nil && res.StatusCode > 100 && ctx.Err() == nil {
				p.o.Progress(res.StatusCode, res.Reason)
			}
		case <-left:
			left = nil
		case <-limit:
			tx.Terminate()
			return nil, ctx.Err()
		case <-tx.unreachable:
			if !tx.heard.Load() { // else somebody does listen there
				tx.Terminate()
				return nil, &StatusError{Method: "INVITE", Code: 503, Reason: "Destination Unreachable"} // RFC 3261 §8.1.3.1
			}
		case <-tx.Done():
			return nil, &StatusError{Method: "INVITE", Code: 408, Reason: reason(408)}
		case <-p.e.ctx.Done():
			if heard {
				p.cancel(req, h)
			}
			tx.Terminate()
			return nil, ErrClosed
		}
	}
}

// cancel sends CANCEL. Its answer matters to sipgo alone, which then stops
// repeating it.
func (p *placing) cancel(invite *sipgo.Request, h *hop) {
	req := sipgo.NewRequest(sipgo.CANCEL, *invite.Recipient.Clone())
	forwards := sipgo.MaxForwardsHeader(70)
	req.AppendHeader(invite.Via().Clone())
	req.AppendHeader(&forwards)
	for _, h := range invite.Headers() {
		switch h := h.(type) {
		case *sipgo.FromHeader, *sipgo.ToHeader, *sipgo.CallIDHeader, *sipgo.RouteHeader:
			req.AppendHeader(sipgo.HeaderClone(h))
		}
	}
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sipgo.CANCEL})
	for _, h := range plain(p.givingUp()) {
		req.AppendHeader(h)
	}
	req.SetBody(nil)
	req.SetTransport(h.network())
	p.e.tasks.spawn(func() {
		defer p.e.guard("cancel")
		if _, err := p.e.exchange(req, h); err != nil {
			p.e.log.Debug("sip: CANCEL", "call", p.id, "error", err)
		}
	})
}

func (p *placing) givingUp() []Header {
	if p.o.GiveUp == nil {
		return nil
	}
	return p.o.GiveUp()
}

// established makes the call of a 2xx.
func (p *placing) established(req *sipgo.Request, res *sipgo.Response, h *hop) (*Call, error) {
	c := p.e.answeredCall(p, req, res, h)
	p.e.calls.add(c, nil)
	p.e.stats.CallsOut.Add(1)
	failed := make(chan error, 1)
	c.do(func() {
		c.sendACK(req.CSeq().SeqNo)
		c.refresh = refreshAskOf(res).granted()
		c.keepAlive()
		err := c.answeredBy(res.Body(), contentType(res))
		if err != nil {
			c.hangUp(End{Cause: Failed, Reason: err.Error()}, nil)
		}
		failed <- err
	})
	select {
	case err := <-failed:
		return c, err
	case <-c.done:
		return nil, ErrOver
	}
}

func (e *Endpoint) answeredCall(p *placing, req *sipgo.Request, res *sipgo.Response, h *hop) *Call {
	c := e.blankCall(Info{
		CallID: p.id, Target: unescape(p.target.User), Source: h.to, Transport: h.network(),
		From: party(req.From().DisplayName, req.From().Address), To: party("", p.target),
	})
	c.decided.Store(true)
	c.id = dialogID{p.id, p.tag, tagOf(res.To().Params)}
	c.state, c.local, c.mine, c.text, c.auth = up, p.o.Local, p.mine, p.text, p.o.Auth
	if p.o.Events != nil {
		c.events = p.o.Events
	}
	c.dialog = dialogOut(req, res)
	c.dialog.link = h.link
	if s, ok := h.link.(*stream); ok {
		s.calls.Add(1)
	}
	contact, ok := contactOf(res)
	if !ok {
		contact = *p.target.Clone()
	}
	c.dialog.retarget(contact, h)
	c.learn(res)
	return c
}

// more takes what comes after the first 2xx: the same again, or another phone
// that answered too and is hung up.
func (p *placing) more(req *sipgo.Request, res *sipgo.Response, h *hop, settled <-chan struct{}) {
	select {
	case <-settled:
	case <-p.e.ctx.Done():
		return
	}
	tag := tagOf(res.To().Params)
	if p.call != nil && p.call.id.remote == tag {
		p.call.do(func() { p.call.repeatACK(req.CSeq().SeqNo) })
		return
	}
	p.mu.Lock()
	known := p.forks[tag]
	full := len(p.forks) >= 16
	p.forks[tag] = true
	p.mu.Unlock()
	if full {
		return
	}
	c := p.e.answeredCall(p, req, res, h)
	c.events = nobody{}
	c.do(func() {
		c.sendACK(req.CSeq().SeqNo)
		if !known {
			c.bye(nil)
		}
		c.finish(End{Cause: ByUs})
	})
}
