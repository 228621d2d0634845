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
