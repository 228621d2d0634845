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
type Adapter struct{ opt Options }

// New makes an adapter.
func New(o Options) *Adapter {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Adapter{o}
}

// Serve takes calls from l until ctx ends.
func (a *Adapter) Serve(ctx context.Context, l net.Listener) error {
	return esl.NewServer(esl.ServerOptions{Refused: a.refused}).Serve(ctx, l, a.handle)
}

// refused says why a connection became no call, in words an admin can act on.
func (a *Adapter) refused(from net.Addr, err error) {
	if mode, ok := errors.AsType[*esl.SocketModeError](err); ok {
		a.opt.Log.Error(fmt.Sprintf("esl-outbound: socket is %q; use: socket HOST:PORT async full. "+
			"Call continues in the dialplan. [socket_mode]", mode.Control+", "+mode.Mode), "from", from)
		return
	}
	a.opt.Log.Warn("esl-outbound: connection refused", "from", from, "error", err)
}

// handle is one call, from the dialplan's socket line to what follows it.
func (a *Adapter) handle(ctx context.Context, s *esl.Session) {
	c := &call{adapter: a, session: s, released: make(chan engine.Outcome, 1), log: a.opt.Log.With("call", s.UUID())}
	if err := c.prepare(ctx); err != nil {
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

// dial is the endpoint that FreeSWITCH bridges the call to.
func (a *Adapter) dial(profile, token string) string {
	return strings.NewReplacer("{profile}", profile, "{token}", token, "{address}", a.opt.Address).Replace(a.opt.DialString)
}
