package freeswitch_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// inTime gives an order and says how it ended; it must, within a limit.
func (p *pbx) inTime(limit time.Duration, room string, c engine.Command) error {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	err := p.exchange.Do(ctx, engine.RoomName(room), c)
	if d := time.Since(began); d > limit || errors.Is(err, context.DeadlineExceeded) {
		p.Errorf("%T%+v took %v: %v", c, c, d, err)
	}
	return err
}

// TestASwitchThatAnswersNothing: every order ends in time, nobody is dropped,
// and what the switch did after all is seen when it is back.
func TestASwitchThatAnswersNothing(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.come(2, "4000")
		p.core.Stall()
		_ = p.inTime(7*time.Second, "4000", engine.Mute{Member: 1, On: true})
		_ = p.inTime(7*time.Second, "4000", engine.Deafen{Member: 2, On: true})
		_ = p.inTime(7*time.Second, "4000", engine.Lock{On: true})
		time.Sleep(5 * time.Second)
		p.core.Go()
		p.until("the link is up", func() bool { _, up, _ := p.link.Check(); return up })
		time.Sleep(12 * time.Second)
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 2 {
			t.Errorf("%+v", v)
		}
	})
}

// TestASwitchThatAnswersNothingForLong: the link is given up, and the sockets of
// calls are, too; but nobody is taken out of his conference.
func TestASwitchThatAnswersNothingForLong(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.come(2, "4000")
		p.core.Stall()
		p.away.Store("down", true)
		p.until("they are lost", func() bool { return len(p.roster("4000").Members) == 0 })
		p.away.Delete("down")
		p.core.Go()
		p.until("the link is up", func() bool { _, up, _ := p.link.Check(); return up })
		for n := 1; n <= 2; n++ {
			if _, ok := p.core.Member(uuid(n)); !ok {
				t.Errorf("caller %d was dropped", n)
			}
		}
	})
}

// TestTheLinkAndTheSocketsAreLost: who is still in the conference when the link
// is back is a member again, as he was.
func TestTheLinkAndTheSocketsAreLost(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		var sockets []net.Conn
		for n := 1; n <= 2; n++ {
			sockets = append(sockets, p.lines.connect())
			p.callOver(sockets[n-1], p.options(n, vars("4000", "parley_role", "moderator")))
			p.awaitOf(engine.EventJoined, n)
		}
		p.order("4000", engine.Mute{Member: 2, On: true})
		p.lose()
		for _, nc := range sockets {
			_ = nc.Close()
		}
		p.until("they are lost", func() bool { return len(p.roster("4000").Members) == 0 })
		p.regain()
		p.awaitOf(engine.EventRestored, 2)
		time.Sleep(time.Second)
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 2 || v.Members[0].Role != "moderator" {
			t.Errorf("%+v", v)
		}
	})
}

// TestAKickWhileTheSwitchAnswersNothing is refused in time, and the member stays.
func TestAKickWhileTheSwitchAnswersNothing(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.come(2, "4000")
		p.core.Stall()
		if err := p.inTime(4*time.Second, "4000", engine.Kick{Member: 1}); !errors.Is(err, engine.ErrAway) {
			t.Errorf("%v", err)
		}
		p.core.Go()
		time.Sleep(30 * time.Second)
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 2 {
			t.Errorf("%+v", v)
		}
	})
}

// TestCommandsWhileTheSwitchIsAway, link and sockets: each is refused in time,
// and nothing of it is told as if it had come true.
func TestCommandsWhileTheSwitchIsAway(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Enter(p.options(2, map[string]string{"sofia_profile_name": "internal"}), "4000@default")
		p.until("he is taken on", func() bool { return len(p.roster("4000").Members) == 2 })
		p.core.Stall()
		p.away.Store("down", true)
		p.until("the link is down", func() bool { _, up, _ := p.link.Check(); return !up })
		for _, c := range []engine.Command{
			engine.Lock{On: true}, engine.Mute{Member: 1, On: true}, engine.Deafen{Member: 2, On: true}, engine.Kick{Member: 1}, engine.End{},
		} {
			if err := p.inTime(4*time.Second, "4000", c); !errors.Is(err, engine.ErrAway) && !errors.Is(err, engine.ErrNoRoom) {
				t.Errorf("%T: %v", c, err)
			}
			if v := p.roster("4000"); v.Locked {
				t.Errorf("after %T: %+v", c, v)
			}
		}
		p.away.Delete("down")
		p.core.Go()
		p.until("the link is up", func() bool { _, up, _ := p.link.Check(); return up })
	})
}

// TestAConferenceThatIsOver before we are told so is no trouble.
func TestAConferenceThatIsOver(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Enter(p.options(2, map[string]string{"sofia_profile_name": "internal"}), "4000@default")
		p.until("he is taken on", func() bool { return len(p.roster("4000").Members) == 2 })
		p.core.API("uuid_kill", uuid(1)+" NORMAL_CLEARING")
		p.awaitOf(engine.EventLeft, 1)
		p.core.Lag(time.Second, 0)
		p.core.API("uuid_kill", uuid(2)+" NORMAL_CLEARING")
		_ = p.inTime(4*time.Second, "4000", engine.Lock{On: true})
		p.until("the room is over", func() bool { return len(p.roster("4000").Members) == 0 })
		if log := p.log.String(); strings.Contains(log, "the conference did not do it") || !strings.Contains(log, "the conference is over") {
			t.Error(log)
		}
	})
}

