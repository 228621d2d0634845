package engine

import (
	"context"
	"testing"
	"testing/synctest"
)

// TestCloseGivesTheLobbyBack: a caller who is asked for the number, and one
// who is just told why not.
func TestCloseGivesTheLobbyBack(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		asked, refused, plain := newPhone("asked"), newPhone("refused"), newPhone("plain")
		for _, p := range []*phone{asked, refused, plain} {
			p.listen()
		}
		th.arrive(asked, Invite{Dialplan: true})
		th.arrive(refused, Invite{Room: "no room", Dialplan: true})
		th.arrive(plain, Invite{})
		synctest.Wait()
		if err := th.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for p, want := range map[*phone]string{
			asked: "failed node_busy", refused: "rejected bad_room_name", plain: "failed node_busy",
		} {
			o := outcome(t, p)
			if line1(o) != want || o.Hangup != (p == plain) {
				t.Errorf("%s: %+v", p.id, o)
			}
		}
		if got := th.types(); got != "participant.rejected participant.rejected participant.rejected" {
			t.Errorf("events %s", got)
		}
		late := newPhone("late")
		th.arrive(late, Invite{Dialplan: true})
		if o := outcome(t, late); line1(o) != "failed node_busy" || o.Hangup {
			t.Errorf("%+v", o)
		}
	})
}

// TestCloseWhileACallerTypesHisNumber: he does not open a room any more.
func TestCloseWhileACallerTypesHisNumber(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		in := th.call("in", "3001", nil)
		typing := newPhone("typing")
		th.arrive(typing, Invite{Dialplan: true})
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- th.Close(context.Background()) }()
		typing.press("3002#")
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		for _, p := range []*phone{in, typing} {
			if o := outcome(t, p); o.Reason != ReasonEnded && o.Reason != ReasonNodeBusy {
				t.Errorf("%s: %+v", p.id, o)
			}
		}
	})
}
