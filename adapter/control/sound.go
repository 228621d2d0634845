package control

import (
	"context"
	"net/http"

	"parley/engine"
)

// sound shows a room with all that is known of how its members sound.
func (s *server) sound(w http.ResponseWriter, r *http.Request) {
	view, err := s.Exchange.Sound(r.Context(), engine.RoomName(r.PathValue("room")))
	if err != nil {
		s.refuseRoom(w, r, err)
		return
	}
	reply(w, http.StatusOK, view)
}

// Sound shows a room with all that is known of how its members sound.
func (c *Client) Sound(ctx context.Context, name string) (engine.RoomView, error) {
	var view engine.RoomView
	err := c.call(ctx, http.MethodGet, roomPath(name)+"/sound", nil, &view)
	return view, err
}
