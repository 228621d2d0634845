package freeswitch_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// bothOrders runs a test with the link's events before those of the calls'
// sockets, and behind them.
func bothOrders(t *testing.T, test func(*pbx)) {
	t.Helper()
	for name, lag := range map[string][2]time.Duration{
		"at once": {}, "the link is late": {150 * time.Millisecond, 0}, "the socket is late": {0, 150 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				p.core.Lag(lag[0], lag[1])
				test(p)
			})
		})
	}
}

// quiet checks that nothing was logged as trouble.
func (p *pbx) quiet() {
	p.Helper()
	if s := p.log.String(); strings.Contains(s, "level=WARN") || strings.Contains(s, "level=ERROR") {
		p.Error("that is no trouble")
	}
}

// quietBut checks that nothing was logged as trouble but what has a text.
func (p *pbx) quietBut(text string) {
	p.Helper()
	for line := range strings.Lines(p.log.String()) {
		if (strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR")) && !strings.Contains(line, text) {
			p.Errorf("that is no trouble: %s", line)
		}
	}
}

// killed says whether the switch was told to end a call.
func (p *pbx) killed(c *esltest.Call) bool {
	begin := "api uuid_kill " + c.UUID()
	return sent(p.core.Requests(), begin)+sent(c.Requests(), begin) > 0
}

// left waits for caller n to leave, for a reason.
func (p *pbx) left(n int, why engine.Reason) {
	p.Helper()
	if e := p.awaitOf(engine.EventLeft, n); e.Reason != why {
		p.Errorf("caller %d left by %q, want %q", n, e.Reason, why)
	}
}

// TestAMemberHangsUp in the conference: one leaves, once, the others stay.
func TestAMemberHangsUp(t *testing.T) {
	bothOrders(t, func(p *pbx) {
		c := p.come(1, "4000")
		p.come(2, "4000")
		c.Hangup("NORMAL_CLEARING")
		p.left(1, engine.ReasonHangup)
		if e := p.ended(c); !e.HungUp {
			p.Errorf("the call left with %+v", e)
		}
		time.Sleep(30 * time.Second)
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 1 {
			p.Errorf("%+v", v.Members)
		}
		if p.killed(c) {
			p.Error("a call that was over was killed")
		}
		p.quiet()
	})
}

// TestAMemberIsTransferredAway by the switch.
func TestAMemberIsTransferredAway(t *testing.T) {
	bothOrders(t, func(p *pbx) {
		c := p.come(1, "4000")
		p.come(2, "4000")
		c.Transfer()
		p.left(1, engine.ReasonTransferred)
		e := p.ended(c)
		if e.HungUp || !e.Moved || e.Broken != "" {
			p.Errorf("the call left with %+v", e)
		}
		if e.Vars["socket_resume"] != "" || e.Vars["hangup_after_bridge"] != "" {
			p.Errorf("its variables are not its own: %v", e.Vars)
		}
		time.Sleep(30 * time.Second)
		p.agree("4000")
		p.quiet()
	})
}

// TestAMemberLeavesByKey: his dialplan goes on with the results.
func TestAMemberLeavesByKey(t *testing.T) {
	bothOrders(t, func(p *pbx) {
		c := p.come(1, "4000")
		p.come(2, "4000")
		c.Fire("DTMF", "DTMF-Digit", "#")
		p.left(1, engine.ReasonTerminator)
		p.continued(c, vars("4000"), map[string]string{
			"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "0",
		})
		p.agree("4000")
		p.quiet()
	})
}

// TestAKickIsConfirmedByTheSwitch before it has come true.
func TestAKickIsConfirmedByTheSwitch(t *testing.T) {
	bothOrders(t, func(p *pbx) {
		c := p.come(1, "4000")
		p.come(2, "4000")
		p.order("4000", engine.Kick{Member: 1})
		if _, in := p.core.Member(uuid(1)); in {
			p.Error("he is still in the conference")
		}
		p.continued(c, vars("4000"), map[string]string{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1", "duration": "0"})
		if p.killed(c) {
			p.Error("killed")
		}
		p.agree("4000")
	})
}

// TestAKickThatTheSwitchDoesNotConfirm ends the call, two seconds later.
func TestAKickThatTheSwitchDoesNotConfirm(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.come(1, "4000")
		p.come(2, "4000")
		c.Starve()
		began := time.Now()
		p.order("4000", engine.Kick{Member: 1})
		if d := time.Since(began); d < 2*time.Second || d > 2500*time.Millisecond {
			p.Errorf("it took %v", d)
		}
		if e := p.ended(c); !e.HungUp {
			p.Errorf("the call left with %+v", e)
		}
		if n := sent(p.core.Requests(), "api uuid_kill "+uuid(1)); n != 1 {
			p.Errorf("killed %d times", n)
		}
		p.agree("4000")
	})
}

// TestSomebodyAtTheSwitchKicksAMember: his dialplan goes on, and knows.
func TestSomebodyAtTheSwitchKicksAMember(t *testing.T) {
	for _, command := range []string{"kick", "hup"} {
		t.Run(command, func(t *testing.T) {
			bothOrders(t, func(p *pbx) {
				c := p.come(1, "4000")
				p.come(2, "4000")
				p.core.API("conference", "4000 "+command+" 1")
				p.left(1, engine.ReasonKicked)
				p.continued(c, vars("4000"), map[string]string{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1", "duration": "0"})
				p.agree("4000")
				p.quiet()
			})
		})
	}
}

// TestTheSocketOfAMemberIsLost: he stays where he is, and is driven over the
// link; his results are there before his dialplan goes on.
func TestTheSocketOfAMemberIsLost(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		nc := p.lines.connect()
		c := p.callOver(nc, p.options(1, vars("4000")))
		p.awaitOf(engine.EventJoined, 1)
		p.come(2, "4000")
		nc.Close()
		if e := p.ended(c); e.Stuck != "conference" {
			t.Errorf("the call left with %+v", e)
		}
		time.Sleep(30 * time.Second)
		p.agree("4000")
		p.order("4000", engine.Mute{Member: 1, On: true})
		p.agree("4000")
		c.Fire("DTMF", "DTMF-Digit", "#")
		p.left(1, engine.ReasonTerminator)
		p.rescuedResults(p.ended(c), "terminator", "#")
		synctest.Wait()
		p.agree("4000")
	})
}

// rescuedResults checks what a call had when its own dialplan went on.
func (p *pbx) rescuedResults(e esltest.Ending, exit, digits string) {
	p.Helper()
	for name, want := range map[string]string{
		"parley_result": "joined", "parley_exit": exit, "parley_exit_digits": digits, "hangup_after_bridge": "", "continue_on_fail": "",
		"conference_enforce_security": "", "playback_terminators": "",
	} {
		if e.Vars[name] != want {
			p.Errorf("%s=%q, want %q", name, e.Vars[name], want)
		}
	}
}

// TestTheSocketIsLostAsTheCallerHangsUp is no rescue.
func TestTheSocketIsLostAsTheCallerHangsUp(t *testing.T) {
	bothOrders(t, func(p *pbx) {
		nc := p.lines.connect()
		c := p.callOver(nc, p.options(1, vars("4000")))
		p.awaitOf(engine.EventJoined, 1)
		p.come(2, "4000")
		c.Hangup("NORMAL_CLEARING")
		nc.Close()
		p.awaitOf(engine.EventLeft, 1)
		time.Sleep(time.Minute)
		p.agree("4000")
	})
}
