package esl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/percipia/eslgo/command"
)

// Defaults of ConnOptions.
const (
	DefaultTimeout   = 5 * time.Second
	DefaultKeepAlive = 15 * time.Second
	DefaultQueue     = 1024
)

// maxPending is how many commands may wait for a reply at once.
const maxPending = 256

// ConnOptions bound what a peer can cost. The zero value is the defaults.
type ConnOptions struct {
	// Timeout is the longest wait for a reply when the caller's context has no
	// deadline, and the longest a write may take. 0 means DefaultTimeout.
	Timeout time.Duration
	// KeepAlive is how long the peer may send nothing before it is asked for a
	// sign of life; after as long again the connection ends with ErrSilent.
	// It must be longer than any api command takes. 0 means DefaultKeepAlive.
	KeepAlive time.Duration
	// Queue is how many events are kept for a reader that lags behind. One
	// more ends the connection with ErrSlowConsumer. 0 means DefaultQueue.
	Queue int
}

func (o ConnOptions) withDefaults() ConnOptions {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.KeepAlive <= 0 {
		o.KeepAlive = DefaultKeepAlive
	}
	if o.Queue <= 0 {
		o.Queue = DefaultQueue
	}
	return o
}

// Conn is one event socket, whichever side connected. One goroutine reads it;
// events come out of Events in the order they came in, and replies go to the
// commands in the order these were written. Its methods may be called from any
// goroutine. Whoever subscribes to events must read Events until it is closed.
type Conn struct {
	nc     net.Conn
	opts   ConnOptions
	events chan *Event
	lost   chan Loss     // capacity 1
	unsaid uint64        // the reader's: lost events, of which the sum has not been told
	hello  chan struct{} // closed when the switch asks for a password
	ending chan struct{} // closed by the first fail
	group  sync.WaitGroup
	heard  atomic.Bool // something came since the keep-alive last looked

	turn chan struct{} // held over "queue a slot, write its command": keeps both in one order

	mu      sync.Mutex
	err     error                  // guarded by mu, as all below: why the connection ended
	pending []chan *Message        // one slot per command in flight, oldest first
	awaited map[string]chan *Event // by Job-UUID or Application-UUID
	call    string                 // Unique-ID of the call this socket controls, or ""
	hungUp  bool                   // that call is over: nothing awaited will come
}

func newConn(nc net.Conn, o ConnOptions) *Conn {
	o = o.withDefaults()
	c := &Conn{
		nc: nc, opts: o,
		events:  make(chan *Event, o.Queue),
		lost:    make(chan Loss, 1),
		hello:   make(chan struct{}),
		ending:  make(chan struct{}),
		turn:    make(chan struct{}, 1),
		awaited: make(map[string]chan *Event),
	}
	c.group.Go(c.read)
	c.group.Go(c.keepAlive)
	return c
}

// Events returns the events in order. It is closed when the connection has
// ended, after the last event that arrived whole.
func (c *Conn) Events() <-chan *Event { return c.events }

// Done is closed as soon as the connection has ended; Err then says why.
func (c *Conn) Done() <-chan struct{} { return c.ending }

// Err is nil while the connection lives, then the reason of its end.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Close ends the connection and returns after its goroutines have. Calling it
// again is fine.
func (c *Conn) Close() error {
	c.fail(ErrClosed)
	c.group.Wait()
	return nil
}

// fail ends the connection; the first reason stands.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
	}
	c.mu.Unlock()
	if first {
		close(c.ending)
		_ = c.nc.Close() // what it reports changes nothing any more
	}
}

// Do sends a command, one of eslgo's builders, and returns the reply to it. A
// caller that gives up leaves its place in the queue, so a late reply is
// dropped and answers nobody else. A reply that begins "-ERR" is a ReplyError.
func (c *Conn) Do(ctx context.Context, cmd command.Command) (*Message, error) {
	text, err := encode(cmd)
	if err != nil {
		return nil, err
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.opts.Timeout,
			fmt.Errorf("%w: no reply to %s within %v", ErrSilent, verb(cmd), c.opts.Timeout))
		defer cancel()
	}
	slot, err := c.send(ctx, text)
	if err != nil {
		return nil, err
	}
	m, err := taken(ctx, c, slot)
	if err != nil {
		return nil, err
	}
	if text := m.Value("Reply-Text"); strings.HasPrefix(text, "-ERR") {
		return nil, &ReplyError{Command: verb(cmd), Text: strings.TrimSpace(text)}
	}
	return m, nil
}

