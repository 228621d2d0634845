package aritest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// bridge is a bridge of the application.
type bridge struct {
	id, name string
	creator  string // "" = Stasis
	members  []string
}

func (b *bridge) snapshot() map[string]any {
	return map[string]any{
		"id": b.id, "name": b.name, "technology": "simple_bridge", "bridge_type": "mixing", "bridge_class": "stasis",
		"creator": cmp.Or(b.creator, "Stasis"), "channels": append([]string{}, b.members...), "creationtime": stamp(time.Now()), "video_mode": "none",
	}
}

// operate runs one operation under the lock. An error status goes with a
// message.
func (s *Server) operate(method string, path []string, a args) (status int, reply any) {
	switch {
	case len(path) == 2 && path[0] == "asterisk" && path[1] == "info":
		return s.info()
	case len(path) == 3 && path[0] == "asterisk" && path[1] == "modules":
		return s.module(path[2])
	case len(path) == 3 && path[0] == "endpoints":
		return s.endpoint(path[1], path[2])
	case len(path) == 3 && path[0] == "applications" && path[1] == App && path[2] == "eventFilter" && method == http.MethodPut:
		return s.filter(a)
	case len(path) == 2 && path[0] == "applications" && method == http.MethodGet:
		return s.application(path[1])
	case len(path) == 3 && path[0] == "events" && path[1] == "user" && method == http.MethodPost:
		s.know(a, "application")
		s.emit(map[string]any{"type": "ChannelUserevent", "eventname": path[2], "userevent": map[string]any{"eventname": path[2]}})
		return http.StatusNoContent, nil
	case len(path) == 2 && path[0] == "recordings" && path[1] == "stored" && method == http.MethodGet:
		return http.StatusOK, []any{}
	case len(path) == 4 && path[0] == "recordings" && path[1] == "live":
		return s.operateTape(method, path[2], path[3])
	case path[0] == "bridges":
		return s.operateBridge(method, path[1:], a)
	case path[0] == "channels":
		return s.operateChannels(method, path[1:], a)
	}
	return s.noRoute(method, path)
}

// noRoute is a request that no client of ours should send.
func (s *Server) noRoute(method string, path []string) (int, any) {
	s.t.Errorf("aritest: unexpected %s %s", method, strings.Join(path, "/"))
	return http.StatusNotFound, "Resource not found"
}

// know fails the test when a request has parameters its operation lacks.
func (s *Server) know(a args, names ...string) {
	for name := range a.Values {
		if !slices.Contains(names, name) {
			s.t.Errorf("aritest: unexpected parameter %s=%s", name, a.Get(name))
		}
	}
}

func (s *Server) info() (int, any) {
	return http.StatusOK, map[string]any{
		"build":  map[string]any{"os": "Linux", "kernel": "", "machine": "", "options": "", "date": "", "user": ""},
		"system": map[string]any{"version": s.Version, "entity_id": "02:00:00:00:00:01"},
		"config": map[string]any{"name": "", "default_language": "en", "setid": map[string]any{"user": "", "group": ""}},
		"status": map[string]any{"startup_time": stamp(time.Now()), "last_reload_time": stamp(time.Now())},
	}
}

func (s *Server) module(name string) (int, any) {
	if slices.Contains(s.missing, name) {
		return http.StatusNotFound, "Module could not be found in running modules"
	}
	return http.StatusOK, map[string]any{"name": name, "description": "", "use_count": 0, "status": "Running", "support_level": "core"}
}

func (s *Server) endpoint(tech, name string) (int, any) {
	if slices.Contains(s.missing, tech+"/"+name) {
		return http.StatusNotFound, "Endpoint not found"
	}
	return http.StatusOK, map[string]any{"technology": tech, "resource": name, "state": "offline", "channel_ids": []string{}}
}

func (s *Server) application(name string) (int, any) {
	if name != App || s.unregistered || s.events == nil && !s.persistent {
		return http.StatusNotFound, "Application not found"
	}
	return http.StatusOK, map[string]any{"name": App}
}

func (s *Server) filter(a args) (int, any) {
	if s.events == nil {
		return http.StatusNotFound, "Application not found"
	}
	s.ignored = nil
	list, ok := a.body["disallowed"].([]any)
	if !ok {
		s.t.Errorf("aritest: eventFilter %v", a.body)
	}
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			s.ignored = append(s.ignored, fmt.Sprint(m["type"]))
		}
	}
	return http.StatusOK, map[string]any{"name": App}
}

func (s *Server) operateBridge(method string, path []string, a args) (int, any) {
	if len(path) == 0 && method == http.MethodGet {
		all := []any{}
		for _, id := range slices.Sorted(maps.Keys(s.bridges)) {
			all = append(all, s.bridges[id].snapshot())
		}
		return http.StatusOK, all
	}
	if len(path) == 0 {
		return s.noRoute(method, []string{"bridges"})
	}
	b := s.bridges[path[0]]
	switch op := method + " " + strings.Join(path[1:], "/"); {
	case op == "POST ":
		s.know(a, "type", "name")
		if b != nil {
			return http.StatusConflict, fmt.Sprintf("Bridge with id '%s' already exists", path[0])
		}
		b = &bridge{id: path[0], name: a.Get("name")}
		s.bridges[b.id] = b
		return http.StatusOK, b.snapshot()
	case b == nil:
		return http.StatusNotFound, "Bridge not found"
	case op == "GET ":
		return http.StatusOK, b.snapshot()
	case op == "DELETE ":
		s.destroy(b)
		return http.StatusNoContent, nil
	case op == "POST record":
		return s.record(b, a)
	case op == "POST addChannel":
		s.know(a, "channel", "absorbDTMF")
		return s.addChannels(b, strings.Split(a.Get("channel"), ","))
	}
	return s.noRoute(method, path)
}

