package fsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"parley/engine"
	"parley/esl"
)

// channel is a call as a channel of the switch: a member, or with a member's ID of
// 0 somebody who is on his way, from the order to call him on.
type channel struct {
	room   engine.RoomView
	member engine.MemberView
}

// channels are all members, and those on their way, oldest first.
func (a *API) channels(ctx context.Context) []channel {
	ctx, cancel := brief(ctx)
	defer cancel()
	views, err := a.opts.Exchange.Rooms(ctx)
	if err != nil {
		return nil
	}
	var list []channel
	for i := range views {
		for _, m := range slices.Backward(present(&views[i])) {
			list = append(list, channel{views[i], *m})
		}
	}
	list = append(list, a.onTheWay(list)...)
	slices.SortStableFunc(list, func(x, y channel) int { return x.member.JoinedAt.Compare(y.member.JoinedAt) })
	return list
}

// onTheWay are the channels that are not among the members: they are being called,
// come in, answer to a prompt, or go from one room to another.
func (a *API) onTheWay(members []channel) (list []channel) {
	in := map[engine.LegID]bool{}
	for i := range members {
		in[members[i].member.CallID] = true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.catchUp()
	for leg, g := range a.calls {
		if in[leg] {
			continue
		}
		c := channel{engine.RoomView{Name: engine.RoomName(g.invite.Room), Profile: "default"}, g.view}
		c.member.ID, c.member.JoinedAt = 0, g.since
		list = append(list, c)
	}
	return list
}

// channel finds a channel by its Unique-ID, or by the id of its call.
func (a *API) channel(ctx context.Context, id string) (channel, bool) {
	list := a.channels(ctx)
	i := slices.IndexFunc(list, func(c channel) bool { return id == string(c.member.CallID) || id == uniqueID(c.member.CallID) })
	if i < 0 {
		return channel{}, false
	}
	return list[i], true
}

// member is a channel that can be told what members can. Who is on his way is
// waited for, unless he has to answer to a prompt first: then it has no member.
func (a *API) member(ctx context.Context, id string) (channel, bool) {
	c, ok := a.channel(ctx, id)
	if !ok || c.member.ID != 0 {
		return c, ok
	}
	ctx, cancel := brief(ctx)
	defer cancel()
	if a.opts.Exchange.Await(ctx, c.member.CallID) != nil {
		return c, ok
	}
	return a.channel(ctx, id)
}

// guest is a channel as events show it.
func (a *API) guest(c *channel) *guest {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.catchUp()
	g := &guest{view: c.member, since: c.member.JoinedAt, invite: engine.Invite{Room: string(c.room.Name)}}
	if r := a.rooms[c.room.Instance]; r != nil && r.members[c.member.ID] != nil {
		g.take(r.members[c.member.ID])
	} else if was := a.calls[c.member.CallID]; was != nil {
		g.take(was)
	}
	return g
}

// take takes over what is known of a channel beside what the engine shows.
func (g *guest) take(was *guest) {
	g.invite, g.since, g.seen, g.called, g.ringing = was.invite, was.since, was.seen, was.called, was.ringing
	g.vars = maps.Clone(was.vars)
}

// variablesOf are a member's channel variables.
func (a *API) variablesOf(room *engine.RoomView, m *engine.MemberView) map[string]string {
	g := a.guest(&channel{*room, *m})
	vars := map[string]string{
		"uuid": g.uuid(), "call_uuid": g.uuid(), "direction": g.direction(), "channel_name": channelName(m),
		"caller_id_name": g.name(), "caller_id_number": m.Number, "destination_number": g.destination(),
		"parley_call_id": string(m.CallID),
	}
	if m.ID != 0 {
		vars["conference_name"], vars["conference_uuid"] = string(room.Name), uuidOf(string(room.Instance))
		vars["conference_member_id"], vars["conference_moderator"] = m.ID.String(), fmt.Sprint(m.Role == moderator)
	}
	maps.Copy(vars, g.known())
	for name, value := range g.invite.Variables {
		if name != "pin" {
			vars["parley_"+name] = value
		}
	}
	for name, value := range g.vars {
		put(vars, name, value)
	}
	return vars
}

// keyOf is how a variable's name is written that the channel has, in whatever case;
// else it is as it is given.
func keyOf(vars map[string]string, name string) string {
	if _, ok := vars[name]; ok {
		return name
	}
	for key := range vars {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return name
}

// put sets a variable in place of one whose name is the same but for case.
func put(vars map[string]string, name, value string) {
	delete(vars, keyOf(vars, name))
	vars[name] = value
}

const noChannel = "-ERR No such channel!\n"

func (a *API) exists(ctx context.Context, arguments string) string {
	_, ok := a.channel(ctx, arguments)
	return fmt.Sprint(ok)
}

func usage(syntax string) string { return "-USAGE: " + syntax + "\n" }

func (a *API) variable(ctx context.Context, arguments string) string {
	words := split(arguments)
	c, ok := a.channel(ctx, words[0])
	if !ok {
		return noChannel
	}
	vars := a.variablesOf(&c.room, &c.member)
	return cmp.Or(vars[keyOf(vars, words[1])], "_undef_")
}

// dump is a channel's data as CHANNEL_DATA has it.
func (a *API) dump(ctx context.Context, arguments string) string {
	words := split(arguments)
	c, ok := a.channel(ctx, words[0])
	if !ok {
		return noChannel
	}
	g := a.guest(&c)
	e := &esl.Event{Headers: append(a.head("CHANNEL_DATA"), g.channel(g.phase())...)}
	vars := a.variablesOf(&c.room, &c.member)
	for _, name := range sortedKeys(vars) {
		if vars[name] != "" {
			e.Headers = append(e.Headers, esl.Header{Name: "variable_" + name, Value: vars[name]})
		}
	}
	format := ""
	if len(words) > 1 {
		format = strings.ToLower(words[1])
	}
	switch format {
	case "xml":
		return string(e.AppendXML(nil))
	case "json":
		return string(e.AppendJSON(nil))
	case "plain": // which at the switch is the other one
		var b strings.Builder
		for _, h := range e.Headers {
			b.WriteString(h.Name + ": [" + h.Value + "]\n")
		}
		return b.String() + "\n"
	default:
		return string(e.AppendPlain(nil))
	}
}

// head are the first headers of an event.
func (a *API) head(name string) esl.Headers {
	if a.opts.Head == nil {
		return esl.Headers{{Name: "Event-Name", Value: name}}
	}
	return a.opts.Head(name)
}

// known are channel variables of the switch's own that a member has, too.
func (g *guest) known() map[string]string {
	m := &g.view
	codec, rate, _ := codecOf(m.Codec)
	vars := map[string]string{
		"read_codec": codec, "read_rate": rate, "write_codec": codec, "write_rate": rate, "endpoint_disposition": "ANSWER", "sip_network_ip": sourceAddress(g.invite),
	}
	if g.called {
		vars["is_outbound"] = "true"
	}
	if m.Kind != "sip" {
		return vars
	}
	vars["sip_call_id"], vars["sip_from_user"], vars["sip_to_user"] = string(m.CallID), m.Number, g.destination()
	if g.called {
		vars["sip_from_user"] = g.seen.Number
	}
	return vars
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// kill ends a call, wherever it is. The switch tells nothing of it beside his
// leaving.
func (a *API) kill(ctx context.Context, arguments string) string {
	id, cause, _ := strings.Cut(arguments, " ")
	c, ok := a.channel(ctx, id)
	if !ok {
		return noChannel
	}
	ctx, cancel := brief(ctx)
	defer cancel()
	if err := a.opts.Exchange.HangUp(ctx, c.member.CallID, causeIn(cause)); errors.Is(err, engine.ErrNoCall) {
		return noChannel
	}
	return "+OK\n" // it ends, if it has not by now
}
