package ariserver

import (
	"encoding/json"
	"fmt"
	"time"
)

// stamp is a time as Asterisk writes it: milliseconds, and an offset without a
// colon. Clients drop events whose times are written otherwise.
type stamp time.Time

// MarshalJSON implements json.Marshaler.
func (s stamp) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Time(s).UTC().Format("2006-01-02T15:04:05.000-0700"))
}

// The objects of ARI. What may be absent is omitted when it is empty: clients
// take null for an object. Everything else is always there.
type (
	callerID struct {
		Name   string `json:"name"`
		Number string `json:"number"`
	}
	dialplan struct {
		Context  string `json:"context"`
		Exten    string `json:"exten"`
		Priority int    `json:"priority"`
		AppName  string `json:"app_name"`
		AppData  string `json:"app_data"`
	}
	channel struct {
		ID           string            `json:"id"`
		Name         string            `json:"name"`
		State        string            `json:"state"`
		ProtocolID   string            `json:"protocol_id"`
		Caller       callerID          `json:"caller"`
		Connected    callerID          `json:"connected"`
		AccountCode  string            `json:"accountcode"`
		Dialplan     dialplan          `json:"dialplan"`
		CreationTime stamp             `json:"creationtime"`
		Language     string            `json:"language"`
		Vars         map[string]string `json:"channelvars,omitempty"`
	}
	bridge struct {
		ID           string   `json:"id"`
		Technology   string   `json:"technology"`
		Type         string   `json:"bridge_type"`
		Class        string   `json:"bridge_class"`
		Creator      string   `json:"creator"`
		Name         string   `json:"name"`
		Channels     []string `json:"channels"`
		CreationTime stamp    `json:"creationtime"`
		VideoMode    string   `json:"video_mode"`
	}
	application struct {
		Name       string     `json:"name"`
		Channels   []string   `json:"channel_ids"`
		Bridges    []string   `json:"bridge_ids"`
		Endpoints  []string   `json:"endpoint_ids"`
		Devices    []string   `json:"device_names"`
		Allowed    []typeName `json:"events_allowed"`
		Disallowed []typeName `json:"events_disallowed"`
	}
	typeName struct {
		Type string `json:"type"`
	}
	endpoint struct {
		Technology string   `json:"technology"`
		Resource   string   `json:"resource"`
		State      string   `json:"state,omitempty"`
		Channels   []string `json:"channel_ids"`
	}
	variable struct {
		Value string `json:"value"`
	}
	ping struct {
		AsteriskID string `json:"asterisk_id"`
		Ping       string `json:"ping"`
		Timestamp  stamp  `json:"timestamp"`
	}
)

// info is AsteriskInfo.
type (
	info struct {
		Build  *buildInfo  `json:"build,omitempty"`
		System *systemInfo `json:"system,omitempty"`
		Config *configInfo `json:"config,omitempty"`
		Status *statusInfo `json:"status,omitempty"`
	}
	buildInfo struct {
		OS      string `json:"os"`
		Kernel  string `json:"kernel"`
		Options string `json:"options"`
		Machine string `json:"machine"`
		Date    string `json:"date"`
		User    string `json:"user"`
	}
	systemInfo struct {
		Version  string `json:"version"`
		EntityID string `json:"entity_id"`
	}
	configInfo struct {
		Name            string `json:"name"`
		DefaultLanguage string `json:"default_language"`
		SetID           setID  `json:"setid"`
	}
	setID struct {
		User  string `json:"user"`
		Group string `json:"group"`
	}
	statusInfo struct {
		StartupTime    stamp `json:"startup_time"`
		LastReloadTime stamp `json:"last_reload_time"`
	}
)

// head is what every event has; application is put in for each one that gets it.
type head struct {
	Type       string `json:"type"`
	Timestamp  stamp  `json:"timestamp"`
	AsteriskID string `json:"asterisk_id"`
}

func (h *head) begin(kind string, at time.Time, id string) {
	h.Type, h.Timestamp, h.AsteriskID = kind, stamp(at), id
}

// event is one of the types below, which are all that is ever sent. A client
// that gets one which the description of the events does not have dies.
type event interface {
	begin(kind string, at time.Time, id string)
}

type (
	onChannel struct { // ChannelCreated, ChannelStateChange, StasisEnd, ChannelTalkingStarted, ChannelHold …
		head
		Channel channel `json:"channel"`
	}
	stasisStart struct {
		head
		Args    []string `json:"args"`
		Channel channel  `json:"channel"`
	}
	destroyed struct {
		head
		Cause   int     `json:"cause"`
		Text    string  `json:"cause_txt"`
		Channel channel `json:"channel"`
	}
	dtmf struct { // ChannelDtmfReceived
		head
		Digit    string  `json:"digit"`
		Duration int     `json:"duration_ms"`
		Channel  channel `json:"channel"`
	}
	varset struct { // ChannelVarset
		head
		Variable string   `json:"variable"`
		Value    string   `json:"value"`
		Channel  *channel `json:"channel,omitempty"`
	}
	hangupRequest struct { // ChannelHangupRequest
		head
		Cause   int     `json:"cause"`
		Soft    bool    `json:"soft,omitempty"`
		Channel channel `json:"channel"`
	}
	talkingFinished struct {
		head
		Duration int     `json:"duration"`
		Channel  channel `json:"channel"`
	}
	onBridge struct { // BridgeCreated, BridgeDestroyed
		head
		Bridge bridge `json:"bridge"`
	}
	between struct { // ChannelEnteredBridge, ChannelLeftBridge
		head
		Bridge  bridge  `json:"bridge"`
		Channel channel `json:"channel"`
	}
	dialEvent struct {
		head
		Status string  `json:"dialstatus"`
		String string  `json:"dialstring"`
		Peer   channel `json:"peer"`
	}
	userevent struct {
		head
		Name    string         `json:"eventname"`
		Event   map[string]any `json:"userevent"`
		Channel *channel       `json:"channel,omitempty"`
		Bridge  *bridge        `json:"bridge,omitempty"`
	}
	replaced struct{ head } // ApplicationReplaced
)

// frame is an event as it is sent, without the application's name and the last
// brace.
func frame(e event) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("ariserver: event %T: %v", e, err))
	}
	return b[:len(b)-1]
}

// addressed completes a frame for an application.
func addressed(frame []byte, app string) []byte {
	name, _ := json.Marshal(app) // of a string
	out := make([]byte, 0, len(frame)+len(name)+len(`,"application":}`))
	out = append(append(out, frame...), `,"application":`...)
	return append(append(out, name...), '}')
}
