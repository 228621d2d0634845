package engine

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// speakers are the changes of the floor since it was last asked.
func (th *theatre) speakers() string {
	var all []string
	th.mu.Lock()
	defer th.mu.Unlock()
	for _, e := range th.events {
		if e.Type == EventSpeaker {
			all = append(all, fmt.Sprintf("%d>%d", e.Previous, e.Member.ID))
			if e.Member.Floor != (e.Member.ID != 0) {
				th.t.Errorf("%+v", e)
			}
		}
	}
	th.events = nil
	return strings.Join(all, " ")
}

func TestTheFloorGoesFromOneToAnother(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		b := th.call("b", "1", nil)
		synctest.Wait()
		th.types()
		say := func(m MemberID) { th.stage("1").sink.Post(Floor{m}) }
		for _, m := range []MemberID{1, 1, 2, 0, 0, 9, 2} {
			say(m)
		}
		synctest.Wait()
		want(t, "changes", th.speakers(), "0>1 1>2 2>0 0>2")
		v, _ := th.Room(t.Context(), "1")
		if v.Members[0].Floor || !v.Members[1].Floor {
			t.Errorf("%+v", v.Members)
		}
		b.sink.Post(LegGone{Leg: b.id, Reason: ReasonHangup})
		synctest.Wait()
		say(0)
		synctest.Wait()
		want(t, "the holder has left", th.speakers(), "2>0")
	})
}

// TestTheFloorStaysBehind: where a room has come from has no say in it any more,
// and nobody has the floor until the new place says so.
func TestTheFloorStaysBehind(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.dial("a", "1", Place{}, pbx1, nil)
		th.dial("b", "1", Place{}, pbx1, nil)
		synctest.Wait()
		old := th.stageAt(Place{})
		old.sink.Post(Floor{1})
		synctest.Wait()
		th.types()
		<-th.relocate("1", pbx1)
		synctest.Wait()
		want(t, "on the way", th.speakers(), "1>0")
		th.stageAt(pbx1).sink.Post(Floor{2})
		old.sink.Post(Floor{1})
		old.sink.Post(Floor{})
		synctest.Wait()
		want(t, "there", th.speakers(), "0>2")
	})
}
