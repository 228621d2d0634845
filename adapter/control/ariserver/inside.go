package ariserver

import (
	"context"
	"net/http"

	"parley/engine"
)

// inside is an order to a member: a call that is on its way is waited for, as long as
// a command may take, unless it has to answer to a prompt first.
func (s *Server) inside(do func(context.Context, *request) answer) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		s.await(ctx, q.get("channelId"))
		return do(ctx, q)
	}
}

// await waits for a call that has been answered to be a member.
func (s *Server) await(ctx context.Context, id string) {
	s.mu.Lock()
	c := s.calls[id]
	coming := c != nil && c.member == 0 && c.State == "Up" && c.created == nil
	s.mu.Unlock()
	if coming {
		ctx, cancel := context.WithTimeout(ctx, commandTime)
		defer cancel()
		_ = s.exchange.Await(ctx, engine.LegID(id)) // who has not come in says so by his state
	}
}

// present is known for a call that is a member.
func (s *Server) present(q *request) (c call, bad *answer) {
	c, bad = s.known(q)
	if bad == nil && c.member == 0 {
		a := no(http.StatusPreconditionFailed, "Channel in invalid state")
		return c, &a
	}
	return c, bad
}
