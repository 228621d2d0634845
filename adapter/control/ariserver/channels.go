package ariserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/engine"
)

const originateParams = "endpoint!~ extension context priority# label app appArgs callerId timeout# otherChannelId originator formats variables"

// Limits of the variables that clients set on channels.
const (
	maxVariables = 64
	maxVariable  = 128  // bytes
	maxValue     = 1024 // bytes
)

// How long a call rings, as in Asterisk, and at most.
const (
	defaultRing = 30 * time.Second
	maxRing     = 600 // s
)

// newID looks like those that Asterisk makes: a time, and a number to tell
// apart what falls into one second.
func newID() string {
	return strconv.FormatInt(time.Now().Unix(), 10) + "." + strings.ToLower(rand.Text()[:10])
}

// goodID says whether a client may give something an id, by which it can be asked
// for again.
func goodID(id string) bool {
	return len(id) <= maxID && utf8.ValidString(id) && !strings.ContainsFunc(id, unicode.IsControl)
}

func (s *Server) listChannels(context.Context, *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]channel, 0, len(s.calls))
	for _, c := range s.calls {
		list = append(list, c.channel)
	}
	slices.SortFunc(list, func(a, b channel) int { return cmp.Compare(a.Name[len(a.Name)-8:], b.Name[len(b.Name)-8:]) })
	return ok(list)
}

func (s *Server) getChannel(_ context.Context, q *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.calls[q.get("channelId")]; c != nil {
		return ok(c.channel)
	}
	return no(http.StatusNotFound, "Channel not found")
}

// known is a copy of a call, to work with while the world goes on.
func (s *Server) known(q *request) (c call, bad *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.calls[q.get("channelId")]
	if found == nil {
		a := no(http.StatusNotFound, "Channel not found")
		return call{}, &a
	}
	return *found, nil
}

// hangUp ends a call wherever it is: of one that is not answered yet, the attempt.
func (s *Server) hangUp(ctx context.Context, q *request) answer {
	defer s.turns(ctx, q.get("channelId"))()
	c, bad := s.known(q)
	cause, wrong := causeOf(q)
	switch {
	case bad != nil:
		return *bad
	case wrong != "":
		return no(http.StatusBadRequest, wrong)
	}
	s.mu.Lock()
	s.tell("ChannelHangupRequest", time.Now(), &hangupRequest{Cause: explicit, Soft: true, Channel: c.channel}, c.subject())
	s.mu.Unlock()
	if c.created != nil && s.forget(c.ID, c.created, cause) {
		return done()
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	if err := s.exchange.HangUp(ctx, engine.LegID(c.ID), cause); errors.Is(err, engine.ErrNoCall) {
		return failed(err)
	}
	return done() // it ends, if it has not by now
}

// goOn gives a call back to its dialplan, where it has one.
func (s *Server) goOn(ctx context.Context, q *request) answer {
	c, bad := s.present(q)
	if bad != nil {
		return *bad
	}
	return s.all(ctx, c.room, []engine.Command{engine.Kick{Member: c.member}})
}

// nothing is an order that a member has followed already.
func (s *Server) nothing(_ context.Context, q *request) answer {
	if _, bad := s.known(q); bad != nil {
		return *bad
	}
	return done()
}

// mute and unmute: "in" is what we hear of the party, "out" what it hears.
func (s *Server) mute(on bool) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		c, bad := s.present(q)
		if bad != nil {
			return *bad
		}
		var commands []engine.Command
		switch q.get("direction") {
		case "in":
			commands = []engine.Command{engine.Mute{Member: c.member, On: on}}
		case "out":
			commands = []engine.Command{engine.Deafen{Member: c.member, On: on}}
		case "":
			return no(http.StatusBadRequest, "Direction is required")
		case "both":
			commands = []engine.Command{engine.Mute{Member: c.member, On: on}, engine.Deafen{Member: c.member, On: on}}
		default:
			return no(http.StatusBadRequest, "Invalid direction specified")
		}
		return s.all(ctx, c.room, commands)
	}
}

func (s *Server) all(ctx context.Context, name engine.RoomName, commands []engine.Command) answer {
	for _, one := range commands {
		if err := s.ask(ctx, name, one); err != nil {
			return failed(err)
		}
	}
	return done()
}

// hold keeps a member from being heard.
func (s *Server) hold(on bool) func(context.Context, *request) answer {
	return func(ctx context.Context, q *request) answer {
		c, bad := s.present(q)
		if bad != nil {
			return *bad
		}
		return s.all(ctx, c.room, []engine.Command{engine.Hold{Member: c.member, On: on}})
	}
}

// originate calls somebody into a room: that of variable PARLEY_ROOM, the first
// of appArgs (as in Stasis(parley,3001) or room=3001), or the extension.
func (s *Server) originate(ctx context.Context, q *request) answer {
	id := q.get("channelId")
	if id == "" {
		id = newID()
	}
	d := engine.Dial{
		Address: q.get("endpoint"), Leg: engine.LegID(id), Caller: callerOf(q.get("callerId")),
		Variables: map[string]string{}, Channel: map[string]string{}, Timeout: defaultRing,
	}
	if bad := s.orderOf(q, &d); bad != nil {
		return *bad
	}
	d.Room = engine.RoomName(roomFor(q, d.Variables))
	delete(d.Variables, "room")
	if d.Room == "" {
		return no(http.StatusBadRequest, "Which room? appArgs=ROOM, extension=ROOM or variable PARLEY_ROOM")
	}
	return s.place(ctx, q.get("app"), d)
}

