package sip

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"golang.org/x/time/rate"
)

// Events is told what happens in a call. Its methods are called one after the
// other, in order, and must not wait (see the package comment); they may call
// everything of the Call that does not take a context. After Ended nothing
// more is told.
type Events interface {
	// Media tells the audio agreed on: once when the call is answered (with
	// an INVITE that brings no offer: when the ACK brought the answer), then
	// whenever it changed: hold, resume, a new address, another codec.
	Media(Session)
	// Digit tells a digit that came by INFO: 0-9, *, #, A-D.
	Digit(byte)
	// Ended tells that the call is over, in whatever way.
	Ended(End)
}

// Confirmer is what the Events of an incoming call may be besides: told, after
// the first Media, that the caller has confirmed our answer. Until then the
// INVITE may be a single packet of somebody who is not there.
type Confirmer interface{ Confirmed() }

// nobody is the Events of calls that nobody wants to know about.
type nobody struct{}

func (nobody) Media(Session) {}
func (nobody) Digit(byte)    {}
func (nobody) Ended(End)     {}

// Cause is why a call ended.
type Cause int

// The causes. ByPeer and ByUs are calls that were up.
const (
	ByPeer    Cause = iota + 1 // the peer hung up
	ByUs                       // HangUp
	Cancelled                  // the caller gave up before the answer
	Refused                    // Reject
	NoACK                      // our answer was never confirmed
	Expired                    // the peer stopped refreshing (RFC 4028)
	Failed                     // the peer broke the protocol, or is gone
	Shutdown                   // the endpoint was closed
)

func (c Cause) String() string {
	names := [...]string{"", "peer", "us", "cancelled", "refused", "no_ack", "expired", "failed", "shutdown"}
	if c <= 0 || int(c) >= len(names) {
		return "unknown"
	}
	return names[c]
}

// End is how a call ended.
type End struct {
	Cause  Cause
	Code   int    // of the final answer, if the call was never up
	Reason string // the peer's Reason header, or what went wrong
}

// Party is one side of a call as it names itself.
type Party struct{ User, Host, Name string }

// Info is what an INVITE says. All text is printable UTF-8.
type Info struct {
	Incoming  bool
	CallID    string
	Target    string // user part of the Request-URI, %xx undone: what was dialled
	From, To  Party
	Source    netip.AddrPort // where it came from (outgoing: went to)
	Transport string         // "UDP" or "TCP"
	User      string         // who proved to have a password; "" when nobody asked
	UserAgent string
	Headers   []Header // X-… and P-…, in order
	Offered   bool     // it brings an offer: Session says what can come of it
}

