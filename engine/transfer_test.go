package engine

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// told lists a room's events since the last call.
func (th *theatre) told(room RoomName) string {
	th.mu.Lock()
	defer th.mu.Unlock()
	var all []string
	for _, e := range th.events {
		if e.Room == room {
			all = append(all, strings.TrimSpace(string(e.Type)+" "+string(e.Reason)+" "+e.To))
		}
	}
	return strings.Join(all, ", ")
}

func TestWhoIsTransferredJoinsTheOtherRoomByItsRules(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", map[string]string{"role": "moderator", "muted": "true", "language": "de", "profile": "nonsense", "pin": "1"})
		th.call("b", "1", nil)
		synctest.Wait()
		th.types()
		if err := th.Do(t.Context(), "1", Transfer{Member: 1, To: "2"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want(t, "the old room", th.told("1"), "participant.left transferred 2")
		want(t, "the new room", th.told("2"), "room.started, participant.joined")
		v, err := th.Room(t.Context(), "2")
		if err != nil || len(v.Members) != 1 {
			t.Fatalf("%+v %v", v, err)
		}
		if m := v.Members[0]; m.CallID != "a" || m.Role != "member" || m.Muted || m.State != "joined" {
			t.Errorf("%+v: his rights were those of the other room", m)
		}
		a.press("*1") // whose keys are the new room's
		a.sink.Post(LegGone{Leg: "a", Reason: ReasonHangup})
		want(t, "outcome", line1(outcome(t, a)), "joined hangup hangup")
	})
}

func TestTheOtherRoomAsksForItsPIN(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.dir.Load().Profiles["closed"] = func() *Profile {
			p := *th.dir.Load().Profiles["default"]
			p.Name = "closed"
			p.Member.PINs = []PIN{NewPIN("1234")}
			return &p
		}()
		a := th.call("a", "1", nil)
		th.call("b", "1", nil)
		synctest.Wait()
		a.sounds()
		if err := th.Do(t.Context(), "1", Transfer{Member: 1, To: "2", Profile: "closed"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want(t, "the old room", th.told("1")[strings.LastIndex(th.told("1"), "participant.left"):], "participant.left transferred 2@closed")
		a.press("1234#")
		synctest.Wait()
		if heard := a.sounds(); !strings.HasPrefix(heard, "enter-pin") {
			t.Errorf("heard %q", heard)
		}
		if v, err := th.Room(t.Context(), "2"); err != nil || len(v.Members) != 1 || v.Profile != "closed" {
			t.Errorf("%+v %v", v, err)
		}
	})
}

func TestTransfersThatCannotBe(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		synctest.Wait()
		if err := th.Do(t.Context(), "1", Transfer{Member: 7, To: "2"}); !errors.Is(err, ErrNoMember) {
			t.Errorf("nobody: %v", err)
		}
		if err := th.Do(t.Context(), "1", Transfer{Member: 1, To: "../x"}); !errors.Is(err, ErrBadRoomName) {
			t.Errorf("no name: %v", err)
		}
		th.SetBusy(true)
		if err := th.Do(t.Context(), "1", Transfer{Member: 1, To: "2"}); err == nil || !strings.Contains(err.Error(), "node_busy") {
			t.Errorf("busy: %v", err)
		}
		th.SetBusy(false)
		if v, err := th.Room(t.Context(), "1"); err != nil || len(v.Members) != 1 {
			t.Errorf("%+v %v", v, err)
		}
	})
}

// TestATransferIntoTheSameRoom is a leaving and a joining of one run of it.
func TestATransferIntoTheSameRoom(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		synctest.Wait()
		for range 3 {
			if err := th.Do(t.Context(), "1", Transfer{To: "1"}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		v, err := th.Room(t.Context(), "1")
		if err != nil || len(v.Members) != 1 || v.Members[0].CallID != "a" {
			t.Fatalf("%+v %v", v, err)
		}
		a.sink.Post(LegGone{Leg: "a", Reason: ReasonHangup})
		want(t, "outcome", line1(outcome(t, a)), "joined hangup hangup")
	})
}

// TestACallThatEndsDuringItsTransferIsGivenBackOnce: at each moment of it.
func TestACallThatEndsDuringItsTransferIsGivenBackOnce(t *testing.T) {
	for range 200 {
		bubble(t, nil, func(t *testing.T, th *theatre) {
			a := th.call("a", "1", nil)
			synctest.Wait()
			done := make(chan error, 1)
			go func() { done <- th.Do(t.Context(), "1", Transfer{Member: 1, To: "2"}) }()
			go func() { a.sink.Post(LegGone{Leg: "a", Reason: ReasonHangup}) }()
			synctest.Wait()
			<-done
			o := outcome(t, a)
			if o.Reason != ReasonHangup && o.Reason != ReasonTransferred || len(a.released) != 0 {
				t.Errorf("%+v", o)
			}
		})
	}
}

// TestABusyExchangeSendsWhoIsOnHisWayAway is what happens when it gets busy
// while the bridge lets him go.
func TestABusyExchangeSendsWhoIsOnHisWayAway(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		synctest.Wait()
		th.stage("1").hold()
		done := make(chan error, 1)
		go func() { done <- th.Do(t.Context(), "1", Transfer{Member: 1, To: "2"}) }()
		synctest.Wait()
		th.SetBusy(true)
		th.stage("1").letGo()
		synctest.Wait()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want(t, "outcome", line1(outcome(t, a)), "failed node_busy")
		th.SetBusy(false)
	})
}
