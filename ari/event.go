package ari

import (
	"encoding/json"
	"fmt"

	v6 "github.com/CyCoreSystems/ari/v6"
)

// Event is one of the types below, as a pointer, or another event type of
// CyCoreSystems/ari.
type Event = v6.Event

// Events of Asterisk that need no words of ours.
type (
	ApplicationReplaced    = v6.ApplicationReplaced
	BridgeDestroyed        = v6.BridgeDestroyed
	ChannelDestroyed       = v6.ChannelDestroyed
	ChannelDtmfReceived    = v6.ChannelDtmfReceived
	ChannelEnteredBridge   = v6.ChannelEnteredBridge
	ChannelHangupRequest   = v6.ChannelHangupRequest
	ChannelHold            = v6.ChannelHold
	ChannelLeftBridge      = v6.ChannelLeftBridge
	ChannelStateChange     = v6.ChannelStateChange
	ChannelTalkingFinished = v6.ChannelTalkingFinished
	ChannelTalkingStarted  = v6.ChannelTalkingStarted
	ChannelUnhold          = v6.ChannelUnhold
	ChannelUserevent       = v6.ChannelUserevent
	StasisEnd              = v6.StasisEnd
	StasisStart            = v6.StasisStart
)

// Connected begins a connection: every event from now on is here until Lost.
// What happened before is not: compare with Channels and Bridges. A channel
// listed there may have its StasisStart still to come.
type Connected struct {
	meta
	Info *Info
}

// Lost ends a connection, or tells that and why none can be made. It comes
// once per kind of trouble (the sentinel errors; what is not one of them is a
// peer that cannot be reached), not once per try.
type Lost struct {
	meta
	Err error
}

// Unknown is an event this package has no type for, or, with an Err, one that
// could not be decoded.
type Unknown struct {
	meta
	Raw []byte
	Err error
}

// Events that CyCoreSystems/ari does not decode.
type (
	ApplicationRegistered   struct{ meta }
	ApplicationUnregistered struct{ meta }

	ChannelToneDetected struct {
		meta
		Channel Channel `json:"channel"`
	}
	CallBroadcast struct {
		meta
		Channel Channel `json:"channel"`
		Caller  string  `json:"caller"`
		Called  string  `json:"called"`
	}
	CallClaimed struct {
		meta
		Channel Channel `json:"channel"`
		Winner  string  `json:"winner_app"`
	}
	RESTResponse struct {
		meta
		TransactionID string `json:"transaction_id"`
		RequestID     string `json:"request_id"`
		Status        int    `json:"status_code"`
		Reason        string `json:"reason_phrase"`
		URI           string `json:"uri"`
		ContentType   string `json:"content_type"`
		Body          string `json:"message_body"`
	}

	// ChannelTransfer is a SIP REFER that Asterisk leaves to the application.
	ChannelTransfer struct {
		meta
		State   string  `json:"state"`
		ReferTo ReferTo `json:"refer_to"`
		By      Party   `json:"referred_by"`
	}
	ReferTo struct {
		Requested struct {
			ProtocolID  string `json:"protocol_id"`
			Destination string `json:"destination"`
		} `json:"requested_destination"`
		Destination Channel `json:"destination_channel"`
		Connected   Channel `json:"connected_channel"`
		Bridge      Bridge  `json:"bridge"`
	}
	Party struct {
		Source    Channel `json:"source_channel"`
		Connected Channel `json:"connected_channel"`
		Bridge    Bridge  `json:"bridge"`
	}
)

// meta is what every event has.
type meta struct{ v6.EventData }

// Keys is part of CyCoreSystems/ari's interface for its own dispatch.
func (*meta) Keys() v6.Keys { return nil }

// Decode turns a message of the events socket into an Event.
func Decode(data []byte) (Event, error) {
	var head struct{ Type string }
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if head.Type == "" {
		return nil, fmt.Errorf("%w: no type", ErrMessage)
	}
	e := blank(head.Type)
	if e == nil {
		return decodeOther(head.Type, data)
	}
	if err := json.Unmarshal(data, e); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMessage, head.Type, err)
	}
	return e, nil
}

// blank is a new event of one of our own types, nil for others.
func blank(name string) Event {
	switch name {
	case "ApplicationRegistered":
		return new(ApplicationRegistered)
	case "ApplicationUnregistered":
		return new(ApplicationUnregistered)
	case "ChannelToneDetected":
		return new(ChannelToneDetected)
	case "ChannelTransfer":
		return new(ChannelTransfer)
	case "RESTResponse":
		return new(RESTResponse)
	case "CallBroadcast":
		return new(CallBroadcast)
	case "CallClaimed":
		return new(CallClaimed)
	}
	return nil
}

func decodeOther(name string, data []byte) (Event, error) {
	e, err := v6.DecodeEvent(data)
	if e == nil { // a type it does not know
		u := &Unknown{Raw: data}
		u.Type = name
		return u, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMessage, name, err)
	}
	return e, nil
}
