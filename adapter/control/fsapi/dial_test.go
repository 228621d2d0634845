package fsapi

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// TestVariablesOfADialString: those that an order has a place for count.
func TestVariablesOfADialString(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		const id = "11111111-2222-4333-8444-555555555555"
		for _, line := range []string{
			"dial {origination_caller_id_number=777,origination_caller_id_name='Big Boss',originate_timeout=7,ignore_early_media=true,hangup_after_bridge=true}[sip_h_X-Trip=9,sip_h_Via=x,sip_h_X-A:b=x]busy 1234 Somebody",
			"dial {origination_uuid=" + id + ",parley_muted=true,origination_callee_id_name=Ann}uas",
		} {
			r.api("conference 3001 " + line)
		}
		time.Sleep(time.Minute)
		r.mu.Lock()
		first, second := r.orders[0], r.orders[1]
		r.mu.Unlock()
		if first.Caller.Number != "777" || first.Caller.Name != "Big Boss" || first.Timeout != 7*time.Second {
			t.Errorf("ordered %+v", first)
		}
		if len(first.Channel) != 2 || first.Channel["X-Trip"] != "9" || first.Channel["sip_h_X-Trip"] != "9" {
			t.Errorf("for the channel: %v", first.Channel)
		}
		if second.Leg != id {
			t.Errorf("the call is %q", second.Leg)
		}
		r.says("uuid_exists "+id, "true")
		r.says("uuid_getvar "+id+" caller_id_name", "Ann")
		if list := r.api("conference 3001 list"); !strings.Contains(list, ";uas;hear;") {
			t.Errorf("he is not muted: %q", list)
		}
		r.says("conference 3001 list pretty", "2) Ann (uas)\n1) N1001 (1001)\n")
		if v := r.api("conference 3001 get-uuid 2"); v != id {
			t.Errorf("member 2 is %q", v)
		}
		r.says("conference 3001 dial {a=b", "+OK Call Requested: result: [DESTINATION_OUT_OF_ORDER]\n")
	})
}

// TestOriginate: who answers is in the room that the application, or the
// extension, names, as that and the variables say.
func TestOriginate(t *testing.T) {
	bubble(t, func(r *rig) {
		const id = "11111111-2222-4333-8444-555555555555"
		r.says("originate {origination_uuid="+id+",origination_callee_id_name=Ann,conference_join_volume_in=2}uas &conference(3001@default+12+flags{mute|moderator|ghost}) XML default Board 500 9", "+OK "+id+"\n")
		if list := r.api("conference 3001 list"); !strings.HasSuffix(list, ";Ann;uas;hear|floor|moderator;2;0;0\n") {
			t.Errorf("the list is %q", list)
		}
		r.mu.Lock()
		order := r.orders[0]
		r.mu.Unlock()
		if order.Caller != (engine.Caller{Number: "500", Name: "Board"}) || order.Timeout != 9*time.Second || order.Invite.Origins["flags"] != "parley_conference" {
			t.Errorf("ordered %+v", order)
		}
		if w := order.Invite.Warnings; !slices.Equal(w, []string{"parley_conference: ghost has no effect"}) {
			t.Errorf("warned %q", w)
		}
		if ok := strings.HasPrefix(r.api("originate {conference_member_flags=deaf}bob 3001"), "+OK "); !ok {
			t.Error("the extension is no room")
		}
		if list := r.api("conference 3001 list"); !strings.Contains(list, ";Outbound Call;bob;speak;0;0;0\n") {
			t.Errorf("the list is %q", list)
		}
		r.says("originate uas 3001 XML default a b c d", "-USAGE: "+originateSyntax+"\n")
		r.says("originate busy 3001", "-ERR USER_BUSY\n")
		r.says("originate uas &park()", "-ERR DESTINATION_OUT_OF_ORDER\n")
		r.says("originate uas &conference()", "-ERR NO_ROUTE_DESTINATION\n")
		r.says("originate {a=b 3001", "-ERR DESTINATION_OUT_OF_ORDER\n")
		r.says("originate sofia/gateway/none/1 3001", "-ERR INVALID_GATEWAY\n")
		r.says("conference 3001 count", "2")
	})
}

