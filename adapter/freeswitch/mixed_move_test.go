package freeswitch_test

import (
	"context"
	"errors"
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
		time.Sleep(200 * time.Millisecond) // the conference may still take what he said before
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

// TestSomebodyHangsUpAsTheRoomMovesBack: the conference does not know him any
// more when it is to take him back.
func TestSomebodyHangsUpAsTheRoomMovesBack(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		stays, leaves := p.come(1, "4000"), p.come(2, "4000")
		there := p.relocate("4000", engine.Place{})
		p.fetchAll(stays, leaves)
		if err := <-there; err != nil {
			t.Fatal(err)
		}
		p.core.Lag(time.Second, time.Second)
		leaves.Hangup("NORMAL_CLEARING")
		if err := <-p.relocate("4000", pbx1); err != nil {
			t.Error(err)
		}
		if e := p.awaitOf(engine.EventLeft, 2); e.Reason != engine.ReasonHangup {
			t.Errorf("left by %s", e.Reason)
		}
		if v := p.roster("4000"); v.Mixer != "switch pbx1" || len(v.Members) != 1 {
			t.Errorf("%+v", v)
		}
	})
}

// TestAudioThatDoesNotCome moves nobody, and drops nobody.
func TestAudioThatDoesNotCome(t *testing.T) {
	for _, c := range []struct {
		name  string
		after func(*pbx, *esltest.Call, string) // what becomes of the last caller's bridge
		took  time.Duration
	}{
		{"the bridge fails", func(_ *pbx, c *esltest.Call, _ string) {
			time.Sleep(100 * time.Millisecond)
			c.Finish(map[string]string{"originate_disposition": "USER_NOT_REGISTERED"})
		}, time.Second},
		{"the switch has no port for its end", func(p *pbx, c *esltest.Call, token string) {
			p.comesAndDies(c, token)
		}, time.Second},
		{"its end is never connected", func(p *pbx, c *esltest.Call, token string) {
			if _, err := p.tickets.claim(c, token); err != nil {
				p.Fatal(err)
			}
		}, 6 * time.Second},
		{"nobody brings the token", func(*pbx, *esltest.Call, string) {}, 6 * time.Second},
		{"the switch refuses the bridge", nil, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				calls := []*esltest.Call{p.come(1, "4000"), p.come(2, "4000")}
				p.order("4000", engine.Mute{Member: 1, On: true})
				began := time.Now()
				there := p.relocate("4000", engine.Place{})
				p.answer(calls[0])
				_, token := p.bridge(calls[1])
				if c.after != nil {
					c.after(p, calls[1], token)
				} else {
					calls[1].Unbridge()
				}
				err := <-there
				if !errors.Is(err, engine.ErrNotMoved) {
					t.Errorf("%v", err)
				}
				if d := time.Since(began); d > c.took {
					t.Errorf("it took %v", d)
				}
				time.Sleep(2 * time.Second)
				p.agree("4000")
				if v := p.roster("4000"); len(v.Members) != 2 || v.Mixer != "switch pbx1" {
					t.Errorf("%+v", v)
				}
				for n := 1; n <= 2; n++ {
					if in, ok := p.core.Member(uuid(n)); !ok || in.Beside || in.Mute != (n == 1) {
						t.Errorf("caller %d: %+v, %v", n, in, ok)
					}
				}
				if n := p.tickets.open(); n != 0 {
					t.Errorf("%d tokens are still good", n)
				}
			})
		})
	}
}

// TestAudioThatComesLate, when nobody waits for it any more, is sent away.
func TestAudioThatComesLate(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.come(1, "4000")
		there := p.relocate("4000", engine.Place{})
		_, token := p.bridge(c)
		if err := <-there; !errors.Is(err, engine.ErrNotMoved) {
			t.Errorf("%v", err)
		}
		if _, err := p.tickets.claim(c, token); err == nil {
			t.Error("the token was good still")
		}
		c.Unbridge()
		time.Sleep(2 * time.Second)
		p.agree("4000")
		if err := <-p.again(c); err != nil {
			t.Error(err)
		}
	})
}

// again moves a room of one to us, and in time.
func (p *pbx) again(c *esltest.Call) <-chan error {
	there := p.relocate("4000", engine.Place{})
	p.answer(c)
	return there
}

