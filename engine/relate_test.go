package engine

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

func TestRelationsAreKeptAndEndWithTheirMembers(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		th.call("b", "1", nil)
		th.call("c", "1", nil)
		synctest.Wait()
		live(t, th, Relate{From: 1, To: 2, NoSpeak: true})
		live(t, th, Relate{From: 2, To: 1, NoHear: true}) // the same, seen by the other
		live(t, th, Relate{From: 3, To: 1, NoSpeak: true, NoHear: true})
		live(t, th, Relate{From: 3, To: 3, NoSpeak: true})
		want(t, "apart", th.stage("1").apart(), "1>2 3>1 1>3")
		live(t, th, Relate{From: 1, To: 2})
		live(t, th, Relate{From: 3, To: 1, NoHear: true})
		want(t, "apart", th.stage("1").apart(), "1>2 1>3")
		if err := th.Do(t.Context(), "1", Relate{From: 1, To: 7, NoHear: true}); !errors.Is(err, ErrNoMember) {
			t.Errorf("%v", err)
		}
		th.stage("1").reject(true)
		if err := th.Do(t.Context(), "1", Relate{From: 2, To: 3, NoSpeak: true}); !errors.Is(err, ErrCannot) {
			t.Errorf("%v", err)
		}
		th.stage("1").reject(false)
		a.sink.Post(LegGone{Leg: "a", Reason: ReasonHangup})
		synctest.Wait()
		want(t, "apart", th.stage("1").apart(), "")
		if v, err := th.Room(t.Context(), "1"); err != nil || len(v.Relations) != 1 {
			t.Errorf("%+v %v", v.Relations, err)
		}
		if !strings.Contains(th.types(), "room.modified") {
			t.Error("nobody was told")
		}
	})
}

// TestRelationsMoveWithTheRoom, or the room stays where it is.
func TestRelationsMoveWithTheRoom(t *testing.T) {
	switched(t, nil, func(t *testing.T, th *theatre) {
		th.dial("a", "1", pbx1, pbx1, nil)
		th.dial("b", "1", pbx1, pbx1, nil)
		synctest.Wait()
		live(t, th, Relate{From: 1, To: 2, NoSpeak: true})
		want(t, "apart there", th.stageAt(pbx1).apart(), "1>2")
		if _, err := th.Relocate(t.Context(), "1", Place{}); err != nil {
			t.Fatal(err)
		}
		want(t, "apart here", th.stageAt(Place{}).apart(), "1>2")
	})
}
