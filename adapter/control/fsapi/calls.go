package fsapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
	maps.Copy(vars, g.vars)
	return vars
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
	if v := a.variablesOf(&c.room, &c.member)[words[1]]; v != "" {
		return v
	}
	return "_undef_"
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

// columns are those of "show channels".
const columns = "uuid direction created created_epoch name state cid_name cid_num ip_addr dest application application_data dialplan " +
	"context read_codec read_rate read_bit_rate write_codec write_rate write_bit_rate secure hostname presence_id presence_data " +
	"accountcode callstate callee_name callee_num callee_direction call_uuid sent_callee_name sent_callee_num initial_cid_name " +
	"initial_cid_num initial_ip_addr initial_dest initial_dialplan initial_context"

// row is a channel in the order of columns.
func (a *API) row(c *channel) []string {
	g, m := a.guest(c), &c.member
	codec, rate, bits := codecOf(m.Codec)
	id, from := g.uuid(), sourceAddress(g.invite)
	is, application := g.phase(), "conference"
	first, dialplan, data := engine.Caller{Number: m.Number, Name: g.name()}, "XML", string(c.room.Name)+"@"+c.room.Profile
	if c.room.Name == "" { // he is asked for its number
		data = ""
	}
	callee, call := "", ""
	if g.called {
		first, dialplan, data, callee, call = g.seen, "", string(c.room.Name), "RECV", id
	}
	if g.ringing {
		application, data, codec, rate, bits = "", "", "", "", ""
	}
	return []string{
		id, g.direction(), g.since.Format(time.DateTime), fmt.Sprint(g.since.Unix()), channelName(m), is.state, g.name(), m.Number, from,
		g.destination(), application, data, dialplan, "default", codec, rate, bits, codec, rate, bits, "",
		a.opts.Hostname, "", "", "", is.call, g.seen.Name, g.seen.Number, callee, call, "", "", first.Name, first.Number, from, g.destination(), dialplan, "default",
	}
}

// shown is what "show" knows at the switch.
const shown = "codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]|" +
	"calls|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say|interfaces|interface_types|tasks|limits|status"

// show lists channels. Nobody registers with us. Calls are those with two channels, of which we have
// none: a member has one.
func (a *API) show(ctx context.Context, arguments string) string {
	words := split(arguments)
	if len(words) == 0 {
		return usage(shown)
	}
	var list []channel
	switch what := strings.ToLower(words[0]); what {
	case "channels", "calls":
		list = a.channels(ctx)
	case "bridged_calls", "detailed_bridged_calls", "detailed_calls", "registrations":
	default:
		if !slices.Contains(strings.FieldsFunc(shown, func(r rune) bool { return r == '|' || r == ' ' }), what) {
			return usage(shown)
		}
		return "-ERR Parley has no " + words[0] + " to show\n"
	}
	format, delimiter := "csv", ","
	for i, w := range words {
		switch {
		case strings.EqualFold(w, "count"):
			return fmt.Sprintf("\n%d total.\n", len(list))
		case strings.EqualFold(w, "as") && i+1 < len(words):
			format = strings.ToLower(words[i+1])
		}
	}
	if format == "delim" {
		delimiter, format = words[len(words)-1], "csv"
	}
	rows := make([][]string, len(list))
	for i := range list {
		rows[i] = a.row(&list[i])
	}
	return print(strings.Fields(columns), rows, format, delimiter)
}

// print writes a table as the switch's "show" does.
func print(names []string, rows [][]string, format, delimiter string) string {
	var b strings.Builder
	switch format {
	case "json":
		printJSON(&b, names, rows)
	case "xml":
		printXML(&b, names, rows)
	default:
		if len(rows) > 0 {
			b.WriteString(strings.Join(names, delimiter) + "\n")
		}
		for _, row := range rows {
			b.WriteString(strings.Join(row, delimiter) + "\n")
		}
		fmt.Fprintf(&b, "\n%d total.\n", len(rows))
	}
	return b.String()
}

func printJSON(b *strings.Builder, names []string, rows [][]string) {
	if len(rows) == 0 {
		b.WriteString("{\"row_count\": 0}\n")
		return
	}
	objects := make([]string, len(rows))
	for i, row := range rows {
		pairs := make([]string, len(row))
		for k, v := range row {
			pairs[k] = esl.Quote(names[k]) + ":" + esl.Quote(v)
		}
		objects[i] = "{" + strings.Join(pairs, ",") + "}"
	}
	fmt.Fprintf(b, "{\"row_count\":%d,\"rows\":[%s]}\n", len(rows), strings.Join(objects, ","))
}

func printXML(b *strings.Builder, names []string, rows [][]string) {
	fmt.Fprintf(b, "<result row_count=\"%d\"", len(rows))
	if len(rows) == 0 {
		b.WriteString("/>\n")
		return
	}
	b.WriteString(">\n")
	for i, row := range rows {
		fmt.Fprintf(b, "  <row row_id=\"%d\">\n", i+1)
		for k, v := range row {
			fmt.Fprintf(b, "    <%s>%s</%s>\n", names[k], esl.EscapeXML(esl.Escape(v)), names[k])
		}
		b.WriteString("  </row>\n")
	}
	b.WriteString("</result>\n")
}
