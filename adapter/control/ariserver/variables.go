package ariserver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/engine"
)

// Several variables at a time, and those of bridges, which are only what clients
// have set.

const noVariable = "Provided variable was not found"

// several are the values of a request's names.
func several(q *request, of func(name string) (string, bool)) answer {
	names := q.list("variables")
	if len(names) == 0 {
		return no(http.StatusBadRequest, "At least one variable name is required")
	}
	found := map[string]string{}
	for _, name := range names {
		value, is := of(name)
		if !is {
			return no(http.StatusNotFound, noVariable)
		}
		found[name] = value
	}
	return ok(map[string]any{"variables": found})
}

// facts are variables that say how a call is. They cannot be set.
func (c *call) facts() map[string]string {
	bridge := ""
	if c.bridge != nil {
		bridge = c.bridge.ID
	}
	kind, _, _ := strings.Cut(c.Name, "/")
	all := map[string]string{
		"CALLERID(num)": c.Caller.Number, "CALLERID(number)": c.Caller.Number, "CALLERID(name)": c.Caller.Name,
		"CALLERID(all)": fmt.Sprintf("%q <%s>", c.Caller.Name, c.Caller.Number), "CHANNEL": c.Name, "CHANNEL(name)": c.Name,
		"CHANNEL(state)": c.State, "CHANNEL(channeltype)": kind, "CHANNEL(language)": c.Language, "CHANNEL(uniqueid)": c.ID, "CHANNEL(linkedid)": c.ID,
		"UNIQUEID": c.ID, "EXTEN": c.Dialplan.Exten, "CONTEXT": c.Dialplan.Context, "PRIORITY": strconv.Itoa(c.Dialplan.Priority),
		"BRIDGEPEER": "", "PARLEY_ROOM": string(c.room), "PARLEY_INSTANCE": bridge, "PARLEY_MEMBER_ID": c.member.String(),
	}
	if f := formatName(c.codec); f != "" {
		all["CHANNEL(audionativeformat)"] = "(" + f + ")"
	}
	return all
}

// formatName is the name in Asterisk of a codec such as "PCMU/8000"; "" = it has none.
func formatName(codec string) string {
	return map[string]string{
		"PCMU/8000": "ulaw", "PCMA/8000": "alaw", "G722/8000": "g722", "opus/48000": "opus", "L16/8000": "slin", "L16/16000": "slin16",
	}[codec]
}

// variable is what is known of a call, or a client has set.
func (c *call) variable(name string) (value string, is bool) {
	if value, is = global(name); is {
		return value, is
	}
	if value, is = c.facts()[name]; is {
		return value, is
	}
	if part, is := callerPart(name); is {
		return c.facts()["CALLERID("+part+")"], true // as there, of what is not known too
	}
	value, is = c.Vars[name]
	return value, is
}

// callerPart is what of the caller a function reads, in small letters.
func callerPart(function string) (part string, is bool) {
	part, is = strings.CutPrefix(function, "CALLERID(")
	part, closed := strings.CutSuffix(part, ")")
	return strings.ToLower(part), is && closed && part != ""
}

// global is a variable that every call has, and nobody sets.
func global(name string) (value string, is bool) {
	switch name {
	case "EPOCH":
		return strconv.FormatInt(time.Now().Unix(), 10), true
	case "SYSTEMNAME":
		return "", true
	}
	return "", false
}

// globalVariable is one of these; as in Asterisk what nobody has set is empty.
func globalVariable(_ context.Context, q *request) answer {
	if q.get("variable") == "" {
		return no(http.StatusBadRequest, noName)
	}
	value, _ := global(q.get("variable"))
	return ok(variable{value})
}

func (s *Server) getVariables(_ context.Context, q *request) answer {
	c, bad := s.known(q)
	if bad != nil {
		return *bad
	}
	return several(q, c.variable)
}

// setVariables sets one after the other, up to one that cannot be set.
func (s *Server) setVariables(ctx context.Context, q *request) answer {
	if _, bad := s.known(q); bad != nil {
		return *bad
	}
	if len(q.variables) == 0 {
		return no(http.StatusBadRequest, "The 'variables' field is required")
	}
	for name, value := range q.variables {
		one := &request{values: map[string]string{"channelId": q.get("channelId"), "variable": name, "value": value}}
		if a := s.setVariable(ctx, one); a.status != http.StatusNoContent {
			return a
		}
	}
	return done()
}

