package fsapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/conference"
)

// TestWhatScriptsAskASwitchFor has the answers of a real 1.11.1, where they do
// not name rooms of ours.
func TestWhatScriptsAskASwitchFor(t *testing.T) {
	bubble(t, func(r *rig) {
		r.a.opts.SIP, r.a.opts.Sessions = "192.0.2.7:5060", 300
		r.a.opts.Playable = func(spec string) error {
			if strings.HasPrefix(spec, "/nowhere") {
				return errors.New("no such sound")
			}
			return nil
		}
		r.call("3001", "1001", nil)
		r.call("3001", "1002", nil)
		id := uniqueID("call-1001")
		syntax := "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
		for _, row := range []struct{ line, want string }{
			{"uuid_setvar " + id + " foo b c  d", "+OK\n"},
			{"uuid_getvar " + id + " foo", "b c  d"},
			{"conference 3001 get-uuid foo=b c  d", "-ERR Non-Existant member\n"}, // a word ends at a blank
			{"uuid_setvar " + id + " foo", "+OK\n"},
			{"uuid_getvar " + id + " foo", "_undef_"},
			{"uuid_setvar", "-USAGE: <uuid> <var> [value]\n"},
			{"uuid_setvar nosuch a b", "-ERR No such channel!\n"},
			{"uuid_setvar_multi " + id + " a=b;c=d;e", "+OK\n"},
			{"uuid_getvar " + id + " c", "d"},
			{"conference 3001 get-uuid c=d", id},
			{"uuid_setvar_multi " + id + " ^^,a=1,b=x;y", "+OK\n"},
			{"uuid_getvar " + id + " b", "x;y"},
			{"uuid_setvar_multi " + id + " e='x;y';f=2", "+OK\n"},
			{"uuid_getvar " + id + " e", "x;y"},
			{"uuid_getvar " + id + " F", "2"},
			{"uuid_setvar_multi " + id + ` i=x\;y;j=a\sb `, "+OK\n"},
			{"uuid_getvar " + id + " i", "x;y"},
			{"uuid_getvar " + id + " j", "a b"},
			{"uuid_setvar_multi " + id + " =x", "-ERR No variable specified\n" + syntax},
			{"uuid_setvar_multi " + id + " ;;", "-ERR No variable specified\n-ERR No variable specified\n" + syntax},
			{"uuid_setvar_multi " + id + " ;a=7;", "-ERR No variable specified\n+OK\n"},
			{"uuid_getvar " + id + " a", "7"},
			{"uuid_setvar_multi " + id, ""},
			{"uuid_setvar_multi", syntax},
			{"uuid_setvar_multi nosuch a=b", "-ERR No such channel!\n" + syntax},
			{"uuid_broadcast " + id + " beep", "+OK Message sent\n"},
			{"uuid_broadcast " + id + " /nowhere.wav", "-ERR /nowhere.wav not found\n"},
			{"uuid_broadcast " + id + " hangup::", "-ERR only files can be played\n"},
			{"uuid_broadcast " + id, "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n"},
			{"uuid_broadcast x y", "-ERR invalid uuid\n"},
			{"uuid_transfer x 1", "-ERR No such channel!\n"},
			{"uuid_transfer x", "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"},
			{"uuid_transfer " + id + " 3002", "+OK\n"},
			{"eval hello ${domain} $${domain}x", "hello parley parleyx"},
			{"eval uuid:" + id + " ${uuid} ${nosuch}", id + " "},
			{"eval $domain ${version()}", "$domain "},
			{"eval", ""},
			{"expand echo a ${domain}", "a parley"},
			{"expand version short", "1.11.1-release\n"},
			{"expand", "-ERR No input\n"},
			{"expand expand echo a", "INVALID COMMAND!\n-ERR Cannot execute command\n"},
			{"expand nosuch x", "INVALID COMMAND!\n-ERR Cannot execute command\n"},
			{"show registrations", "\n0 total.\n"},
			{"show registrations as json", "{\"row_count\": 0}\n"},
			{"show modules", "-ERR Parley has no modules to show\n"},
			{"show bogus", usage(shown)},
			{"strftime %Y %%", "2000 %"},
			{"sofia nosuch", "Unknown Command [nosuch]\n"},
			{"sofia status profile nosuch", "Invalid Profile!\n"},
			{"sofia status profile nosuch reg", "Invalid Profile!\n"},
			{"sofia STATUS gateway nosuch", "Invalid Gateway!\n"},
			{"sofia status nosuch x", "Invalid Syntax!\n"},
			{"sofia xmlstatus gateway", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<gateways>\n</gateways>\n"},
			{"sofia status profile parley reg", "\nRegistrations:\n" + line + "Total items returned: 0\n" + line},
			{"reloadxml", "-ERR not supported\n"},
		} {
			r.says(row.line, row.want)
		}
		time.Sleep(time.Minute)
		if got := r.api("conference 3002 count"); got != "1" {
			t.Errorf("in the other room: %q", got)
		}
		for line, want := range map[string]string{"sofia status profile parley": "\nURL              \tsip:192.0.2.7:5060\n", "sofia status": "sip:192.0.2.7:5060\tRUNNING (2)\n", "sofia xmlstatus": "<data>sip:192.0.2.7:5060</data>", "status": "\n300 session(s) max\n"} {
			if got := r.api(line); !strings.Contains(got, want) {
				t.Errorf("%s: %q", line, got)
			}
		}
		var err error
		r.a.opts.Reload = func(context.Context) error { return err }
		r.says("reloadxml", "+OK [Success]\n")
		err = errors.New("line 3\nline 4")
		r.says("reloadxml", "-ERR [line 3; line 4]\n")
		other := uniqueID("call-1002")
		for n := range maxVariables {
			r.api(fmt.Sprintf("uuid_setvar %s v%d x", other, n))
		}
		r.says("uuid_setvar "+other+" more x", tooManyVariables)
		r.says("uuid_setvar "+other+" v7 y", "+OK\n")
		r.says("uuid_setvar "+other+" v7 "+strings.Repeat("y", maxVariable), tooManyVariables)
	})
}

// TestVariablesInAnyCase has the answers of a real 1.11.1.
func TestVariablesInAnyCase(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		id := uniqueID("call-1001")
		for _, row := range []struct{ line, want string }{
			{"uuid_setvar " + id + " FoO 1", "+OK\n"},
			{"uuid_setvar " + id + " foo 2", "+OK\n"},
			{"uuid_getvar " + id + " FOO", "2"},
			{"uuid_getvar " + id + " UUID", id},
			{"uuid_getvar " + id + " Caller_ID_Number", "1001"},
			{"conference 3001 get-uuid FOO=2", id},
			{"uuid_setvar " + id + " CALLER_ID_NUMBER 7", "+OK\n"},
			{"uuid_getvar " + id + " caller_id_number", "7"},
			{"uuid_setvar " + id + " FOO", "+OK\n"},
			{"uuid_getvar " + id + " foo", "_undef_"},
			{"eval ${HostName}", "here"},
			{"global_getvar DOMAIN", "parley"},
			{"conference 3001 get COUNT", "1"},
			{"conference 3001 get Max_Members", "0"},
			{"conference 3001 set Caller_ID_Name x", ""},
			{"conference 3001 get Caller_ID_Name", "x"},
			{"conference 3001 setvar Foo 1", "+OK\n"},
			{"conference 3001 getvar fOO", "1"},
		} {
			r.says(row.line, row.want)
		}
		if dump := r.api("uuid_dump " + id); strings.Count(strings.ToLower(dump), "variable_caller_id_number") != 1 || !strings.Contains(dump, "variable_CALLER_ID_NUMBER: 7\n") {
			t.Errorf("%q", dump)
		}
	})
}

