package engine

import (
	"testing"
	"testing/synctest"
)

// TestALiveConferenceIsAdopted: its calls are members where they are, unasked,
// with their rights, although strangers would be asked for a PIN and mixed by
// us; then the room is taken over.
func TestALiveConferenceIsAdopted(t *testing.T) {
	bubble(t, pinned, func(t *testing.T, th *theatre) {
		states := []MemberState{{}, {Muted: true}, {Deaf: true, Talk: 3}}
		var in []*mover
		for i, state := range states {
			p := newMover(string(rune('a'+i)), pbx1, pbx1)
			back := Rights{Room: "3001", Member: MemberID(i + 1), LastID: 3, Role: RoleMember, State: state, Locked: true}
			p.sink = th.Arrive(p, Invite{Kind: "freeswitch", Switch: "pbx1", Dialplan: true, Restore: &back})
			p.sink.Post(MediaUp{p.id})
			in = append(in, p)
		}
		synctest.Wait()
		want(t, "mixer", th.mixer("3001"), "switch pbx1")
		want(t, "locks", th.stageAt(pbx1).locks, "+")
		th.agree("3001")
		if _, err := th.Relocate(t.Context(), "3001", Place{}); err != nil {
			t.Fatal(err)
		}
		th.agree("3001")
		for i, p := range in {
			want(t, string(p.id)+" heard", p.sounds(), "")
			if got := th.stageAt(Place{}).state(MemberID(i + 1)); got != states[i] {
				t.Errorf("member %d came as %+v, was %+v", i+1, got, states[i])
			}
		}
		want(t, "the place heard", th.stageAt(pbx1).sounds(), "")
	})
}
