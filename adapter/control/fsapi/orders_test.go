package fsapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
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
			{"reloadxml", "-ERR not supported\n"},
		} {
			r.says(row.line, row.want)
		}
		time.Sleep(time.Minute)
		if got := r.api("conference 3002 count"); got != "1" {
			t.Errorf("in the other room: %q", got)
		}
		for line, want := range map[string]string{"sofia status": "sip:192.0.2.7:5060\tRUNNING (2)\n", "sofia xmlstatus": "<data>sip:192.0.2.7:5060</data>", "status": "\n300 session(s) max\n"} {
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
