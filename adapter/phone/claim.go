package phone

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"parley/engine"
	"parley/engine/native"
	"parley/sip"
)

// TokenPrefix begins the user part of a call that is claimed. No room name can
// begin with it.
const TokenPrefix = "~"

// ErrUnclaimed: no call came with the token in time.
var ErrUnclaimed = errors.New("phone: no call came for the token")

// Media is the media of a SIP call. Where the call's signalling lives
// elsewhere, it is all that this package knows of it.
type Media struct {
	*native.Leg
	call    *sip.Call
	port    *port
	sink    atomic.Pointer[engine.Sink]
	endures atomic.Bool // see Endure
}

// Attach says where facts go, keys that come by INFO among them.
func (v *Media) Attach(s engine.Sink) {
	v.sink.Store(&s)
	v.Leg.Attach(s)
}

// press passes on a key that came by INFO.
func (v *Media) press(d byte) {
	if s := v.sink.Load(); s != nil {
		(*s).Post(engine.Digit{Leg: v.ID(), Digit: d})
	}
}

// Endure takes silence for what it is from now on: who has the call's signalling
// knows when it is over.
func (v *Media) Endure() {
	v.endures.Store(true)
	v.SetMediaLost(0)
}

// LastArrival is when the last packet came, in Unix ns; 0: never.
func (v *Media) LastArrival() int64 { return v.port.LastArrival() }

// HangUp ends the SIP call that carries the media.
func (v *Media) HangUp() { v.call.HangUp() }

// Done is closed when that call is over.
func (v *Media) Done() <-chan struct{} { return v.call.Done() }

// claims are the tokens that calls are awaited for.
type claims struct {
	mu     sync.Mutex
	tokens map[string]*claim // guarded by mu
}

// claim waits for one call.
type claim struct {
	id      engine.LegID // that the call gets
	came    chan *Media  // capacity 1
	refused chan error   // capacity 1

	mu   sync.Mutex
	void bool // guarded by mu: nobody waits any more
}

func newClaims() claims { return claims{tokens: map[string]*claim{}} }

// take uses a token up; nil when nobody waits for it. The map's own lookup is
// no oracle: a token has 130 random bits and lives once.
func (c *claims) take(token string) *claim {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.tokens[token]
	delete(c.tokens, token)
	return found
}

// taken hands the call over; when nobody waits any more, it ends.
func (c *claim) taken(v *Media) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.void {
		v.HangUp()
		return
	}
	c.came <- v
}

// refuse tells who waits that the call came, and why we cannot have it. A call
// that nobody waits for is told nothing of.
func (c *claim) refuse(reason engine.Reason, why error) {
	if c == nil {
		return
	}
	select {
	case c.refused <- &engine.RefusalError{Reason: reason, Why: why.Error()}:
	default:
	}
}

// drop makes the claim void; a call that came at the last moment ends.
func (c *claim) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.void = true
	select {
	case v := <-c.came:
		v.HangUp()
	default:
	}
}

// Ticket is the right to one call's media.
type Ticket struct {
	token  string
	claim  *claim
	phones *Phones
}

// Ticket makes a token that cannot be guessed and is good for one call, whose
// media is then known by id. Wait or Drop must follow.
func (p *Phones) Ticket(id engine.LegID) *Ticket {
	t := &Ticket{
		token: TokenPrefix + strings.ToLower(rand.Text()), claim: &claim{id: id, came: make(chan *Media, 1), refused: make(chan error, 1)}, phones: p,
	}
	p.claims.mu.Lock()
	defer p.claims.mu.Unlock()
	p.claims.tokens[t.token] = t.claim
	return t
}

// Expects says whether a call with that user part is awaited; it is a
// sip.Options.Expected.
func (p *Phones) Expects(user string) bool {
	if !strings.HasPrefix(user, TokenPrefix) {
		return false
	}
	p.claims.mu.Lock()
	defer p.claims.mu.Unlock()
	return p.claims.tokens[user] != nil
}

// Token is the user part of the SIP URI to send the media to.
func (t *Ticket) Token() string { return t.token }

// Wait returns the media of the call that brings the token; it is answered and
// audio can flow. When ctx ends the token is void and the error is ErrUnclaimed. An
// engine.RefusalError says why we have refused the call.
func (t *Ticket) Wait(ctx context.Context) (*Media, error) {
	select {
	case v := <-t.claim.came:
		return v, nil
	case err := <-t.claim.refused:
		return nil, err
	case <-ctx.Done():
		t.Drop()
	}
	select {
	case err := <-t.claim.refused: // for that, ctx may have ended
		return nil, err
	default:
		return nil, ErrUnclaimed
	}
}

// Drop makes the token void; a call that took it at the last moment ends.
func (t *Ticket) Drop() {
	t.phones.claims.take(t.token)
	t.claim.drop()
}
