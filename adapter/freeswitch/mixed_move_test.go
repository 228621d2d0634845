package freeswitch_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// fetchAll plays the switch's side of a room that moves to us: every call that
// is bridged to us brings its token.
func (p *pbx) fetchAll(calls ...*esltest.Call) []*media {
	p.Helper()
	all := make([]*media, len(calls))
	for i, c := range calls {
		all[i] = p.answer(c)
	}
	return all
}

// relocate orders a room to a place, and answers when it is there.
func (p *pbx) relocate(room string, to engine.Place) <-chan error {
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.Context()), time.Minute)
		defer cancel()
		_, err := p.exchange.Relocate(ctx, engine.RoomName(room), to)
		done <- err
	}()
	return done
}

var pbx1 = engine.Place{Switch: "pbx1"}

// TestARoomMovesToUsAndBack with a muted and a deaf member: they stay in the
// conference, beside its mix, and its hard mute does not silence who is heard
// by us.
func TestARoomMovesToUsAndBack(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		calls := []*esltest.Call{p.come(1, "4000"), p.come(2, "4000"), p.come(3, "4000")}
		p.order("4000", engine.Mute{Member: 2, On: true})
		p.order("4000", engine.Deafen{Member: 3, On: true})
		there := p.relocate("4000", engine.Place{})
		p.fetchAll(calls...)
		if err := <-there; err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 3; n++ {
			if in, ok := p.core.Member(uuid(n)); !ok || !in.Beside || in.Mute {
				t.Errorf("caller %d with us: %+v, %v", n, in, ok)
			}
		}
		p.order("4000", engine.Mute{Member: 1, On: true})
		p.order("4000", engine.Mute{Member: 2, On: false})
		if err := <-p.relocate("4000", pbx1); err != nil {
			t.Fatal(err)
		}
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 3 || !v.Members[0].Muted || v.Members[1].Muted || !v.Members[2].Deaf {
			t.Errorf("%+v", v.Members)
		}
		for _, c := range calls {
			if strings.Contains(strings.Join(c.Requests(), "\n"), "uuid_kill") {
				t.Error("a call was killed")
			}
		}
	})
}

// TestSomebodyHangsUpAsTheRoomMoves: the switch does not know him any more when
// he is to move. He has left; the others move all the same.
func TestSomebodyHangsUpAsTheRoomMoves(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		stays := p.come(1, "4000")
		leaves := p.core.Enter(p.options(2, nil), "4000@default")
		p.until("the newcomer is a member", func() bool { return len(p.roster("4000").Members) == 2 })
		p.core.Lag(time.Second, time.Second)
		leaves.Hangup("NORMAL_CLEARING")
		there := p.relocate("4000", engine.Place{})
		p.fetchAll(stays)
		if err := <-there; err != nil {
			t.Error(err)
		}
		if e := p.awaitOf(engine.EventLeft, 2); e.Reason != engine.ReasonHangup {
			t.Errorf("left by %s", e.Reason)
		}
		if v := p.roster("4000"); v.Mixer != "native" || len(v.Members) != 1 {
			t.Errorf("%+v", v)
		}
	})
}
