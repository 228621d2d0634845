package ariserver

import (
	"context"
	"net/http"
	"slices"

	"parley/engine"
)

// inside is an order to a member: a call that is on its way is waited for, as long as
// a command may take, unless it has to answer to a prompt first. One whose audio is there
// without a call, and in no room, gets one of its own; orders to it come one after the
// other.
func (s *Server) inside(do func(context.Context, *request) answer) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		id := q.get("channelId")
		defer s.turns(ctx, id)()
		s.lodge(ctx, id)
		s.await(ctx, id)
		return do(ctx, q)
	}
}

// turns waits until no other order to these channels is carried out, of those that were
// created: an order may make a call of one, or end it, and its audio may be there without a
// call. It is this order's turn until what comes back is called.
func (s *Server) turns(ctx context.Context, ids ...string) (over func()) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	var mine []chan struct{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) { // in one order, or two would wait for each other
		turn := s.turnAt(id)
		select {
		case turn <- struct{}{}:
			mine = append(mine, turn)
		case <-ctx.Done(): // its state says how it is
		}
	}
	return func() {
		for _, turn := range mine {
			<-turn
		}
	}
}

// turnAt is what is full while an order to a channel is carried out. Of one that needs
// no turns there is always room in it.
func (s *Server) turnAt(id string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[id]
	if c == nil || c.unused == nil {
		return make(chan struct{}, 1)
	}
	if c.turn == nil {
		c.turn = make(chan struct{}, 1)
	}
	return c.turn
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
