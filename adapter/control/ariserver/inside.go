package ariserver

import (
	"context"
	"net/http"

	"parley/engine"
)

// inside is an order to a member: a call that is on its way is waited for, as long as
// a command may take, unless it has to answer to a prompt first. One whose audio is there
// without a call, and in no room, gets one of its own.
func (s *Server) inside(do func(context.Context, *request) answer) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		id := q.get("channelId")
		s.lodge(ctx, id)
		s.await(ctx, id)
		return do(ctx, q)
	}
}

// lodge brings audio that no room has called yet into a room of its own.
func (s *Server) lodge(ctx context.Context, id string) {
	s.mu.Lock()
	c := s.calls[id]
	aside := c != nil && c.external && c.created != nil
	s.mu.Unlock()
	if aside {
		_ = s.intend(ctx, id, engine.RoomName("own-"+newID())) // who has not come in says so by his state
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
