package ariserver

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"parley/engine"
)

// TestATransferredCallGoesFromBridgeToBridge: it is the same channel, and
// commands about it go to the room that it is in.
func TestATransferredCallGoesFromBridgeToBridge(t *testing.T) {
	s := newServer()
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	event := func(what engine.EventType, room engine.RoomName, member engine.MemberID, to string) {
		s.Observe(engine.Event{
			Type: what, Time: at, Room: room, Instance: engine.InstanceID("i" + room), Leg: "call-1", To: to,
			Member: engine.MemberView{ID: member, CallID: "call-1"}, Invite: engine.Invite{Kind: "sip"},
		})
	}
	event(engine.EventRoomStarted, "1", 0, "")
	event(engine.EventJoined, "1", 7, "")
	event(engine.EventLeft, "1", 7, "2")
	if get(t, s, "/channels/call-1").Code != http.StatusOK {
		t.Fatal("between the rooms the channel is gone")
	}
	event(engine.EventRoomEnded, "1", 0, "")
	event(engine.EventRoomStarted, "2", 0, "")
	event(engine.EventJoined, "2", 1, "")
	var b struct{ Channels []string }
	if err := json.Unmarshal(get(t, s, "/bridges/i2").Body.Bytes(), &b); err != nil || len(b.Channels) != 1 || b.Channels[0] != "call-1" {
		t.Errorf("%+v %v", b, err)
	}
	if c := s.calls["call-1"]; c.room != "2" || c.member != 1 {
		t.Errorf("commands would go to member %d of room %s", c.member, c.room)
	}
	event(engine.EventLeft, "2", 1, "")
	event(engine.EventEnded, "2", 0, "")
	if get(t, s, "/channels/call-1").Code != http.StatusNotFound {
		t.Error("the channel outlives its call")
	}
}
