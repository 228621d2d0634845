package adapter

import (
	"net"
	"sync"
)

// maxHTTP is how many connections the HTTP server has at once. More would cost
// descriptors that calls need.
const maxHTTP = 256

// crowd is a listener that closes connections beyond a limit as they come.
type crowd struct {
	net.Listener
	seats chan struct{} // one per connection
}

func limited(l net.Listener, most int) *crowd { return &crowd{l, make(chan struct{}, most)} }

// Accept implements net.Listener.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case c.seats <- struct{}{}:
			return &seated{Conn: conn, leave: sync.OnceFunc(func() { <-c.seats })}, nil
		default:
			_ = conn.Close() // it may come again
		}
	}
}

// seated is a connection that gives its seat back.
type seated struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (s *seated) Close() error {
	defer s.leave()
	return s.Conn.Close()
}
