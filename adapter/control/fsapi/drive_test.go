package fsapi

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// TestAChannelIsDriven: each command, what it answers, and what the member's line in the
// list is then, from the rights on.
func TestAChannelIsDriven(t *testing.T) {
	bubble(t, func(r *rig) {
		p := r.call("3001", "1001", nil)
		id := uniqueID(p.id)
		for _, row := range []struct{ line, want, list string }{
			{"uuid_send_dtmf ID 12#@80", "+OK ID sent DTMF 12#@80.\n", "hear|speak|floor;0;0;0"},
			{"uuid_send_dtmf ID 1w2", "-ERR Operation failed\n", "hear|speak|floor;0;0;0"},
			{"uuid_hold ID", "+OK Success\n", "hold|floor;0;0;0"},
			{"uuid_hold toggle ID", "+OK Success\n", "hear|speak|floor;0;0;0"},
			{"uuid_hold toggle ID", "+OK Success\n", "hold|floor;0;0;0"},
			{"uuid_hold off ID", "+OK Success\n", "hear|speak|floor;0;0;0"},
			{"uuid_audio ID start read mute 1", "+OK\n", "hear|floor;0;0;0"},
			{"uuid_audio ID start read mute 0", "+OK\n", "hear|speak|floor;0;0;0"},
			{"uuid_audio ID start write mute 1", "+OK\n", "speak|floor;0;0;0"},
			{"uuid_audio ID start read level 2", "+OK\n", "speak|floor;2;0;0"},
			{"uuid_audio ID start write level -9", "+OK\n", "speak|floor;2;-4;0"},
			{"conference 3001 mute 1", "+OK mute 1\n", "floor;2;-4;0"},
			{"uuid_audio ID stop", "+OK\n", "hear|floor;0;0;0"}, // another has muted him since
			{"uuid_audio ID start read mute 1", "+OK\n", "hear|floor;0;0;0"},
			{"uuid_audio ID stop", "+OK\n", "hear|floor;0;0;0"}, // he was
			{"uuid_audio ID start write mute 1", "+OK\n", "floor;0;0;0"},
			{"conference 3001 deaf 1", "+OK deaf 1\n", "floor;0;0;0"},
			{"conference 3001 volume_in 1 3", "+OK Volume IN 1 = 3\n", "floor;3;0;0"},
			{"uuid_audio ID start read level -2", "+OK\n", "floor;-2;0;0"},
			{"uuid_audio ID start read level 1", "+OK\n", "floor;1;0;0"},
			{"uuid_audio ID start write level 4", "+OK\n", "floor;1;4;0"},
			{"conference 3001 volume_out 1 2", "+OK Volume OUT 1 = 2\n", "floor;1;2;0"},
			{"uuid_audio ID stop", "+OK\n", "floor;3;2;0"},
			{"uuid_audio ID stop", "+OK\n", "floor;3;2;0"},
			{"conference 3001 undeaf 1", "+OK undeaf 1\n", "hear|floor;3;2;0"},
			{"conference 3001 volume_in 1 0", "+OK Volume IN 1 = 0\n", "hear|floor;0;2;0"},
			{"conference 3001 volume_out 1 0", "+OK Volume OUT 1 = 0\n", "hear|floor;0;0;0"},
			{"uuid_audio ID start read loud 1", "-USAGE: " + audioSyntax + "\n", "hear|floor;0;0;0"},
			{"uuid_answer ID", "+OK\n", "hear|floor;0;0;0"},
			{"uuid_park ID", "-ERR a member's call is in a room, or over\n", "hear|floor;0;0;0"},
			{"uuid_deflect ID sip:a@b", "-ERR nobody can be asked to send member 1 elsewhere\n", "hear|floor;0;0;0"},
			{"uuid_bridge ID ID", "-ERR Invalid uuid\n", "hear|floor;0;0;0"},
			{"uuid_media off ID", "-ERR Operation failed\n", "hear|floor;0;0;0"},
			{"uuid_display ID Bob", "-ERR Operation failed\n", "hear|floor;0;0;0"},
		} {
			r.says(strings.ReplaceAll(row.line, "ID", id), strings.ReplaceAll(row.want, "ID", id))
			if list := r.api("conference 3001 list"); !strings.HasSuffix(list, ";N1001;1001;"+row.list+"\n") {
				t.Errorf("%s: the list is %q, want %q", row.line, list, row.list)
			}
		}
		if keys := p.keys; keys != "12#" {
			t.Errorf("sent %q", keys)
		}
	})
}

// TestWhatIsPlayedToAChannelIsBrokenOff, and nothing else.
func TestWhatIsPlayedToAChannelIsBrokenOff(t *testing.T) {
	bubble(t, func(r *rig) {
		id := uniqueID(r.call("3001", "1001", nil).id)
		r.api("uuid_broadcast " + id + " tone_stream://%(9000,0,500)")
		r.events()
		r.says("uuid_break "+id+" all", "+OK\n")
		r.tells("play-file-member-done 1")
		r.says("uuid_break "+id, "+OK\n")
		r.tells()
	})
}

