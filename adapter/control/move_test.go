package control_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapter/control"
	"parley/codec"
	"parley/engine"
)

var pbx1 = engine.Place{Switch: "pbx1"}

// mover is a caller whom a switch has too: the same audio goes on, since the
// switch of the rig mixes at every place.
type mover struct {
	*caller
	at    engine.Place
	takes time.Duration // to move; negative = never
	fails error
}

func (m *mover) At() engine.Place   { return m.at }
func (m *mover) Home() engine.Place { return pbx1 }

func (m *mover) Move(op engine.OpID, _ engine.Place) {
	if m.takes >= 0 {
		time.AfterFunc(m.takes, func() { m.sink.Post(engine.Moved{Leg: m.ID(), Op: op, Err: m.fails}) })
	}
}

// roam is a call of a switch to a room.
func (h *house) roam(t *testing.T, room, id string, at engine.Place) *mover {
	t.Helper()
	leg, err := h.sw.NewLeg(engine.LegID(id), &wire{}, codec.PCMU())
	if err != nil {
		t.Fatal(err)
	}
	m := &mover{caller: &caller{Leg: leg, out: make(chan engine.Outcome, 1)}, at: at}
	m.sink = h.Arrive(m, engine.Invite{
		Room: room, Kind: "freeswitch", Switch: "pbx1", Source: id, Variables: map[string]string{"role": "moderator", "record": string(h.records)},
		Caller: engine.Caller{Number: id, Name: "Ann"},
	})
	m.Attach(m.sink)
	m.sink.Post(engine.MediaUp{Leg: leg.ID()})
	return m
}

// enters is one that is in the room when it returns.
func (h *house) enters(t *testing.T, room, id string) *mover {
	t.Helper()
	m := h.roam(t, room, id, engine.Place{})
	synctest.Wait()
	h.turn()
	return m
}

// abroad are the conferences of a switch; adopt is what becomes of one.
type abroad struct {
	list  []control.Foreign
	adopt func(engine.RoomName) ([]engine.Move, error)
}

func (a abroad) List() []control.Foreign { return a.list }

func (a abroad) Adopt(_ context.Context, name engine.RoomName) ([]engine.Move, error) {
	return a.adopt(name)
}

// post has a request answered while clock and mixer go on.
func (h *house) post(t *testing.T, room, verb string) answer {
	t.Helper()
	got := make(chan answer, 1)
	go func() { got <- h.send(t, request("POST", "/v1/rooms/"+room+"/"+verb, "")) }()
	for {
		select {
		case a := <-got:
			return a
		default:
			h.turn()
		}
	}
}

func TestTakeOverAndHandBack(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		a, b := h.enters(t, "3001", "1001"), h.enters(t, "3001", "1002")
		a.takes, b.takes = 42*time.Millisecond, 100*time.Millisecond
		for _, tt := range []struct{ verb, mixer string }{{"handback", "switch pbx1"}, {"takeover", "native"}} {
			got := h.post(t, "3001", tt.verb)
			got.want(http.StatusOK, "")
			var m control.Move
			got.read(&m)
			if m.Mixer != tt.mixer || len(m.Moves) != 2 {
				t.Fatalf("%s: %+v", tt.verb, m)
			}
			for i, want := range []float64{42, 100} {
				one := m.Moves[i]
				if one.Member != engine.MemberID(i+1) || one.Number != fmt.Sprint(1001+i) || one.Name != "Ann" || one.Gap < want || one.Gap > want+60 {
					t.Errorf("%s: %+v", tt.verb, one)
				}
			}
			var r engine.RoomView
			h.get(t, "/v1/rooms/3001").read(&r)
			if r.Mixer != tt.mixer || len(r.Members) != 2 {
				t.Errorf("room %+v", r)
			}
		}
		var m control.Move
		if h.post(t, "3001", "takeover").read(&m); m.Moves == nil || len(m.Moves) != 0 {
			t.Errorf("it is here: %+v", m)
		}
	})
}

// TestARecordingThatDoesNotComeAlong is said in the answer: the room has moved.
func TestARecordingThatDoesNotComeAlong(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.records = engine.RecordFromStart // the bridges here record nothing
		h.enters(t, "3001", "1001")
		got := h.post(t, "3001", "handback")
		got.want(http.StatusOK, "")
		var m control.Move
		got.read(&m)
		if m.Mixer != "switch pbx1" || len(m.Moves) != 1 || len(m.Warnings) != 1 ||
			!strings.HasPrefix(m.Warnings[0], "engine: the room has moved, and a recording of it does not go on there: ") ||
			!strings.HasSuffix(m.Warnings[0], "there is no folder for recordings") {
			t.Errorf("%+v", m)
		}
	})
}

func TestMovesThatAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.post(t, "3001", "takeover").want(http.StatusNotFound, "room_not_running")
		h.join(t, "3002", "phone")
		h.post(t, "3002", "handback").want(http.StatusConflict, "cannot_move")
		a := h.enters(t, "3001", "1001")
		a.fails = errors.New("no route")
		h.post(t, "3001", "handback").want(http.StatusBadGateway, "not_moved")
		a.takes = -1
		began := time.Now()
		busy := make(chan int, 1)
		go func() {
			time.Sleep(time.Second)
			busy <- h.send(t, request("POST", "/v1/rooms/3001/takeover", "")).Code
		}()
		h.send(t, request("POST", "/v1/rooms/3001/handback", "")).want(http.StatusGatewayTimeout, "not_confirmed")
		if took := time.Since(began); took != control.MoveTimeout || <-busy != http.StatusConflict {
			t.Errorf("took %v", took)
		}
		a.sink.Post(engine.LegGone{Leg: a.ID(), Reason: engine.ReasonHangup})
	})
}

