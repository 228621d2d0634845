package control

import (
	"context"
	"net/http"

	"parley/engine"
)

// signal interrupts a call by a named signal, and says what came of it.
func (s *server) signal(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name string `json:"name"`
	}
	if !decode(w, r, &body) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), CommandTimeout)
	defer cancel()
	a, err := s.Exchange.Signal(ctx, engine.LegID(r.PathValue("id")), body.Name)
	if err != nil {
		s.refuse(w, err)
		return
	}
	s.Log.Info("signal", "call", r.PathValue("id"), "name", body.Name, "signal", a.Signal, "why", a.Why, "from", r.RemoteAddr)
	reply(w, http.StatusOK, a)
}