// onRoom does something to a bridge, under mu.
func (s *Server) onRoom(do func(r *room, q *request) answer) func(context.Context, *request) answer {
	return func(_ context.Context, q *request) answer {
		s.mu.Lock()
		defer s.mu.Unlock()
		r := s.find(q.get("bridgeId"))
		if r == nil {
			return no(http.StatusNotFound, "Bridge not found")
		}
		return do(r, q)
	}
}

func bridgeVariable(r *room, q *request) answer {
	value, is := r.vars[q.get("variable")]
	if !is {
		return no(http.StatusNotFound, noVariable)
	}
	return ok(variable{value})
}

func bridgeVariables(r *room, q *request) answer {
	return several(q, func(name string) (string, bool) {
		value, is := r.vars[name]
		return value, is
	})
}

func setBridgeVariable(r *room, q *request) answer {
	return r.set(map[string]string{q.get("variable"): q.get("value")})
}

func setBridgeVariables(r *room, q *request) answer { return r.set(q.variables) }

const tooMany = "Too many variables, or too long"

// set keeps variables with the bridge.
func (r *room) set(vars map[string]string) answer { return keep(&r.vars, vars) }

// keep adds variables to those of a channel or bridge, within limits. Who has the
// old ones, as an event that is being sent does, keeps them as they were.
func keep(all *map[string]string, vars map[string]string) answer {
	merged := maps.Clone(*all)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, vars)
	for name, value := range vars {
		if len(name) > maxVariable || len(value) > maxValue || len(merged) > maxVariables {
			return no(http.StatusBadRequest, tooMany)
		}
	}
	*all = merged
	return done()
}

// takeVariables are those of an order: the member's, and others for the channel.
func takeVariables(d *engine.Dial, vars map[string]string) {
	for name, value := range vars {
		if own, is := strings.CutPrefix(strings.ToLower(name), "parley_"); is {
			d.Variables[own] = value
		} else {
			d.Channel[name] = value
		}
	}
}

// readable are those variables of an order that the channel has from the start: a
// function is called, and is none. The body of the order bounds them.
func readable(vars map[string]string) map[string]string {
	all := maps.Clone(vars)
	maps.DeleteFunc(all, func(name, _ string) bool { return strings.HasSuffix(name, ")") })
	return all
}

// deviceState is what Asterisk knows of a device that it has never heard of.
type deviceState struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

func getDeviceState(_ context.Context, q *request) answer {
	d := deviceState{q.get("deviceName"), "INVALID"}
	if strings.HasPrefix(d.Name, "Stasis:") {
		d.State = "UNKNOWN"
	}
	return ok(d)
}

func refusal(status int, words string) func(context.Context, *request) answer {
	return func(context.Context, *request) answer { return no(status, words) }
}

func noTech(_ context.Context, q *request) answer {
	return no(http.StatusNotFound, "No Endpoints found - invalid tech "+q.get("tech"))
}

// variableRoutes are these operations, and others that Asterisk 22 has besides.
func (s *Server) variableRoutes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		on(get, "/bridges/{bridgeId}/variable", "getBridgeVar", "Variable", "variable!", s.onRoom(bridgeVariable)),
		on(post, "/bridges/{bridgeId}/variable", "setBridgeVar", "void", "variable! value report_events?", s.onRoom(setBridgeVariable)),
		on(get, "/bridges/{bridgeId}/variables", "getBridgeVars", "Variables", "variables!~", s.onRoom(bridgeVariables)),
		on(post, "/bridges/{bridgeId}/variables", "setBridgeVars", "void", "variables!", s.onRoom(setBridgeVariables)),
		on(get, "/channels/{channelId}/variables", "getChannelVars", "Variables", "variables!~", s.getVariables),
		on(post, "/channels/{channelId}/variables", "setChannelVars", "void", "variables!~", s.setVariables),
		on(post, "/channels/{channelId}/progress", "progress", "void", "", s.nothing),
		on(post, "/channels/{channelId}/transfer_progress", "transfer_progress", "void", "states!", s.nothing),
		on(post, "/events/claim", "claimChannel", "void", "channelId! application!", refusal(http.StatusNotFound, "Channel not found or not in broadcast state")),
		on(post, "/endpoints/refer", "refer", "void", "to! from! refer_to! to_self? variables", refusal(http.StatusNotFound, "Endpoint not found")),
		on(post, "/endpoints/{tech}/{resource}/refer", "referToEndpoint", "void", "from! refer_to! to_self? variables", refusal(http.StatusNotFound, "Endpoint not found")),
	}
}
