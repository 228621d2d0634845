package ariserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/engine"
)

// Calls that clients make in steps: create, addChannel, dial; externalMedia,
// addChannel. Until a room calls them the engine knows nothing of them.

// How many calls may be created and not dialled, and how long. They have an id, and
// perhaps a port, that clients forget.
const (
	maxCreated = 1000
	unusedTime = time.Hour
)

// create makes a channel that nobody is called by yet.
func (s *Server) create(_ context.Context, q *request) answer {
	d := engine.Dial{
		Address: q.get("endpoint"), Leg: engine.LegID(cmp.Or(q.get("channelId"), newID())), Variables: map[string]string{}, Channel: map[string]string{},
	}
	if bad := s.uncallable(d.Address); bad != nil {
		return *bad
	}
	if bad := s.orderOf(q, &d); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, bad := s.newCreated(q, d)
	if bad != nil {
		return *bad
	}
	for _, name := range slices.Sorted(maps.Keys(c.Vars)) {
		s.isSet(c, name)
	}
	s.enters(c, time.Now(), q.list("appArgs"))
	return ok(c.channel)
}

// uncallable says why no channel can be created for an address, if one is given: as
// Asterisk, which has no reasons.
func (s *Server) uncallable(address string) *answer {
	if s.opt.Callable == nil || address == "" {
		return nil
	}
	err := s.opt.Callable(address)
	if err == nil {
		return nil
	}
	a := answer{status: http.StatusInternalServerError, body: failure{"Allocation failed", engine.Detail(err)}}
	if tech, resource, _ := strings.Cut(address, "/"); tech == "" || resource == "" {
		a = no(http.StatusBadRequest, "Invalid endpoint specified: "+engine.Detail(err))
	}
	return &a
}

// failure is how Asterisk words that it could not do something, and why.
type failure struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

// mayCreate says why no channel of that id can be created; nil: one can. The caller
// holds mu.
func (s *Server) mayCreate(id engine.LegID) *answer {
	n := 0
	for _, c := range s.calls {
		if c.created != nil {
			n++
		}
	}
	var a answer
	switch {
	case s.draining:
		a = stopped()
	case s.taken(id):
		a = no(http.StatusConflict, "Channel with given unique ID already exists")
	case !goodID(string(id)):
		a = no(http.StatusBadRequest, "Channel ID is too long, or no text")
	case n >= maxCreated:
		a = no(http.StatusServiceUnavailable, "Too many channels are created and not dialled")
	default:
		return nil
	}
	return &a
}

// newCreated makes the channel of an order that is not given yet. The caller
// holds mu.
func (s *Server) newCreated(q *request, d engine.Dial) (*call, *answer) {
	if bad := s.mayCreate(d.Leg); bad != nil {
		return nil, bad
	}
	d.Room = engine.RoomName(d.Variables["room"])
	delete(d.Variables, "room")
	e := engine.Event{Time: time.Now(), Room: d.Room, Invite: engine.Invite{Kind: "sip", Caller: d.Party}}
	name, state := nameOf(e.Invite), "Down"
	if of, snoops := strings.CutPrefix(d.Address, SnoopAddress); snoops {
		name, state = "Snoop/"+of, "Up"
	}
	c := s.newCall(string(d.Leg), name, e, state, cmp.Or(q.get("app"), s.opt.App))
	c.created, c.address, c.Vars = &d, d.Address, readable(d.Channel)
	c.unused = time.AfterFunc(unusedTime, func() { s.forget(c.ID, &d, engine.CauseTimerExpired) })
	return c, nil
}

// enters brings a call into its application. The caller holds mu.
func (s *Server) enters(c *call, at time.Time, args []string) {
	if args == nil {
		args = []string{}
	}
	c.entered = true
	s.tell("StasisStart", at, &stasisStart{Args: args, Channel: c.channel}, c.own())
}