// TestSomethingBefallsAMemberWhoIsWithUs, in the conference where he stands
// beside the mix.
func TestSomethingBefallsAMemberWhoIsWithUs(t *testing.T) {
	for _, c := range []struct {
		name    string
		happens func(*pbx, *esltest.Call, *media)
		why     engine.Reason
		goesOn  bool
	}{
		{"kicked", func(p *pbx, _ *esltest.Call, _ *media) { p.core.API("conference", "4000 kick 1") }, engine.ReasonKicked, true},
		{"taken out", func(p *pbx, _ *esltest.Call, _ *media) { p.core.API("conference", "4000 hup 1") }, engine.ReasonKicked, true},
		{"a key", func(_ *pbx, _ *esltest.Call, m *media) { m.press("#") }, engine.ReasonTerminator, true},
		{"hangs up", func(_ *pbx, _ *esltest.Call, m *media) { m.hangUp() }, engine.ReasonHangup, false},
		{"transferred", func(_ *pbx, c *esltest.Call, m *media) { c.Transfer(); m.end() }, engine.ReasonTransferred, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			bothOrders(t, func(p *pbx) {
				calls := []*esltest.Call{p.come(1, "4000"), p.come(2, "4000")}
				there := p.relocate("4000", engine.Place{})
				all := p.fetchAll(calls...)
				if err := <-there; err != nil {
					p.Fatal(err)
				}
				time.Sleep(time.Second)
				c.happens(p, calls[0], all[0])
				p.left(1, c.why)
				e := p.ended(calls[0])
				if c.goesOn && (e.HungUp || e.Stuck != "" || e.Because != nil || e.Vars["parley_reason"] != string(c.why)) {
					p.Errorf("the call left with %+v", e)
				}
				time.Sleep(15 * time.Second)
				p.agree("4000")
				if v := p.roster("4000"); len(v.Members) != 1 {
					p.Errorf("%+v", v.Members)
				}
			})
		})
	}
}

// TestTheAudioEndsWhileWithUs, without the call: he is lost to the room, and
// his dialplan goes on.
func TestTheAudioEndsWhileWithUs(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.come(1, "4000")
		if err := <-p.again(c); err != nil {
			t.Fatal(err)
		}
		c.Unbridge()
		p.left(1, engine.ReasonMediaLost)
		if e := p.ended(c); e.HungUp || e.Stuck != "" || e.Vars["parley_reason"] != "media_lost" {
			t.Errorf("the call left with %+v", e)
		}
	})
}

// TestTheLinkIsLostDuringAMove: calls have sockets of their own.
func TestTheLinkIsLostDuringAMove(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		calls := []*esltest.Call{p.come(1, "4000"), p.come(2, "4000")}
		there := p.relocate("4000", engine.Place{})
		p.answer(calls[0])
		p.lose()
		p.answer(calls[1])
		if err := <-there; err != nil {
			t.Error(err)
		}
		p.regain()
		time.Sleep(12 * time.Second)
		p.agree("4000")
		p.lose()
		if err := <-p.relocate("4000", pbx1); err != nil {
			t.Error(err)
		}
		p.regain()
		time.Sleep(12 * time.Second)
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 2 {
			t.Errorf("%+v", v)
		}
	})
}

// TestAnAdoptedMemberMoves: he has no socket, all goes over the link.
func TestAnAdoptedMemberMoves(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		own := map[string]string{"sofia_profile_name": "internal"}
		c := p.core.Enter(p.options(1, own), "4000@default+flags{mute}")
		if _, err := p.adapter.Adopt(p.Context(), "4000"); err != nil {
			t.Fatal(err)
		}
		if err := <-p.again(c); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		if in, ok := p.core.Member(uuid(1)); !ok || !in.Beside || in.Mute {
			t.Errorf("%+v, %v", in, ok)
		}
		if err := <-p.relocate("4000", pbx1); err != nil {
			t.Fatal(err)
		}
		p.agree("4000")
		if m := p.roster("4000").Members[0]; !m.Muted {
			t.Errorf("%+v", m)
		}
		if err := <-p.again(c); err != nil {
			t.Fatal(err)
		}
		p.order("4000", engine.Kick{Member: 1})
		if e := p.ended(c); e.HungUp || e.Vars["parley_reason"] != "kicked" || e.Vars["hangup_after_bridge"] != "" {
			t.Errorf("the call left with %+v", e)
		}
	})
}

// TestTheLinkIsLostWhileAnAdoptedMemberMoves: it was all that he had.
func TestTheLinkIsLostWhileAnAdoptedMemberMoves(t *testing.T) {
	for name, back := range map[string]bool{"to us": false, "to the switch": true} {
		t.Run(name, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				c := p.core.Enter(p.options(1, map[string]string{"sofia_profile_name": "internal"}), "4000@default+flags{mute|deaf}")
				if _, err := p.adapter.Adopt(p.Context(), "4000"); err != nil {
					t.Fatal(err)
				}
				there := p.relocate("4000", engine.Place{})
				if back {
					p.answer(c)
					if err := <-there; err != nil {
						t.Fatal(err)
					}
					p.lose()
					there = p.relocate("4000", pbx1)
				} else {
					_, token := p.bridge(c)
					p.lose()
					if _, err := p.tickets.claim(c, token); err != nil {
						t.Fatal(err)
					}
					c.Answer()
				}
				time.Sleep(time.Second)
				p.regain()
				err := <-there
				time.Sleep(25 * time.Second)
				p.agree("4000")
				if v := p.roster("4000"); len(v.Members) != 1 || v.Mixer != "native" || (err != nil) != back {
					t.Errorf("%v, %+v", err, v)
				}
			})
		})
	}
}