// Header returns the first of Headers with that name, whatever its case.
func (i Info) Header(name string) string {
	for _, h := range i.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// Limits of one call.
const (
	callBacklog = 32 // things that a peer may have us do before the first is done
	callPace    = 20 // requests per second, BYE not counted
	callBurst   = 60
)

// Call is one call. Its methods may be called from any goroutine; those that
// take no context return at once.
type Call struct {
	e    *Endpoint
	id   dialogID
	info Info
	done chan struct{} // closed when the call is over
	pace *rate.Limiter // of the peer's requests

	decided atomic.Bool // somebody has the right to the INVITE's final answer

	mu      sync.Mutex
	queue   []func() // guarded by mu
	running bool     // guarded by mu: a goroutine works the queue off
	session Session  // guarded by mu; written by the queue alone
	end     End      // guarded by mu

	// The rest belongs to the queue.
	events    Events
	state     state
	dialog    dialog
	origin    origin
	invite    *serverTx // while offering
	offer     media     // of the INVITE
	chosen    choice
	local     Local
	mine      []encoding // what we offered last
	text      describer
	confirm   confirmation // a 2xx that wants its ACK
	parting   *parting     // while leaving
	ack       sentACK
	turn      chan struct{} // closed when what was to be sent has left
	asking    bool          // an INVITE or UPDATE of ours is under way
	refer     referral
	refresh   refresh
	least     time.Duration // the peer's Min-SE
	ask       refreshAsk    // of the request that is being answered
	clock     *time.Timer
	auth      *Auth
	canUpdate bool // the peer takes UPDATE
}

// Info is what the INVITE said.
func (c *Call) Info() Info { return c.info }

// Done is closed when the call is over.
func (c *Call) Done() <-chan struct{} { return c.done }

// End says how the call ended, once Done is closed.
func (c *Call) End() End {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// Session is the audio agreed on. Before the answer it is what the offer
// allows: codec, address and direction are right, unless Answer narrows them.
func (c *Call) Session() Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

func (c *Call) setSession(s Session) {
	c.mu.Lock()
	c.session = s
	c.mu.Unlock()
}

// Ringing sends 180.
func (c *Call) Ringing() { c.do(c.ring) }

// Answer takes an incoming call. The error tells what can be told at once:
// ErrLocal, ErrNoCodec (Local.Codecs has none of the offer's), ErrState (it is
// answered or refused already), ErrOver.
func (c *Call) Answer(l Local, hs ...Header) error {
	if !l.valid() {
		return ErrLocal
	}
	if l.Codecs == nil {
		l.Codecs = c.e.opt.Codecs
	}
	if c.info.Offered {
		if _, err := c.offer.choose(l.Codecs, c.e.opt.TheirOrder); err != nil {
			return err
		}
	}
	if err := c.decide(); err != nil {
		return err
	}
	c.do(func() { c.accept(l, hs) })
	return nil
}

// Reject refuses an incoming call with a code from 300 to 699. The errors are
// ErrState and ErrOver.
func (c *Call) Reject(code int, hs ...Header) error {
	if code < 300 || code > 699 {
		return ErrState
	}
	if err := c.decide(); err != nil {
		return err
	}
	c.do(func() { c.refuse(code, End{Cause: Refused, Code: code}, hs) })
	return nil
}

// decide claims the right to the final answer.
func (c *Call) decide() error {
	select {
	case <-c.done:
		return ErrOver
	default:
	}
	if !c.info.Incoming || !c.decided.CompareAndSwap(false, true) {
		return ErrState
	}
	return nil
}

// HangUp ends the call, whatever its state: BYE, or 480 to an INVITE that is
// not answered yet. When our answer still waits for its ACK, so does the BYE,
// 32 s at most; Ended is told after it.
func (c *Call) HangUp(hs ...Header) { c.do(func() { c.hangUp(End{Cause: ByUs}, hs) }) }

// Reinvite offers the peer another side of ours: another address, hold,
// resume. It waits for the answer; a *StatusError says that the peer refused
// and all is as it was. Crossing offers (491) are tried again.
func (c *Call) Reinvite(ctx context.Context, l Local) error {
	if !l.valid() {
		return ErrLocal
	}
	result := make(chan error, 1)
	c.do(func() { c.reoffer(l, 0, func(err error) { result <- err }) })
	return c.wait(ctx, result)
}

// SendDigit sends a digit by INFO (application/dtmf-relay) and waits for the
// peer to take it.
func (c *Call) SendDigit(ctx context.Context, digit byte, d time.Duration) error {
	if signalOf(string(digit)) != digit {
		return ErrState
	}
	result := make(chan error, 1)
	c.do(func() { c.sendDigit(digit, d, func(err error) { result <- err }) })
	return c.wait(ctx, result)
}

func (c *Call) wait(ctx context.Context, result <-chan error) error {
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.done:
		select {
		case err := <-result:
			return err
		default:
			return ErrOver
		}
	}
}

// do has f done after all that is queued.
func (c *Call) do(f func()) {
	c.mu.Lock()
	c.queue = append(c.queue, f)
	start := !c.running
	c.running = true
	c.mu.Unlock()
	if start {
		c.start()
	}
}

// take is do for what a peer sent. It is false when the queue is full.
func (c *Call) take(f func()) bool {
	c.mu.Lock()
	if len(c.queue) >= callBacklog {
		c.mu.Unlock()
		c.e.stats.Overflow.Add(1)
		return false
	}
	c.queue = append(c.queue, f)
	start := !c.running
	c.running = true
	c.mu.Unlock()
	if start {
		c.start()
	}
	return true
}

func (c *Call) start() {
	if !c.e.tasks.spawn(c.work) {
		c.mu.Lock()
		c.queue, c.running = nil, false // the endpoint is closed
		c.mu.Unlock()
	}
}

// work does what is queued until nothing is.
func (c *Call) work() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.queue, c.running = nil, false
			c.mu.Unlock()
			return
		}
		f := c.queue[0]
		c.queue = c.queue[1:]
		c.mu.Unlock()
		c.safely(f)
	}
}

// safely does one thing. A panic ends this call and no other.
func (c *Call) safely(f func()) {
	if !c.try(f) {
		c.try(func() { c.hangUp(End{Cause: Failed, Code: 500, Reason: "panic"}, nil) })
	}
}

func (c *Call) try(f func()) (fine bool) {
	defer c.e.guard("call")
	f()
	return true
}

// after has f done in a while, if the call is not over by then.
func (c *Call) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() {
		c.do(func() {
			if c.state != over {
				f()
			}
		})
	})
}

// finish is the end of a call that was answered.
func (c *Call) finish(end End) {
	if c.steps(stepEnd) {
		c.ended(end)
	}
}

// ended is the end of every call. It runs once.
func (c *Call) ended(end End) {
	c.e.calls.drop(c)
	if s, ok := c.dialog.link.(*stream); ok { // the last answers still come by it
		time.AfterFunc(giveUp, func() { s.calls.Add(-1) })
	}
	c.confirm.stop()
	if c.clock != nil {
		c.clock.Stop()
	}
	c.invite = nil
	c.mu.Lock()
	c.end = end
	c.mu.Unlock()
	close(c.done)
	c.e.log.Debug("sip: call over", "call", c.id.callID, "cause", end.Cause, "code", end.Code)
	c.events.Ended(end)
}

// shutDown ends the call because the endpoint closes: nobody will wait for an
// answer any longer.
func (c *Call) shutDown() {
	switch c.state {
	case offering:
		c.refuse(503, End{Cause: Shutdown, Code: 503}, nil)
	case answered, leaving, up:
		c.bye(nil)
		c.finish(End{Cause: Shutdown})
	case over:
	}
}

// keptHeaders are those that a handler may see.
func keptHeaders(req *sipgo.Request) []Header {
	var out []Header
	for _, h := range req.Headers() {
		n := h.Name()
		if len(n) < 3 || n[1] != '-' || !strings.ContainsAny(n[:1], "XxPp") {
			continue
		}
		if v := h.Value(); len(out) < 32 && len(v) <= 1024 && printable(n) && printable(v) {
			out = append(out, Header{n, v})
		}
	}
	return out
}
