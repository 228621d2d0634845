package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestALaterCallDoesNotChangeTheRoom has a second caller with other rules: an
// event, a warning and an explanation name both values.
func TestALaterCallDoesNotChangeTheRoom(t *testing.T) {
	stagePlay(t, written(nil), func(t *testing.T, th *theatre) {
		th.call("a", "1", map[string]string{"max_participants": "5"})
		synctest.Wait()
		th.call("b", "1", map[string]string{"max_participants": "2", "wait_timeout": "0", "announce_count": "3"})
		th.call("c", "1", map[string]string{"max_participants": "5"})
		synctest.Wait()
		text := "parley_max_participants=2 is ignored: the room keeps 5"
		var got []string
		for _, e := range th.events {
			if e.Type == EventIgnored {
				got = append(got, string(e.Leg)+": "+strings.Join(e.Changes, "; "))
			}
		}
		want(t, "events", strings.Join(got, "\n"), "b: parley_announce_count=3 is ignored: the room keeps its own\nb: "+text)
		b := th.explained(t, "b")
		want(t, "warnings", strings.Join(b.Warnings, "\n"), "parley_announce_count=3 is ignored: the room keeps its own\n"+text)
		want(t, "settings", about(b, "max_participants"), "5 | variable parley_max_participants of call a\n"+
			"2 | variable parley_max_participants | the room keeps 5\n20 | p.yaml:3 | overridden by variable parley_max_participants of call a")
		room, err := th.ExplainRoom(t.Context(), "1")
		if err != nil {
			t.Fatal(err)
		}
		want(t, "room", about(room, "max_participants"), "5 | variable parley_max_participants of call a\n"+
			"20 | p.yaml:3 | overridden by variable parley_max_participants of call a")
	})
}

func TestCommandsAreExplained(t *testing.T) {
	stagePlay(t, written(nil), func(t *testing.T, th *theatre) {
		th.call("a", "1", map[string]string{"muted": "true"})
		synctest.Wait()
		time.Sleep(time.Minute)
		at := time.Now().Format(time.TimeOnly)
		for _, c := range []Command{Mute{Member: 1}, Lock{On: true}} {
			if err := th.Do(t.Context(), "1", c); err != nil {
				t.Fatal(err)
			}
		}
		want(t, "muted", about(th.explained(t, "a"), "muted"), "false | by command, "+at+"\n"+
			"true | variable parley_muted | overridden by command, "+at+"\n"+
			"false | member.join_muted, p.yaml:5 | overridden by variable parley_muted")
		th.stage("1").post(Applied{Member: 1, State: MemberState{Deaf: true}})
		want(t, "deaf", about(th.explained(t, "a"), "deaf"), "true | at the switch, "+at)
		room, err := th.ExplainRoom(t.Context(), "1")
		want(t, "lock", about(room, "locked"), "true | by command, "+at)
		if room.State != "active" || room.Instance == "" || err != nil {
			t.Errorf("%+v, %v", room, err)
		}
	})
}

func TestARoomThatDoesNotRunIsExplained(t *testing.T) {
	d := written(nil)
	d.Rooms["1"] = &RoomEntry{Title: "Weekly", Profile: "default"}
	stagePlay(t, d, func(t *testing.T, th *theatre) {
		e, err := th.ExplainRoom(t.Context(), "1")
		want(t, "setting", about(e, "max_participants"), "20 | p.yaml:3")
		if e.State != "not running" || e.Title != "Weekly" || e.Instance != "" || err != nil {
			t.Errorf("%+v, %v", e, err)
		}
		if _, err := th.ExplainRoom(t.Context(), "../x"); !errors.Is(err, ErrBadRoomName) {
			t.Error(err)
		}
	})
}

// TestAReloadIsExplained: rules of the room are the new ones, those of a member's
// role stay as they were.
func TestAReloadIsExplained(t *testing.T) {
	stagePlay(t, written(nil), func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		synctest.Wait()
		th.Reload(t.Context(), written(func(p *Profile) { p.MaxParticipants, p.Member.JoinMuted = 7, true }))
		e := th.explained(t, "a")
		want(t, "room", about(e, "max_participants"), "7 | p.yaml:3")
		want(t, "role", about(e, "member.join_muted"), "false | p.yaml:5")
		want(t, "state", about(e, "muted"), "false | member.join_muted, p.yaml:5")
	})
}

// TestACallIsFoundWhereverItIs: with the attendant of no room, in one, refused,
// or gone.
func TestACallIsFoundWhereverItIs(t *testing.T) {
	stagePlay(t, written(pins), func(t *testing.T, th *theatre) {
		began := time.Now()
		th.call("asked", "", map[string]string{"mutted": "1"})
		th.call("pin", "1", nil)
		th.call("bad", "../x", nil)
		in := th.call("in", "1", map[string]string{"pin": "1234"})
		synctest.Wait()
		for _, tt := range []struct{ leg, state, room, about, want string }{
			{"asked", "number", "", "mutted", "1 | variable parley_mutted | unknown variable parley_mutted, did you mean parley_muted?"},
			{"pin", "pin", "1", "room", "1 | dialled"},
			{"bad", "left", "../x", "room", "../x | dialled | bad_room_name"},
			{"in", "joined", "1", "role", "member | by PIN"},
		} {
			e := th.explained(t, tt.leg)
			want(t, tt.leg+"'s state", e.State, tt.state)
			want(t, tt.leg+"'s room", string(e.Room), tt.room)
			want(t, tt.leg, about(e, tt.about), tt.want)
		}
		in.sink.Post(LegGone{Leg: "in", Reason: ReasonHangup})
		e := th.explained(t, "in")
		if e.State != "left" || !e.LeftAt.Equal(began) || e.Result != ResultJoined || e.Reason != ReasonHangup || e.Member != 1 {
			t.Errorf("%+v", e)
		}
		want(t, "a setting of one who has left", about(e, "max_participants"), "20 | p.yaml:3")
		time.Sleep(time.Hour + time.Second)
		if _, err := th.ExplainCall(t.Context(), "in"); !errors.Is(err, ErrNoCall) {
			t.Errorf("after an hour: %v", err)
		}
	})
}

func TestTheArchiveKeepsTheLastCalls(t *testing.T) {
	var a archive
	now := time.Now()
	for i := range archiveCalls + 5 {
		a.add(callFacts{leg: LegID(fmt.Sprint(i)), leftAt: now})
	}
	a.add(callFacts{leg: "6", leftAt: now.Add(time.Second)}) // came back
	for leg, want := range map[LegID]bool{"4": false, "5": false, "6": true, "1004": true, "1005": false} {
		if _, ok := a.find(now, leg); ok != want {
			t.Errorf("%s: %v", leg, ok)
		}
	}
	if f, _ := a.find(now, "6"); len(a.calls) != archiveCalls || !f.leftAt.After(now) {
		t.Errorf("%d calls, %v", len(a.calls), f.leftAt)
	}
}

func TestLittleIsKeptOfACall(t *testing.T) {
	vars := map[string]string{"pin": "4711", "a": strings.Repeat("x", 10_000)}
	for i := range 100 {
		vars[fmt.Sprintf("b%03d", i)] = ""
	}
	kept := keep(vars)
	if len(kept) != keptVariables || len(kept["a"]) != keptBytes {
		t.Errorf("%d variables, %d bytes", len(kept), len(kept["a"]))
	}
	if kept := keep(map[string]string{"pin": "4711"}); kept["pin"] != "***" {
		t.Errorf("%v", kept)
	}
}