// orderOf reads what an order to call somebody says beside the room.
func (s *Server) orderOf(q *request, d *engine.Dial) *answer {
	refuse := func(words string) *answer {
		a := no(http.StatusBadRequest, words)
		return &a
	}
	n, err := strconv.Atoi(cmp.Or(q.get("timeout"), "0"))
	switch {
	case d.Address == "":
		return refuse("Endpoint must be specified")
	case err != nil || n > maxRing:
		return refuse("Invalid timeout")
	case n > 0:
		d.Timeout = time.Duration(n) * time.Second
	}
	formats, originator := q.list("formats"), q.get("originator")
	if len(formats) > 0 && originator != "" {
		return refuse("Originator and formats can't both be specified")
	}
	for _, f := range formats {
		if !slices.Contains(formatNames(), f) {
			return refuse("Provided format (" + f + ") was not found")
		}
	}
	if originator != "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.calls[originator] == nil {
			return refuse("Provided originator channel was not found")
		}
	}
	takeVariables(d, q.variables)
	return nil
}

// formatNames are Asterisk's names of what calls here may be encoded in; which it
// is, SDP says.
func formatNames() []string { return []string{"ulaw", "alaw", "g722", "opus", "slin", "slin16"} }

// ordered is a call that a client has asked for, until the client is answered.
type ordered struct {
	app  string
	vars map[string]string // that the channel has from the start
	made *channel          // as soon as there is one
}

// Taken says whether there is a channel of this id, or will be.
func (s *Server) Taken(id engine.LegID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken(id)
}

// taken is Taken; the caller holds mu.
func (s *Server) taken(id engine.LegID) bool {
	return s.calls[string(id)] != nil || s.orders[id] != nil
}

// place orders a call for an application, and answers with the channel as it was
// made, whatever has become of it.
func (s *Server) place(ctx context.Context, app string, d engine.Dial) answer {
	if app == "" {
		app = s.opt.App
	}
	s.mu.Lock()
	switch {
	case s.draining:
		s.mu.Unlock()
		return stopped()
	case s.taken(d.Leg):
		s.mu.Unlock()
		return no(http.StatusConflict, "Channel with given unique ID already exists")
	}
	o := &ordered{app: app, vars: readable(d.Channel)}
	s.orders[d.Leg] = o
	s.mu.Unlock()
	err := dialInto(ctx, d, s.exchange.BgDial)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.orders, d.Leg)
	if err != nil {
		return failed(err)
	}
	return ok(*o.made)
}

// roomFor is the room that an originate means.
func roomFor(q *request, vars map[string]string) string {
	if vars["room"] != "" {
		return vars["room"]
	}
	for i, arg := range q.list("appArgs") {
		if named, is := strings.CutPrefix(arg, "room="); is {
			return named
		}
		if i == 0 && !strings.Contains(arg, "=") {
			return arg
		}
	}
	return q.get("extension")
}

// callerOf reads NAME <NUMBER>, and a number alone.
func callerOf(text string) engine.Caller {
	name, rest, both := strings.Cut(text, "<")
	if !both {
		return engine.Caller{Number: strings.TrimSpace(text)}
	}
	number, _, _ := strings.Cut(rest, ">")
	return engine.Caller{Name: strings.Trim(strings.TrimSpace(name), `"`), Number: strings.TrimSpace(number)}
}

const noName = "Variable name is required"

// getVariable reads what is known of a call, and what clients have set.
func (s *Server) getVariable(_ context.Context, q *request) answer {
	c, bad := s.known(q)
	if bad != nil {
		return *bad
	}
	if q.get("variable") == "" {
		return no(http.StatusBadRequest, noName)
	}
	value, is := c.variable(q.get("variable"))
	switch {
	case is:
		return ok(variable{value})
	case strings.HasSuffix(q.get("variable"), ")"):
		return no(http.StatusInternalServerError, "Unable to read provided function")
	default:
		return no(http.StatusNotFound, noVariable)
	}
}

// setVariable keeps a variable with the channel. Functions are taken and do
// nothing: who talks is told without TALK_DETECT.
func (s *Server) setVariable(_ context.Context, q *request) answer {
	name, value := q.get("variable"), q.get("value")
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[q.get("channelId")]
	switch {
	case c == nil:
		return no(http.StatusNotFound, "Channel not found")
	case name == "":
		return no(http.StatusBadRequest, noName)
	case len(name) > maxVariable || len(value) > maxValue:
		return no(http.StatusBadRequest, tooMany)
	case strings.HasSuffix(name, ")"):
		if header, is := sipHeader(name); is && c.created != nil {
			return keep(&c.created.Channel, map[string]string{header: value})
		}
		return done()
	case readOnly(c, name):
		return no(http.StatusConflict, "Variable "+name+" says how the call is, and cannot be set; addChannel takes it to another room")
	}
	a := keep(&c.Vars, map[string]string{name: value})
	if a.status == http.StatusNoContent {
		s.isSet(c, name)
	}
	return a
}

// isSet tells of a variable that a client has set. The caller holds mu.
func (s *Server) isSet(c *call, name string) {
	s.tell("ChannelVarset", time.Now(), &varset{Variable: name, Value: c.Vars[name], Channel: &c.channel}, c.subject())
}

// readOnly says whether a variable would lie if a client set it.
func readOnly(c *call, name string) bool {
	upper := strings.ToUpper(name)
	_, fact := c.facts()[upper]
	_, all := global(upper)
	return fact || all || strings.HasPrefix(upper, "PARLEY_")
}
