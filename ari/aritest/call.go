package aritest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"parley/ari/audiosocket"
)

// How a call left the application.
const (
	Continued  = "continued"  // the client gave it back
	Redirected = "redirected" // by its media channel's hangup handler, or from outside
	HungUp     = "hung up"
)

// Exit is where a call went.
type Exit struct {
	How   string
	Place string // context,extension,priority; "" is the next priority
	Why   string // of HungUp by an order: its reason, or the number; "" is normal
}

// channel is a channel of the switch.
type channel struct {
	id, name, state string
	args            []string
	stasis          bool
	bridge          *bridge
	variables       map[string]string
	muted           map[string]bool // by direction
	handler         string          // hangup handler: context,exten,priority(args)
	typed           time.Time       // the last key
	left            chan Exit       // capacity 1
	media           net.Conn        // AudioSocket channels
	received        atomic.Uint64   // audio frames
	heard           chan struct{}   // capacity 1: received went up; closed at the end
}

func (c *channel) snapshot() map[string]any {
	app, data := "", ""
	if c.stasis {
		app, data = "Stasis", strings.Join(append([]string{App}, c.args...), ",")
	}
	return map[string]any{
		"id": c.id, "name": c.name, "state": c.state, "protocol_id": "", "accountcode": "", "language": "en",
		"caller": map[string]any{"name": "Alice", "number": "1001"}, "connected": map[string]any{"name": "", "number": ""},
		"dialplan":     map[string]any{"context": "parley", "exten": "3001", "priority": 2, "app_name": app, "app_data": data},
		"creationtime": stamp(time.Now()),
	}
}

// set knows the two functions of hangup handlers.
func (c *channel) set(name, value string) {
	switch name {
	case "CHANNEL(hangup_handler_push)", "CHANNEL(hangup_handler_wipe)":
		c.handler = value
	default:
		c.variables[name] = value
	}
}

// Call is a caller in the hands of the switch.
type Call struct {
	s *Server
	c *channel
}

// Call lets a new call enter the application with these arguments.
func (s *Server) Call(args ...string) *Call { return s.CallWith(nil, args...) }

// CallWith is Call, with channel variables that the dialplan has set.
func (s *Server) CallWith(variables map[string]string, args ...string) *Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.caller()
	c.args, c.stasis = args, true
	maps.Copy(c.variables, variables)
	s.start(c)
	return &Call{s: s, c: c}
}

// Conference lets a new call enter a ConfBridge room, by a dialplan that is not
// ours. It comes into the application by Return.
func (s *Server) Conference(room string) *Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.caller()
	c.state = "Up"
	id := "confbridge-" + room
	if s.bridges[id] == nil {
		s.bridges[id] = &bridge{id: id, name: room, creator: "ConfBridge"}
	}
	c.bridge = s.bridges[id]
	c.bridge.members = append(c.bridge.members, c.id)
	return &Call{s: s, c: c}
}

// caller is a new channel.
func (s *Server) caller() *channel {
	s.calls++
	c := &channel{
		id: fmt.Sprintf("1795000000.%d", s.calls), name: fmt.Sprintf("PJSIP/phone-%08x", s.calls), state: "Ring",
		variables: map[string]string{}, muted: map[string]bool{}, left: make(chan Exit, 1),
	}
	s.channels[c.id] = c
	return c
}

// Return lets a call that was sent on enter the application again.
func (c *Call) Return(args ...string) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.unbridge(c.c)
	c.c.args, c.c.stasis = args, true
	c.s.start(c.c)
}

func (s *Server) start(c *channel) {
	s.emit(map[string]any{"type": "StasisStart", "args": append([]string{}, c.args...), "channel": c.snapshot()})
}

// ID is the channel's id.
func (c *Call) ID() string { return c.c.id }

// Name is the channel's name.
func (c *Call) Name() string { return c.c.name }

// Left delivers once where the call went.
func (c *Call) Left() <-chan Exit { return c.c.left }

// Hangup is the caller hanging up.
func (c *Call) Hangup() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.emit(map[string]any{"type": "ChannelHangupRequest", "cause": 16, "channel": c.c.snapshot()})
	c.s.leave(c.c, Exit{How: HungUp})
}

// Redirect takes the call out of the application from outside.
func (c *Call) Redirect(place string) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.leave(c.c, Exit{How: Redirected, Place: place})
}

// Press are keys of the caller: each an event, and a frame to his media. They come
// at once, and are told as if somebody had typed them, 160 ms apart.
func (c *Call) Press(digits string) {
	for _, d := range digits {
		c.s.mu.Lock()
		if c.c.typed = c.c.typed.Add(160 * time.Millisecond); c.c.typed.Before(time.Now()) {
			c.c.typed = time.Now()
		}
		c.s.emit(map[string]any{
			"type": "ChannelDtmfReceived", "digit": string(d), "duration_ms": 100, "timestamp": stamp(c.c.typed), "channel": c.c.snapshot(),
		})
		m := c.s.partner(c.c)
		c.s.mu.Unlock()
		if m != nil {
			c.s.send(m, audiosocket.KindDigit, []byte{byte(d)})
		}
	}
}

// Speak sends audio to the media channel the call is bridged with; false: to
// none.
func (c *Call) Speak(k audiosocket.Kind, payload []byte) bool {
	c.s.mu.Lock()
	m := c.s.partner(c.c)
	c.s.mu.Unlock()
	if m != nil {
		c.s.send(m, k, payload)
	}
	return m != nil
}

// Heard counts the audio frames the call was sent.
func (c *Call) Heard() uint64 {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if m := c.s.partner(c.c); m != nil {
		return m.received.Load()
	}
	return 0
}