// addChannels adds one by one; the first that cannot be added stops the rest.
// destroy takes everybody out of a bridge. The caller holds mu.
func (s *Server) destroy(b *bridge) {
	for _, id := range slices.Clone(b.members) {
		s.unbridge(s.channels[id])
	}
	delete(s.bridges, b.id)
	s.endTapes(b.id)
	s.emit(map[string]any{"type": "BridgeDestroyed", "bridge": b.snapshot()})
}

func (s *Server) addChannels(b *bridge, ids []string) (int, any) {
	for _, id := range ids {
		c := s.channels[id]
		switch {
		case c == nil:
			return http.StatusBadRequest, "Channel not found"
		case !c.stasis:
			return http.StatusUnprocessableEntity, "Channel not in Stasis application"
		}
		s.unbridge(c)
		c.bridge = b
		b.members = append(b.members, id)
		s.emit(map[string]any{"type": "ChannelEnteredBridge", "bridge": b.snapshot(), "channel": c.snapshot()})
	}
	return http.StatusNoContent, nil
}

func (s *Server) unbridge(c *channel) {
	if c.bridge == nil {
		return
	}
	b := c.bridge
	c.bridge = nil
	b.members = slices.DeleteFunc(b.members, func(id string) bool { return id == c.id })
	if b.creator != "" && len(b.members) == 0 {
		delete(s.bridges, b.id)
	}
	s.emit(map[string]any{"type": "ChannelLeftBridge", "bridge": b.snapshot(), "channel": c.snapshot()})
}

func (s *Server) operateChannels(method string, path []string, a args) (int, any) {
	switch {
	case len(path) == 0 && method == http.MethodGet:
		all := []any{}
		for _, id := range slices.Sorted(maps.Keys(s.channels)) {
			all = append(all, s.channels[id].snapshot())
		}
		return http.StatusOK, all
	case len(path) == 0:
		return s.noRoute(method, []string{"channels"})
	case path[0] == "externalMedia":
		return s.externalMedia(a)
	}
	c := s.channels[path[0]]
	switch op := method + " " + strings.Join(path[1:], "/"); {
	case c == nil:
		return http.StatusNotFound, "Channel not found"
	case op == "GET ":
		return http.StatusOK, c.snapshot()
	case op == "GET variable":
		return c.read(a.Get("variable"))
	case op == "DELETE ":
		s.know(a, "reason", "reason_code")
		s.emit(map[string]any{"type": "ChannelHangupRequest", "cause": 32, "soft": true, "channel": c.snapshot()})
		s.leave(c, Exit{How: HungUp, Why: strings.TrimPrefix(a.Get("reason")+a.Get("reason_code"), "normal")})
		return http.StatusNoContent, nil
	case !c.stasis:
		return http.StatusConflict, "Channel not in Stasis application"
	default:
		return s.operateInStasis(c, op, a)
	}
}

// read knows one function, EVAL().
func (c *channel) read(name string) (int, any) {
	if text, ok := strings.CutPrefix(name, "EVAL("); ok {
		value := os.Expand(strings.TrimSuffix(text, ")"), func(name string) string { return c.variables[name] })
		return http.StatusOK, map[string]string{"value": value}
	}
	if v, ok := c.variables[name]; ok {
		return http.StatusOK, map[string]string{"value": v}
	}
	return http.StatusNotFound, "Provided variable was not found"
}

func (s *Server) operateInStasis(c *channel, op string, a args) (int, any) {
	switch op {
	case "POST answer":
		if c.state != "Up" {
			c.state = "Up"
			s.emit(map[string]any{"type": "ChannelStateChange", "channel": c.snapshot()})
		}
	case "POST variable":
		s.know(a, "variable", "value")
		c.set(a.Get("variable"), a.Get("value"))
	case "POST mute", "DELETE mute":
		s.know(a, "direction")
		c.muted[a.Get("direction")] = op == "POST mute"
	case "POST redirect":
		s.know(a, "endpoint")
		if !strings.HasPrefix(a.Get("endpoint"), "PJSIP/sip:") {
			return http.StatusUnprocessableEntity, "Endpoint technology does not match channel technology"
		}
	case "POST continue":
		s.know(a, "context", "extension", "priority", "label")
		place := a.Get("context") + "," + a.Get("extension") + "," + a.Get("priority") + a.Get("label")
		s.leave(c, Exit{How: Continued, Place: strings.Trim(place, ",")})
	default:
		return s.noRoute("", []string{op})
	}
	return http.StatusNoContent, nil
}
