package ariserver

import (
	"slices"
	"strings"
	"time"
)

// subject is whom an event concerns.
type subject struct {
	app     string // that its channel is in
	channel string
	bridge  string
}

// app is a Stasis application: it lives while it has a socket or a
// subscription.
type app struct {
	name       string
	all        bool     // it hears of everything
	sources    []string // "channel:ID", "bridge:ID", "endpoint:…", "deviceState:…"
	allowed    []string // types; none = all
	disallowed []string
	socket     *socket // nil = nobody listens
}

// hears says whether an event is for the application.
func (a *app) hears(kind string, sub subject) bool {
	switch {
	case a.socket == nil || slices.Contains(a.disallowed, kind):
		return false
	case len(a.allowed) > 0 && !slices.Contains(a.allowed, kind):
		return false
	case a.all || sub.app == a.name:
		return true
	}
	return sub.channel != "" && slices.Contains(a.sources, "channel:"+sub.channel) ||
		sub.bridge != "" && slices.Contains(a.sources, "bridge:"+sub.bridge)
}

// tell sends an event to whom it is for. The caller holds mu.
func (s *Server) tell(kind string, at time.Time, e event, sub subject) {
	var text []byte
	for _, a := range s.apps {
		if !a.hears(kind, sub) {
			continue
		}
		if text == nil {
			e.begin(kind, at, s.entity)
			text = frame(e)
		}
		a.socket.send(addressed(text, a.name))
	}
}

// enlist gives a socket its applications; whoever had them is told so, and
// hears nothing more. The caller holds mu.
func (s *Server) enlist(k *socket, names []string, all bool) {
	for _, name := range names {
		a := s.apps[name]
		if a == nil {
			a = &app{name: name, all: all}
			s.apps[name] = a
		}
		if a.socket != nil {
			e := &replaced{}
			e.begin("ApplicationReplaced", time.Now(), s.entity)
			a.socket.send(addressed(frame(e), name))
		}
		a.socket = k
	}
}

// dismiss takes a socket's applications from it. One that subscribes to nothing
// is no more.
func (s *Server) dismiss(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, a := range s.apps {
		if a.socket != k {
			continue
		}
		if a.socket = nil; a.all || len(a.sources) == 0 {
			delete(s.apps, name)
		}
	}
}

// unsubscribeAll ends what nobody can subscribe to any more.
func (s *Server) unsubscribeAll(source string) {
	for _, a := range s.apps {
		a.sources = slices.DeleteFunc(a.sources, func(o string) bool { return o == source })
	}
}

// view is an application as clients see it.
func (a *app) view() application {
	v := application{
		Name: a.name, Channels: []string{}, Bridges: []string{}, Endpoints: []string{}, Devices: []string{},
		Allowed: types(a.allowed), Disallowed: types(a.disallowed),
	}
	for _, source := range a.sources {
		kind, id, _ := strings.Cut(source, ":")
		switch kind {
		case "channel":
			v.Channels = append(v.Channels, id)
		case "bridge":
			v.Bridges = append(v.Bridges, id)
		case "endpoint":
			v.Endpoints = append(v.Endpoints, id)
		default:
			v.Devices = append(v.Devices, id)
		}
	}
	return v
}

func types(names []string) []typeName {
	list := make([]typeName, 0, len(names))
	for _, n := range names {
		list = append(list, typeName{n})
	}
	return list
}
