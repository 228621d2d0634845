package sip

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// serverTx is a request we owe an answer, in sipgo's machine.
type serverTx struct {
	*sipgo.ServerTx
	e       *Endpoint
	req     *sipgo.Request
	hop     *hop
	call    *Call // of the INVITE that starts it
	final   atomic.Bool
	refused atomic.Bool // by a final answer from 300 on
}

// respond answers; an error is the transport's, and the transaction is gone.
func (tx *serverTx) respond(res *sipgo.Response) error {
	tx.final.Store(res.StatusCode >= 200)
	tx.refused.Store(res.StatusCode >= 300)
	if tx.req.Method == sipgo.INVITE && tx.final.Load() && !tx.refused.Load() {
		// Given a 2xx the machine would stay for 32 s, whoever ends it. It is sent
		// again by the call.
		defer tx.settle(res)
		return tx.hop.WriteMsg(res)
	}
	err := tx.Respond(res)
	if err == nil {
		tx.settle(res)
	}
	return err
}

// settle lets the machine go where it has nothing to do any more but to repeat the
// answer. That of a refused INVITE waits for its ACK.
func (tx *serverTx) settle(res *sipgo.Response) {
	a := answer{hop: tx.hop, tag: tagOf(res.To().Params)}
	switch {
	case !tx.final.Load(), tx.req.Method == sipgo.INVITE && tx.refused.Load():
		return
	case tx.req.Method != sipgo.INVITE && tx.hop.network() != "UDP": // nothing is lost there, nothing repeated
		return
	case tx.req.Method != sipgo.INVITE:
		a.again = written(res)
	}
	tx.e.answers.add(tx.Key(), a, time.Now())
	tx.Terminate()
}

// request is the way of every request. It runs in the goroutine that reads the
// socket and must not wait.
func (e *Endpoint) request(req *sipgo.Request, from *hop) {
	if why := ill(req); why != "" {
		e.malformed(req, from, why)
		return
	}
	h := back(req, from)
	key := transactionKey(req, req.Method)
	tx, known := e.servers.find(key)
	settled, answered := e.answers.find(key)
	switch {
	case req.Method == sipgo.ACK:
		e.gotACK(req, tx)
	case req.Method == sipgo.CANCEL:
		e.gotCancel(req, h)
	case known: // the same request again
		_ = tx.Receive(req) // answers with what it answered before
	case answered:
		e.repeat(settled)
	case tagOf(req.To().Params) != "":
		e.inCall(req, h, from, key)
	default:
		e.outside(req, h, from, key)
	}
}

// gotACK hands an ACK to the refusal it is for, or to its call.
func (e *Endpoint) gotACK(req *sipgo.Request, tx *serverTx) {
	if tx != nil && tx.refused.Load() {
		_ = tx.Receive(req) // knows what to do with it
		return
	}
	if c := e.calls.find(dialogOf(req)); c != nil {
		c.take(func() { c.acked(req) })
		return
	}
	e.stats.Unmatched.Add(1)
}

// gotCancel ends an INVITE that is not answered yet.
func (e *Endpoint) gotCancel(req *sipgo.Request, h *hop) {
	key := transactionKey(req, sipgo.INVITE)
	tx, ok := e.servers.find(key)
	settled, answered := e.answers.find(key)
	if !ok && !answered {
		e.stats.Unmatched.Add(1)
		e.reply(req, h, 481)
		return
	}
	tag := e.tagFor(req)
	switch {
	case !ok:
		tag = settled.tag
	case tx.call != nil:
		tag = tx.call.id.local
	}
	if err := h.WriteMsg(e.newResponse(req, 200, tag)); err != nil {
		e.log.Debug("sip: reply", "to", h.to, "error", err)
	}
	if ok && tx.call != nil {
		tx.call.take(func() { tx.call.cancelled(req) })
	}
}

// repeat sends an answer once more.
func (e *Endpoint) repeat(a answer) {
	if a.again == nil {
		return
	}
	e.stats.Sent.Add(1)
	if err := a.hop.send(a.again, a.hop.to); err != nil {
		e.log.Debug("sip: answer again", "to", a.hop.to, "error", err)
	}
}

// inCall hands a request to its call.
func (e *Endpoint) inCall(req *sipgo.Request, h, from *hop, key string) {
	c := e.calls.find(dialogOf(req))
	if c == nil {
		e.stats.Unmatched.Add(1)
		e.reply(req, h, 481)
		return
	}
	if code, hs := unacceptable(req); code != 0 {
		e.reply(req, h, code, hs...)
		return
	}
	if req.Method != sipgo.BYE && !c.pace.AllowN(time.Now(), 1) {
		e.stats.Overflow.Add(1)
		return
	}
	tx := e.serve(key, req, h)
	if tx == nil {
		return
	}
	if !c.take(func() { c.requested(tx, from) }) {
		tx.Terminate() // too much at once: it will be sent again
	}
}

