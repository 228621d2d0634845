package ariserver

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// subject is whom an event concerns.
type subject struct {
	app     string // that is told, whether it subscribes to that or not
	channel string
	bridge  string
}

// app is a Stasis application: it lives while it has a socket or a
// subscription.
type app struct {
	name       string
	all        bool     // it hears of everything
	allowed    []string // types; none = all
	disallowed []string
	socket     *socket // nil = nobody listens

	// sources are what it hears of, and how often it subscribes to each: once for
	// every request, for every channel that is in it, and to a bridge for each of
	// these that is there. "channel:ID", "bridge:ID", "endpoint:…", "deviceState:…";
	// without an id it is all of them.
	sources map[string]int
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
	return a.follows("channel:", sub.channel) || a.follows("bridge:", sub.bridge)
}

// follows says whether it has subscribed to one, or to all of its kind.
func (a *app) follows(kind, id string) bool {
	return id != "" && (a.sources[kind+id] > 0 || a.sources[kind] > 0)
}

// drop takes back one subscription; false = there is none.
func (a *app) drop(source string) bool {
	switch a.sources[source] {
	case 0:
		return false
	case 1:
		delete(a.sources, source)
	default:
		a.sources[source]--
	}
	return true
}

// follow subscribes the application of a call to what the call is or is in. As in
// Asterisk one that hears of everything does not subscribe. The caller holds mu, as
// it does below.
func (s *Server) follow(c *call, source string) {
	if a := s.apps[c.app]; a != nil && !a.all {
		a.sources[source]++
	}
}

func (s *Server) unfollow(c *call, source string) {
	if a := s.apps[c.app]; a != nil {
		a.drop(source)
		s.prune(a)
	}
}

// each calls do for the call, and for the bridge that it is in.
func (c *call) each(do func(c *call, source string)) {
	do(c, "channel:"+c.ID)
	if c.bridge != nil {
		do(c, "bridge:"+c.bridge.ID)
	}
}

// prune drops an application that nobody listens to and that hears of nothing.
func (s *Server) prune(a *app) {
	if a.socket == nil && (a.all || len(a.sources) == 0) {
		delete(s.apps, a.name)
	}
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
			a = &app{name: name, all: all, sources: map[string]int{}}
			s.apps[name] = a
			s.adopt(a)
		}
		if a.socket != nil {
			e := &replaced{}
			e.begin("ApplicationReplaced", time.Now(), s.entity)
			a.socket.send(addressed(frame(e), name))
		}
		a.socket = k
	}
}

// adopt subscribes a new application to the calls that are in it already.
func (s *Server) adopt(a *app) {
	for _, c := range s.calls {
		if c.app == a.name {
			c.each(s.follow)
		}
	}
}

// dismiss takes a socket's applications from it. One that subscribes to nothing
// is no more.
func (s *Server) dismiss(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		if a.socket == k {
			a.socket = nil
			s.prune(a)
		}
	}
}

// unsubscribeAll ends what nobody can subscribe to any more.
func (s *Server) unsubscribeAll(source string) {
	for _, a := range s.apps {
		delete(a.sources, source)
		s.prune(a)
	}
}

// view is an application as clients see it.
func (a *app) view() application {
	v := application{
		Name: a.name, Channels: []string{}, Bridges: []string{}, Endpoints: []string{}, Devices: []string{},
		Allowed: types(a.allowed), Disallowed: types(a.disallowed),
	}
	for _, source := range slices.Sorted(maps.Keys(a.sources)) {
		kind, id, _ := strings.Cut(source, ":")
		if id == "" {
			id = "__AST_" + strings.ToUpper(kind) + "_ALL_TOPIC" // as there
		}
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