// dial calls whom a channel was created for, into the room whose bridge it was
// added to.
func (s *Server) dial(ctx context.Context, q *request) answer {
	id := q.get("channelId")
	defer s.turns(ctx, id)()
	n, err := strconv.Atoi(cmp.Or(q.get("timeout"), "0"))
	s.mu.Lock()
	c := s.calls[id]
	var a answer
	switch {
	case c == nil:
		a = no(http.StatusNotFound, "Channel not found")
	case c.created == nil || c.external:
		a = no(http.StatusConflict, "Channel is not in the 'Down' state")
	case err != nil || n > maxRing:
		a = no(http.StatusBadRequest, "Invalid timeout")
	case c.created.Room == "":
		a = no(http.StatusConflict, "Channel is in no bridge: Parley calls into rooms, so addChannel comes before dial")
	}
	if a.status != 0 {
		s.mu.Unlock()
		return a
	}
	c.created.Timeout = time.Duration(maxRing) * time.Second
	if n > 0 {
		c.created.Timeout = time.Duration(n) * time.Second
	}
	if by := s.calls[q.get("caller")]; by != nil && c.created.Caller == (engine.Caller{}) {
		c.created.Caller = engine.Caller{Name: by.Caller.Name, Number: by.Caller.Number}
	}
	s.mu.Unlock()
	return s.call(ctx, c)
}

// call has a room call a created channel.
func (s *Server) call(ctx context.Context, c *call) answer {
	s.mu.Lock()
	d := c.created
	c.created = nil
	s.mu.Unlock()
	if d == nil { // another request was faster
		return no(http.StatusConflict, "Channel is not in the 'Down' state")
	}
	var err error
	if c.external { // it is a call when that returns; what became of it is told by events
		err = dialInto(ctx, *d, s.exchange.Dial)
	} else {
		err = dialInto(ctx, *d, s.exchange.BgDial)
	}
	if err == nil {
		return done()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.calls[c.ID] != c: // it has ended
	case errors.Is(err, context.Canceled) && ctx.Err() == nil: // somebody has hung it up
		s.destroy(c, time.Now(), engine.CauseOriginatorCancel)
		return no(http.StatusNotFound, "Channel not found")
	default:
		c.created = d
		c.unused.Reset(unusedTime)
	}
	return failed(err)
}

// dialInto has a room call somebody.
func dialInto[T any](ctx context.Context, d engine.Dial, dial func(context.Context, engine.Dial) (T, error)) error {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	_, err := dial(ctx, d)
	return err
}

// intend says which room a created channel is for; one whose audio is there
// already goes there at once.
func (s *Server) intend(ctx context.Context, id string, name engine.RoomName) answer {
	s.mu.Lock()
	c := s.calls[id]
	if c == nil || c.created == nil {
		s.mu.Unlock()
		return no(http.StatusConflict, "Channel "+id+" is being dialled")
	}
	c.created.Room = name
	external := c.external
	s.mu.Unlock()
	if external {
		return s.call(ctx, c)
	}
	return done()
}

// forget ends a channel that was created, by the order that it was created with;
// false: that has been given meanwhile, or it has ended.
func (s *Server) forget(id string, order *engine.Dial, cause engine.Cause) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[id]
	if c == nil || c.created != order {
		return false
	}
	s.destroy(c, time.Now(), cause)
	return true
}

// sipHeader is the header that a dialplan function adds to a call, as
// PJSIP_HEADER(add,X-Room) does.
func sipHeader(function string) (name string, ok bool) {
	name, ok = strings.CutPrefix(function, "PJSIP_HEADER(add,")
	return strings.TrimSuffix(name, ")"), ok && strings.HasPrefix(name, "X-")
}

