// Package freeswitch makes legs of the calls that FreeSWITCH dialplans hand to
// Parley with the socket application. The call's signalling stays at the
// switch: its audio is bridged to our SIP endpoint with a one-time token, and
// when the room is over, results are set on the channel and the dialplan goes
// on. If Parley dies, the channel does not: socket_resume sends it on.
package freeswitch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/adapter/seal"
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

// Options sets up an Adapter. All but Share, Reattach and Log must be set.
type Options struct {
	Exchange   *engine.Exchange
	Ticket     func(engine.LegID) Ticket
	DialString string        // with {profile}, {token} and {address}
	Address    string        // HOST:PORT of our SIP endpoint, as the switch reaches it
	Callers    Callers       // who may hand calls over
	Socket     string        // HOST:PORT of our outbound socket, as the switch reaches it: for calls that it makes for us
	Token      time.Duration // how long the media may take to come
	Share      Share         // sounds for switches that can read our files
	Reattach   seal.Reattach // who may come back
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

// Adapter has the calls of every FreeSWITCH: it serves the outbound event
// socket, and its links find the calls that have none.
type Adapter struct {
	opt          Options
	legs         string         // how the UUIDs begin that the switch is to give its legs to us
	group        sync.WaitGroup // of adopted calls
	retreat      atomic.Bool    // see Retreat
	toldStranger atomic.Int64   // Unix ns, when it was told last that one may not connect
	returns      *seal.Returns
	orders       engine.Orders // calls that a switch makes for us

	mu    sync.Mutex
	calls map[string]*call // guarded by mu, as all below: by UUID, each channel's latest
	links []*Link
	ctx   context.Context //nolint:containedctx // of Serve: adopted calls end with it
}

// New makes an adapter.
func New(o Options) *Adapter {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Adapter{
		opt: o, legs: legPrefix(o.Address), calls: map[string]*call{}, returns: seal.NewReturns(o.Reattach, time.Now()),
		ctx: context.Background(),
	}
}

// legPrefix is how the UUIDs begin of the switch's legs to a Parley at that
// address: whoever comes after us there knows which ones were ours.
func legPrefix(address string) string {
	sum := sha256.Sum256([]byte(address))
	return "parley-" + hex.EncodeToString(sum[:4]) + "-"
}

// NewLink makes the link to a switch; Run connects it.
func (a *Adapter) NewLink(o LinkOptions) *Link {
	l := &Link{
		opt: o, adapter: a, log: a.opt.Log.With("switch", o.Name), text: "connecting to " + o.Address,
		hosts: map[string]*Bridge{}, lines: map[string]*line{}, judged: map[string]bool{}, running: map[string]bool{},
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.links = append(a.links, l)
	return l
}

// Bridge makes the place of a room in the conference of a switch; it is an
// engine.BridgeFactory.
func (a *Adapter) Bridge(at engine.Place, room engine.RoomName, _ engine.InstanceID, sink engine.Sink) (engine.Bridge, error) {
	l := a.link(func(l *Link) bool { return l.opt.Name == at.Switch })
	if l == nil {
		return nil, fmt.Errorf("freeswitch: no switch %q", at.Switch)
	}
	if l.occupied(string(room)) {
		return nil, fmt.Errorf("%w: %s has a conference %s that is not ours; take it over, or let it end", errOccupied, at.Switch, room)
	}
	return l.bridge(string(room), sink), nil
}

// Serve takes calls from l until ctx ends, and those that have been adopted
// are given back.
func (a *Adapter) Serve(ctx context.Context, l net.Listener) error {
	a.mu.Lock()
	a.ctx = ctx
	a.mu.Unlock()
	refused := func(from net.Addr, err error) { a.refused(l.Addr(), from, err) }
	err := esl.NewServer(esl.ServerOptions{Allowed: a.opt.Callers.allow, Refused: refused}).Serve(ctx, l, a.handle)
	a.group.Wait()
	return err
}

// Retreat makes calls that are in a conference of their switch stay there when
// their room ends, and sends those on as they are whose dialplan tries again:
// we are leaving, they are not.
func (a *Adapter) Retreat() { a.retreat.Store(true) }

// Wait waits until every call has been given back, or ctx ends.
func (a *Adapter) Wait(ctx context.Context) {
	for {
		a.mu.Lock()
		var c *call
		for _, c = range a.calls {
			break
		}
		a.mu.Unlock()
		if c == nil {
			return
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			return
		}
	}
}

func (a *Adapter) context() context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ctx
}

// refused says why a connection became no call, in words an admin can act on.
func (a *Adapter) refused(at, from net.Addr, err error) {
	if mode, ok := errors.AsType[*esl.SocketModeError](err); ok {
		a.opt.Log.Error(fmt.Sprintf("esl-outbound: socket is %q; use: socket %s async full. "+
			"Call continues in the dialplan. [socket_mode]", mode.Control+", "+mode.Mode, at), "from", from)
		return
	}
	if errors.Is(err, esl.ErrNotAllowed) {
		a.tellStranger(from, time.Now())
		return
	}
	a.opt.Log.Warn("esl-outbound: connection refused", "from", from, "error", err)
}

// handle is one call, from the dialplan's socket line to what follows it.
func (a *Adapter) handle(ctx context.Context, s *esl.Session) {
	c := a.connected(s)
	earlier := a.enter(c)
	defer a.leave(c)
	if earlier != nil { // the switch has transferred the call from another of our lines
		select {
		case <-earlier.done:
		case <-ctx.Done():
			return
		}
	}
	if a.retreat.Load() {
		c.sendOn(ctx, s)
		return
	}
	order, stray := a.ordered(s)
	if stray {
		c.log.Info("freeswitch: a call that was ordered by nobody is hung up")
		_, _ = s.API(ctx, "uuid_kill", c.uuid) // it may be over by itself
		return
	}
	if order != nil {
		c.order = order
		defer order.Settle(engine.ErrNotTaken)
	}
	back, lost := c.comesBack(s)
	if err := c.prepare(ctx, s, earlier, back != nil); err != nil {
		c.log.Warn("freeswitch: call not taken", "error", err)
		return
	}
	in := c.invite(s)
	if order != nil {
		in = order.Arrival(in.Kind, in.Switch)
	}
	if in.Restore, in.Lost = back, lost; back != nil {
		in.Room = string(back.Room)
	}
	c.run(ctx, in)
}

// run is what a call does here: its audio comes, or stays at the switch, then it goes
// to its room.
func (c *call) run(ctx context.Context, in engine.Invite) {
	c.asked = in.Variables["profile"]
	begin := c.fetchMedia
	if c.staysAtTheSwitch(in) {
		begin = c.answer
	}
	if err := begin(ctx); err != nil {
		c.fail(ctx, err)
		return
	}
	c.enter(in)
	c.serve(ctx)
}

// connected is a call whose dialplan has connected to us, as its session tells it.
func (a *Adapter) connected(s *esl.Session) *call {
	c := a.newCall(s.UUID(), s)
	c.session = s
	c.link = a.link(func(l *Link) bool { return l.runs(s.Header("Core-UUID")) })
	c.profile, c.codecs = cmp.Or(s.Var("sofia_profile_name"), "internal"), offered(s.Header("Channel-Read-Codec-Rate"))
	c.codec = codecName(s.Header("Channel-Read-Codec-Name"), s.Header("Channel-Read-Codec-Rate"))
	return c
}

// enter makes c the latest of its channel and returns the one before, if that
// is still being served.
func (a *Adapter) enter(c *call) (earlier *call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	earlier = a.calls[c.uuid]
	a.calls[c.uuid] = c
	return earlier
}

// reserve is enter for a channel that must not be ours yet.
func (a *Adapter) reserve(c *call) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls[c.uuid] != nil {
		return false
	}
	a.calls[c.uuid] = c
	return true
}

