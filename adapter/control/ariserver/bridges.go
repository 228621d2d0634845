package ariserver

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"parley/engine"
)

// find is a bridge by its id, or by the name of its room.
func (s *Server) find(id string) *room {
	if r := s.rooms[id]; r != nil {
		return r
	}
	return s.bridgeOf(engine.RoomName(id))
}

func (s *Server) listBridges(context.Context, *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]bridge, 0, len(s.rooms))
	for _, r := range s.rooms {
		list = append(list, r.bridge)
	}
	slices.SortFunc(list, func(a, b bridge) int { return cmp.Compare(a.ID, b.ID) })
	return ok(list)
}

func (s *Server) getBridge(_ context.Context, q *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.find(q.get("bridgeId")); r != nil {
		return ok(r.bridge)
	}
	return no(http.StatusNotFound, "Bridge not found")
}

// createBridge makes a bridge of the room of its name, or of its id where it has
// none. The room itself begins with its first call.
func (s *Server) createBridge(_ context.Context, q *request) answer {
	id := cmp.Or(q.get("bridgeId"), newID())
	name := cmp.Or(q.get("name"), id)
	room, err := engine.ParseRoomName(name)
	bad := ofType(q)
	switch {
	case bad != nil:
		return *bad
	case err != nil:
		return no(http.StatusBadRequest, "A bridge's name is that of a room: "+engine.Detail(err))
	case !goodID(id):
		return no(http.StatusBadRequest, "Bridge ID is too long, or no text")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	made := 0
	for _, r := range s.rooms {
		if r.kept {
			made++
		}
	}
	switch {
	case s.draining:
		return stopped()
	case s.find(id) != nil:
		return no(http.StatusConflict, "Bridge with id '"+id+"' already exists")
	case s.bridgeOf(room) != nil:
		return no(http.StatusConflict, "Room '"+name+"' is bridge '"+s.bridgeOf(room).ID+"' already")
	case made >= maxMade:
		return no(http.StatusServiceUnavailable, "Too many bridges")
	}
	r := s.newRoom(id, room, time.Now())
	r.kept = true
	if a := r.set(q.variables); a.status != http.StatusNoContent {
		s.dropRoom(r, time.Now())
		return a
	}
	return ok(r.bridge)
}

// ofType judges the type of a bridge that is to be made. A room mixes; as in
// Asterisk, what else stands beside that is not looked at.
func ofType(q *request) *answer {
	list := q.list("type")
	var a answer
	switch mixing, holding := slices.Contains(list, "mixing"), slices.Contains(list, "holding"); {
	case mixing && !holding, len(list) == 0:
		return nil
	case holding && !mixing:
		a = missing("a room mixes; its waiting room is that of its profile")
	default:
		a = no(http.StatusInternalServerError, "Unable to create bridge. Possible duplicate bridge id '"+cmp.Or(q.get("bridgeId"), "(null)")+"'")
	}
	return &a
}

// destroyBridge ends the room, with all who are in it.
func (s *Server) destroyBridge(ctx context.Context, q *request) answer {
	s.mu.Lock()
	r := s.find(q.get("bridgeId"))
	if r == nil {
		s.mu.Unlock()
		return no(http.StatusNotFound, "Bridge not found")
	}
	r.kept, r.ends = false, true
	s.mu.Unlock()
	if err := s.ask(ctx, r.name, engine.End{}); err != nil && !errors.Is(err, engine.ErrNoRoom) {
		return failed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(r.Channels) == 0 && s.rooms[r.ID] == r {
		s.dropRoom(r, time.Now()) // its room did not run
	}
	return done()
}

// named finds the bridge of a request and the calls that it names; fits says
// what is wrong with one of them, if anything.
func (s *Server) named(q *request, fits func(*room, *call) *answer) (r room, calls []call, bad *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.find(q.get("bridgeId"))
	if found == nil {
		a := no(http.StatusNotFound, "Bridge not found")
		return room{}, nil, &a
	}
	for _, id := range q.list("channel") {
		c := s.calls[id]
		if c == nil {
			a := no(http.StatusBadRequest, "Channel not found")
			return room{}, nil, &a
		}
		if bad := fits(found, c); bad != nil {
			return room{}, nil, bad
		}
		calls = append(calls, *c)
	}
	return *found, calls, nil
}

// addChannel sends members of other rooms to this one, and lets be who is there.
func (s *Server) addChannel(ctx context.Context, q *request) answer {
	mute := truth(q.get("mute"))
	defer s.turns(ctx, q.list("channel")...)()
	for _, id := range q.list("channel") {
		s.await(ctx, id)
	}
	r, calls, bad := s.named(q, func(r *room, c *call) *answer {
		var a answer
		switch {
		case c.created != nil, c.room == r.name:
			return nil
		case c.member == 0:
			a = no(http.StatusUnprocessableEntity, "Channel is called into room "+string(c.room)+", and has not joined it yet")
		case mute:
			a = no(http.StatusUnprocessableEntity, "Channel is in room "+string(c.room)+": add it without mute, and mute it when it has entered the bridge")
		default:
			return nil
		}
		return &a
	})
	if bad != nil {
		return *bad
	}
	for i := range calls {
		if a := s.send(ctx, &calls[i], r.name, mute); a.status != http.StatusNoContent {
			return a
		}
	}
	return done()
}

// send sends one call to a room.
func (s *Server) send(ctx context.Context, c *call, to engine.RoomName, mute bool) answer {
	var order engine.Command
	switch {
	case c.created != nil:
		return s.intend(ctx, c.ID, to)
	case c.room != to:
		order = engine.Transfer{Member: c.member, To: to}
	case mute && c.member != 0:
		order = engine.Mute{Member: c.member, On: true}
	default:
		return done()
	}
	if err := s.ask(ctx, c.room, order); err != nil {
		return failed(err)
	}
	return done()
}

// removeChannel takes members out of their room: what follows is up to their
// dialplan.
func (s *Server) removeChannel(ctx context.Context, q *request) answer {
	r, calls, bad := s.named(q, func(r *room, c *call) *answer {
		if c.bridge == r {
			return nil
		}
		a := no(http.StatusUnprocessableEntity, "Channel not in this bridge")
		return &a
	})
	if bad != nil {
		return *bad
	}
	for i := range calls {
		if err := s.ask(ctx, r.name, engine.Kick{Member: calls[i].member}); err != nil && !errors.Is(err, engine.ErrNoMember) {
			return failed(err)
		}
	}
	return done()
}

// ask asks a room, and waits until it has come true.
func (s *Server) ask(ctx context.Context, name engine.RoomName, c engine.Command) error {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	return s.exchange.Do(ctx, name, c)
}

// failed is an error of the engine in Asterisk's words.
func failed(err error) answer {
	var refused *engine.RefusalError
	switch {
	case errors.As(err, &refused):
		return no(http.StatusConflict, "Refused: "+string(refused.Reason))
	case errors.Is(err, engine.ErrNoMember) || errors.Is(err, engine.ErrNoRoom) || errors.Is(err, engine.ErrNoCall) || errors.Is(err, engine.ErrClosed):
		return no(http.StatusNotFound, "Channel not found")
	case errors.Is(err, engine.ErrInUse):
		return no(http.StatusConflict, "Channel with given unique ID already exists")
	case errors.Is(err, engine.ErrNoRoute) || errors.Is(err, engine.ErrBadCommand) || errors.Is(err, engine.ErrBadRoomName):
		return no(http.StatusBadRequest, engine.Detail(err))
	case errors.Is(err, engine.ErrTooManyDials):
		return no(http.StatusServiceUnavailable, engine.Detail(err))
	case errors.Is(err, context.DeadlineExceeded):
		return no(http.StatusGatewayTimeout, "It has not come true in time")
	default:
		return no(http.StatusInternalServerError, engine.Detail(err))
	}
}
