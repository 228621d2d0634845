package ariserver

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is one operation: what answers it, and how it is described to clients,
// whose methods are made from that.
type route struct {
	method string
	path   string // "/bridges/{bridgeId}/addChannel"
	name   string // of the client's method
	class  string // that is returned
	params []param
	do     func(context.Context, *request) answer
}

// param describes one parameter; kind is path, query or body. A name with a ! is
// required, one with a * may have several values; a ~ says that Asterisk has
// words of its own for one that is missing.
type param struct {
	name, kind, class string
	required, list    bool
	judged            bool // by who answers, if it is not there
}

// match fits an escaped path to the route.
func (r *route) match(path string) (vars map[string]string, ok bool) {
	want, got := strings.Split(r.path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	vars = map[string]string{}
	for i, w := range want {
		switch {
		case strings.HasPrefix(w, "{") && got[i] != "":
			value, err := url.PathUnescape(got[i])
			if err != nil {
				return nil, false
			}
			vars[strings.Trim(w, "{}")] = value
		case w != got[i]:
			return nil, false
		}
	}
	return vars, true
}

// missing is the first parameter that is required and not there.
func (r *route) missing(q *request) string {
	for _, p := range r.params {
		if p.required && !p.judged && p.kind == "query" && q.get(p.name) == "" {
			return p.name
		}
	}
	return ""
}

// on makes a route. Its parameters are those of the path, then those of names.
func on(method, path, name, class, names string, do func(context.Context, *request) answer) route {
	r := route{method: method, path: path, name: name, class: class, do: do}
	for part := range strings.SplitSeq(path, "/") {
		if id, ok := strings.CutPrefix(part, "{"); ok {
			r.params = append(r.params, param{name: strings.TrimSuffix(id, "}"), kind: "path", class: "string", required: true})
		}
	}
	for n := range strings.FieldsSeq(names) {
		p := param{name: strings.Trim(n, "!*#?~"), kind: "query", class: "string", required: strings.Contains(n, "!"), list: strings.Contains(n, "*"), judged: strings.Contains(n, "~")}
		switch {
		case p.name == "variables" && method != http.MethodGet || p.name == "filter":
			p.kind, p.class = "body", "containers"
			if p.name == "filter" {
				p.class = "object"
			}
		case strings.Contains(n, "#"):
			p.class = "int"
		case strings.Contains(n, "?"):
			p.class = "boolean"
		}
		r.params = append(r.params, p)
	}
	return r
}

// table is every operation there is.
func (s *Server) table() []route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	all := []route{
		on(get, "/asterisk/info", "getInfo", "AsteriskInfo", "only*", s.info),
		on(get, "/asterisk/ping", "ping", "AsteriskPing", "", s.ping),
		on(get, "/asterisk/modules", "listModules", "List[Module]", "", none),
		on(get, "/asterisk/variable", "getGlobalVar", "Variable", "variable!~", globalVariable),

		on(get, "/applications", "list", "List[Application]", "", s.listApps),
		on(get, "/applications/{applicationName}", "get", "Application", "", s.getApp),
		on(post, "/applications/{applicationName}/subscription", "subscribe", "Application", "eventSource!*~", s.subscribe),
		on(del, "/applications/{applicationName}/subscription", "unsubscribe", "Application", "eventSource!*~", s.unsubscribe),
		on(put, "/applications/{applicationName}/eventFilter", "filter", "Application", "filter", s.filter),

		on(get, "/bridges", "list", "List[Bridge]", "", s.listBridges),
		on(post, "/bridges", "create", "Bridge", "type bridgeId name variables", s.createBridge),
		on(post, "/bridges/{bridgeId}", "createWithId", "Bridge", "type name variables", s.createBridge),
		on(get, "/bridges/{bridgeId}", "get", "Bridge", "", s.getBridge),
		on(del, "/bridges/{bridgeId}", "destroy", "void", "", s.destroyBridge),
		on(post, "/bridges/{bridgeId}/addChannel", "addChannel", "void", "channel!* role absorbDTMF? mute? inhibitConnectedLineUpdates?", s.addChannel),
		on(post, "/bridges/{bridgeId}/removeChannel", "removeChannel", "void", "channel!*", s.removeChannel),

		on(get, "/endpoints", "list", "List[Endpoint]", "", none),
		on(get, "/endpoints/{tech}", "listByTech", "List[Endpoint]", "", noTech),
		on(get, "/endpoints/{tech}/{resource}", "get", "Endpoint", "", notFound("Endpoint not found")),
		on(get, "/deviceStates", "list", "List[DeviceState]", "", none),
		on(get, "/deviceStates/{deviceName}", "get", "DeviceState", "", getDeviceState),
		on(get, "/mailboxes", "list", "List[Mailbox]", "", none),
		on(get, "/mailboxes/{mailboxName}", "get", "Mailbox", "", notFound("Mailbox not found")),
		on(get, "/sounds", "list", "List[Sound]", "lang format", none),
		on(get, "/sounds/{soundId}", "get", "Sound", "", notFound("Sound not found")),
		on(get, "/events", "eventWebsocket", "Message", "app!* subscribeAll?", upgradeNeeded),
		on(post, "/events/user/{eventName}", "userEvent", "void", "application! source* variables", s.userEvent),
	}
	return slices.Concat(all, s.callRoutes(), s.playing(), s.recordingRoutes(), s.variableRoutes(), missingParts(), missingAdmin())
}

