package adapter

import (
	"log/slog"
	"strings"
	"testing"

	"parley/engine"
)

// TestLinesOfEvents looks for what an operator searches the log for.
func TestLinesOfEvents(t *testing.T) {
	refused := engine.Event{
		Type: engine.EventRejected, Leg: "u", Reason: engine.ReasonBadRoomName,
		Invite: engine.Invite{Dialplan: true}, Outcome: engine.Outcome{Result: engine.ResultRejected},
	}
	named, phone := refused, refused
	named.Invite.Room, phone.Invite.Dialplan = "../x", false
	ignored := engine.Event{Type: engine.EventIgnored, Leg: "u", Room: "1", Changes: []string{"a is ignored: the room keeps b"}}
	moved := engine.Event{Type: engine.EventRoomMoved, Room: "1", Changes: []string{"mixer native→switch pbx1", "member 1 gap 42 ms"}}
	kept := engine.Event{Type: engine.EventRoomModified, Reason: engine.ReasonMediaLost, Changes: []string{"mixer native kept: member 2 could not be moved: no route"}}
	unrecorded := engine.Event{Type: engine.EventRecordFailed, Room: "1", Recording: &engine.Recording{Name: "a.wav", Error: "disk full"}}
	const unset = `level=WARN msg="call u: parley_room not set. [bad_room_name]"`
	for _, tt := range []struct {
		name  string
		event engine.Event
		want  string
		has   bool
	}{
		{"no room set", refused, unset, true},
		{"a bad one set", named, unset, false},
		{"a phone has no dialplan", phone, unset, false},
		{"a rule that came too late", ignored, `level=INFO msg=config.ignored room=1 call=u`, true},
		{"and what", ignored, `what="a is ignored: the room keeps b"`, true},
		{"a room that moved", moved, `level=INFO msg=room.moved room=1 what="mixer native→switch pbx1; member 1 gap 42 ms"`, true},
		{"a recording that could not begin", unrecorded, `level=INFO msg=recording.failed room=1 file=a.wav auto=false error="disk full"`, true},
		{"is warned of", unrecorded, `level=WARN msg="room 1: disk full. The room goes on. [recording_failed]"`, true},
		{"once", unrecorded, "level=WARN msg=recording", false},
		{"a room that could not", kept, `level=WARN msg=room.modified room="" reason=media_lost what="mixer native kept: member 2`, true},
	} {
		var b strings.Builder
		logEvent(slog.New(slog.NewTextHandler(&b, nil)), tt.event)
		if strings.Contains(b.String(), tt.want) != tt.has {
			t.Errorf("%s: %s", tt.name, &b)
		}
	}
}