func TestForeignConferences(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		abroad := &abroad{
			list: []control.Foreign{{Switch: "pbx1", Name: "3001", Locked: true, Members: []engine.MemberView{{CallID: "1001", Number: "1001"}}}, {Switch: "pbx2", Name: "a b"}},
			adopt: func(engine.RoomName) ([]engine.Move, error) {
				h.roam(t, "3001", "1001", pbx1)
				for range 10 { // until it is a member
					time.Sleep(20 * time.Millisecond)
				}
				return []engine.Move{{Member: 1, Gap: time.Minute}, {Member: 2, Gap: time.Second}}, nil
			},
		}
		h.opt.Conferences = abroad
		h.api = control.Handler(h.opt)
		h.join(t, "3002", "phone")
		var list struct{ Rooms []engine.RoomView }
		h.get(t, "/v1/rooms").read(&list)
		if len(list.Rooms) != 3 || list.Rooms[0].Name != "3002" || list.Rooms[1].Mixer != "switch pbx1 (not ours)" || !list.Rooms[1].Locked ||
			list.Rooms[1].State != "foreign" || len(list.Rooms[1].Members) != 1 || list.Rooms[2].Name != "a b" || list.Rooms[2].Members == nil {
			t.Errorf("rooms %+v", list.Rooms)
		}
		var one engine.RoomView
		if h.get(t, "/v1/rooms/3001").read(&one); one.State != "foreign" || len(one.Members) != 1 {
			t.Errorf("one of them %+v", one)
		}
		for path, want := range map[string]string{
			"3001/lock": `control: not a room of ours: "3001" is a conference of switch pbx1: take it over first (parley room 3001 takeover), or do it at the switch`,
			"a%20b/lock": `control: not a room of ours: "a b" is a conference of switch pbx2, which can be shown only: ` +
				`it cannot be taken over under this name (bad room name: byte 1 is ' '); do it at the switch, or have its callers call a room by another name`,
			"a%20b/takeover": "which can be shown only",
		} {
			a := h.send(t, request("POST", "/v1/rooms/"+path, ""))
			var p control.Problem
			if a.read(&p); a.Code != http.StatusConflict || p.Code != "not_ours" || !strings.Contains(p.Message, want) {
				t.Errorf("%s: %d %+v", path, a.Code, p)
			}
		}
		if h.get(t, "/v1/rooms/a%20b").read(&one); one.State != "foreign" {
			t.Errorf("one of another's name %+v", one)
		}
		if a := h.get(t, "/v1/rooms/4001"); a.code() != "room_not_running" {
			t.Errorf("none of them %s", a.Body)
		}
		got := h.post(t, "3001", "takeover")
		var m control.Move
		if got.read(&m); got.Code != http.StatusOK || m.Mixer != "native" || len(m.Moves) != 2 || m.Moves[0].Number != "1001" ||
			m.Moves[0].Gap < 60_000 || m.Moves[1].Gap != 1000 {
			t.Errorf("%d %+v", got.Code, m)
		}
		if h.get(t, "/v1/rooms").read(&list); len(list.Rooms) != 3 || list.Rooms[0].Mixer != "native" || list.Rooms[2].Name != "a b" {
			t.Errorf("rooms after it %+v", list.Rooms)
		}
		for code, err := range map[string]error{
			"room_not_running": fmt.Errorf("%w: 4001", engine.ErrNoRoom), "switch_failed": fmt.Errorf("%w: link down", control.ErrSwitch),
			"not_confirmed": context.DeadlineExceeded,
		} {
			abroad.adopt = func(engine.RoomName) ([]engine.Move, error) { return nil, err }
			got := h.post(t, "4001", "takeover")
			if got.code() != code {
				t.Errorf("%v: %s", err, got.Body)
			}
		}
	})
}

// books is an Auditor.
type books struct {
	found []control.Difference
	err   error
}

func (b books) Audit(context.Context) ([]control.Difference, error) { return b.found, b.err }

func TestAudit(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		var body struct{ Differences []control.Difference }
		got := h.get(t, "/v1/audit")
		if got.read(&body); body.Differences == nil || len(body.Differences) != 0 {
			t.Errorf("nobody to ask: %s", got.Body)
		}
		found := []control.Difference{{Switch: "pbx1", Room: "3001", Call: "x", Text: "is not in the conference"}}
		h.opt.Auditor = books{found: found}
		h.api = control.Handler(h.opt)
		if h.get(t, "/v1/audit").read(&body); !slices.Equal(body.Differences, found) {
			t.Errorf("%+v", body)
		}
		h.opt.Auditor = books{err: context.DeadlineExceeded}
		h.api = control.Handler(h.opt)
		h.get(t, "/v1/audit").want(http.StatusGatewayTimeout, "not_confirmed")
	})
}

// TestATakeOverThatCannotBeIsRefusedFirst: nobody is asked to come.
func TestATakeOverThatCannotBeIsRefusedFirst(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.opt.Conferences = &abroad{adopt: func(name engine.RoomName) ([]engine.Move, error) {
			t.Errorf("%s is adopted", name)
			return nil, engine.ErrNoRoom
		}}
		h.api = control.Handler(h.opt)
		for _, name := range []string{"sales%20team", "..%2Fz", "x@y"} {
			h.post(t, name, "takeover").want(http.StatusUnprocessableEntity, "bad_room_name")
		}
		h.opt.Exchange.SetBusy(true)
		h.post(t, "3001", "takeover").want(http.StatusServiceUnavailable, "node_busy")
	})
}