// callRoutes are operations on channels.
func (s *Server) callRoutes() []route {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	return []route{
		on(get, "/channels", "list", "List[Channel]", "", s.listChannels),
		on(post, "/channels/create", "create", "Channel", "endpoint!~ app!~ appArgs channelId otherChannelId originator formats variables", s.create),
		on(post, "/channels/externalMedia", "externalMedia", "Channel", "channelId app!~ external_host encapsulation transport connection_type format!~ direction data transport_data variables", s.externalMedia),
		on(post, "/channels/{channelId}/snoop", "snoopChannel", "Channel", "spy whisper app!~ appArgs snoopId", s.snoop),
		on(post, "/channels/{channelId}/snoop/{snoopId}", "snoopChannelWithId", "Channel", "spy whisper app!~ appArgs", s.snoop),
		on(post, "/channels/{channelId}/dial", "dial", "void", "caller timeout#", s.dial),
		on(post, "/channels", "originate", "Channel", originateParams+" channelId", s.originate),
		on(post, "/channels/{channelId}", "originateWithId", "Channel", originateParams, s.originate),
		on(get, "/channels/{channelId}", "get", "Channel", "", s.getChannel),
		on(del, "/channels/{channelId}", "hangup", "void", "reason_code reason", s.hangUp),
		on(post, "/channels/{channelId}/continue", "continueInDialplan", "void", "context extension priority# label", s.inside(s.goOn)),
		on(post, "/channels/{channelId}/answer", "answer", "void", "", s.nothing),
		on(post, "/channels/{channelId}/ring", "ring", "void", "", s.nothing),
		on(del, "/channels/{channelId}/ring", "ringStop", "void", "", s.nothing),
		on(post, "/channels/{channelId}/mute", "mute", "void", "direction", s.inside(s.mute(true))),
		on(del, "/channels/{channelId}/mute", "unmute", "void", "direction", s.inside(s.mute(false))),
		on(post, "/channels/{channelId}/hold", "hold", "void", "", s.inside(s.hold(true))),
		on(del, "/channels/{channelId}/hold", "unhold", "void", "", s.inside(s.hold(false))),
		on(post, "/channels/{channelId}/redirect", "redirect", "void", "endpoint!~", s.inside(s.redirect)),
		on(post, "/channels/{channelId}/move", "move", "void", "app! appArgs", s.move),
		on(get, "/channels/{channelId}/variable", "getChannelVar", "Variable", "variable!~", s.getVariable),
		on(post, "/channels/{channelId}/variable", "setChannelVar", "void", "variable!~ value report_events?", s.setVariable),
	}
}

// playing is what plays something.
func (s *Server) playing() []route {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	params := "media!* lang offsetms# skipms#"
	return []route{
		on(post, "/bridges/{bridgeId}/play", "play", "Playback", params+" playbackId announcer_format", s.play(s.toBridge)),
		on(post, "/bridges/{bridgeId}/play/{playbackId}", "playWithId", "Playback", params+" announcer_format", s.play(s.toBridge)),
		on(post, "/channels/{channelId}/play", "play", "Playback", params+" playbackId", s.inside(s.play(s.toChannel))),
		on(post, "/channels/{channelId}/play/{playbackId}", "playWithId", "Playback", params, s.inside(s.play(s.toChannel))),
		on(post, "/bridges/{bridgeId}/moh", "startMoh", "void", "mohClass", s.bridgeMusic(true)),
		on(del, "/bridges/{bridgeId}/moh", "stopMoh", "void", "", s.bridgeMusic(false)),
		on(post, "/channels/{channelId}/dtmf", "sendDTMF", "void", "dtmf!~ before# between# duration# after#", s.inside(s.sendDTMF)),
		on(post, "/channels/{channelId}/moh", "startMoh", "void", "mohClass", s.inside(s.music)),
		on(del, "/channels/{channelId}/moh", "stopMoh", "void", "", s.inside(s.noMusic)),
		on(post, "/channels/{channelId}/silence", "startSilence", "void", "", s.nothing),
		on(del, "/channels/{channelId}/silence", "stopSilence", "void", "", s.nothing),
		on(get, "/playbacks/{playbackId}", "get", "Playback", "", s.getPlayback),
		on(del, "/playbacks/{playbackId}", "stop", "void", "", s.stopPlayback),
		on(post, "/playbacks/{playbackId}/control", "control", "void", "operation!~", s.control),
	}
}

// resources are the descriptions that clients load: all of them, or none of
// their methods work.
func resources() []string {
	return []string{
		"asterisk", "endpoints", "channels", "bridges", "recordings", "sounds", "playbacks", "deviceStates", "mailboxes", "events", "applications",
	}
}

// of are the routes of a resource, by path, in the order of the table.
func (s *Server) of(resource string) (paths []string, by map[string][]*route) {
	by = map[string][]*route{}
	for i := range s.routes {
		r := &s.routes[i]
		if strings.Split(r.path, "/")[1] != resource {
			continue
		}
		if !slices.Contains(paths, r.path) {
			paths = append(paths, r.path)
		}
		by[r.path] = append(by[r.path], r)
	}
	return paths, by
}
