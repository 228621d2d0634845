// Package sip is a SIP endpoint: calls in, calls out, offer and answer. It is
// made of the parser, the messages and the transaction machines of
// github.com/emiago/sipgo; sockets, the table of transactions, dialogs and
// session descriptions are its own.
//
// # Threads
//
// One goroutine reads each UDP socket, two serve each TCP connection. They
// hand messages to calls in the order of arrival and wait for nobody. A call
// is a queue of things to do; a goroutine works it off while there are any, so
// that what happens in one call happens one after the other, and a call where
// nothing happens costs no goroutine. Options.Incoming and the methods of
// Events run there: never two at once for one call. They must not wait.
//
// Requests outside calls are answered without keeping state (RFC 3261 §8.2.7),
// until an INVITE is let in: what a flood leaves behind is bounded by
// Options.MaxCalls and Rate.Sources.
package sip

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"parley/codec"
)

// Errors of this package, beside those of session descriptions.
var (
	ErrClosed  = errors.New("sip: endpoint closed")
	ErrOver    = errors.New("sip: call is over")
	ErrState   = errors.New("sip: not possible now")
	ErrLocal   = errors.New("sip: no usable local address for audio")
	ErrPeer    = errors.New("sip: peer cannot be reached")
	ErrOptions = errors.New("sip: bad option")
)

// Options of an Endpoint. The zero value listens on DefaultListen and takes no
// calls.
type Options struct {
	UDP, TCP  []string // addresses to listen on, port 0 for any; both nil means DefaultListen, UDP and TCP
	Advertise string   // host that peers reach us by, in Contact and Via; "" means the local address they came to
	User      string   // user part of our Contact; "" means "parley"
	UserAgent string   // "" means "Parley"

	Codecs     []codec.Format // we can, in our order of preference; nil means codec.Known()
	TheirOrder bool           // take the first codec of the offer that we can, instead of our first

	// Incoming is told of each call that passed every check. It may answer,
	// ring or refuse it right there or later, from any goroutine. What it
	// returns is told the rest; nil means nobody wants to know. A nil
	// Incoming refuses all calls.
	Incoming func(*Call) Events

	// Busy says that new calls should go elsewhere (503). It runs in a
	// goroutine that reads a socket. nil means never.
	Busy       func() bool
	RetryAfter time.Duration // told with every 503; 0 means DefaultRetryAfter
	MaxCalls   int           // at once, in and out; beyond it 503; 0 means DefaultMaxCalls
	// Expected says whether we have asked for the call to a user part. It is not
	// counted by Rate, and neither Busy nor MaxCalls keep it from Incoming, which
	// can say why it is refused. It runs where Busy does. nil means we never do.
	Expected   func(user string) bool
	MaxStreams int // TCP connections at once; 0 means DefaultMaxStreams

	// Callers must have the password of one of Users, unless they come from a
	// Trusted network. With Trusted alone everybody else is refused, with
	// neither everybody may call. Rate does not apply to Trusted.
	Users   []User
	Realm   string // "" means "parley"
	Trusted []netip.Prefix
	Rate    Rate

	SessionExpires time.Duration // between refreshes (RFC 4028), where the peer can; 0 means DefaultSessionExpires
	MinSE          time.Duration // shortest we accept; 0 means DefaultMinSE

	Log *slog.Logger // nil means silence

	// Where sockets come from; nil means package net.
	ListenPacket func(network, address string) (net.PacketConn, error)
	Listen       func(network, address string) (net.Listener, error)
	Dial         func(ctx context.Context, network, address string) (net.Conn, error)
}

// Defaults of Options.
const (
	DefaultListen         = "127.0.0.1:5070"
	DefaultRetryAfter     = 10 * time.Second
	DefaultMaxCalls       = 10_000
	DefaultMaxStreams     = 1024
	DefaultSessionExpires = 30 * time.Minute
	DefaultMinSE          = 90 * time.Second // RFC 4028 §4
)

// Endpoint is a SIP user agent with its sockets.
type Endpoint struct {
	opt    Options
	log    *slog.Logger
	parser *sipgo.Parser
	limit  *limiter
	auth   *authority
	secret [32]byte // keys what we sign: tags of stateless answers, nonces
	stats  Stats

	packets   []*packetLink
	listeners []net.Listener
	streams   streams

	servers table[string, *serverTx] // not settled
	answers answers                  // those that are
	clients table[string, *clientTx]
	calls   calls

	draining atomic.Bool
	toldFull atomic.Int64       // unix ns
	ctx      context.Context    //nolint:containedctx // the endpoint's own life: what calls send by themselves hangs on it
	stop     context.CancelFunc // of ctx, by Close: nothing waits any longer
	tasks    group              // work of calls and transactions
	sockets  group              // readers and writers
	close    sync.Once
}

// New opens the sockets. Messages are read once Run runs; a failure names the
// address.
func New(o Options) (*Endpoint, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	e := &Endpoint{
		opt: o, log: o.Log, parser: newParser(), limit: newLimiter(o.Rate),
		streams: streams{by: map[netip.AddrPort]*stream{}, perPeer: map[netip.Addr]int{}},
		servers: newTable[string, *serverTx](), clients: newTable[string, *clientTx](),
		calls: newCalls(),
	}
	if _, err := rand.Read(e.secret[:]); err != nil {
		return nil, fmt.Errorf("sip: %w", err)
	}
	e.auth = newAuthority(o, e.secret[:])
	ctx, stop := context.WithCancel(context.Background())
	e.ctx, e.stop = ctx, stop
	if err := e.listen(); err != nil {
		e.shut()
		return nil, err
	}
	return e, nil
}

