package sip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// Limits of TCP connections.
const (
	streamBacklog  = 64               // messages waiting for a peer that reads slowly; then it is dropped
	streamWrite    = 5 * time.Second  // for one message to leave
	streamMessage  = 15 * time.Second // for one message to arrive whole
	streamIdle     = 2 * time.Minute  // without traffic, for a connection without calls
	streamPerPeer  = 64               // connections of one address
	streamDialTime = 5 * time.Second
)

// stream is one TCP connection: a goroutine reads it, another one writes it, so
// that a peer that stops reading stops nobody else.
type stream struct {
	conn       net.Conn
	near, peer netip.AddrPort
	out        chan []byte
	gone       chan struct{} // closed when the connection is given up
	once       sync.Once
	calls      atomic.Int32 // calls that came by it: it may idle while there are any
}

func (s *stream) network() string       { return "TCP" }
func (s *stream) local() netip.AddrPort { return s.near }

func (s *stream) alive() bool {
	select {
	case <-s.gone:
		return false
	default:
		return true
	}
}

func (s *stream) send(b []byte, _ netip.AddrPort) error {
	if !s.alive() {
		return net.ErrClosed
	}
	select {
	case s.out <- b:
		return nil
	default:
		s.abort()
		return fmt.Errorf("%w: %s does not read", ErrPeer, s.peer)
	}
}

// finish gives the connection up once what is queued has left.
func (s *stream) finish() { s.once.Do(func() { close(s.gone) }) }

// abort gives it up at once.
func (s *stream) abort() {
	s.finish()
	_ = s.conn.Close() // the peer gets no last words
}

// write is the writing goroutine.
func (s *stream) write() {
	defer s.abort()
	for {
		select {
		case b := <-s.out:
			if !s.flush(b, streamWrite) {
				return
			}
		case <-s.gone:
			for {
				select {
				case b := <-s.out:
					if !s.flush(b, streamWrite/10) {
						return
					}
				default:
					return
				}
			}
		}
	}
}

func (s *stream) flush(b []byte, d time.Duration) bool {
	if s.conn.SetWriteDeadline(time.Now().Add(d)) != nil {
		return false
	}
	_, err := s.conn.Write(b)
	return err == nil
}

// streams are the open connections, by the peer's address.
type streams struct {
	mu      sync.Mutex
	by      map[netip.AddrPort]*stream // guarded by mu
	perPeer map[netip.Addr]int         // guarded by mu
}

func (t *streams) find(peer netip.AddrPort) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.by[peer]
}

func (t *streams) add(s *stream, most int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := s.peer.Addr()
	if len(t.by) >= most || t.perPeer[a] >= streamPerPeer || t.by[s.peer] != nil {
		return false
	}
	t.by[s.peer] = s
	t.perPeer[a]++
	return true
}

func (t *streams) drop(s *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, s.peer)
	if a := s.peer.Addr(); t.perPeer[a] > 1 {
		t.perPeer[a]--
	} else {
		delete(t.perPeer, a)
	}
}

func (t *streams) all() []*stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]*stream, 0, len(t.by))
	for _, s := range t.by {
		out = append(out, s)
	}
	return out
}

// accept serves one TCP listener until it is closed.
func (e *Endpoint) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, or the peer was quick to leave
			e.log.Warn("sip: accept", "error", err)
			if !e.pause(50 * time.Millisecond) {
				return
			}
			continue
		}
		if e.serveStream(conn) == nil {
			e.stats.StreamsRefused.Add(1)
		}
	}
}

// serveStream starts the goroutines of a connection. It returns nil, and has
// closed the connection, when there are too many.
func (e *Endpoint) serveStream(conn net.Conn) *stream {
	s := &stream{
		conn: conn, near: addrPort(conn.LocalAddr()), peer: addrPort(conn.RemoteAddr()),
		out: make(chan []byte, streamBacklog), gone: make(chan struct{}),
	}
	if !e.streams.add(s, e.opt.MaxStreams) {
		_ = conn.Close() // refused: there is nothing to say
		return nil
	}
	e.stats.Streams.Add(1)
	gone := func() {
		s.abort()
		e.streams.drop(s)
		e.stats.Streams.Add(-1)
	}
	if !e.sockets.spawn(s.write) || !e.sockets.spawn(func() { defer gone(); e.readStream(s) }) {
		gone()
		return nil
	}
	return s
}

// readStream reads messages until the connection ends, goes idle or sends
// what is no SIP: without a boundary there is no next message.
func (e *Endpoint) readStream(s *stream) {
	defer e.guard("stream")
	in := e.parser.NewSIPStream()
	defer in.Close()
	from := &hop{link: s, to: s.peer, stats: &e.stats}
	buf := make([]byte, 8<<10)
	partial := false
	for {
		if !partial {
			if s.conn.SetReadDeadline(time.Now().Add(streamIdle)) != nil {
				return
			}
		}
		n, err := s.conn.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) && !partial && s.calls.Load() > 0 {
			continue
		}
		if err != nil {
			return
		}
		was := partial
		if partial, err = e.streamed(in, buf[:n], from, partial); err != nil {
			return
		}
		if partial && !was && s.conn.SetReadDeadline(time.Now().Add(streamMessage)) != nil {
			return
		}
	}
}

// streamed takes bytes and goes on with every message they complete. It says
// whether one is left in part.
func (e *Endpoint) streamed(in *sipgo.ParserStream, data []byte, from *hop, partial bool) (bool, error) {
	if _, err := in.Write(data); err != nil {
		return false, err
	}
	if !partial && string(data) == "\r\n\r\n" { // RFC 5626 §3.5.1: a ping wants its pong
		_ = from.send([]byte("\r\n"), from.to)
	}
	for {
		if !partial && idle(in) {
			return false, nil
		}
		msg, _, err := in.ParseNext()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			partial = msg != nil || in.Buffer().Len() > 0
			if !partial { // nothing but line ends
				in.Reset()
			}
			return partial, nil
		}
		partial = false
		if err == nil && !e.limit.message(from.peer(), time.Now()) && !e.trusted(from.peer()) {
			e.stats.Flooded.Add(1)
			continue
		}
		if e.parsed(msg, err, from); err != nil {
			return false, err
		}
	}
}

// idle drops the line ends between messages, which are keep-alives, and says
// whether there is nothing else.
func idle(in *sipgo.ParserStream) bool {
	for bytes.HasPrefix(in.Buffer().Bytes(), []byte("\r\n")) {
		in.Buffer().Next(2)
	}
	return in.Buffer().Len() == 0
}

// dial returns a connection to a peer, the one there is or a new one.
func (e *Endpoint) dial(ctx context.Context, to netip.AddrPort) (*stream, error) {
	if s := e.streams.find(to); s != nil && s.alive() {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(ctx, streamDialTime)
	defer cancel()
	conn, err := e.opt.Dial(ctx, "tcp", to.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	if s := e.serveStream(conn); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w: too many connections", ErrPeer)
}
