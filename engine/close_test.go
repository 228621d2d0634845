package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
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
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := th.Close(ctx); err != nil {
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

// hears plays to its end what plays.
func (p *phone) hears() {
	p.mu.Lock()
	op := p.prompt
	p.mu.Unlock()
	p.sink.Post(PromptDone{Leg: p.id, Op: op})
}

// TestCloseSaysGoodbyeToTheLobby: who is asked for the number, and who is just told
// why not, hear that out, as members do, and nobody waits for those who are gone.
func TestCloseSaysGoodbyeToTheLobby(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		asked, refused, gone := newPhone("asked"), newPhone("refused"), newPhone("gone")
		for _, p := range []*phone{asked, refused, gone} {
			p.listen()
		}
		th.arrive(asked, Invite{Dialplan: true})
		th.arrive(refused, Invite{Room: "no room", Dialplan: true})
		th.arrive(gone, Invite{})
		synctest.Wait()
		start := time.Now()
		for _, p := range []*phone{asked, refused} {
			time.AfterFunc(3*time.Second, p.hears)
		}
		time.AfterFunc(2*time.Second, func() { gone.sink.Post(LegGone{gone.id, ReasonHangup, CauseNone}) })
		if err := th.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("Close took %v", took)
		}
		for p, want := range map[*phone][2]string{
			asked: {"failed node_busy", "enter-conference-number node-busy"}, refused: {"rejected bad_room_name", "invalid-room"},
			gone: {"failed node_busy", "enter-conference-number node-busy"},
		} {
			if got := [2]string{line1(outcome(t, p)), p.sounds()}; got != want {
				t.Errorf("%s: %q, want %q", p.id, got, want)
			}
		}
	})
}

// TestNoRoomBeginsOnceCloseHasListedThem: a call, or an order to call, that saw
// before that we were not busy.
func TestNoRoomBeginsOnceCloseHasListedThem(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		if err := th.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		th.SetBusy(false) // as they saw it
		late := th.call("late", "3001", nil)
		if o := outcome(t, late); line1(o) != "failed node_busy" {
			t.Errorf("%+v", o)
		}
		th.way = func(context.Context, OutCall) error { return errors.New("called") }
		if _, err := th.BgDial(t.Context(), Dial{Room: "3001", Address: "sip:bob@host"}); err == nil {
			t.Error("a call out has begun")
		} else if r, ok := errors.AsType[*RefusalError](err); !ok || r.Reason != ReasonNodeBusy {
			t.Errorf("a call out: %v", err)
		}
	})
}
