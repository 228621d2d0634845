package sip

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// longAnswer is how long a peer may think about a request within a call.
const longAnswer = 2 * giveUp

// clientTx is a request of ours, in sipgo's machine.
type clientTx struct {
	*sipgo.ClientTx
	hop         *hop
	heard       atomic.Bool   // there has been a response
	unreachable chan struct{} // capacity 1: nobody listens there
}

// open sends a request of ours in sipgo's machine, which repeats it. again is
// told of further 2xx to an INVITE.
func (e *Endpoint) open(req *sipgo.Request, h *hop, again func(*sipgo.Response)) (*clientTx, error) {
	branch, _ := req.Via().Params.Get("branch")
	key := branch + "\n" + string(req.Method)
	tx := &clientTx{ClientTx: sipgo.NewClientTx(key, req, h, e.log), hop: h, unreachable: make(chan struct{}, 1)}
	if again != nil {
		tx.OnRetransmission(again)
	}
	e.clients.add(key, tx)
	tx.OnTerminate(func(string, error) { e.clients.drop(key) })
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return nil, errors.Join(ErrPeer, err)
	}
	return tx, nil
}

// exchange sends a request and waits for its final answer.
func (e *Endpoint) exchange(req *sipgo.Request, h *hop) (*sipgo.Response, error) {
	tx, err := e.open(req, h, nil)
	if err != nil {
		return nil, err
	}
	return e.await(tx)
}

// await waits for the final answer. None at all is a *StatusError with 408, as
// RFC 3261 §8.1.3.1 has it.
func (e *Endpoint) await(tx *clientTx) (*sipgo.Response, error) {
	method := tx.Origin().Method
	if method != sipgo.INVITE { // an INVITE's stays, for what comes late
		defer tx.Terminate()
	}
	limit := time.NewTimer(longAnswer)
	defer limit.Stop()
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res, nil
			}
		case <-tx.Done():
			return nil, &StatusError{Method: string(method), Code: 408, Reason: reason(408)}
		case <-limit.C:
			tx.Terminate()
			return nil, &StatusError{Method: string(method), Code: 408, Reason: reason(408)}
		case <-e.ctx.Done():
			tx.Terminate()
			return nil, ErrClosed
		}
	}
}

// complete adds to a request what depends on its way.
func (e *Endpoint) complete(req *sipgo.Request, h *hop) {
	e.stamp(req, h)
	targets := req.Method == sipgo.INVITE || req.Method == sipgo.UPDATE // RFC 3261 §12.2.1.1, RFC 3311 §5.1
	if targets || req.Method == sipgo.REFER {                           // RFC 3515 §2.2
		req.AppendHeader(e.contact(h))
	}
	if targets {
		req.AppendHeader(header("Allow", allowed))
		req.AppendHeader(header("Supported", supported))
	}
	req.AppendHeader(header("User-Agent", e.opt.UserAgent))
}

// outgoing is a request within a call, before it is sent.
type outgoing struct {
	method sipgo.RequestMethod
	kind   string // of the body
	body   []byte
	with   []sipgo.Header
	proved bool // it has credentials: a second challenge is a refusal
}

// send sends a request and has done called with what came of it, in the queue.
// Anything but a 2xx is an error; res is there if the peer answered.
func (c *Call) send(o outgoing, done func(res *sipgo.Response, err error)) {
	c.dialog.localSeq++
	seq := c.dialog.localSeq
	req := c.dialogRequest(o.method, seq, o.kind, o.body)
	for _, h := range o.with {
		req.AppendHeader(h)
	}
	again := func(*sipgo.Response) { c.do(func() { c.repeatACK(seq) }) }
	c.inTurn(func(h *hop, err error, sent func()) {
		var res *sipgo.Response
		if err == nil {
			c.e.complete(req, h)
			var tx *clientTx
			if tx, err = c.e.open(req, h, again); err == nil {
				sent()
				res, err = c.e.await(tx)
			}
		}
		c.do(func() { c.settle(o, req, res, err, done) })
	})
}

// inTurn has f send something to the peer, beside the queue, for it may have
// to look up a name and dial. What f sends leaves after all that was to be
// sent before, and before all that comes later: f calls sent when it has. Once
// the endpoint closes nothing of that takes time any longer, and it is done
// right here: the last BYE leaves too.
func (c *Call) inTurn(f func(h *hop, err error, sent func())) {
	w, before, after := c.dialog.way(), c.turn, make(chan struct{})
	c.turn = after
	turn := func() {
		sent := sync.OnceFunc(func() { close(after) })
		defer sent()
		defer c.e.guard("send")
		if before != nil {
			<-before
		}
		h, err := c.e.reach(c.e.ctx, w)
		f(h, err, sent)
	}
	if !c.e.tasks.spawn(turn) {
		turn()
	}
}

// settle judges what came of a request, and proves who we are if asked to.
func (c *Call) settle(o outgoing, req *sipgo.Request, res *sipgo.Response, err error, done func(*sipgo.Response, error)) {
	if err != nil {
		done(nil, err)
		return
	}
	code := res.StatusCode
	if (code == 401 || code == 407) && !o.proved && c.state != over {
		if h, ok := c.auth.credentials(req, res); ok {
			o.with, o.proved = append(o.with, h), true
			c.send(o, done)
			return
		}
	}
	if code >= 300 {
		done(res, &StatusError{Method: string(o.method), Code: code, Reason: res.Reason})
		return
	}
	done(res, nil)
}

func (c *Call) dialogRequest(method sipgo.RequestMethod, seq uint32, kind string, body []byte) *sipgo.Request {
	req := c.dialog.request(method, seq)
	id := sipgo.CallIDHeader(c.id.callID)
	req.AppendHeader(&id)
	if body != nil {
		req.AppendHeader(header("Content-Type", kind))
	}
	req.SetBody(body)
	return req
}

// sentACK is the last ACK we sent, to send it again.
type sentACK struct {
	seq uint32
	req *sipgo.Request
}

// sendACK confirms a 2xx to an INVITE of ours.
func (c *Call) sendACK(seq uint32) {
	c.ack = sentACK{seq: seq, req: c.dialogRequest(sipgo.ACK, seq, "", nil)}
	c.repeatACK(seq)
}

func (c *Call) repeatACK(seq uint32) {
	if c.ack.req == nil || c.ack.seq != seq {
		return
	}
	req := c.ack.req.Clone()
	c.inTurn(func(h *hop, err error, _ func()) {
		if err == nil {
			c.e.complete(req, h)
			err = h.WriteMsg(req)
		}
		if err != nil {
			c.e.log.Debug("sip: ACK", "call", c.id.callID, "error", err)
		}
	})
}

// bye ends the dialog. What the peer says to it does not matter.
func (c *Call) bye(hs []Header) {
	o := outgoing{method: sipgo.BYE, with: plain(hs)}
	c.send(o, func(*sipgo.Response, error) {})
}