// send queues a slot and writes the command, both in one turn.
func (c *Conn) send(ctx context.Context, text []byte) (chan *Message, error) {
	select {
	case c.turn <- struct{}{}:
	case <-c.ending:
		return nil, c.Err()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-c.turn }()
	slot := make(chan *Message, 1)
	if err := c.enqueue(slot); err != nil {
		return nil, err
	}
	err := c.nc.SetWriteDeadline(time.Now().Add(c.opts.Timeout))
	if err == nil {
		_, err = c.nc.Write(text)
	}
	if err != nil {
		c.fail(fmt.Errorf("esl: write: %w", err))
		return nil, c.Err()
	}
	return slot, nil
}

func (c *Conn) enqueue(slot chan *Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.err
	case len(c.pending) == maxPending:
		return fmt.Errorf("%w: %d", ErrBusy, maxPending)
	}
	c.pending = append(c.pending, slot)
	return nil
}

// taken is what comes by a channel, also what came just before the wait or the
// connection ended. Whoever waits may be cancelled because the connection has
// ended: then that is the reason.
func taken[T any](ctx context.Context, c *Conn, from <-chan T) (what T, err error) {
	select {
	case what = <-from:
		return what, nil
	case <-ctx.Done():
	case <-c.ending:
	}
	select {
	case what = <-from:
		return what, nil
	default:
	}
	if err := c.Err(); err != nil {
		return what, err
	}
	return what, context.Cause(ctx)
}

// read is the one reader of the connection.
func (c *Conn) read() {
	defer close(c.events)
	r := NewReader(c.nc)
	for {
		m, err := r.Message()
		if err == nil {
			c.heard.Store(true)
			err = c.take(m)
		}
		if err != nil {
			c.fail(readError(err))
			return
		}
	}
}

func readError(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrDisconnected, err)
	}
	return err
}

// take hands one message on; an error ends the connection. Kinds it does not
// know were not asked for and are passed over.
func (c *Conn) take(m *Message) error {
	switch m.Type() {
	case typeReply, typeAPI:
		return c.reply(m)
	case typePlain, typeJSON:
		return c.event(m)
	case typeAuth:
		select {
		case <-c.hello:
			return fmt.Errorf("%w: second %s", ErrMalformed, typeAuth)
		default:
			close(c.hello)
		}
	case typeLog:
		c.logged(m)
	case typeRejection:
		return fmt.Errorf("%w: %.80q", ErrRejected, strings.TrimSpace(string(m.Body)))
	case typeDisconnect:
		if m.Value("Content-Disposition") == "linger" {
			return nil // the call is over; its last events still come
		}
		return ErrDisconnected
	}
	return nil
}

func (c *Conn) reply(m *Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) == 0 {
		return fmt.Errorf("%w: a reply to no command", ErrMalformed)
	}
	c.pending[0] <- m // capacity 1, filled once
	c.pending = c.pending[1:]
	return nil
}

// event queues one event, unless it is the result of a job somebody waits for.
func (c *Conn) event(m *Message) error {
	e, err := ParseEvent(m)
	if err != nil {
		return err
	}
	if c.resolve(e) {
		return nil
	}
	select {
	case c.events <- e:
		return nil
	default:
		return fmt.Errorf("%w: %d in the queue", ErrSlowConsumer, cap(c.events))
	}
}

// keepAlive probes a peer that has sent nothing for a while, and gives it up
// when it still owes a reply after as long again.
func (c *Conn) keepAlive() {
	t := time.NewTicker(c.opts.KeepAlive)
	defer t.Stop()
	for {
		select {
		case <-c.ending:
			return
		case <-t.C:
		}
		if c.heard.Swap(false) {
			continue
		}
		if c.owed() {
			c.fail(fmt.Errorf("%w: nothing for %v", ErrSilent, c.opts.KeepAlive))
			return
		}
		text, err := encode(probe)
		if err == nil {
			_, err = c.send(context.Background(), text)
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

func (c *Conn) owed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending) > 0
}
