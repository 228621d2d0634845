package ariserver

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"parley/internal/brake"
	"parley/internal/door"
)

// connection is what one connection of a client has proved. Who has given a right
// password there is no guesser when he gives it again, and need not wait for
// those who are, at his address. A wrong one, as from somebody else behind the
// same proxy, takes that back: nobody learns by it whether a guess is right.
type connection struct{ proved atomic.Pointer[string] }

type connectionKey struct{}

// ConnContext is for http.Server: with it a connection that has given the right
// password does not wait for guessers. Without, all have to.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{})
}

func connectionOf(r *http.Request) *connection {
	if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
		return c
	}
	return &connection{} // which is forgotten
}

// knows takes what a request gives, which was compared, and says whether it is
// right and the last that was proved here.
func (c *connection) knows(given string, right bool) bool {
	if !right {
		c.proved.Store(nil)
	}
	p := c.proved.Load()
	return right && p != nil && *p == given
}

// judge says whether what was given counts, after its turn if need be; or else
// when it may be brought again.
func (s *Server) judge(r *http.Request, account, given string, right bool) time.Duration {
	c := connectionOf(r)
	if c.knows(given, right) {
		return 0
	}
	ctx, cancel := context.WithTimeout(r.Context(), judgeTime)
	defer cancel()
	wait := s.brake.Await(ctx, brake.Peer(r.RemoteAddr), account, given, right)
	if wait == 0 && right {
		c.proved.Store(&given)
		door.Of(r.Context()).Welcome() // or it has just made room, and is closed
	}
	return wait
}
