package fsapi

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/esl/conference"
)

func TestARoomFromCreateToDestroy(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", map[string]string{"role": "moderator"})
		r.tells("conference-create", "add-member 1", "floor-change 1 none>1")
		b := r.call("3001", "1002", nil)
		r.tells("add-member 2")
		r.says("conference 3001 mute 2", "+OK mute 2\n")
		r.tells("mute-member 2")
		r.says("conference 3001 mute 2", "+OK mute 2\n")
		r.tells("mute-member 2")
		r.says("conference 3001 tmute last", "+OK unmute 2\n")
		r.tells("unmute-member 2")
		r.says("conference 3001 deaf all", "+OK deaf 2\n+OK deaf 1\n")
		r.tells("deaf-member 2", "deaf-member 1")
		r.says("conference 3001 undeaf non_moderator", "+OK undeaf 2\nSkipping moderator (member id 1).\n")
		r.tells("undeaf-member 2")
		r.says("conference 3001 lock", "+OK 3001 locked\n")
		r.says("conference 3001 lock", "+OK 3001 locked\n")
		r.says("conference 3001 get is_locked", "locked")
		r.says("conference 3001 unlock", "+OK 3001 unlocked\n")
		r.tells("lock", "lock", "unlock")
		r.says("conference 3001 hup 2", "+OK hup 2\n")
		r.tells("hup-member 2", "del-member 2")
		if o := <-b.out; o.Hangup {
			t.Errorf("hup has ended the call: %+v", o)
		}
		r.says("conference 3001 kick all", "+OK kicked 1\n")
		time.Sleep(time.Minute)
		r.tells("kick-member 1", "floor-change none>none", "del-member 1", "conference-destroy")
	})
}

func TestRefusals(t *testing.T) {
	bubble(t, func(r *rig) {
		r.says("conference 3001 list", "-ERR Conference 3001 not found\n")
		r.says("conference list", "+OK No active conferences.\n")
		r.says("conference count", "0")
		r.call("3001", "1001", nil)
		for _, row := range []struct{ line, want string }{
			{"module_exists mod_conference", "true"},
			{"module_exists mod_dptools", "false"},
			{"uptime m", "0\n"},
			{"uptime x", "-USAGE: [us|ms|s|m|h|d|microseconds|milliseconds|seconds|minutes|hours|days]\n"},
			{"conference 3001", "Conference command, not specified.\nTry 'help'\n"},
			{"conference 3001 nope", "-ERR Conference command 'nope' not found.\n"},
			{"conference 3001 mute", "mute <[member_id|all]|last|non_moderator> [<quiet>]"},
			{"conference 3001 mute xyz", "mute <[member_id|all]|last|non_moderator> [<quiet>]"},
			{"conference 3001 MUTE 9", "-ERR Non-Existant ID 9\n"},
			{"conference 3001 mute caller_id_number=77", "-ERR Non-Existant member\n"},
			{"conference 3001 mute caller_id_number=1001", "+OK mute 1\n"},
			{"conference 3001 get nothing", "get <parameter-name>"},
			{"conference 3001 get", "get <parameter-name>"},
			{"conference 3001 count", "1"},
			{"conference 3001 list count", "1"},
			{"conference 3001 list pretty", "1) N1001 (1001)\n"},
			{"uuid_exists nobody", "false"},
			{"uuid_getvar nobody x", "-ERR No such channel!\n"},
			{"uuid_kill nobody", "-ERR No such channel!\n"},
			{"uuid_getvar x", "-USAGE: <uuid> <var>\n"},
			{"nope", "-ERR nope Command not found!\n"},
			{"version short", Compatible + "-release\n"},
			{"hostname", "here"},
		} {
			r.says(row.line, row.want)
		}
	})
}

