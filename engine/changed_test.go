package engine

import (
	"strings"
	"testing"
	"time"
)

// TestWhatIsDoneToAMemberWhereHisCallIs is asked of the bridge that mixes him,
// and explained by it; it means nothing for who is no member yet.
func TestWhatIsDoneToAMemberWhereHisCallIs(t *testing.T) {
	bubble(t, func(p *Profile) { p.Member.PINs = []PIN{NewPIN("1")} }, func(t *testing.T, th *theatre) {
		yes, no, loud := true, false, Decibels(6)
		a := th.call("a", "1", nil)
		a.sink.Post(Changed{Leg: "a", Muted: &yes})
		time.Sleep(time.Second)
		a.press("1#")
		time.Sleep(time.Minute)
		if th.stage("1").state(1).Muted {
			t.Error("he is what he was made before he was a member")
		}
		th.types()
		for _, c := range []struct {
			fact Changed
			want MemberState
			told string
		}{
			{Changed{Leg: "a", Muted: &yes}, MemberState{Muted: true}, "participant.muted"},
			{Changed{Leg: "a", Muted: &yes}, MemberState{Muted: true}, ""},
			{Changed{Leg: "a", Deaf: &yes, Talk: &loud}, MemberState{Muted: true, Deaf: true, Talk: 6}, "participant.deafened participant.modified"},
			{Changed{Leg: "a", Muted: &no, Deaf: &no, Listen: &loud}, MemberState{Talk: 6, Listen: 6}, "participant.unmuted participant.undeafened participant.modified"},
		} {
			a.sink.Post(c.fact)
			time.Sleep(time.Second)
			if got := th.stage("1").state(1); got != c.want {
				t.Errorf("%+v made him %+v, want %+v", c.fact, got, c.want)
			}
			want(t, "told", th.types(), c.told)
		}
		if got := about(th.explained(t, "a"), "muted"); !strings.HasPrefix(got, "false | at the switch, ") {
			t.Errorf("explained by %s", got)
		}
	})
}
