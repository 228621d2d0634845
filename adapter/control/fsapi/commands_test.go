package fsapi

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/esl"
)

func TestSoundsVolumesAndHolds(t *testing.T) {
	bubble(t, func(r *rig) {
		r.a.opts.Playable = func(spec string) error {
			if strings.HasPrefix(spec, "/nosuch") || strings.HasPrefix(spec, "say:") {
				return errors.New("no such sound")
			}
			return nil
		}
		r.call("3001", "1001", nil)
		r.call("3001", "1002", nil)
		r.events()
		for _, row := range []struct{ line, want, told string }{
			{"volume_in 2 3", "+OK Volume IN 2 = 3\n", "volume-in-member 2"},
			{"volume_in 2 3", "+OK Volume IN 2 = 3\n", "volume-in-member 2"},
			{"volume_in 2 up", "+OK Volume IN 2 = 4\n", "volume-in-member 2"},
			{"volume_in 2 9", "+OK Volume IN 2 = 4\n", "volume-in-member 2"},
			{"volume_in 2", "+OK Volume IN 2 = 4\n", ""},
			{"volume_out 2 down", "+OK Volume OUT 2 = -1\n", "volume-out-member 2"},
			{"volume_out all -7", "+OK Volume OUT 2 = -4\n+OK Volume OUT 1 = -4\n", "volume-out-member 2,volume-out-member 1"},
			{"hold 2", "+OK hold 2\n", "hold-member 2"},
			{"hold 2", "+OK hold 2\n", "hold-member 2"},
			{"unhold 2", "+OK unhold 2\n", "unhold-member 2"},
			{"play one", "+OK (play) Playing file one\n", "play-file,play-file-done"},
			{"play two 2", "+OK (play) Playing file two to member 2\n", "play-file-member 2,play-file-member-done 2"},
			{"play /nosuch.wav", "-ERR (play) File: /nosuch.wav not found.\n", "play-file"},
			{"play one 9", "-ERR Member: 9 not found.\nplay <file_path> [async|<member_id> [nomux]]", ""},
			{"play", "play <file_path> [async|<member_id> [nomux]]", ""},
			{"stop", "+OK Stopped 0 files.\n", ""},
			{"stop all 9", "-ERR Member: 9 not found.\n", ""},
			{"stop last", "stop <[current|all|async|last]> [<member_id>]", ""},
			{"say hello", "-ERR (say) Error!\nsay <text>", ""},
			{"say", "-ERR (say) Error! No text.\nsay <text>", ""},
			{"saymember 9 x", "-ERR (saymember) Unknown Member 9!\nsaymember <member_id> <text>", ""},
			{"pin 1234", "+OK Pin for conference 3001 set: 1234\n", ""},
			{"pin mod 99", "+OK Moderator Pin for conference 3001 set: 99\n", ""},
			{"nopin", "+OK Pin for conference 3001 deleted\n", ""},
			{"pin", "-ERR Invalid parameters:\npin <pin#>", ""},
			{"get max_members", "0", ""},
			{"set max_members 5", "0", ""},
			{"get max_members", "5", ""},
			{"set nonsense 5", "set <max_members|sound_prefix|caller_id_name|caller_id_number|endconference_grace_time> <value>", ""},
			{"enter_sound off", "+OK 3001 enter sounds off (tone_stream://%(1000,0,440))\n", "enter-sounds-off"},
			{"exit_sound file bye", "+OK Old exit sound: []\n+OK 3001 exit sound file set to bye\n", "exit-sound-file-changed"},
			{"floor 1", "+OK floor none\n", "floor-change 1>none"},
			{"floor 2", "+OK floor 2\n", "floor-change 2 none>2"},
			{"floor 1", "-ERR floor is held by 2\n", ""},
			{"relate", "+OK No relationships\n", ""},
			{"chkrecord", "-ERR Conference is not being recorded.\n", ""},
			{"norecord x", "-ERR non-existant recording 'x'\n+OK Stopped recording 0 files\n", ""},
			{"dial", "-ERR Bad Args\ndial <endpoint_module_name>/<destination> <callerid number> <callerid name>", ""},
			{"dial sofia/gateway/none/1", "+OK Call Requested: result: [INVALID_GATEWAY]\n", ""},
		} {
			have := r.api("conference 3001 " + row.line)
			if have != row.want && !strings.HasPrefix(row.line, "enter_sound") && !strings.HasPrefix(row.line, "exit_sound") {
				r.t.Errorf("%s:\n%q, want\n%q", row.line, have, row.want)
			}
			time.Sleep(5 * time.Second)
			if told := strings.Join(r.events(), ","); told != row.told {
				r.t.Errorf("%s: told %q, want %q", row.line, told, row.told)
			}
		}
		r.says("conference 9000 dial", "-ERR Bad Args\nmoh <file_path>|toggle|[on|off]")
		r.says("conference 9000 mute 1", "-ERR Conference 9000 not found\n")
	})
}

// TestStopEndsWhatPlays needs a place that can be silenced.
func TestStopEndsWhatPlays(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		r.events()
		r.says("conference 3001 play one 1", "+OK (play) Playing file one to member 1\n")
		r.says("conference 3001 stop all 1", "+OK Stopped 1 files.\n")
		r.tells("play-file-member 1", "play-file-member-done 1")
		if err := r.x.Do(r.t.Context(), "3001", engine.StopPlay{}); !errors.Is(err, engine.ErrBadCommand) {
			t.Errorf("a place that cannot be silenced: %v", err)
		}
	})
}

