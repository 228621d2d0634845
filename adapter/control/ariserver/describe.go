package ariserver

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// The descriptions of the interface, in the form that its clients read
// (Swagger 1.1).
type (
	listing struct {
		Swagger  string  `json:"swaggerVersion"`
		Version  string  `json:"apiVersion"`
		BasePath string  `json:"basePath"`
		APIs     []apiOf `json:"apis"`
	}
	apiOf struct {
		Path        string      `json:"path"`
		Description string      `json:"description"`
		Operations  []operation `json:"operations,omitempty"`
	}
	operation struct {
		Method   string        `json:"httpMethod"`
		Summary  string        `json:"summary"`
		Nickname string        `json:"nickname"`
		Class    string        `json:"responseClass"`
		Params   []description `json:"parameters"`
		Errors   []struct{}    `json:"errorResponses"`
	}
	description struct {
		Name     string `json:"name"`
		Kind     string `json:"paramType"`
		Class    string `json:"dataType"`
		Required bool   `json:"required"`
		List     bool   `json:"allowMultiple"`
		Text     string `json:"description"`
	}
	declaration struct {
		listing
		Resource string           `json:"resourcePath"`
		Models   map[string]model `json:"models"`
	}
	model struct {
		ID         string              `json:"id"`
		Text       string              `json:"description"`
		Properties map[string]property `json:"properties"`
		Subtypes   []string            `json:"subTypes,omitempty"`
	}
	property struct {
		Class    string `json:"type"`
		Required bool   `json:"required"`
		Text     string `json:"description"`
	}
)

// apiVersion is that of Asterisk 22, which clients with bindings of their own
// look for.
const apiVersion = "10.0.0"

// describe serves GET /api-docs/NAME.json.
func (s *Server) describe(w http.ResponseWriter, r *http.Request, file string) {
	name, _ := strings.CutSuffix(file, ".json")
	l := listing{Swagger: "1.1", Version: apiVersion, BasePath: base(r)}
	if name == "resources" {
		for _, res := range resources() {
			l.APIs = append(l.APIs, apiOf{Path: "/api-docs/" + res + ".{format}", Description: res})
		}
		write(w, ok(l))
		return
	}
	if !slices.Contains(resources(), name) {
		refuse(w, http.StatusNotFound, "Resource not found")
		return
	}
	paths, by := s.of(name)
	for _, p := range paths {
		api := apiOf{Path: p, Description: name}
		for _, r := range by[p] {
			api.Operations = append(api.Operations, r.operation())
		}
		l.APIs = append(l.APIs, api)
	}
	write(w, ok(declaration{listing: l, Resource: "/api-docs/" + name + ".{format}", Models: models()}))
}

// base is the URL that clients build all others from: the one they came by.
func base(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/ari"
}

func (r *route) operation() operation {
	o := operation{Method: r.method, Nickname: r.name, Class: r.class, Params: []description{}, Errors: []struct{}{}}
	for _, p := range r.params {
		o.Params = append(o.Params, description{Name: p.name, Kind: p.kind, Class: p.class, Required: p.required, List: p.list})
	}
	return o
}

// models are the objects and events, made of the types that are sent.
func models() map[string]model {
	all := map[string]model{}
	for name, v := range map[string]any{
		"Channel": channel{}, "CallerID": callerID{}, "DialplanCEP": dialplan{}, "Bridge": bridge{}, "Application": application{},
		"Endpoint": endpoint{}, "Variable": variable{}, "AsteriskInfo": info{}, "AsteriskPing": ping{},
		"Playback": playback{}, "LiveRecording": live{},
		"StoredRecording": stored{}, "DeviceState": named("name state"), "Mailbox": named("name"), "Variables": named("variables"),
		"Sound": named("id text"), "Module": named("name description status"), "RTPstat": named("channel_uniqueid"),
		"ConfigTuple": named("attribute value"), "LogChannel": named("channel type status configuration"),
	} {
		all[name] = model{ID: name, Properties: properties(v)}
	}
	events := eventTypes()
	for name, v := range events {
		all[name] = model{ID: name, Properties: properties(v)}
	}
	all["Message"] = model{ID: "Message", Properties: properties(head{}), Subtypes: []string{"Event"}}
	all["Event"] = model{ID: "Event", Properties: properties(head{}), Subtypes: slices.Sorted(maps.Keys(events))}
	return all
}

// eventTypes are all events that may be sent.
func eventTypes() map[string]any {
	return map[string]any{
		"ApplicationReplaced": replaced{}, "BridgeCreated": onBridge{}, "BridgeDestroyed": onBridge{}, "ChannelCreated": onChannel{},
		"ChannelDestroyed": destroyed{}, "ChannelDtmfReceived": dtmf{}, "ChannelEnteredBridge": between{}, "ChannelLeftBridge": between{},
		"ChannelStateChange": onChannel{}, "ChannelTalkingStarted": onChannel{}, "ChannelTalkingFinished": talkingFinished{},
		"ChannelHangupRequest": hangupRequest{}, "ChannelVarset": varset{}, "ChannelHold": onChannel{}, "ChannelUnhold": onChannel{}, "ChannelUserevent": userevent{}, "Dial": dialEvent{},
		"PlaybackStarted": ofPlayback{}, "PlaybackContinuing": ofPlayback{}, "PlaybackFinished": ofPlayback{}, "RESTResponse": restResponse{},
		"RecordingStarted": ofRecording{}, "RecordingFinished": ofRecording{}, "RecordingFailed": ofRecording{}, "StasisStart": stasisStart{}, "StasisEnd": onChannel{},
	}
}

// named is an object of texts that we never send, for the methods that would
// return it.
type named string

// properties are the fields of a type that is sent.
func properties(v any) map[string]property {
	all := map[string]property{}
	if names, is := v.(named); is {
		for n := range strings.FieldsSeq(string(names)) {
			all[n] = property{Class: "string", Required: true}
		}
		return all
	}
	for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
		if name, option, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			all[name] = property{Class: classOf(f.Type), Required: option == ""}
		}
	}
	return all
}

// classOf is the name of a field's type in a description.
func classOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[stamp]():
		return "Date"
	case reflect.TypeFor[channel](), reflect.TypeFor[*channel]():
		return "Channel"
	case reflect.TypeFor[bridge](), reflect.TypeFor[*bridge]():
		return "Bridge"
	case reflect.TypeFor[playback]():
		return "Playback"
	case reflect.TypeFor[live]():
		return "LiveRecording"
	case reflect.TypeFor[callerID]():
		return "CallerID"
	case reflect.TypeFor[dialplan]():
		return "DialplanCEP"
	case reflect.TypeFor[[]string]():
		return "List[string]"
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Int:
		return "int"
	case reflect.String:
		return "string"
	default:
		return "object"
	}
}
