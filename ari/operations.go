package ari

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	v6 "github.com/CyCoreSystems/ari/v6"
)

// Channel and Bridge are Asterisk's snapshots. Pointers in a Channel may be
// nil; its getters can be called nevertheless.
type (
	Channel = v6.ChannelData
	Bridge  = v6.BridgeData
	Info    = v6.AsteriskInfo
	// Location is where a Channel is in its dialplan.
	Location = v6.DialplanCEP
)

// Info asks what the switch is.
func (c *Client) Info(ctx context.Context) (*Info, error) {
	var i Info
	return &i, c.call(ctx, http.MethodGet, []string{"asterisk", "info"}, nil, nil, &i)
}

// Channels lists every channel of the switch, also those of others.
func (c *Client) Channels(ctx context.Context) ([]Channel, error) {
	var all []Channel
	return all, c.call(ctx, http.MethodGet, []string{"channels"}, nil, nil, &all)
}

// Channel asks for one channel.
func (c *Client) Channel(ctx context.Context, id string) (*Channel, error) {
	var ch Channel
	return &ch, c.call(ctx, http.MethodGet, []string{"channels", id}, nil, nil, &ch)
}

// Bridges lists every bridge of the switch, also those of others.
func (c *Client) Bridges(ctx context.Context) ([]Bridge, error) {
	var all []Bridge
	return all, c.call(ctx, http.MethodGet, []string{"bridges"}, nil, nil, &all)
}

// CreateBridge makes a mixing bridge whose members never talk past Asterisk,
// or finds the one of this id: a repeated call changes nothing.
func (c *Client) CreateBridge(ctx context.Context, id, name string) error {
	err := c.call(ctx, http.MethodPost, []string{"bridges", id}, url.Values{"type": {"mixing,proxy_media"}, "name": {name}}, nil, nil)
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// DestroyBridge puts its members out; they stay in the application.
func (c *Client) DestroyBridge(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, []string{"bridges", id}, nil, nil, nil)
}

// AddChannel puts channels into a bridge, in order. A channel must have
// entered the application before (its StasisStart), else ErrState. One that is
// in the bridge already leaves and enters again.
func (c *Client) AddChannel(ctx context.Context, bridge string, channels ...string) error {
	return c.call(ctx, http.MethodPost, []string{"bridges", bridge, "addChannel"}, url.Values{"channel": {strings.Join(channels, ",")}}, nil, nil)
}

// Transfer puts a channel into a bridge, out of the one that it may be in. Keys
// that it presses there are reported, and not heard by the others.
func (c *Client) Transfer(ctx context.Context, bridge, channel string) error {
	return c.call(ctx, http.MethodPost, []string{"bridges", bridge, "addChannel"},
		url.Values{"channel": {channel}, "absorbDTMF": {"true"}}, nil, nil)
}

// Direction is which audio of a channel: what comes in from its party, or what
// goes out to it.
type Direction string

// Directions of Mute.
const (
	DirectionIn  Direction = "in"
	DirectionOut Direction = "out"
)

// Mute has the switch drop a channel's audio of one direction, until Unmute.
// Keys still come.
func (c *Client) Mute(ctx context.Context, channel string, d Direction) error {
	return c.call(ctx, http.MethodPost, []string{"channels", channel, "mute"}, url.Values{"direction": {string(d)}}, nil, nil)
}

// Unmute is the reverse of Mute.
func (c *Client) Unmute(ctx context.Context, channel string, d Direction) error {
	return c.call(ctx, http.MethodDelete, []string{"channels", channel, "mute"}, url.Values{"direction": {string(d)}}, nil, nil)
}

// Answer answers a call that still rings.
func (c *Client) Answer(ctx context.Context, channel string) error {
	return c.call(ctx, http.MethodPost, []string{"channels", channel, "answer"}, nil, nil, nil)
}

// Place is a position in the dialplan. The zero Place is the priority after
// the one that entered the application.
type Place struct {
	Context   string
	Extension string
	Priority  int    // 0 means 1 with an Extension
	Label     string // in place of Priority
}

// Continue gives a channel back to the dialplan, at p.
func (c *Client) Continue(ctx context.Context, channel string, p Place) error {
	q := url.Values{}
	for name, value := range map[string]string{"context": p.Context, "extension": p.Extension, "label": p.Label} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if p.Priority != 0 {
		q.Set("priority", strconv.Itoa(p.Priority))
	}
	return c.call(ctx, http.MethodPost, []string{"channels", channel, "continue"}, q, nil, nil)
}

// Redirect has the far side of a channel that has entered the application call an
// endpoint in place of us, TECH/RESOURCE with the channel's own technology: by 302
// while a PJSIP channel rings, else by REFER. What it says to that is not told.
func (c *Client) Redirect(ctx context.Context, channel, endpoint string) error {
	return c.call(ctx, http.MethodPost, []string{"channels", channel, "redirect"}, url.Values{"endpoint": {endpoint}}, nil, nil)
}

// Hangup ends any channel. reason is Asterisk's word, or a number of Q.850; ""
// means normal.
func (c *Client) Hangup(ctx context.Context, channel, reason string) error {
	q := url.Values{}
	switch {
	case reason == "":
	case strings.Trim(reason, "0123456789") == "":
		q.Set("reason_code", reason)
	default:
		q.Set("reason", reason)
	}
	return c.call(ctx, http.MethodDelete, []string{"channels", channel}, q, nil, nil)
}

// Variable reads a channel variable, or a dialplan function when name ends in
// a parenthesis. ErrNotFound also means that it is not set.
func (c *Client) Variable(ctx context.Context, channel, name string) (string, error) {
	var v struct{ Value string }
	err := c.call(ctx, http.MethodGet, []string{"channels", channel, "variable"}, url.Values{"variable": {name}}, nil, &v)
	return v.Value, err
}

// SetVariable sets a channel variable or a dialplan function. The channel must
// be in the application.
func (c *Client) SetVariable(ctx context.Context, channel, name, value string) error {
	return c.call(ctx, http.MethodPost, []string{"channels", channel, "variable"}, url.Values{"variable": {name}, "value": {value}}, nil, nil)
}

// ignore asks Asterisk not to send some types of event. A user who may only
// read cannot even do this.
func (c *Client) ignore(ctx context.Context, types []string) error {
	type filter struct {
		Type string `json:"type"`
	}
	body := struct {
		Disallowed []filter `json:"disallowed"`
	}{[]filter{}}
	for _, t := range types {
		body.Disallowed = append(body.Disallowed, filter{t})
	}
	return c.call(ctx, http.MethodPut, []string{"applications", c.o.App, "eventFilter"}, nil, body, nil)
}
