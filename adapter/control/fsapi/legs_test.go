package fsapi

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/esl"
)

// all takes what was told since it was last asked, of calls and rooms.
func (r *rig) all() (names []string, events []*esl.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.told {
		name := e.Name()
		if name == "CUSTOM" {
			name = e.Value("Action")
		}
		if name != "" && name != "PRESENCE_IN" && name != "HEARTBEAT" {
			names, events = append(names, name), append(events, e)
		}
	}
	r.told = nil
	return names, events
}

// TestACallIsToldFromCreateToDestroy, around what is told of the member.
func TestACallIsToldFromCreateToDestroy(t *testing.T) {
	bubble(t, func(r *rig) {
		p := r.call("3001", "1001", nil)
		names, events := r.all()
		if want := []string{"CHANNEL_CREATE", "CHANNEL_ANSWER", "conference-create", "add-member", "floor-change"}; !slices.Equal(names, want) {
			t.Errorf("%q, want %q", names, want)
		}
		for _, want := range []esl.Header{{Name: "Answer-State", Value: "ringing"}, {Name: "Call-Direction", Value: "inbound"}, {Name: "Unique-ID", Value: uniqueID(p.id)}} {
			if have := events[0].Value(want.Name); have != want.Value {
				t.Errorf("%s is %q, want %q", want.Name, have, want.Value)
			}
		}
		r.says("conference 3001 transfer 3002 1", "+OK Member '1' sent to conference 3002.\n")
		time.Sleep(time.Minute)
		if names, _ = r.all(); slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "CHANNEL_") }) {
			t.Errorf("who is transferred is the same call: %q", names)
		}
		p.sink.Post(engine.LegGone{Leg: p.id, Reason: engine.ReasonHangup})
		time.Sleep(time.Minute)
		names, events = r.all()
		if want := []string{"CHANNEL_HANGUP", "floor-change", "del-member", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY", "conference-destroy"}; !slices.Equal(names, want) {
			t.Errorf("%q, want %q", names, want)
		}
		at := slices.Index(names, "CHANNEL_HANGUP_COMPLETE")
		if at < 0 {
			return
		}
		if e := events[at]; e.Value("Hangup-Cause") != "NORMAL_CLEARING" || e.Value("Channel-Call-State") != "HANGUP" || e.Value("Unique-ID") != uniqueID(p.id) {
			t.Errorf("%v", e.Headers)
		}
		if len(r.a.calls) != 0 {
			t.Errorf("kept %v", r.a.calls)
		}
	})
}

// TestWhoIsCalledIsOutbound: so a switch shows him, with whom he sees as the one
// who is called.
func TestWhoIsCalledIsOutbound(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		r.all()
		r.says("conference 3001 dial uas 1234 Board", "+OK Call Requested: result: [SUCCESS]\n")
		time.Sleep(time.Minute)
		names, events := r.all()
		if want := []string{"CHANNEL_CREATE", "CHANNEL_ANSWER", "add-member"}; !slices.Equal(names, want) {
			t.Errorf("%q, want %q", names, want)
		}
		for _, want := range []esl.Header{
			{Name: "Call-Direction", Value: "outbound"},
			{Name: "Caller-Direction", Value: "outbound"},
			{Name: "Caller-Destination-Number", Value: "uas"},
			{Name: "Caller-Caller-ID-Name", Value: "Outbound Call"},
			{Name: "Caller-Caller-ID-Number", Value: "uas"},
			{Name: "Caller-Orig-Caller-ID-Number", Value: "1234"},
			{Name: "Caller-Callee-ID-Number", Value: "1234"},
			{Name: "Caller-Callee-ID-Name", Value: "Board"},
			{Name: "Caller-Network-Addr"},
			{Name: "Caller-Username"},
		} {
			if have := events[2].Value(want.Name); have != want.Value {
				t.Errorf("%s is %q, want %q", want.Name, have, want.Value)
			}
		}
		if list := r.api("conference 3001 list"); !strings.Contains(list, ";Outbound Call;uas;") {
			t.Errorf("list %q", list)
		}
		id := r.api("conference 3001 get-uuid last")
		for name, want := range map[string]string{"direction": "outbound", "sip_from_user": "1234", "sip_to_user": "uas", "is_outbound": "true"} {
			r.says("uuid_getvar "+id+" "+name, want)
		}
		r.all()
		r.says("conference 3001 dial busy", "+OK Call Requested: result: [USER_BUSY]\n")
		time.Sleep(time.Second)
		names, events = r.all()
		if want := []string{"CHANNEL_CREATE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"}; !slices.Equal(names, want) || events[1].Value("Hangup-Cause") != "USER_BUSY" {
			t.Errorf("%q, want %q", names, want)
		}
	})
}

