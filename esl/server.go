package esl

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Defaults of ServerOptions.
const (
	DefaultMaxConns     = 8192
	DefaultFirstReply   = 5 * time.Second
	DefaultMaxPerSource = DefaultMaxConns
)

// ServerOptions bound the outbound side. The zero value is the defaults.
type ServerOptions struct {
	Conn         ConnOptions   // every connection's
	MaxConns     int           // connections at once; 0 means DefaultMaxConns
	MaxPerSource int           // of these from one address; 0 means DefaultMaxPerSource
	FirstReply   time.Duration // longest wait for the reply to connect; 0 means DefaultFirstReply
	// Allowed, if set, says who may connect. It may take its time.
	Allowed func(context.Context, net.Conn) bool
	// Refused, if set, is told of every connection that became no Session:
	// ErrLimit, ErrNotAllowed, ErrSocketMode, ErrSilent, ErrMalformed … It is called on that
	// connection's goroutine and must not block.
	Refused func(from net.Addr, err error)
}

// Server takes the calls that dialplans hand over with the socket application.
type Server struct {
	opts ServerOptions

	mu      sync.Mutex
	conns   int                // guarded by mu, as below
	sources map[netip.Addr]int // connections per address
}

// NewServer returns a Server that is used by one call of Serve.
func NewServer(o ServerOptions) *Server {
	if o.MaxConns <= 0 {
		o.MaxConns = DefaultMaxConns
	}
	if o.MaxPerSource <= 0 {
		o.MaxPerSource = DefaultMaxPerSource
	}
	if o.FirstReply <= 0 {
		o.FirstReply = DefaultFirstReply
	}
	return &Server{opts: o, sources: make(map[netip.Addr]int)}
}

// Serve calls handle, on a goroutine of its own, for every call that comes in
// on l. The session is closed when handle returns, and the dialplan goes on.
// When ctx ends, Serve closes l, waits for the running calls of handle, whose
// ctx has ended too, and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener, handle func(context.Context, *Session)) error {
	return Accept(ctx, l, func(nc net.Conn) { s.serve(ctx, nc, handle) })
}

// Accept runs serve for every connection that comes in on l, each in a goroutine
// of its own. When ctx ends it closes l, waits for them and returns nil.
func Accept(ctx context.Context, l net.Listener, serve func(net.Conn)) error {
	var group sync.WaitGroup
	defer group.Wait()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for wait := time.Duration(0); ; {
		nc, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = nc.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // out of file descriptors, most likely
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
			}
		default:
			wait = 0
			group.Go(func() { serve(nc) })
		}
	}
}

func (s *Server) serve(ctx context.Context, nc net.Conn, handle func(context.Context, *Session)) {
	defer func() { _ = nc.Close() }()
	from := AddressOf(nc.RemoteAddr())
	if !s.admit(from) {
		s.refused(nc, ErrLimit)
		return
	}
	defer s.leave(from)
	if s.opts.Allowed != nil && !s.opts.Allowed(ctx, nc) {
		s.refused(nc, ErrNotAllowed)
		return
	}
	first, cancel := context.WithTimeoutCause(ctx, s.opts.FirstReply, ErrSilent)
	session, err := handshake(first, nc, s.opts.Conn)
	cancel()
	if err != nil {
		s.refused(nc, err)
		return
	}
	defer func() { _ = session.Close() }()
	handle(ctx, session)
}

func (s *Server) refused(nc net.Conn, err error) {
	if s.opts.Refused != nil {
		s.opts.Refused(nc.RemoteAddr(), err)
	}
}

func (s *Server) admit(from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns >= s.opts.MaxConns || s.sources[from] >= s.opts.MaxPerSource {
		return false
	}
	s.conns++
	s.sources[from]++
	return true
}

func (s *Server) leave(from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns--
	if s.sources[from]--; s.sources[from] == 0 {
		delete(s.sources, from)
	}
}

// AddressOf is the IP address of one end of a connection; the zero one for what has
// none, a pipe.
func AddressOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