func (a *Adapter) leave(c *call) {
	defer close(c.done)
	if n, ok := c.control.(*line); ok {
		ctx, cancel := brief()
		defer cancel()
		if err := n.Exit(ctx); err != nil {
			c.log.Info("freeswitch: the switch goes on telling of the call", "error", err)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls[c.uuid] == c {
		delete(a.calls, c.uuid)
	}
}

// find returns the call of a channel, or nil.
func (a *Adapter) find(uuid string) *call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls[uuid]
}

// awaits says whether a leg of a switch to us is one of a call of ours.
func (a *Adapter) awaits(leg string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if c.peer == leg {
			return true
		}
	}
	return false
}

// of lists the calls of a switch.
func (a *Adapter) of(l *Link) (list []*call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if c.link == l {
			list = append(list, c)
		}
	}
	return list
}

// stands says whether calls of ours stand in a conference of a switch.
func (a *Adapter) stands(l *Link, conference string) bool {
	return slices.ContainsFunc(a.of(l), func(c *call) bool {
		in := c.inside.Load()
		return in != nil && in.conference == conference
	})
}

// link finds a link, or nil.
func (a *Adapter) link(is func(*Link) bool) *Link {
	a.mu.Lock()
	links := slices.Clone(a.links)
	a.mu.Unlock()
	for _, l := range links {
		if is(l) {
			return l
		}
	}
	return nil
}

// dial is the endpoint that FreeSWITCH bridges the call to.
func (a *Adapter) dial(profile, token string) string {
	return strings.NewReplacer("{profile}", profile, "{token}", token, "{address}", a.opt.Address).Replace(a.opt.DialString)
}