func TestTimesInTheWordsOfStrftime(t *testing.T) {
	now := time.Date(2026, 3, 4, 15, 6, 7, 0, time.UTC)
	for format, want := range map[string]string{
		"": "2026-03-04 15:06:07", "%Y-%m-%d-%H%M%S": "2026-03-04-150607", "%d %b %y, %I:%M %p %j%": "04 Mar 26, 03:06 PM 063%", "%Q %%": "%Q %",
	} {
		if got := clock(now, format); got != want {
			t.Errorf("%q: %q, want %q", format, got, want)
		}
	}
}

// TestADestinationIsARoom: an extension, or the application conference, in the two
// forms that the switch has for it.
func TestADestinationIsARoom(t *testing.T) {
	bubble(t, func(r *rig) {
		id := uniqueID(r.call("3001", "1001", nil).id)
		for _, row := range []struct{ to, want, room string }{
			{"conference:3002 inline", "+OK\n", "3002"},
			{"'conference:3003@default' INLINE default", "+OK\n", "3003"},
			{"m:^:conference:3004 inline", "+OK\n", "3004"},
			{"&conference(3005@default)", "+OK\n", "3005"},
			{"3006 XML default", "+OK\n", "3006"},
			{"conference:3007", "-ERR", "3006"}, // an extension whose name is no room's
			{"conference:3007+flags{mute} inline", "-ERR of the room that a member goes to only name and profile can be said\n", "3006"},
			{"conference:3007+12 inline", "-ERR of the room that a member goes to only name and profile can be said\n", "3006"},
			{"conference: inline", "-ERR NO_ROUTE_DESTINATION\n", "3006"},
			{"park inline", "-ERR a member's call goes to a conference, and not to park\n", "3006"},
			{"'conference:3007,hangup' inline", "-ERR a member's call goes to a conference, and not to inline\n", "3006"},
		} {
			if got := r.api("uuid_transfer " + id + " " + row.to); got != row.want && (row.want != "-ERR" || !strings.HasPrefix(got, row.want)) {
				t.Errorf("%s: %q, want %q", row.to, got, row.want)
			}
			time.Sleep(time.Minute)
			if got := r.api("conference " + row.room + " get-uuid last"); got != id {
				t.Errorf("%s: in %s is %q", row.to, row.room, got)
			}
		}
	})
}

// TestARefusedOrderToLeaveIsForgotten: who is taken out in another way later is told
// so, also where several have ordered it at one time.
func TestARefusedOrderToLeaveIsForgotten(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		view, err := r.x.Room(r.t.Context(), "3001")
		if err != nil {
			t.Fatal(err)
		}
		hup := func(id engine.MemberID, want string) {
			t.Helper()
			c := &call{a: r.a, ctx: r.t.Context(), view: view}
			if c.hup(&engine.MemberView{ID: id}, ""); c.out.String() != want {
				t.Errorf("%q, want %q", c.out.String(), want)
			}
		}
		const none = "-ERR Non-Existant member\n"
		hup(2, none) // he has just been looked up, and is not there
		r.call("3001", "1002", nil)
		r.events()
		r.says("conference 3001 kick 2", "+OK kicked 2\n")
		r.tells("kick-member 2", "del-member 2")
		r.a.put(leaving{instance: view.Instance, member: 3, told: conference.Hupped}) // by who is about to be obeyed
		hup(3, none)
		r.call("3001", "1003", nil)
		r.events()
		r.says("conference 3001 kick 3", "+OK kicked 3\n")
		r.tells("hup-member 3", "del-member 3")
	})
}
