package audiosocket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"parley/internal/door"
	"parley/internal/rawtcp"
)

// Errors of a Listener.
var (
	ErrClosed    = errors.New("audiosocket: listener closed")
	ErrDuplicate = errors.New("audiosocket: UUID is awaited already")
)

const (
	// DefaultHandshake is how long a peer may take to say its UUID.
	DefaultHandshake = 2 * time.Second
	// DefaultStrangers is how many may be silent at once: one more takes the place of
	// the oldest.
	DefaultStrangers = 256

	// sendBuffer is what the kernel may hold for a peer that does not read,
	// doubled by it for its own needs: some 25 frames, 0.5 s that a slow
	// network may take. More would only be delay.
	sendBuffer = 16 * 1024

	acceptPause = 50 * time.Millisecond // after a failed accept, e.g. no descriptors
)

// Options of a Listener.
type Options struct {
	Handshake time.Duration // 0 means DefaultHandshake
	Strangers int           // connections that have not said their UUID yet, 0 means DefaultStrangers
}

// Refused counts connections a Listener closed, by reason.
type Refused struct {
	Unknown   atomic.Uint64 // no call of that UUID is awaited
	Malformed atomic.Uint64 // no UUID frame, or not in time
	Crowded   atomic.Uint64 // too many strangers: it has made room
}

// Listener accepts connections from Asterisk and hands each to whoever
// expects its UUID. A UUID admits one connection, once.
type Listener struct {
	o       Options
	ln      net.Listener
	cancel  context.CancelFunc
	done    <-chan struct{}
	wg      sync.WaitGroup
	door    *door.Door // of strangers
	refused Refused

	mu      sync.Mutex
	tickets map[UUID]*Ticket // guarded by mu
}

// Listen serves addr until ctx ends or Close.
func Listen(ctx context.Context, addr string, o Options) (*Listener, error) {
	lc := net.ListenConfig{Control: bounded}
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("audiosocket: %w", err)
	}
	if o.Handshake == 0 {
		o.Handshake = DefaultHandshake
	}
	if o.Strangers == 0 {
		o.Strangers = DefaultStrangers
	}
	ctx, cancel := context.WithCancel(ctx)
	l := &Listener{
		o: o, ln: ln, cancel: cancel, done: ctx.Done(),
		door: door.New(door.Limits{All: o.Strangers, PerSource: o.Strangers, Guests: o.Strangers}), tickets: map[UUID]*Ticket{},
	}
	context.AfterFunc(ctx, func() { ln.Close() })
	l.wg.Add(1)
	go l.accept(ctx)
	return l, nil
}

// bounded sets the send buffer, which accepted sockets inherit.
func bounded(_, _ string, c syscall.RawConn) error {
	var setErr error
	err := c.Control(func(fd uintptr) {
		setErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	})
	return errors.Join(err, setErr)
}

// Addr is where the listener listens.
func (l *Listener) Addr() net.Addr { return l.ln.Addr() }

// Refused returns the live counters.
func (l *Listener) Refused() *Refused { return &l.refused }

// Close ends the listener and returns when its goroutines have; connections
// that were handed out live on. Idempotent.
func (l *Listener) Close() error {
	l.cancel()
	l.wg.Wait()
	return nil
}

func (l *Listener) accept(ctx context.Context) {
	defer l.wg.Done()
	for {
		c, err := l.ln.Accept()
		if err != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(acceptPause):
				continue
			}
		}
		from, _ := netip.ParseAddrPort(c.RemoteAddr().String()) // of TCP
		v := l.door.Admit(from.Addr(), func() {
			l.refused.Crowded.Add(1)
			c.Close()
		})
		if v == nil { // all are about to be handed over
			l.refused.Crowded.Add(1)
			c.Close()
			continue
		}
		l.wg.Add(1)
		go l.greet(ctx, c, v)
	}
}

// greet reads a stranger's UUID and hands the connection over.
func (l *Listener) greet(ctx context.Context, c net.Conn, v *door.Visitor) {
	defer l.wg.Done()
	defer v.Leave()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	id, err := l.identify(c)
	open := stop()
	if !v.Welcome() {
		return // it has made room
	}
	if err != nil || !open {
		l.refused.Malformed.Add(1)
		c.Close()
		return
	}
	t := l.take(id)
	if t == nil {
		l.refused.Unknown.Add(1)
		c.Close()
		return
	}
	sock, err := rawtcp.Detach(c.(*net.TCPConn))
	if err != nil {
		return // the ticket's owner runs into its deadline
	}
	t.deliver(sock)
}

func (l *Listener) identify(c net.Conn) (id UUID, err error) {
	if err := c.SetReadDeadline(time.Now().Add(l.o.Handshake)); err != nil {
		return UUID{}, err
	}
	k, b, err := ReadFrame(c, id[:])
	if err == nil && (k != KindUUID || len(b) != len(id)) {
		err = fmt.Errorf("%w: begins with %v of %d bytes", ErrFrame, k, len(b))
	}
	return id, err
}

// take removes the ticket of id, nil if there is none.
func (l *Listener) take(id UUID) *Ticket {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tickets[id]
	delete(l.tickets, id)
	return t
}

// forget voids t if nobody has come for it.
func (l *Listener) forget(t *Ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tickets[t.id] == t {
		delete(l.tickets, t.id)
	}
}

// Expect admits one connection with this id, carrying audio of kind k (slin8
// or slin16). The ticket must be given to Wait or Cancel.
func (l *Listener) Expect(id UUID, k Kind) (*Ticket, error) {
	if frameBytes(k) == 0 {
		return nil, fmt.Errorf("%w: audio of %v", errors.ErrUnsupported, k)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tickets[id] != nil {
		return nil, ErrDuplicate
	}
	t := &Ticket{l: l, id: id, kind: k, conn: make(chan *Conn, 1)}
	l.tickets[id] = t
	return t, nil
}

// Ticket is the right of one announced connection to come in.
type Ticket struct {
	l    *Listener
	id   UUID
	kind Kind
	conn chan *Conn // capacity 1, written once
	void atomic.Bool
}

// ID is the UUID that is awaited.
func (t *Ticket) ID() UUID { return t.id }

// deliver is called at most once: the ticket has left the table.
func (t *Ticket) deliver(s *rawtcp.Socket) {
	c, err := newConn(s, t.kind)
	if err != nil {
		s.Close()
		return
	}
	t.conn <- c
	if t.void.Load() {
		t.discard()
	}
}

// discard closes the connection if it waits to be taken.
func (t *Ticket) discard() {
	select {
	case c := <-t.conn:
		c.Fail()
	default:
	}
}

// Wait returns the connection when it is there. After an error the ticket is
// void.
func (t *Ticket) Wait(ctx context.Context) (*Conn, error) {
	select {
	case c := <-t.conn:
		return c, nil
	case <-t.l.done:
		t.Cancel()
		return nil, ErrClosed
	case <-ctx.Done():
		t.Cancel()
		return nil, ctx.Err()
	}
}

// Cancel voids the ticket and closes its connection if that has come and
// nobody has taken it. Idempotent.
func (t *Ticket) Cancel() {
	t.void.Store(true) // a connection on its way here will be discarded
	t.l.forget(t)
	t.discard()
}