// TestTheCodecOfACallThatWasNotAnsweredYet is known when it is in the room.
func TestTheCodecOfACallThatWasNotAnsweredYet(t *testing.T) {
	for _, c := range []struct {
		name, rate, want string
	}{{"G722", "8000", "G722/8000"}, {"", "", ""}} {
		onSwitch(t, func(p *pbx) {
			with := vars("4000")
			if c.name != "" {
				with["rtp_use_codec_name"], with["rtp_use_codec_rate"] = c.name, c.rate
			}
			o := p.options(1, with)
			o.Headers["Channel-Read-Codec-Name"], o.Headers["Channel-Read-Codec-Rate"] = "", ""
			p.call(o)
			p.awaitOf(engine.EventJoined, 1)
			if v := p.roster("4000"); len(v.Members) != 1 || v.Members[0].Codec != c.want {
				t.Errorf("%q, want %q", v.Members[0].Codec, c.want)
			}
		})
	}
}

// TestACallerComesToARoomOfTheSwitchWhileTheLinkIsLost: he is in it over his
// own socket.
func TestACallerComesToARoomOfTheSwitchWhileTheLinkIsLost(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.lose()
		two := p.call(p.options(2, vars("4000")))
		p.answer(two)
		p.awaitOf(engine.EventJoined, 2)
		p.agree("4000")
		p.regain()
		time.Sleep(12 * time.Second)
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 2 || v.Mixer != "switch pbx1" {
			t.Errorf("%+v", v)
		}
		p.quietBut("link lost")
	})
}

// TestTheLinkIsLostAsACallerComesIn: that he is in is found when it is back.
func TestTheLinkIsLostAsACallerComesIn(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.core.Lag(time.Second, 0)
		c := p.call(p.options(1, vars("4000")))
		p.app(c, "conference")
		p.core.Lag(0, 0)
		p.lose()
		p.regain()
		p.awaitOf(engine.EventJoined, 1)
		p.agree("4000")
	})
}

// TestACallerIsOnHisWayInWhen something befalls him, or us: he is admitted, or
// goes on in his dialplan, but not lost.
func TestACallerIsOnHisWayInWhen(t *testing.T) {
	for _, c := range []struct {
		name    string
		happens func(*pbx, *esltest.Call)
		reasons []string
	}{
		{"he is taken out as he comes in", func(p *pbx, c *esltest.Call) {
			c.Finish(nil)
			p.core.API("conference", "4000 hup 1")
		}, []string{"kicked", "media_lost"}},
		{"he hangs up", func(_ *pbx, c *esltest.Call) { c.Hangup("NORMAL_CLEARING") }, nil},
		{"he is transferred", func(_ *pbx, c *esltest.Call) { c.Transfer() }, []string{""}},
		{"the switch is deaf", func(*pbx, *esltest.Call) {}, []string{"media_lost"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				call := p.call(p.options(1, vars("4000")))
				p.app(call, "answer")
				call.Broadcast("park", "") // the conference waits behind it
				time.Sleep(time.Second)
				c.happens(p, call)
				e := p.ended(call)
				if why := e.Vars["parley_reason"]; !e.HungUp && !slices.Contains(c.reasons, why) || e.Stuck != "" {
					t.Errorf("the call left with %+v", e)
				}
				time.Sleep(15 * time.Second)
				p.agree("4000")
			})
		})
	}
}

// TestOurShutdownLeavesTheConferenceAlone: who is in it stays, with his rights.
func TestOurShutdownLeavesTheConferenceAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		with bool // with us when we leave
	}{{"in the mix", false}, {"beside the mix", true}} {
		t.Run(c.name, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				calls := []*esltest.Call{p.come(1, "4000"), p.come(2, "4000"), p.come(3, "4000")}
				calls = append(calls, p.core.Enter(p.options(4, map[string]string{"sofia_profile_name": "internal"}), "4000@default"))
				p.awaitOf(engine.EventRestored, 4)
				p.order("4000", engine.Mute{Member: 2, On: true})
				p.order("4000", engine.Deafen{Member: 3, On: true})
				if c.with {
					there := p.relocate("4000", engine.Place{})
					p.fetchAll(calls...)
					if err := <-there; err != nil {
						t.Fatal(err)
					}
				}
				p.part()
				p.stop()
				time.Sleep(time.Second)
				for n := 1; n <= 4; n++ {
					in, ok := p.core.Member(uuid(n))
					if !ok || in.Beside || in.Mute != (n == 2) || in.Deaf != (n == 3) {
						t.Errorf("caller %d: %+v, %v", n, in, ok)
					}
				}
				for _, call := range calls[:3] {
					if e := p.ended(call); e.HungUp || e.Broken != "" {
						t.Errorf("the call left with %+v", e)
					}
				}
			})
		})
	}
}

// TestOurShutdownWhileACallerIsAsked for his PIN: his dialplan goes on.
func TestOurShutdownWhileACallerIsAsked(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.call(p.options(1, vars("4101")))
		p.app(c, "playback")
		p.part()
		p.continued(c, vars("4101"), map[string]string{"result": "rejected", "reason": "ended", "duration": "0"})
	})
}