// outside is the way of requests that belong to no call.
func (e *Endpoint) outside(req *sipgo.Request, h, from *hop, key string) {
	if !e.expected(req) && !e.limit.request(from.peer(), time.Now()) && !e.trusted(from.peer()) {
		e.stats.Limited.Add(1)
		e.reply(req, h, 503, e.retryAfter())
		return
	}
	if code, hs := unacceptable(req); code != 0 {
		e.reply(req, h, code, hs...)
		return
	}
	switch req.Method {
	case sipgo.INVITE:
		e.invited(req, h, from, key)
	case sipgo.OPTIONS:
		if e.refusing() {
			e.stats.Refused.Add(1)
			e.reply(req, h, 503, e.retryAfter())
			return
		}
		e.reply(req, h, 200, e.abilities(h)...)
	case sipgo.BYE, sipgo.INFO, sipgo.UPDATE, sipgo.PRACK, sipgo.NOTIFY:
		e.stats.Unmatched.Add(1)
		e.reply(req, h, 481)
	default:
		e.reply(req, h, 405, header("Allow", allowed))
	}
}

// abilities are what an OPTIONS is answered with.
func (e *Endpoint) abilities(h *hop) []sipgo.Header {
	return []sipgo.Header{
		e.contact(h), header("Allow", allowed), header("Accept", accepted),
		header("Supported", supported), header("Accept-Encoding", "identity"),
	}
}

// unacceptable is the refusal of requests that we must not even look into.
func unacceptable(req *sipgo.Request) (int, []sipgo.Header) {
	if req.SipVersion != "SIP/2.0" {
		return 505, nil
	}
	if s := req.Recipient.Scheme; s != "sip" && s != "sips" {
		return 416, nil
	}
	if m := req.MaxForwards(); m != nil && m.Val() == 0 {
		return 483, nil
	}
	lacking := slices.DeleteFunc(tokens(req, "Require"), func(t string) bool { return t == "timer" })
	if len(lacking) > 0 {
		return 420, []sipgo.Header{header("Unsupported", strings.Join(lacking, ", "))}
	}
	return 0, nil
}

// refusing says whether new calls should go elsewhere.
func (e *Endpoint) refusing() bool {
	return e.draining.Load() || e.calls.len() >= e.opt.MaxCalls || (e.opt.Busy != nil && e.opt.Busy())
}

// expected says whether a request is a call that we have asked for.
func (e *Endpoint) expected(req *sipgo.Request) bool {
	return req.Method == sipgo.INVITE && e.opt.Expected != nil && e.opt.Expected(unescape(req.Recipient.User))
}

func (e *Endpoint) retryAfter() sipgo.Header {
	return header("Retry-After", seconds(int64(e.opt.RetryAfter/time.Second)))
}

// serve makes the transaction of a request. It must be answered.
func (e *Endpoint) serve(key string, req *sipgo.Request, h *hop) *serverTx {
	tx := &serverTx{ServerTx: sipgo.NewServerTx(key, req, h, e.log), e: e, req: req, hop: h}
	if err := tx.Init(); err != nil || !e.servers.add(key, tx) {
		tx.Terminate()
		return nil
	}
	tx.OnTerminate(func(string, error) { e.servers.drop(key) })
	return tx
}

// response hands a response to the transaction that waits for it.
func (e *Endpoint) response(res *sipgo.Response) {
	via, seq := res.Via(), res.CSeq()
	if via == nil || seq == nil || res.StatusCode < 100 || res.StatusCode > 699 || !printable(res.Reason) || controlled(res.Headers()) {
		e.stats.Malformed.Add(1)
		return
	}
	branch, _ := via.Params.Get("branch")
	tx, ok := e.clients.find(branch + "\n" + strings.ToUpper(strings.TrimSpace(string(seq.MethodName))))
	if !ok {
		e.stats.Unmatched.Add(1)
		return
	}
	tx.heard.Store(true)
	// In its own goroutine, for sipgo's machine may wait. It sorts out what
	// overtakes: a 180 after the 200 is dropped there.
	e.tasks.spawn(func() {
		defer e.guard("response")
		tx.Receive(res)
	})
}

// dialogID names a call (RFC 3261 §12).
type dialogID struct{ callID, local, remote string }

// dialogOf is the dialog that a request of a peer is for.
func dialogOf(req *sipgo.Request) dialogID {
	return dialogID{req.CallID().Value(), tagOf(req.To().Params), tagOf(req.From().Params)}
}

// origin names an INVITE by who sent it, whichever way it came.
type origin struct {
	callID, tag string
	seq         uint32
}

// calls are those that are not over.
type calls struct {
	mu      sync.Mutex
	by      map[dialogID]*Call // guarded by mu
	origins map[origin]bool    // guarded by mu: of those that came in
}

func newCalls() calls { return calls{by: map[dialogID]*Call{}, origins: map[origin]bool{}} }

func (t *calls) find(id dialogID) *Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.by[id]
}

func (t *calls) merged(o origin) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.origins[o]
}

func (t *calls) add(c *Call, o *origin) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.by[c.id] = c
	if o != nil {
		t.origins[*o] = true
		c.origin = *o
	}
}

func (t *calls) drop(c *Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, c.id)
	delete(t.origins, c.origin)
}

func (t *calls) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.by)
}

func (t *calls) all() []*Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]*Call, 0, len(t.by))
	for _, c := range t.by {
		out = append(out, c)
	}
	return out
}

// reachable says whether packets to a Contact get there: not when a peer that
// came from outside names an address of its own network (NAT).
func reachable(contact, source netip.Addr) bool {
	inner := func(a netip.Addr) bool { return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() }
	if contact.IsUnspecified() || contact.IsMulticast() {
		return false
	}
	if contact.IsLoopback() {
		return source.IsLoopback()
	}
	return !inner(contact) || inner(source)
}