// Hear waits for audio to be sent to the call; false: its media has ended, or
// it has none.
func (c *Call) Hear() bool {
	c.s.mu.Lock()
	m := c.s.partner(c.c)
	c.s.mu.Unlock()
	if m == nil {
		return false
	}
	_, ok := <-m.heard
	return ok
}

// Variables are those set on the channel.
func (c *Call) Variables() map[string]string {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return maps.Clone(c.c.variables)
}

// Muted says whether the switch drops what the call says, or what it would hear.
func (c *Call) Muted() (in, out bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.c.muted["in"], c.c.muted["out"]
}

// Bridge is the id and the name of the bridge that has the call, and how many
// are in it; "" when none has.
func (c *Call) Bridge() (id, name string, members int) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if b := c.c.bridge; b != nil {
		return b.id, b.name, len(b.members)
	}
	return "", "", 0
}

// PutOut takes the call out of its bridge, as an admin at the switch would.
func (c *Call) PutOut() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.unbridge(c.c)
}

// MakeBridge makes an empty bridge.
func (s *Server) MakeBridge(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bridges[id] = &bridge{id: id, name: id}
}

// DestroyBridge destroys a bridge, as another client would.
func (s *Server) DestroyBridge(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.destroy(s.bridges[id])
}

// State is the channel's, "Ring" or "Up".
func (c *Call) State() string {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.c.state
}

// Count is how many channels and bridges there are, for tests of leaks.
func (s *Server) Count() (channels, bridges int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.channels), len(s.bridges)
}

// partner is the media channel in the bridge of c.
func (s *Server) partner(c *channel) *channel {
	if c.bridge == nil {
		return nil
	}
	for _, id := range c.bridge.members {
		if m := s.channels[id]; m.media != nil {
			return m
		}
	}
	return nil
}

// leave ends a channel's stay in the application. Only a call that hung up is
// gone from the switch; media channels have nowhere else to be.
func (s *Server) leave(c *channel, e Exit) {
	if s.channels[c.id] != c {
		return // gone before
	}
	was := c.stasis
	if was {
		s.unbridge(c)
		c.stasis = false
		s.emit(map[string]any{"type": "StasisEnd", "channel": c.snapshot()})
	}
	switch {
	case c.media != nil:
		s.endMedia(c)
		return
	case e.How == HungUp:
		delete(s.channels, c.id)
	}
	if was {
		c.left <- e
	}
}

// externalMedia connects like chan_audiosocket. The channel enters the
// application a little after the reply, as it does in life.
func (s *Server) externalMedia(a args) (int, any) {
	s.know(a, "app", "channelId", "external_host", "encapsulation", "transport", "format", "data")
	id, err := audiosocket.ParseUUID(a.Get("data"))
	if a.Get("app") != App || a.Get("encapsulation") != "audiosocket" || a.Get("transport") != "tcp" || err != nil {
		s.t.Errorf("aritest: externalMedia %v", a.Values)
	}
	if a.Get("format") != "slin" && a.Get("format") != "slin16" || s.channels[a.Get("channelId")] != nil {
		return http.StatusInternalServerError, "An internal error prevented this request from being handled"
	}
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(s.t.Context(), "tcp", a.Get("external_host"))
	if err != nil {
		return http.StatusInternalServerError, "An internal error prevented this request from being handled"
	}
	c := &channel{
		id: a.Get("channelId"), name: "AudioSocket/" + a.Get("external_host") + "-" + a.Get("data"), state: "Down",
		args: []string{a.Get("data")}, variables: map[string]string{}, muted: map[string]bool{}, media: conn,
		heard: make(chan struct{}, 1),
	}
	for name, value := range a.variables() {
		c.set(name, value)
	}
	s.channels[c.id] = c
	s.wg.Go(func() { s.runMedia(c, id) })
	return http.StatusOK, c.snapshot()
}

// runMedia is the channel's life: it ends with the connection.
func (s *Server) runMedia(c *channel, id audiosocket.UUID) {
	stop := context.AfterFunc(s.ctx, func() { c.media.Close() })
	defer stop()
	s.send(c, audiosocket.KindUUID, id[:])
	s.mu.Lock()
	if s.channels[c.id] == c {
		c.state, c.stasis = "Up", true
		s.start(c)
	}
	s.mu.Unlock()
	buf := make([]byte, 1<<16)
	for {
		k, b, err := audiosocket.ReadFrame(c.media, buf)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrUnexpectedEOF) {
				s.t.Logf("aritest: %s: %v", c.name, err)
			}
			break
		}
		if k == audiosocket.KindDigit || k == audiosocket.KindHangup || len(b) == 0 {
			s.t.Errorf("aritest: %s got %v of %d bytes, which ends a real channel", c.name, k, len(b))
		}
		c.received.Add(1)
		select {
		case c.heard <- struct{}{}:
		default:
		}
	}
	close(c.heard)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(c, Exit{How: HungUp})
}

// endMedia closes the connection and runs the hangup handler as the pasted
// dialplan does: ChannelRedirect of the channel its arguments name.
func (s *Server) endMedia(c *channel) {
	c.media.Close()
	delete(s.channels, c.id)
	s.emit(map[string]any{"type": "ChannelDestroyed", "cause": 16, "cause_txt": "Normal Clearing", "channel": c.snapshot()})
	_, arguments, ok := strings.Cut(strings.TrimSuffix(c.handler, ")"), "(")
	if !ok {
		return
	}
	name, place, _ := strings.Cut(arguments, ",")
	for _, other := range s.channels {
		if other.name == name {
			s.leave(other, Exit{How: Redirected, Place: place})
		}
	}
}

func (s *Server) send(c *channel, k audiosocket.Kind, payload []byte) {
	_, _ = c.media.Write(audiosocket.AppendFrame(nil, k, payload))
}
