package fsapi

import (
	"encoding/xml"
	"strings"
	"testing"

	"parley/engine"
)

// The titles are those of a real 1.11.1.
const (
	callsTitle = "uuid,direction,created,created_epoch,name,state,cid_name,cid_num,ip_addr,dest,presence_id,presence_data,accountcode,callstate,callee_name,callee_num," +
		"callee_direction,call_uuid,hostname,sent_callee_name,sent_callee_num,b_uuid,b_direction,b_created,b_created_epoch,b_name,b_state,b_cid_name,b_cid_num,b_ip_addr,b_dest," +
		"b_presence_id,b_presence_data,b_accountcode,b_callstate,b_callee_name,b_callee_num,b_callee_direction,b_sent_callee_name,b_sent_callee_num,call_created_epoch\n"
	detailedTitle = "uuid,direction,created,created_epoch,name,state,cid_name,cid_num,ip_addr,dest,application,application_data,dialplan,context,read_codec,read_rate,read_bit_rate," +
		"write_codec,write_rate,write_bit_rate,secure,hostname,presence_id,presence_data,accountcode,callstate,callee_name,callee_num,callee_direction,call_uuid,sent_callee_name," +
		"sent_callee_num,b_uuid,b_direction,b_created,b_created_epoch,b_name,b_state,b_cid_name,b_cid_num,b_ip_addr,b_dest,b_application,b_application_data,b_dialplan,b_context," +
		"b_read_codec,b_read_rate,b_read_bit_rate,b_write_codec,b_write_rate,b_write_bit_rate,b_secure,b_hostname,b_presence_id,b_presence_data,b_accountcode,b_callstate," +
		"b_callee_name,b_callee_num,b_callee_direction,b_call_uuid,b_sent_callee_name,b_sent_callee_num,call_created_epoch\n"
)

// TestShow has the answers of a real 1.11.1 with as many channels.
func TestShow(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		r.call("3001", "1002", nil)
		for _, row := range []struct{ line, want string }{
			{"show channels like nobody", "\n0 total.\n"},
			{"show channels like nobody as xml", "<result row_count=\"0\"/>\n"},
			{"show channels like nobody as json", "{\"row_count\": 0}\n"},
			{"show channels as foo", "-ERR Cannot find format foo\n"},
			{"show channels count as foo", "-ERR Cannot find format foo\n"},
			{"show channels count as xml", "<result row_count=\"2\"></result>\n"},
			{"show channels count as json", "{\"row_count\":2,\"rows\":[]}"},
			{"show channels count as delim |", "\n2 total.\n"},
			{"show calls count", "\n2 total.\n"},
			{"show calls count as XML", "<result row_count=\"2\"></result>\n"},
			{"show registrations count as json", "{\"row_count\":0,\"rows\":[]}"},
			{"show bridged_calls", "\n0 total.\n"},
			{"show detailed_bridged_calls as json", "{\"row_count\": 0}\n"},
			{"show aliases foo", "\n0 total.\n"},
			{"show tasks as xml", "<result row_count=\"0\"/>\n"},
			{"show modules foo", "\n0 total.\n"},
			{"show api foo", "\n0 total.\n"},
			{"show api status", "-ERR Parley has no api to show\n"}, // the switch shows it
			{"show application foo", "\n0 total.\n"},
		} {
			r.says(row.line, row.want)
		}
		for line, want := range map[string]string{
			"show channels": "1001 1002", "show channels like 1002": "1002", "show channels LIKE n1002 as delim": "1002", "show channels like n100": "1001 1002",
			"show channels like %1": "1001", "show channels like 100_": "1001 1002", "show channels like %100": "", "show channels like": "1001 1002",
			"show channels like " + uniqueID("call-1001"): "1001", "show channels like PARLEY/": "1001 1002", "show channels like 3001": "", "show channels like 1001 count": "1001",
		} {
			var got []string
			for _, number := range []string{"1001", "1002"} {
				if strings.Contains(r.api(line), "N"+number) {
					got = append(got, number)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %q, want %q", line, got, want)
			}
		}
		for line, want := range map[string]string{"show calls": callsTitle, "show detailed_calls": detailedTitle} {
			lines := strings.SplitAfter(r.api(line), "\n")
			if len(lines) != 6 || lines[0] != want || strings.Count(lines[1], ",") != strings.Count(want, ",") || !strings.HasSuffix(lines[1], ",,,\n") {
				t.Errorf("%s: %q", line, lines)
			}
		}
	})
}

// TestShowAsXML has texts as they are, as at the switch, where events encode them.
func TestShowAsXML(t *testing.T) {
	bubble(t, func(r *rig) {
		p := &phone{id: "a", out: make(chan engine.Outcome, 1)}
		p.sink = r.x.Arrive(p, engine.Invite{Room: "3001", Kind: "sip", Caller: engine.Caller{Number: "1001", Name: "Eve & <co> 100%"}})
		p.sink.Post(engine.MediaUp{Leg: p.id})
		r.wait()
		var list struct {
			Rows []struct {
				Name string `xml:"cid_name"`
				Data string `xml:"application_data"`
			} `xml:"row"`
		}
		err := xml.Unmarshal([]byte(r.api("show channels as xml")), &list)
		if err != nil || len(list.Rows) != 1 || list.Rows[0].Name != "Eve & <co> 100%" || list.Rows[0].Data != "3001@default" {
			t.Errorf("%v %+v", err, list)
		}
	})
}

func TestLike(t *testing.T) {
	for _, row := range []struct {
		text, pattern string
		want          bool
	}{
		{"", "", true},
		{"", "%", true},
		{"", "_", false},
		{"abc", "ABC", true},
		{"ü", "Ü", false},
		{"ü", "_", true},
		{"abc", "a%", true},
		{"abc", "%c", true},
		{"abc", "%b%", true},
		{"abc", "a%%c", true},
		{"abc", "a_c", true},
		{"abc", "b%", false},
		{"abcabd", "%ab_", true},
		{"aab", "%aab%", true},
		{"aaab", "a%aab", true},
		{"abc", "abcd", false},
		{strings.Repeat("a", 1000), strings.Repeat("%a", 1000) + "b", false},
	} {
		if got := like(row.text, row.pattern); got != row.want {
			t.Errorf("%.20q like %.20q: %v", row.text, row.pattern, got)
		}
	}
}