// TestAChannelIsUsable takes a member's Unique-ID through the commands that a
// client would use it in.
func TestAChannelIsUsable(t *testing.T) {
	bubble(t, func(r *rig) {
		p := r.call("3001", "1001", nil)
		id := r.api("conference 3001 get-uuid last")
		if !conference.IsUUID(id) {
			t.Fatalf("%q is no UUID", id)
		}
		r.says("uuid_exists "+id, "true")
		r.says("uuid_getvar "+id+" caller_id_number", "1001")
		r.says("uuid_getvar "+id+" nothing", "_undef_")
		if dump := r.api("uuid_dump " + id); !strings.Contains(dump, "\nUnique-ID: "+id+"\n") || !strings.Contains(dump, "variable_conference_name: 3001\n") {
			t.Errorf("%s", dump)
		}
		channels, err := conference.ParseChannels([]byte(r.api("show channels as json")))
		if err != nil || len(channels) != 1 || channels[0].UUID != id || channels[0].CallerNumber != "1001" {
			t.Errorf("%+v %v", channels, err)
		}
		r.says("show channels count", "\n1 total.\n")
		r.says("uuid_kill "+id, "+OK\n")
		if o := <-p.out; o.Exit != engine.ExitKicked || !o.Hangup {
			t.Errorf("%+v", o)
		}
		r.says("show channels", "\n0 total.\n")
	})
}

// TestListsAndEventsAgree reads both with the parsers that drive a switch.
func TestListsAndEventsAgree(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", map[string]string{"role": "moderator"})
		r.call("3001", "1002", map[string]string{"muted": "true"})
		r.mu.Lock()
		var added []conference.Event
		for _, e := range r.told {
			if ev, ok := conference.Parse(e); ok && ev.Action == conference.AddMember {
				added = append(added, ev)
			}
		}
		r.mu.Unlock()
		rooms, err := conference.ParseJSON([]byte(r.api("conference json_list")))
		if err != nil || len(rooms) != 1 || len(rooms[0].Members) != 2 || len(added) != 2 {
			t.Fatalf("%v %+v %+v", err, rooms, added)
		}
		for i, ev := range added {
			m := rooms[0].Members[1-i]
			if m.ID != ev.Member || m.UUID != ev.UUID || m.Speak != ev.Speak || m.Moderator != ev.Moderator || ev.RoomID != rooms[0].UUID || ev.Size != i+1 {
				t.Errorf("listed %+v, told %+v", m, ev)
			}
		}
		if _, err := conference.ParseXML([]byte(r.api("conference 3001 xml_list"))); err != nil {
			t.Error(err)
		}
	})
}

func FuzzArguments(f *testing.F) {
	for _, s := range []string{"3001 mute all", "list pretty", "3001 transfer", "3001 get uuid", "'3001' kick last", "3001 mute x=y", "^^:3001:list"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arguments string) {
		x, err := engine.New(engine.Options{Bridges: func(engine.Place, engine.RoomName, engine.InstanceID, engine.Sink) (engine.Bridge, error) {
			return nil, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = x.Close(t.Context()) }()
		a := New(Options{Exchange: x})
		for _, command := range []string{"conference", "show", "uuid_getvar", "uuid_dump"} {
			a.Do(t.Context(), command, arguments)
		}
	})
}

// TestTheFloor: who comes first has it, then who the place says; it is taken from
// nobody who falls silent, and what a command leaves free goes to who talks next.
func TestTheFloor(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		r.call("3001", "1002", nil)
		r.events()
		say := func(facts ...engine.Fact) {
			for _, f := range facts {
				r.places["3001"].sink.Post(f)
			}
			synctest.Wait()
		}
		say(engine.Talking{Member: 1, On: true}, engine.Floor{Member: 1})
		r.tells("start-talking 1")
		say(engine.Talking{Member: 2, On: true}, engine.Floor{Member: 2}, engine.Talking{Member: 2}, engine.Floor{})
		r.tells("start-talking 2", "floor-change 2 1>2", "stop-talking 2")
		if list := r.api("conference 3001 list"); !strings.Contains(list, ";N1002;1002;hear|speak|floor;") {
			t.Errorf("list %q", list)
		}
		r.says("conference 3001 floor 2", "+OK floor none\n")
		say(engine.Talking{Member: 2, On: true})
		r.tells("floor-change 2>none", "start-talking 2", "floor-change 2 none>2")
	})
}
