package ariserver

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"
)

func none(context.Context, *request) answer { return ok([]struct{}{}) }

func notFound(what string) func(context.Context, *request) answer {
	return func(context.Context, *request) answer { return no(http.StatusNotFound, what) }
}

func upgradeNeeded(context.Context, *request) answer {
	a := no(http.StatusUpgradeRequired, "The events come over a WebSocket")
	return a
}

func (s *Server) info(_ context.Context, q *request) answer {
	up := stamp(s.opt.Started)
	all := info{
		Build:  &buildInfo{OS: runtime.GOOS, Kernel: runtime.Version(), Machine: runtime.GOARCH, Options: "Parley", Date: "", User: "parley"},
		System: &systemInfo{Version: "22.10.1 (Parley " + s.opt.Version + ")", EntityID: s.entity},
		Config: &configInfo{Name: "Parley", DefaultLanguage: "en"},
		Status: &statusInfo{StartupTime: up, LastReloadTime: up},
	}
	only := q.list("only")
	if len(only) == 0 {
		return ok(all)
	}
	var some info
	for _, part := range only {
		switch part {
		case "build":
			some.Build = all.Build
		case "system":
			some.System = all.System
		case "config":
			some.Config = all.Config
		case "status":
			some.Status = all.Status
		}
	}
	return ok(some)
}

func (s *Server) ping(context.Context, *request) answer {
	return ok(ping{AsteriskID: s.entity, Ping: "pong", Timestamp: stamp(time.Now())})
}

func (s *Server) listApps(context.Context, *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]application, 0, len(s.apps))
	for _, a := range s.apps {
		list = append(list, a.view())
	}
	slices.SortFunc(list, func(a, b application) int { return cmp.Compare(a.Name, b.Name) })
	return ok(list)
}

func (s *Server) getApp(_ context.Context, q *request) answer {
	return s.withApp(q, func(*app) *answer { return nil })
}

// withApp does something to an application and shows it.
func (s *Server) withApp(q *request, do func(*app) *answer) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apps[q.get("applicationName")]
	if a == nil {
		return no(http.StatusNotFound, "Application not found")
	}
	if bad := do(a); bad != nil {
		return *bad
	}
	return ok(a.view())
}

func (s *Server) subscribe(_ context.Context, q *request) answer {
	return s.withSources(q, func(a *app, source string) *answer {
		full, bad := s.source(source)
		if bad == nil && (a.sources[full] > 0 || len(a.sources) < maxSources) {
			a.sources[full]++
		}
		return bad
	})
}

func (s *Server) unsubscribe(_ context.Context, q *request) answer {
	return s.withSources(q, func(a *app, source string) *answer {
		full, bad := s.source(source)
		switch {
		case bad != nil && bad.status == http.StatusBadRequest:
			return bad
		case bad == nil && isAll(full): // nobody takes back all of a kind there
			no := missing("who has subscribed to all goes on hearing them")
			return &no
		}
		if bad != nil || !a.drop(full) {
			no := no(http.StatusUnprocessableEntity, "Event source was not subscribed to")
			return &no
		}
		s.prune(a)
		return nil
	})
}

// withSources does something for each event source of a request, up to one that is
// refused. An empty one is one.
func (s *Server) withSources(q *request, do func(a *app, source string) *answer) answer {
	sources, listed := q.lists["eventSource"]
	text, given := q.values["eventSource"]
	switch {
	case !given || listed && len(sources) == 0:
		return no(http.StatusBadRequest, "Missing parameter eventSource")
	case !listed:
		sources = strings.Split(text, ",")
	}
	return s.withApp(q, func(a *app) *answer {
		for _, one := range sources {
			if bad := do(a, one); bad != nil {
				return bad
			}
		}
		return nil
	})
}

// source judges an event source, and makes the name of a room its bridge's id. One
// without an id is all there are of its kind.
func (s *Server) source(text string) (full string, bad *answer) {
	kind, id, is := strings.Cut(text, ":")
	unknown := no(http.StatusUnprocessableEntity, "Event source does not exist")
	switch {
	case is && id == "" && slices.Contains([]string{"channel", "bridge", "endpoint"}, kind):
	case is && kind == "channel":
		if s.calls[id] == nil {
			return "", &unknown
		}
	case is && kind == "bridge":
		r := s.find(id)
		if r == nil {
			return "", &unknown
		}
		id = r.ID
	case is && kind == "endpoint": // there are technologies, and no endpoints of them
		if !slices.Contains([]string{"PJSIP", "SIP"}, id) {
			return "", &unknown
		}
	case is && kind == "deviceState":
	default:
		a := no(http.StatusBadRequest, "Invalid event source URI scheme")
		return "", &a
	}
	return kind + ":" + id, nil
}

// isAll says whether a source is all there are of its kind.
func isAll(source string) bool {
	_, id, _ := strings.Cut(source, ":")
	return id == ""
}

// filter says which types of event an application wants. As in Asterisk a list that is
// not named stays, and nothing at all resets both.
func (s *Server) filter(_ context.Context, q *request) answer {
	lists := map[string][]string{}
	if len(q.body) == 0 {
		lists["allowed"], lists["disallowed"] = nil, nil
	}
	for _, name := range []string{"allowed", "disallowed"} {
		raw, named := q.body[name]
		if !named {
			continue
		}
		types, good := typesOf(raw)
		if !good {
			return no(http.StatusBadRequest, "Invalid format definition")
		}
		lists[name] = types
	}
	return s.withApp(q, func(a *app) *answer {
		if types, named := lists["allowed"]; named {
			a.allowed = types
		}
		if types, named := lists["disallowed"]; named {
			a.disallowed = types
		}
		return nil
	})
}

// typesOf reads [{"type":"NAME"}, …].
func typesOf(raw json.RawMessage) (names []string, good bool) {
	var list []map[string]json.RawMessage // names are compared as they stand
	if json.Unmarshal(raw, &list) != nil || list == nil {
		return nil, false
	}
	for _, one := range list {
		var name string
		if json.Unmarshal(one["type"], &name) != nil || name == "" {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

// userEvent sends an event of a client to an application.
func (s *Server) userEvent(_ context.Context, q *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apps[q.get("application")]
	if a == nil {
		return no(http.StatusNotFound, "Application not found")
	}
	u := &userevent{Name: q.get("eventName"), Event: map[string]any{"eventname": q.get("eventName")}}
	for name, value := range q.variables {
		u.Event[name] = value
	}
	for _, text := range q.list("source") {
		full, bad := s.source(text)
		switch {
		case bad == nil && isAll(full), bad != nil && bad.status == http.StatusUnprocessableEntity:
			return no(http.StatusUnprocessableEntity, "Event source was not found")
		case bad != nil:
			return *bad
		}
		kind, id, _ := strings.Cut(full, ":")
		switch kind {
		case "channel":
			c := s.calls[id].channel
			u.Channel = &c
		case "bridge":
			b := s.rooms[id].bridge
			u.Bridge = &b
		}
	}
	if a.hears("ChannelUserevent", subject{app: a.name}) {
		u.begin("ChannelUserevent", time.Now(), s.entity)
		a.socket.send(addressed(frame(u), a.name))
	}
	return done()
}
