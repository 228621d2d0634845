package control

import (
	"context"
	"net/http"

	"parley/engine"
)

// recordOrder is the body of the requests about recordings.
type recordOrder struct {
	File    string `json:"file,omitempty"`
	Rate    int    `json:"rate,omitempty"`
	Replace bool   `json:"replace,omitempty"` // a file of that name
}

func (s *server) recordings(w http.ResponseWriter, r *http.Request) {
	view, err := s.Exchange.Room(r.Context(), engine.RoomName(r.PathValue("room")))
	if err != nil {
		s.refuseRoom(w, r, err)
		return
	}
	list := view.Recordings
	if list == nil {
		list = []engine.Recording{}
	}
	reply(w, http.StatusOK, map[string]any{"recordings": list})
}

// record begins a recording, and answers when its file is open.
func (s *server) record(w http.ResponseWriter, r *http.Request) {
	var body recordOrder
	if !decode(w, r, &body) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), CommandTimeout)
	defer cancel()
	room, c := engine.RoomName(r.PathValue("room")), engine.Record{File: body.File, Rate: body.Rate}
	if body.Replace {
		c.Exists = engine.ExistsReplace
	}
	if err := s.Exchange.Do(ctx, room, c); err != nil {
		s.refuseRoom(w, r, err)
		return
	}
	s.Log.Info("command", "room", room, "command", describe(c), "from", r.RemoteAddr)
	view, err := s.Exchange.Room(ctx, room)
	if err != nil {
		s.refuseRoom(w, r, err)
		return
	}
	is := engine.Recording{Name: body.File, State: engine.RecordingDone} // so soon
	for _, one := range view.Recordings {                                // the newest is the last
		if body.File == "" || one.Name == body.File {
			is = one
		}
	}
	reply(w, http.StatusCreated, is)
}

func (s *server) pauseRecord(on bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body recordOrder
		if decode(w, r, &body) {
			s.do(w, r, engine.PauseRecord{File: body.File, On: on})
		}
	}
}
