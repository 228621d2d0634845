package control

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"parley/engine"
)

// withForeign adds the conferences that are not ours: to the room of their name
// if it runs, else as rooms. What a switch had at the last look may have become
// ours since: then its calls are.
func (s *server) withForeign(rooms []engine.RoomView) []engine.RoomView {
	if s.Conferences == nil {
		return rooms
	}
	ours := map[engine.LegID]bool{}
	for _, r := range rooms {
		for _, m := range r.Members {
			ours[m.CallID] = true
		}
	}
	for _, f := range s.Conferences.List() {
		i := slices.IndexFunc(rooms, func(r engine.RoomView) bool { return string(r.Name) == f.Name && r.State != foreignState })
		switch {
		case slices.ContainsFunc(f.Members, func(m engine.MemberView) bool { return ours[m.CallID] }):
		case i < 0:
			rooms = append(rooms, f.view())
		case len(f.Members) > 0:
			rooms[i].Beside = append(rooms[i].Beside, engine.Beside{Switch: f.Switch, Kind: f.Kind, Members: f.Members})
		}
	}
	return rooms
}

// takeOver brings a room to our mixer; a conference that is not ours becomes
// one first, or comes to the room of its name.
func (s *server) takeOver(w http.ResponseWriter, r *http.Request) {
	s.move(w, r, func(ctx context.Context, room engine.RoomName) ([]engine.Move, error) {
		moves, err := s.Exchange.Relocate(ctx, room, engine.Place{})
		if s.Conferences == nil {
			return moves, err
		}
		switch {
		case err == nil || errors.Is(err, engine.ErrUnrecorded):
			more, failed := s.fetch(ctx, room)
			return both(moves, more), cmp.Or(failed, err)
		case !errors.Is(err, engine.ErrNoRoom):
			return nil, err
		}
		if err = s.Exchange.MayTakeOn(room); err != nil {
			return nil, err
		}
		if moves, err = s.Conferences.Adopt(ctx, room); err != nil {
			return nil, err
		}
		more, err := s.Exchange.Relocate(ctx, room, engine.Place{})
		return both(moves, more), err
	})
}

// fetch brings those to a room that runs who stand in a conference of its name.
// A switch that cannot be asked has nobody whom this one could miss.
func (s *server) fetch(ctx context.Context, room engine.RoomName) ([]engine.Move, error) {
	if err := s.Exchange.MayTakeOn(room); err != nil {
		if v, _ := s.Exchange.Room(ctx, room); len(s.withForeign([]engine.RoomView{v})[0].Beside) == 0 {
			err = nil
		}
		return nil, err
	}
	moves, err := s.Conferences.Adopt(ctx, room)
	if errors.Is(err, engine.ErrNoRoom) || errors.Is(err, engine.ErrAway) {
		return nil, nil
	}
	return moves, err
}

func (s *server) audit(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), CommandTimeout)
	defer cancel()
	found := []Difference{}
	if s.Auditor != nil {
		list, err := s.Auditor.Audit(ctx)
		if err != nil {
			s.refuse(w, err)
			return
		}
		found = append(found, list...)
	}
	rooms, err := s.Exchange.Rooms(ctx)
	if err != nil {
		s.refuse(w, err)
		return
	}
	for _, v := range s.withForeign(rooms) {
		for _, b := range v.Beside {
			for _, m := range b.Members {
				found = append(found, Difference{Switch: b.Switch, Room: string(v.Name), Call: string(m.CallID), Text: besideText})
			}
		}
	}
	reply(w, http.StatusOK, map[string]any{"differences": found})
}

// besideText is the difference that a call in a room's namesake is.
const besideText = "in a conference of that name, not on the roster"
