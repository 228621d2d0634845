package control_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"parley/adapter/control"
	"parley/engine"
)

// besides is a house with a room 3001 of ours, and callers in a ConfBridge of
// that name.
func besides(t *testing.T, h *house) *abroad {
	t.Helper()
	a := &abroad{list: []control.Foreign{
		{Switch: "ast1", Kind: "asterisk", Name: "3001", Members: []engine.MemberView{{CallID: "9.1", Number: "1008"}, {CallID: "9.2", Number: "1009"}}},
		{Switch: "pbx1", Kind: "freeswitch", Name: "3001"},
	}}
	h.opt.Conferences = a
	h.api = control.Handler(h.opt)
	h.enters(t, "3001", "1001")
	return a
}

// TestACallBesideARoomIsShownWithIt, and audit tells of it.
func TestACallBesideARoomIsShownWithIt(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		besides(t, h)
		var one engine.RoomView
		h.get(t, "/v1/rooms/3001").read(&one)
		var list struct{ Rooms []engine.RoomView }
		h.get(t, "/v1/rooms").read(&list)
		if len(list.Rooms) != 1 {
			t.Fatalf("rooms %+v", list.Rooms)
		}
		for _, r := range []engine.RoomView{one, list.Rooms[0]} {
			if r.Mixer != "native" || len(r.Members) != 1 || len(r.Beside) != 1 || r.Beside[0].Switch != "ast1" || r.Beside[0].Kind != "asterisk" ||
				len(r.Beside[0].Members) != 2 || r.Beside[0].Members[1].Number != "1009" {
				t.Errorf("%+v", r)
			}
		}
		var body struct{ Differences []control.Difference }
		h.get(t, "/v1/audit").read(&body)
		text := "in a conference of that name, not on the roster"
		want := []control.Difference{{Switch: "ast1", Room: "3001", Call: "9.1", Text: text}, {Switch: "ast1", Room: "3001", Call: "9.2", Text: text}}
		if !slices.Equal(body.Differences, want) {
			t.Errorf("%+v", body)
		}
	})
}

// TestARunningRoomTakesOnWhoIsBesideIt, if there is somebody, and says who cannot
// come.
func TestARunningRoomTakesOnWhoIsBesideIt(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		a := besides(t, h)
		a.adopt = func(engine.RoomName) ([]engine.Move, error) {
			h.roam(t, "3001", "9.1", engine.Place{})
			time.Sleep(200 * time.Millisecond) // until it is a member
			return []engine.Move{{Member: 2, Gap: time.Second}}, nil
		}
		var m control.Move
		got := h.post(t, "3001", "takeover")
		if got.read(&m); got.Code != http.StatusOK || len(m.Moves) != 1 || m.Moves[0].Member != 2 || m.Moves[0].Number != "9.1" || m.Moves[0].Gap != 1000 {
			t.Errorf("%d %+v", got.Code, m)
		}
		for _, err := range []error{fmt.Errorf("%w: 3001", engine.ErrNoRoom), fmt.Errorf("%w: %w: pbx2", control.ErrSwitch, engine.ErrAway)} {
			a.adopt = func(engine.RoomName) ([]engine.Move, error) { return nil, err }
			if got := h.post(t, "3001", "takeover"); got.Code != http.StatusOK {
				t.Errorf("%v: %s", err, got.Body)
			}
		}
		no := &engine.NotTakenError{
			Room: "3001", Switch: "ast1", Calls: 3, Absent: []engine.Absent{{Leg: "9.2", Number: "1009", Name: "Bob", Why: `ami: Redirect: "no"`}},
			Stayed: []engine.Absent{{Leg: "9.3", Number: "1010", Why: "link down"}},
		}
		a.adopt = func(engine.RoomName) ([]engine.Move, error) { return nil, fmt.Errorf("%w: %w", control.ErrSwitch, no) }
		got = h.post(t, "3001", "takeover")
		got.want(http.StatusBadGateway, "switch_failed")
		var p control.Problem
		got.read(&p)
		want := []control.Straggler{
			{Call: "9.2", Number: "1009", Name: "Bob", Why: `ami: Redirect: "no"`, Where: "conference"}, {Call: "9.3", Number: "1010", Why: "link down", Where: "room"},
		}
		text := `control: the switch did not do it: conference 3001 of ast1 was not taken over, 1 of 3 calls could not come: 1009 Bob: ami: Redirect: "no". ` +
			"The others are in their conference, but for 1 who stay in room 3001: 1010: link down"
		if !slices.Equal(p.Calls, want) || p.Message != text {
			t.Errorf("%+v", p)
		}
		no.Cause = &engine.RefusalError{Reason: engine.ReasonNodeBusy}
		h.post(t, "3001", "takeover").want(http.StatusServiceUnavailable, "node_busy")
		h.opt.Exchange.SetBusy(true)
		a.list[0].Members = a.list[0].Members[1:]
		h.post(t, "3001", "takeover").want(http.StatusServiceUnavailable, "node_busy")
		a.list, a.adopt = nil, func(engine.RoomName) ([]engine.Move, error) { return nil, errors.New("asked although nobody is there") }
		if got := h.post(t, "3001", "takeover"); got.Code != http.StatusOK {
			t.Errorf("%s", got.Body)
		}
	})
}