// TestAChannelIsRecorded: the member alone, and told as the switch does.
func TestAChannelIsRecorded(t *testing.T) {
	bubble(t, func(r *rig) {
		p := r.call("3001", "1001", nil)
		id := uniqueID(p.id)
		r.all()
		for _, row := range []struct{ line, want, told string }{
			{"start /a.wav", "+OK Success\n", "RECORD_START /a.wav"},
			{"start /a.wav", "+OK Success\n", ""},
			{"mask /a.wav", "+OK Success\n", ""},
			{"unmask /a.wav", "+OK Success\n", ""},
			{"pause /a.wav", "+OK Success\n", ""},
			{"resume /a.wav", "+OK Success\n", ""},
			{"mask /x.wav", "-ERR Cannot mask recording session!\n", ""},
			{"stop /x.wav", "-ERR Cannot stop record session!\n", ""},
			{"stop /a.wav", "+OK Success\n", "RECORD_STOP /a.wav success-maxtime"},
			{"start /proc/a.wav", "-ERR Cannot record session!\n", ""},
			{"start /b.wav", "+OK Success\n", "RECORD_START /b.wav"},
			{"start /c.wav", "+OK Success\n", "RECORD_START /c.wav"},
			{"stop ALL", "+OK Success\n", "RECORD_STOP /b.wav success-maxtime,RECORD_STOP /c.wav success-maxtime"},
			{"stop all", "-ERR Cannot stop record session!\n", ""},
			{"start", "-USAGE: " + recordSyntax + "\n", ""},
			{"loop /a.wav", "-USAGE: " + recordSyntax + "\n", ""},
			{"start /d.wav 3", "+OK Success\n", "RECORD_START /d.wav"},
		} {
			r.says("uuid_record "+id+" "+row.line, row.want)
			if told := r.taped(id); told != row.told {
				t.Errorf("%s: told %q, want %q", row.line, told, row.told)
			}
		}
		time.Sleep(2 * time.Second)
		if told := r.taped(id); told != "" {
			t.Errorf("after 2 s: %q", told)
		}
		time.Sleep(2 * time.Second)
		if told := r.taped(id); told != "RECORD_STOP /d.wav success-maxtime" {
			t.Errorf("after 4 s: %q", told)
		}
		r.says("uuid_record "+id+" start /f.wav 3", "+OK Success\n")
		r.says("uuid_record "+id+" pause /f.wav", "+OK Success\n")
		time.Sleep(time.Minute)
		if told := r.taped(id); told != "RECORD_START /f.wav" {
			t.Errorf("in a pause: %q", told)
		}
		r.says("uuid_record "+id+" stop /f.wav", "+OK Success\n")
		r.says("uuid_record "+id+" start /e.wav 3", "+OK Success\n")
		r.says("uuid_record "+id+" stop /e.wav", "+OK Success\n")
		time.Sleep(time.Second)
		r.says("uuid_record "+id+" start /e.wav", "+OK Success\n")
		r.taped(id)
		time.Sleep(time.Minute) // the limit was that of the first
		if told := r.taped(id); told != "" {
			t.Errorf("another recording: %q", told)
		}
		r.says("conference 3001 chkrecord", "-ERR Conference is not being recorded.\n")
		p.sink.Post(engine.LegGone{Leg: p.id, Reason: engine.ReasonHangup})
		time.Sleep(time.Minute)
		if told := r.taped(id); told != "RECORD_STOP /e.wav success-silence" {
			t.Errorf("when he has left: %q", told)
		}
	})
}

// taped is what was told of a channel's recordings since it was last asked.
func (r *rig) taped(id string) string {
	var list []string
	names, events := r.all()
	for i, e := range events {
		if strings.HasPrefix(names[i], "RECORD_") && e.Value("Unique-ID") == id {
			list = append(list, strings.TrimRight(names[i]+" "+e.Value("Record-File-Path")+" "+e.Value("Record-Completion-Cause"), " "))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

// TestWhoIsNotThere: what each command says to an id that nobody has, and to none.
func TestWhoIsNotThere(t *testing.T) {
	bubble(t, func(r *rig) {
		for line, want := range map[string]string{
			"uuid_send_dtmf x": "-USAGE: <uuid> <dtmf_data>\n", "uuid_send_dtmf x 1": "-ERR Cannot locate session!\n",
			"uuid_break": "-USAGE: <uuid> [all]\n", "uuid_break x": noChannel,
			"uuid_hold": "-USAGE: [off|toggle] <uuid> [<display>]\n-ERR Operation failed\n", "uuid_hold off": success, "uuid_hold toggle x": success,
			"uuid_audio x": "-USAGE: " + audioSyntax + "\n", "uuid_audio x stop": noChannel,
			"uuid_answer": "-ERROR\n", "uuid_pre_answer x": "-ERROR\n",
			"uuid_media": "-USAGE: [off] <uuid>\n-ERR Operation failed\n", "uuid_media x": "-ERR Operation failed\n",
			"uuid_display x": "-USAGE: <uuid> <display>\n", "uuid_display x y": "-ERR Operation failed\n",
			"uuid_record x start": "-USAGE: " + recordSyntax + "\n", "uuid_record x start y": "-ERR Cannot locate session!\n",
			"uuid_bridge x": "-USAGE: <uuid> <other_uuid>\n", "uuid_bridge x y": "-ERR Invalid uuid\n",
			"uuid_park": noChannel, "uuid_deflect x": "-USAGE: <uuid> <uri>\n", "uuid_deflect x y": "-ERR No such channel x!\n",
		} {
			r.says(line, want)
		}
	})
}
