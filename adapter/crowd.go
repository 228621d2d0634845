package adapter

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"parley/internal/brake"
	"parley/internal/door"
)

// httpLimits are of the HTTP server. More connections would cost descriptors that
// calls need. Websockets do not count: who opens one has shown a password, and
// they have a limit of their own.
func httpLimits() door.Limits { return door.Limits{All: 256, PerSource: 192, Guests: 96} }

// crowd is the listener of an HTTP server. Of connections beyond its limits the
// oldest that has shown no password, and asks for nothing at the moment, is closed;
// where nobody can make room the new one is.
type crowd struct {
	net.Listener
	door *door.Door
	log  *slog.Logger
}

// seated is a connection that is counted. It is a TCPConn for those who know what
// to do with one: its buffers, sendfile.
type seated struct {
	*net.TCPConn
	visitor *door.Visitor
}

// Close implements net.Conn.
func (s *seated) Close() error {
	s.visitor.Leave()
	return s.TCPConn.Close()
}

// limited has a server take its connections through a door. l is of TCP.
func limited(server *http.Server, l net.Listener, limits door.Limits, log *slog.Logger) net.Listener {
	inner, also := server.Handler, server.ConnContext
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := door.Of(r.Context())
		v.Ask()
		defer v.Rest()
		inner.ServeHTTP(w, r)
	})
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if also != nil {
			ctx = also(ctx, c)
		}
		if s, ok := c.(*seated); ok {
			ctx = door.Into(ctx, s.visitor)
		}
		return ctx
	}
	server.ConnState = func(c net.Conn, is http.ConnState) {
		if s, ok := c.(*seated); ok && is == http.StateHijacked {
			s.visitor.Leave()
		}
	}
	return &crowd{l, door.New(limits), log}
}

// Accept implements net.Listener.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			return conn, nil
		}
		from := conn.RemoteAddr().String()
		v := c.door.Admit(brake.Peer(from), func() {
			c.log.Warn("http: too many connections; one that has shown no password makes room", "from", from)
			_ = tcp.Close() // it may come again
		})
		if v != nil {
			return &seated{tcp, v}, nil
		}
		c.log.Warn("http: too many connections; one is refused", "from", from)
		_ = tcp.Close() // it may come again
	}
}
