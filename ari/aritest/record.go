package aritest

import (
	"maps"
	"net/http"
	"strings"
)

// tape is a recording of a bridge.
type tape struct {
	name, format, bridge, state string
	muted                       bool
}

func (t *tape) snapshot(more map[string]any) map[string]any {
	all := map[string]any{"name": t.name, "format": t.format, "target_uri": "bridge:" + t.bridge, "state": t.state}
	maps.Copy(all, more)
	return all
}

// record begins a recording of a bridge. One of the name "broken" fails.
func (s *Server) record(b *bridge, a args) (int, any) {
	s.know(a, "name", "format", "ifExists", "maxSilenceSeconds")
	t := &tape{name: a.Get("name"), format: a.Get("format"), bridge: b.id, state: "recording"}
	switch {
	case t.format != "wav" && t.format != "wav16":
		s.t.Errorf("aritest: recording format %q", t.format)
		return http.StatusUnprocessableEntity, "Unknown format"
	case s.tapes[t.name] != nil:
		s.t.Errorf("aritest: %s is being recorded to: Asterisk would lose that recording", t.name)
		return http.StatusConflict, "Recording '" + t.name + "' already exists and can not be overwritten."
	case s.stored[t.name] && a.Get("ifExists") == "fail":
		return http.StatusConflict, "Recording '" + t.name + "' already exists and can not be overwritten."
	}
	if t.name == "broken" {
		t.state = "failed"
		s.emit(map[string]any{"type": "RecordingFailed", "recording": t.snapshot(map[string]any{"cause": "no such folder"})})
		return http.StatusCreated, t.snapshot(nil)
	}
	s.tapes[t.name] = t
	s.emit(map[string]any{"type": "RecordingStarted", "recording": t.snapshot(nil)})
	return http.StatusCreated, t.snapshot(nil)
}

// operateTape does something to a recording that runs.
func (s *Server) operateTape(method, name, op string) (int, any) {
	t := s.tapes[name]
	if t == nil {
		return http.StatusNotFound, "Recording not found"
	}
	switch method + " " + op {
	case "POST stop":
		s.endTape(t)
	case "POST pause":
		t.state = "paused"
	case "DELETE pause":
		t.state = "recording"
	case "POST mute", "DELETE mute":
		t.muted = method == http.MethodPost
	default:
		return s.noRoute(method, []string{"recordings", "live", name, op})
	}
	return http.StatusNoContent, nil
}

func (s *Server) endTape(t *tape) {
	delete(s.tapes, t.name)
	s.stored[t.name] = true
	t.state = "done"
	s.emit(map[string]any{"type": "RecordingFinished", "recording": t.snapshot(map[string]any{"duration": 2})})
}

// endTapes ends the recordings of a bridge that is over.
func (s *Server) endTapes(bridge string) {
	for _, t := range s.tapes {
		if t.bridge == bridge {
			s.endTape(t)
		}
	}
}

// Tapes are the recordings that run, "NAME.FORMAT STATE", and "muted", for tests with one.
func (s *Server) Tapes() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, t := range s.tapes {
		one := t.name + "." + t.format + " " + t.state
		if t.muted {
			one += " muted"
		}
		all = append(all, one)
	}
	return strings.Join(all, ", ")
}

// StopTape ends a recording by somebody else's hand.
func (s *Server) StopTape(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tapes[name]; t != nil {
		s.endTape(t)
	}
}