// TestCausesThatAreDialled has the answers of a real 1.11.1: nobody is called.
func TestCausesThatAreDialled(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		for _, row := range []struct{ line, want string }{
			{"originate error/user_busy &conference(3009)", "-ERR USER_BUSY\n"},
			{"originate Error/USER_BUSY 3009", "-ERR USER_BUSY\n"},
			{"originate {a=b}error/17 3009", "-ERR USER_BUSY\n"},
			{"originate error/no_answer &park", "-ERR NO_ANSWER\n"},
			{"originate error/foo 3009", "-ERR NORMAL_CLEARING\n"},
			{"originate error/ 3009", "-ERR NORMAL_CLEARING\n"},
			{"originate error/999 3009", "-ERR UNKNOWN\n"},
			{"originate error/SUCCESS 3009", "-ERR DESTINATION_OUT_OF_ORDER\n"},
			{"originate error/user_busy,error/no_answer 3009", "-ERR DESTINATION_OUT_OF_ORDER\n"},
			{"conference 3009 dial error/user_busy", "+OK Call Requested: result: [USER_BUSY]\n"},
			{"conference 3001 dial error/no_answer 1 2", "+OK Call Requested: result: [NO_ANSWER]\n"},
			{"conference 3001 count", "1"},
			{"conference 3009 count", "-ERR Conference 3009 not found\n"},
		} {
			r.says(row.line, row.want)
		}
		r.api("conference 3001 bgdial error/gateway_down")
		r.mu.Lock()
		defer r.mu.Unlock()
		if e := r.told[len(r.told)-1]; e.Value("Action") != "bgdial-result" || e.Value("Result") != "GATEWAY_DOWN" || len(r.orders) > 0 {
			t.Errorf("told %v, ordered %v", e.Headers, r.orders)
		}
	})
}

// TestVariablesOfADialStringInAnyCase count as at the switch, the last of two.
func TestVariablesOfADialStringInAnyCase(t *testing.T) {
	bubble(t, func(r *rig) {
		r.api("originate {origination_caller_id_number=1,Origination_Caller_ID_Number=8,ORIGINATION_UUID=abc,sip_h_X-Trip=7,SIP_H_x-trip=9,Parley_Muted=true}uas 3001")
		r.mu.Lock()
		order := r.orders[0]
		r.mu.Unlock()
		if order.Caller.Number != "8" || order.Leg != "abc" || len(order.Channel) != 2 || order.Channel["x-trip"] != "9" || order.Channel["sip_h_x-trip"] != "9" {
			t.Errorf("ordered %+v", order)
		}
		if list := r.api("conference 3001 list"); !strings.Contains(list, ";uas;hear|floor;") {
			t.Errorf("he is not muted: %q", list)
		}
	})
}

// TestAnIdMayBeAnyWord that an order gives it, in the answer, in all events, and in
// what is asked of it afterwards, in another room too.
func TestAnIdMayBeAnyWord(t *testing.T) {
	bubble(t, func(r *rig) {
		const id = "my-job-1"
		r.says("originate {origination_uuid="+id+"}uas 3001", "+OK "+id+"\n")
		r.says("uuid_exists "+id, "true")
		r.says("uuid_getvar "+id+" uuid", id)
		r.says("conference 3001 get-uuid last", id)
		if list := r.api("conference 3001 list"); !strings.HasPrefix(list, "1;parley/sip/uas;"+id+";") {
			t.Errorf("the list is %q", list)
		}
		if list := r.api("show channels"); !strings.Contains(list, "\n"+id+",outbound,") {
			t.Errorf("the channels are %q", list)
		}
		r.says("uuid_transfer "+id+" 3002", "+OK\n")
		time.Sleep(time.Minute)
		r.says("conference 3002 get-uuid last", id)
		r.says("uuid_kill "+id, "+OK\n")
		time.Sleep(time.Minute)
		r.says("uuid_exists "+id, "false")
		r.mu.Lock()
		for _, e := range r.told {
			if have := e.Value("Unique-ID"); have != "" && have != id && e.Name() != "PRESENCE_IN" {
				t.Errorf("%s %s is about %q", e.Name(), e.Value("Action"), have)
			}
			if e.Value("Event-Subclass") == cdrSubclass && !strings.Contains(string(e.Body), "<uuid>"+id+"<") {
				t.Errorf("the record of the room: %s", e.Body)
			}
		}
		r.mu.Unlock()
		r.says("originate {origination_uuid=a/b}uas 3001", "-ERR NORMAL_UNSPECIFIED\n")
	})
}