func (o *Options) complete() error {
	if o.UDP == nil && o.TCP == nil {
		o.UDP, o.TCP = []string{DefaultListen}, []string{DefaultListen}
	}
	if o.Codecs == nil {
		o.Codecs = codec.Known()
	}
	setDefault(&o.User, "parley")
	setDefault(&o.UserAgent, "Parley")
	setDefault(&o.Realm, "parley")
	setDefault(&o.RetryAfter, DefaultRetryAfter)
	setDefault(&o.MaxCalls, DefaultMaxCalls)
	setDefault(&o.MaxStreams, DefaultMaxStreams)
	setDefault(&o.SessionExpires, DefaultSessionExpires)
	setDefault(&o.MinSE, DefaultMinSE)
	if o.MinSE < DefaultMinSE || o.SessionExpires < o.MinSE {
		return fmt.Errorf("%w: SessionExpires %v, MinSE %v", ErrOptions, o.SessionExpires, o.MinSE)
	}
	if !token(o.User) || !printable(o.UserAgent) || !token(o.Realm) || !printable(o.Advertise) {
		return fmt.Errorf("%w: User, UserAgent, Realm and Advertise go into headers", ErrOptions)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ListenPacket == nil {
		o.ListenPacket = net.ListenPacket
	}
	if o.Listen == nil {
		o.Listen = net.Listen
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	return nil
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// receiveBuffer, in bytes, has room for a thousand messages that come at once: a
// meeting's end. Linux halves it for its own books, and gives no more than
// net.core.rmem_max.
const receiveBuffer = 4 << 20

func (e *Endpoint) listen() error {
	for _, a := range e.opt.UDP {
		c, err := e.opt.ListenPacket("udp", a)
		if err != nil {
			return fmt.Errorf("sip: %w", err)
		}
		if b, ok := c.(interface{ SetReadBuffer(bytes int) error }); ok {
			_ = b.SetReadBuffer(receiveBuffer) // best effort: what is lost is sent again
		}
		e.packets = append(e.packets, &packetLink{conn: c, near: addrPort(c.LocalAddr()), errors: openErrors(c, e.unreachable)})
	}
	for _, a := range e.opt.TCP {
		l, err := e.opt.Listen("tcp", a)
		if err != nil {
			return fmt.Errorf("sip: %w", err)
		}
		e.listeners = append(e.listeners, l)
	}
	return nil
}

// UDP returns the addresses of the UDP sockets, TCP those of the listeners.
func (e *Endpoint) UDP() []netip.AddrPort {
	var out []netip.AddrPort
	for _, l := range e.packets {
		out = append(out, l.near)
	}
	return out
}

// TCP returns the addresses of the TCP listeners.
func (e *Endpoint) TCP() []netip.AddrPort {
	var out []netip.AddrPort
	for _, l := range e.listeners {
		out = append(out, addrPort(l.Addr()))
	}
	return out
}

// Stats are the endpoint's counters.
func (e *Endpoint) Stats() *Stats { return &e.stats }

// Calls is the number of calls that are not over.
func (e *Endpoint) Calls() int { return e.calls.len() }

// Run serves the sockets until ctx ends or Close is called. It runs once.
func (e *Endpoint) Run(ctx context.Context) error {
	defer e.Close()
	for _, l := range e.packets {
		if !e.sockets.spawn(func() { e.readPackets(l) }) {
			return ErrClosed
		}
	}
	for _, l := range e.listeners {
		if !e.sockets.spawn(func() { e.accept(l) }) {
			return ErrClosed
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-e.ctx.Done():
		return nil
	}
}

// Drain refuses new calls with 503 from now on; calls that are up stay.
func (e *Endpoint) Drain() { e.draining.Store(true) }

// HangUp ends all calls. Their Events are told; Calls tells when all are.
func (e *Endpoint) HangUp() {
	for _, c := range e.calls.all() {
		c.HangUp()
	}
}

// Close ends all calls and closes the sockets. When it returns, nothing of the
// endpoint runs. It must not be called by Incoming or by Events.
func (e *Endpoint) Close() {
	e.close.Do(func() {
		e.Drain()
		for _, c := range e.calls.all() {
			c.do(c.shutDown)
		}
		e.stop()
		e.tasks.wait()
		for _, tx := range e.servers.all() {
			tx.Terminate()
		}
		for _, tx := range e.clients.all() {
			tx.Terminate()
		}
		e.shut()
		e.sockets.wait()
		e.answers.close()
	})
}

// shut closes the sockets.
func (e *Endpoint) shut() {
	e.stop()
	for _, l := range e.packets {
		_ = l.conn.Close()
	}
	for _, l := range e.listeners {
		_ = l.Close()
	}
	for _, s := range e.streams.all() {
		s.finish()
	}
}

// trusted says whether an address needs neither password nor limit.
func (e *Endpoint) trusted(a netip.Addr) bool {
	for _, p := range e.opt.Trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// pause waits, and says whether to go on.
func (e *Endpoint) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-e.ctx.Done():
		return false
	}
}

// guard keeps a panic from the process; it is deferred around all that looks
// at a peer's bytes and all that others wrote.
func (e *Endpoint) guard(where string) {
	if p := recover(); p != nil {
		e.stats.Panics.Add(1)
		e.log.Error("sip: panic", "in", where, "panic", p, "stack", string(debug.Stack()))
	}
}