func TestTransfer(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		r.call("3001", "1002", nil)
		r.events()
		r.says("conference 3001 transfer", "transfer <conference_name> <member id> [...<member id>]")
		r.says("conference 3001 transfer 3002", "transfer <conference_name> <member id> [...<member id>]")
		r.says("conference 3001 transfer 3002@default 2 9 caller_id_number=1001",
			"+OK Member '2' sent to conference 3002@default.\n-ERR No Member 9 in conference 3001.\n+OK Member '1' sent to conference 3002@default.\n")
		time.Sleep(time.Minute)
		r.mu.Lock()
		var sent *esl.Event
		for _, e := range r.told {
			if e.Value("Action") == "transfer" && e.Value("Member-ID") == "2" {
				sent = e
			}
		}
		r.mu.Unlock()
		if sent == nil || sent.Value("Old-Conference-Name") != "3001" || sent.Value("New-Conference-Name") != "3002@default" {
			t.Errorf("told %+v", sent)
		}
		told := strings.Join(r.events(), ",")
		for _, want := range []string{"transfer 2,del-member 2", "transfer 1,floor-change none>none,del-member 1", "conference-destroy"} {
			if !strings.Contains(told, want) {
				t.Errorf("told %q, want %q in it", told, want)
			}
		}
		if _, then, _ := strings.Cut(told, "conference-create"); !strings.Contains(then, "add-member 1") { // the other room ends meanwhile
			t.Errorf("told %q, want a conference and a member", told)
		}
		r.says("conference 3001 count", "-ERR Conference 3001 not found\n")
		r.says("conference 3002 count", "2")
		if out := r.api("conference 3002 transfer a/b 1"); out != "-ERR byte 1 is '/'\n" {
			t.Errorf("a bad name: %q", out)
		}
	})
}

func TestRelate(t *testing.T) {
	bubble(t, func(r *rig) {
		for _, number := range []string{"1001", "1002", "1003"} {
			r.call("3001", number, nil)
		}
		for _, row := range []struct{ line, want string }{
			{"relate", "+OK No relationships\n"},
			{"relate 1", "+OK No relationships\n"},
			{"relate 1 2", "relate <member_id>[,<member_id>] <other_member_id>[,<other_member_id>] [nospeak|nohear|clear]"},
			{"relate 1 2 nonsense", "relate <member_id>[,<member_id>] <other_member_id>[,<other_member_id>] [nospeak|nohear|clear]"},
			{"relate 1 2 nospeak", "+OK 1->2 nospeak set\n"},
			{"relate 1 2,3 nospeak|nohear", "+OK 1->2 nospeak|nohear set\n+OK 1->3 nospeak|nohear set\n"},
			{"relate 2 9 nohear", "-ERR relationship 2->9 not found.\n"},
			{"relate 9 2 nohear", "-ERR relationship 9->2 not found.\n"},
			{"relate 2 3 nohear", "+OK 2->3 nohear set\n"},
			{"relate 2 1 sendvideo", "+OK 2->1 sendvideo set\n"},
			{"relate", ""},
			{"relate 3", ""},
			{"relate 1,2", "1 -> 3 NOSPEAK NOHEAR NOSENDVIDEO \n1 -> 2 NOSPEAK NOHEAR NOSENDVIDEO \n2 -> 3 SPEAK NOHEAR NOSENDVIDEO \n"},
			{"relate all", "2 -> 3 SPEAK NOHEAR NOSENDVIDEO \n1 -> 3 NOSPEAK NOHEAR NOSENDVIDEO \n1 -> 2 NOSPEAK NOHEAR NOSENDVIDEO \n"},
			{"relate 1 2,9 clear", "+OK relationship 1->2 cleared.\n+OK relationship 1->9 cleared.\n"},
			{"relate 9 1 clear", "-ERR relationship 9->1 not found.\n"},
		} {
			r.says("conference 3001 "+row.line, row.want)
		}
		p := r.places["3001"]
		p.mu.Lock()
		if have := fmt.Sprint(p.deaf); have != "[{1 3} {3 1} {3 2}]" {
			t.Errorf("apart are %s", have)
		}
		p.mu.Unlock()
		r.says("conference 3001 kick 3", "+OK kicked 3\n")
		time.Sleep(time.Minute)
		r.says("conference 3001 relate", "+OK No relationships\n")
	})
}

// TestNoRefusalNamesOurPackages: a client reads the detail, not the class.
func TestNoRefusalNamesOurPackages(t *testing.T) {
	for err, want := range map[error]string{
		fmt.Errorf("%w: 2 bytes", engine.ErrBadCommand):                    "-ERR 2 bytes\n",
		fmt.Errorf("%w: native", engine.ErrCannot):                         "-ERR native\n",
		fmt.Errorf("%w: %w", engine.ErrCannot, errors.New("rtp: no keys")): "-ERR no keys\n",
		fmt.Errorf("engine: odd\nthing"):                                   "-ERR odd thing\n",
		&engine.RefusalError{Reason: engine.ReasonNodeBusy}:                "-ERR Refused: node_busy\n",
		fmt.Errorf("%w: 7", engine.ErrNoMember):                            "-ERR Non-Existant member\n",
	} {
		if have := refusal(err); have != want {
			t.Errorf("%v: %q, want %q", err, have, want)
		}
	}
}

// TestEverySubCommandIsSafe runs each with few and with odd words.
func TestEverySubCommandIsSafe(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		for _, s := range subs() {
			if s.name == "kick" || s.name == "hup" {
				continue
			}
			for _, words := range []string{"", "1", "all", "last x", "1 2 3 4", "''", "a=b c", "99999999999999999999", "-1 -1"} {
				if out := r.api("conference 3001 " + s.name + " " + words); strings.Contains(out, "%!") {
					t.Errorf("%s %s: %q", s.name, words, out)
				}
			}
		}
	})
}