// TestHowACallIsTakenOut: ended by its id, it is over before it leaves, and nobody
// has kicked anybody; kicked, it leaves first. So is one that could not be sent elsewhere.
func TestHowACallIsTakenOut(t *testing.T) {
	bubble(t, func(r *rig) {
		for number, row := range map[string]struct {
			lines []string
			want  []string
		}{
			"1001": {lines: []string{"uuid_kill ID"}, want: []string{"CHANNEL_HANGUP", "del-member", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"}},
			"1002": {lines: []string{"conference 3001 kick last"}, want: []string{"kick-member", "del-member", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"}},
			"1003": {lines: []string{"uuid_transfer ID /", "conference 3001 kick last"}, want: []string{"kick-member", "del-member", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"}},
			"1004": {lines: []string{"uuid_transfer ID 3002"}, want: []string{"del-member", "conference-create", "add-member", "floor-change"}},
		} {
			r.call("3001", "1000"+number, map[string]string{"role": "moderator"}) // has the floor
			id := uniqueID(r.call("3001", number, nil).id)
			r.all()
			for _, line := range row.lines {
				r.api(strings.ReplaceAll(line, "ID", id))
			}
			time.Sleep(time.Minute)
			if names, _ := r.all(); !slices.Equal(names, row.want) {
				t.Errorf("%q: %q, want %q", row.lines, names, row.want)
			}
			r.api("conference 3001 kick all")
			time.Sleep(time.Minute)
		}
	})
}

// TestWhoIsCalledIsKnownFromTheOrderOn, by the number that the address has, and is still
// outbound in another room.
func TestWhoIsCalledIsKnownFromTheOrderOn(t *testing.T) {
	bubble(t, func(r *rig) {
		r.says("originate sofia/x/uas@there &nothing", "-ERR DESTINATION_OUT_OF_ORDER\n")
		if !strings.HasPrefix(r.api("originate sofia/x/uas@there 3001 XML default Board 500"), "+OK ") {
			t.Error("he has not come")
		}
		_, events := r.all()
		for i, want := range map[int]esl.Headers{
			0: {{Name: "Event-Name", Value: "CHANNEL_CREATE"}, {Name: "Channel-Name", Value: "parley/sip/uas"}, {Name: "Caller-Destination-Number", Value: "uas"}, {Name: "Channel-Read-Codec-Name"}},
			1: {
				{Name: "Event-Name", Value: "CHANNEL_ANSWER"},
				{Name: "Caller-Caller-ID-Name", Value: "Board"},
				{Name: "Caller-Caller-ID-Number", Value: "500"},
				{Name: "Caller-Callee-ID-Name", Value: "Outbound Call"},
				{Name: "Caller-Callee-ID-Number", Value: "uas"},
				{Name: "Channel-Read-Codec-Name", Value: "PCMU"},
			},
		} {
			for _, h := range want {
				if have := events[i].Value(h.Name); have != h.Value {
					t.Errorf("event %d: %s is %q, want %q", i, h.Name, have, h.Value)
				}
			}
		}
		r.api("conference 3001 transfer 3002 1")
		time.Sleep(time.Minute)
		if list := r.api("conference 3002 list"); !strings.Contains(list, ";Outbound Call;") {
			t.Errorf("list %q", list)
		}
		for address, want := range map[string]string{"sip:a@b": "a", "sofia/gateway/t/12": "12", "pbx1/user/1001": "1001", "12": "12", "": ""} {
			if have := numberIn(address); have != want {
				t.Errorf("%q calls %q, want %q", address, have, want)
			}
		}
	})
}

// TestWhoHasNoNameIsCalledByHisNumber, and where he is, is an address.
func TestWhoHasNoNameIsCalledByHisNumber(t *testing.T) {
	bubble(t, func(r *rig) {
		p := &phone{id: "call-1", out: make(chan engine.Outcome, 1)}
		p.sink = r.x.Arrive(p, engine.Invite{Room: "3001", Kind: "sip", Source: "192.0.2.7/1001", Caller: engine.Caller{Number: "1001"}})
		p.sink.Post(engine.MediaUp{Leg: p.id})
		time.Sleep(10 * time.Second)
		_, events := r.all()
		for _, want := range []esl.Header{
			{Name: "Caller-Caller-ID-Name", Value: "1001"}, {Name: "Caller-Orig-Caller-ID-Name", Value: "1001"}, {Name: "Caller-Network-Addr", Value: "192.0.2.7"},
		} {
			if have := events[1].Value(want.Name); have != want.Value {
				t.Errorf("%s is %q, want %q", want.Name, have, want.Value)
			}
		}
		r.says("conference 3001 list pretty", "1) 1001 (1001)\n")
		r.says("conference 3001 list summary pretty", r.api("conference 3001 list"))
		if out := r.api("conference 3001 json_list"); !strings.Contains(out, `"caller_id_name":	"1001"`) {
			t.Errorf("%s", out)
		}
		if row := r.api("show channels"); !strings.Contains(row, ",1001,1001,192.0.2.7,3001,") {
			t.Errorf("%s", row)
		}
		id := uniqueID(p.id)
		for name, want := range map[string]string{"sip_call_id": "call-1", "sip_from_user": "1001", "read_codec": "PCMU", "write_codec": "PCMU", "endpoint_disposition": "ANSWER"} {
			r.says("uuid_getvar "+id+" "+name, want)
		}
		r.a.opts.Head = func(name string) esl.Headers {
			return esl.Headers{{Name: "Event-Name", Value: name}, {Name: "Event-Date-Local", Value: "2026-11-29 21:00:00"}}
		}
		for format, want := range map[string]string{"": "Event-Date-Local: 2026-11-29%2021%3A00%3A00\n", " plain": "Event-Date-Local: [2026-11-29 21:00:00]\n"} {
			if dump := r.api("uuid_dump " + id + format); !strings.Contains(dump, want) {
				t.Errorf("dump%s: %s", format, dump)
			}
		}
	})
}

// TestWhatACommandCausesIsToldWhenItReturns, whoever is to tell it besides.
func TestWhatACommandCausesIsToldWhenItReturns(t *testing.T) {
	bubble(t, func(r *rig) {
		var told []string
		a := New(Options{Exchange: r.x, Fire: func(_, _ string, h esl.Headers, _ []byte) uint64 {
			told = append(told, (&esl.Event{Headers: h}).Value("Action"))
			return 0
		}})
		a.Observe(engine.Event{Type: engine.EventRoomStarted, Room: "3001", Instance: "i"})
		a.Do(t.Context(), "status", "")
		if !slices.Equal(told, []string{"conference-create"}) {
			t.Errorf("told %q", told)
		}
	})
}
