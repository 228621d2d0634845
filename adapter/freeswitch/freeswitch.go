// Package freeswitch makes legs of the calls that FreeSWITCH dialplans hand to
// Parley with the socket application. The call's signalling stays at the
// switch: its audio is bridged to our SIP endpoint with a one-time token, and
// when the room is over, results are set on the channel and the dialplan goes
// on. If Parley dies, the channel does not: socket_resume sends it on.
package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"parley/engine"
	"parley/engine/native"
	"parley/esl"
)

// Media is the media of a call, as our SIP endpoint has it.
type Media interface {
	ID() engine.LegID
	engine.Voice
	Voice() *native.Leg
	Attach(engine.Sink)
	HangUp()
	Done() <-chan struct{}
}

// Ticket is the right to the media of one call; see phone.Ticket.
type Ticket interface {
	Token() string
	Wait(context.Context) (Media, error)
	Drop()
}

// Options sets up an Adapter. All but Log must be set.
type Options struct {
	Exchange   *engine.Exchange
	Ticket     func(engine.LegID) Ticket
	DialString string        // with {profile}, {token} and {address}
	Address    string        // HOST:PORT of our SIP endpoint, as the switch reaches it
	Token      time.Duration // how long the media may take to come
	Log        *slog.Logger
}

// lingering is how long the switch keeps the socket after a hang-up, for the
// last events.
const lingering = 5 * time.Second

// bridgeEnd is how long the switch may take to end a bridge whose other side
// has hung up; seen: 40 ms.
const bridgeEnd = time.Second

// settling is how long each step of giving a call back may take.
const settling = 3 * time.Second

// Adapter serves the outbound event socket.
type Adapter struct {
	opt Options

	mu    sync.Mutex
	calls map[string]*call // guarded by mu: by UUID, each channel's latest
}

// New makes an adapter.
func New(o Options) *Adapter {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Adapter{opt: o, calls: map[string]*call{}}
}

// Serve takes calls from l until ctx ends.
func (a *Adapter) Serve(ctx context.Context, l net.Listener) error {
	refused := func(from net.Addr, err error) { a.refused(l.Addr(), from, err) }
	return esl.NewServer(esl.ServerOptions{Refused: refused}).Serve(ctx, l, a.handle)
}

// refused says why a connection became no call, in words an admin can act on.
func (a *Adapter) refused(at, from net.Addr, err error) {
	if mode, ok := errors.AsType[*esl.SocketModeError](err); ok {
		a.opt.Log.Error(fmt.Sprintf("esl-outbound: socket is %q; use: socket %s async full. "+
			"Call continues in the dialplan. [socket_mode]", mode.Control+", "+mode.Mode, at), "from", from)
		return
	}
	a.opt.Log.Warn("esl-outbound: connection refused", "from", from, "error", err)
}

// handle is one call, from the dialplan's socket line to what follows it.
func (a *Adapter) handle(ctx context.Context, s *esl.Session) {
	c := newCall(a, s)
	earlier := a.enter(c)
	defer a.leave(c)
	if earlier != nil { // the switch has transferred the call from another of our lines
		select {
		case <-earlier.done:
		case <-ctx.Done():
			return
		}
	}
	if err := c.prepare(ctx, earlier); err != nil {
		c.log.Warn("freeswitch: call not taken", "error", err)
		return
	}
	voice, err := c.fetchMedia(ctx)
	if err != nil {
		c.fail(ctx, err)
		return
	}
	c.serve(ctx, voice)
}

// enter makes c the latest of its channel and returns the one before, if that
// is still being served.
func (a *Adapter) enter(c *call) (earlier *call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	earlier = a.calls[c.session.UUID()]
	a.calls[c.session.UUID()] = c
	return earlier
}

func (a *Adapter) leave(c *call) {
	close(c.done)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls[c.session.UUID()] == c {
		delete(a.calls, c.session.UUID())
	}
}

// dial is the endpoint that FreeSWITCH bridges the call to.
func (a *Adapter) dial(profile, token string) string {
	return strings.NewReplacer("{profile}", profile, "{token}", token, "{address}", a.opt.Address).Replace(a.opt.DialString)
}
