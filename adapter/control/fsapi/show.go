package fsapi

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/engine"
)

// detail is what "show" tells of a channel, and columns are those of "show channels".
const (
	detail = "uuid direction created created_epoch name state cid_name cid_num ip_addr dest application application_data dialplan " +
		"context read_codec read_rate read_bit_rate write_codec write_rate write_bit_rate secure hostname presence_id presence_data " +
		"accountcode callstate callee_name callee_num callee_direction call_uuid sent_callee_name sent_callee_num "
	columns = detail + "initial_cid_name initial_cid_num initial_ip_addr initial_dest initial_dialplan initial_context"
)

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

// Columns of calls, which have a second channel's beside the first's: names that
// columns has none of are empty.
const (
	partner = "b_uuid b_direction b_created b_created_epoch b_name b_state b_cid_name b_cid_num b_ip_addr b_dest "
	ends    = "b_presence_id b_presence_data b_accountcode b_callstate b_callee_name b_callee_num b_callee_direction "

	callColumns = "uuid direction created created_epoch name state cid_name cid_num ip_addr dest presence_id presence_data accountcode " +
		"callstate callee_name callee_num callee_direction call_uuid hostname sent_callee_name sent_callee_num " +
		partner + ends + "b_sent_callee_name b_sent_callee_num call_created_epoch"
	detailedColumns = detail +
		partner + "b_application b_application_data b_dialplan b_context b_read_codec b_read_rate b_read_bit_rate b_write_codec " +
		"b_write_rate b_write_bit_rate b_secure b_hostname " + ends + "b_call_uuid b_sent_callee_name b_sent_callee_num call_created_epoch"
	likeColumns = "uuid name cid_name cid_num presence_data accountcode" // where "like" looks
)

// pick is a row with other columns.
func pick(row []string, names string) (picked []string) {
	all := strings.Fields(columns)
	for name := range strings.FieldsSeq(names) {
		value := ""
		if i := slices.Index(all, name); i >= 0 {
			value = row[i]
		}
		picked = append(picked, value)
	}
	return picked
}

// shown is what "show" knows at the switch.
const shown = "codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]|" +
	"calls|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say|interfaces|interface_types|tasks|limits|status"

// show lists channels. Calls are all of them, none with a second channel: a member
// has one. What is no list of ours is empty if it may be, and else refused.
func (a *API) show(ctx context.Context, arguments string) string {
	words := split(arguments)
	if len(words) == 0 {
		return usage(shown)
	}
	what := strings.ToLower(words[0])
	option, format := "", 1 // the word behind, and where "as" may stand
	if len(words) > 1 {
		option = strings.ToLower(words[1])
	}
	l := listing{names: columns}
	switch what {
	case "status":
		return a.status(ctx, "")
	case "channels", "calls", "registrations":
		if l.counted = option == "count"; l.counted {
			format = 2
		}
	}
	switch what {
	case "channels":
		l.rows = a.rows(ctx, columns)
		if option == "like" && len(words) > 2 {
			l.keep(words[2])
			format = 3
		}
	case "calls":
		l.names, l.rows = callColumns, a.rows(ctx, callColumns)
	case "detailed_calls":
		l.names, l.rows = detailedColumns, a.rows(ctx, detailedColumns)
	case "registrations", "bridged_calls", "detailed_bridged_calls", "aliases", "tasks", "limits", "nat_map", "say":
	default:
		if refusal := a.unshown(what, option); refusal != "" {
			return refusal
		}
	}
	return l.show(words, format)
}

// unshown is the answer to what a switch would list and we do not; "" = a list of
// none, of a module or a command that is not there.
func (a *API) unshown(what, name string) string {
	if !slices.Contains(strings.FieldsFunc(shown, func(r rune) bool { return r == '|' || r == ' ' }), what) {
		return usage(shown)
	}
	none := false
	switch what {
	case "modules":
		none = !slices.Contains(modules(), name)
	case "application":
		none = name != "conference"
	case "api":
		none = !slices.ContainsFunc(a.words, func(w word) bool { return w.name == name })
	}
	if none && name != "" && name != "as" {
		return ""
	}
	return "-ERR Parley has no " + what + " to show\n"
}

// rows are all channels.
func (a *API) rows(ctx context.Context, names string) [][]string {
	list := a.channels(ctx)
	rows := make([][]string, len(list))
	for i := range list {
		rows[i] = pick(a.row(&list[i]), names)
	}
	return rows
}
