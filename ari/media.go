package ari

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// ExternalMedia describes a channel to make whose audio goes elsewhere. What
// Encapsulation and Transport mean by the other fields is Asterisk's matter.
type ExternalMedia struct {
	ID             string            // of the channel
	Encapsulation  string            // audiosocket, rtp, none
	Transport      string            // tcp, udp, websocket
	ConnectionType string            // "server": Asterisk waits to be connected to; "" = client
	Host           string            // where Asterisk shall connect to, or send to: host:port
	Format         string            // one of its codecs, such as slin16
	Data           string            // AudioSocket: the UUID to say
	TransportData  string            // websocket: options of chan_websocket's dial string
	Variables      map[string]string // set before the channel does anything; functions too
}

// ExternalMedia makes a media channel in the application, or finds the one of
// this id after an uncertain first try. AudioSocket has connected to the host
// when this returns; refusals (an unknown format, nobody listening) are all
// ErrSwitch. Of the channel's variables the reply has those of the transport.
func (c *Client) ExternalMedia(ctx context.Context, m ExternalMedia) (*Channel, error) {
	body := struct {
		App            string            `json:"app"`
		ChannelID      string            `json:"channelId"`
		Host           string            `json:"external_host"`
		Encapsulation  string            `json:"encapsulation"`
		Transport      string            `json:"transport"`
		ConnectionType string            `json:"connection_type,omitempty"`
		Format         string            `json:"format"`
		Data           string            `json:"data,omitempty"`
		TransportData  string            `json:"transport_data,omitempty"`
		Variables      map[string]string `json:"variables,omitempty"`
	}{c.o.App, m.ID, m.Host, m.Encapsulation, m.Transport, m.ConnectionType, m.Format, m.Data, m.TransportData, m.Variables}
	return c.makeChannel(ctx, m.ID, []string{"channels", "externalMedia"}, body)
}

// Originate describes a call that the switch is to make.
type Originate struct {
	ID        string            // of the channel
	Endpoint  string            // such as PJSIP/NAME/sip:USER@HOST
	Args      string            // of the application
	CallerID  string            // NAME <NUMBER>
	Timeout   time.Duration     // until it must be answered
	Variables map[string]string // set before the channel does anything
}

// Originate has the switch call an endpoint. The channel enters the application
// when it is answered; one that is not ends with ChannelDestroyed. A refusal to
// make it is ErrSwitch.
func (c *Client) Originate(ctx context.Context, o Originate) (*Channel, error) {
	body := struct {
		App       string            `json:"app"`
		Args      string            `json:"appArgs,omitempty"`
		Endpoint  string            `json:"endpoint"`
		CallerID  string            `json:"callerId,omitempty"`
		Timeout   int               `json:"timeout"` // seconds
		Variables map[string]string `json:"variables,omitempty"`
	}{c.o.App, o.Args, o.Endpoint, o.CallerID, max(1, int(o.Timeout/time.Second)), o.Variables}
	return c.makeChannel(ctx, o.ID, []string{"channels", o.ID}, body)
}

// makeChannel makes a channel of our id. That the id is taken, which Asterisk
// says in more than one way, means that an earlier try succeeded.
func (c *Client) makeChannel(ctx context.Context, id string, path []string, body any) (*Channel, error) {
	var ch Channel
	err := c.call(ctx, http.MethodPost, path, nil, body, &ch)
	if errors.Is(err, ErrSwitch) || errors.Is(err, ErrConflict) {
		if old, oldErr := c.Channel(ctx, id); oldErr == nil {
			return old, nil
		}
	}
	return &ch, err
}

// ModuleTrouble is what the switch says of a module that does not run, "" for
// one that does.
func (c *Client) ModuleTrouble(ctx context.Context, name string) string {
	var m struct{ Status string }
	err := c.call(ctx, http.MethodGet, []string{"asterisk", "modules", name}, nil, nil, &m)
	if refusal, ok := errors.AsType[*Error](err); ok {
		return name + ": " + refusal.Message
	}
	if err == nil && m.Status != "Running" {
		return name + ": " + m.Status
	}
	return ""
}

// EndpointTrouble is what the switch says of an endpoint that it does not have, ""
// for one that it has, and where it does not tell.
func (c *Client) EndpointTrouble(ctx context.Context, tech, name string) string {
	err := c.call(ctx, http.MethodGet, []string{"endpoints", tech, name}, nil, nil, nil)
	if refusal, ok := errors.AsType[*Error](err); ok && strings.HasPrefix(refusal.Message, "Endpoint not found") {
		return tech + "/" + name + ": " + refusal.Message
	}
	return ""
}