// externalMedia makes a channel whose audio goes to a program as RTP, and comes
// from it.
func (s *Server) externalMedia(ctx context.Context, q *request) answer {
	host, port, bad := externally(q)
	switch {
	case bad != nil:
		return *bad
	case s.opt.OpenMedia == nil:
		return no(http.StatusNotImplemented, "Method not implemented: there is no media here")
	}
	d := engine.Dial{
		Address: MediaAddress + q.get("external_host"), Leg: engine.LegID(cmp.Or(q.get("channelId"), newID())), Party: engine.Caller{Name: q.get("external_host")},
		Variables: map[string]string{}, Channel: map[string]string{}, Timeout: defaultRing,
	}
	takeVariables(&d, q.variables)
	s.mu.Lock()
	bad = s.mayCreate(d.Leg)
	s.mu.Unlock()
	if bad != nil { // and no port is opened
		return unopened(*bad)
	}
	at, err := s.openMedia(ctx, d.Leg, q.get("format"), host, port)
	if err != nil {
		return unopened(no(http.StatusInternalServerError, engine.Detail(err)))
	}
	s.mu.Lock()
	c, bad := s.newCreated(q, d)
	if bad != nil {
		s.mu.Unlock()
		s.opt.DropMedia(d.Leg)
		return unopened(*bad)
	}
	defer s.mu.Unlock()
	c.Vars["UNICASTRTP_LOCAL_ADDRESS"], c.Vars["UNICASTRTP_LOCAL_PORT"] = at.Addr().String(), strconv.Itoa(int(at.Port()))
	made := c.channel
	s.isUp(c, q.list("data"))
	return ok(made)
}

// unopened is the answer to an externalMedia that was refused: Asterisk has one word
// for what is not about how busy it is.
func unopened(a answer) answer {
	if a.status == http.StatusServiceUnavailable {
		return a
	}
	why, _ := a.body.(problem)
	return no(http.StatusInternalServerError, "An internal error prevented this request from being handled: "+why.Message)
}

// isUp tells that the audio of a created channel is there. The caller holds mu.
func (s *Server) isUp(c *call, args []string) {
	now := time.Now()
	c.external, c.State = true, "Up"
	s.tell("ChannelStateChange", now, &onChannel{Channel: c.channel}, c.subject())
	s.tell("Dial", now, &dialEvent{Status: "ANSWER", String: c.address, Peer: c.channel}, c.subject())
	s.enters(c, now, args)
}

// openMedia opens the RTP of a channel, to a program's host and port.
func (s *Server) openMedia(ctx context.Context, id engine.LegID, format, host string, port uint16) (netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil || len(list) == 0 {
		return netip.AddrPort{}, errors.New("ariserver: external_host is not known by an IPv4 address")
	}
	return s.opt.OpenMedia(id, format, netip.AddrPortFrom(list[0].Unmap(), port))
}

// externally judges what externalMedia is asked for, in Asterisk's words, and reads
// where the program is.
func externally(q *request) (host string, port uint16, bad *answer) {
	at, encapsulation, transport := q.get("external_host"), q.get("encapsulation"), q.get("transport")
	host, text, err := net.SplitHostPort(at)
	number, notPort := strconv.ParseUint(text, 10, 16)
	var words string
	switch {
	case q.get("app") == "":
		words = "app cannot be empty"
	case q.get("connection_type") == "server":
		words = "'server' connection_type can only be used with the websocket transport"
	case at == "":
		words = "external_host is required for all but websocket server connections"
	case q.get("format") == "":
		words = "format cannot be empty"
	case err != nil:
		words = "external_host must be <host>:<port> for all transports other than websocket"
	case notPort != nil || number == 0:
		words = fmt.Sprintf("external_host has port %.20q, which is no number from 1 to 65535", text)
	case !slices.Contains([]string{"", "both", "in", "out"}, q.get("direction")):
		words = "Invalid direction specified"
	case encapsulation != "" && encapsulation != "rtp":
		a := no(http.StatusNotImplemented, "The encapsulation and/or transport is not supported")
		return "", 0, &a
	case transport != "" && transport != "udp":
		words = "transport must be 'udp' for rtp encapsulation"
	default:
		return host, uint16(number), nil
	}
	a := no(http.StatusBadRequest, words)
	return "", 0, &a
}
