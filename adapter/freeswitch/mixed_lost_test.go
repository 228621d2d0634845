package freeswitch_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/esl/conference"
	"parley/esl/esltest"
)

// TestTheLinkIsLostAndBack: what happened meanwhile is found out, and nobody
// was dropped by us.
func TestTheLinkIsLostAndBack(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		for n := 1; n <= 4; n++ {
			p.come(n, "4000")
		}
		p.lose()
		p.core.API("conference", "4000 mute 1")
		p.core.API("conference", "4000 volume_out 2 -2")
		p.core.API("conference", "4000 lock")
		p.core.API("uuid_kill", uuid(3)+" NORMAL_CLEARING")
		p.order("4000", engine.Mute{Member: 4, On: true}) // over a call's own socket
		p.regain()
		time.Sleep(12 * time.Second)
		p.agree("4000")
		v := p.roster("4000")
		if len(v.Members) != 3 || !v.Members[0].Muted || v.Members[1].Listen > -4 || !v.Members[2].Muted || !v.Locked {
			t.Errorf("%+v", v)
		}
	})
}

// TestANewcomerWhileTheLinkIsLost, by a dialplan of the switch's own.
func TestANewcomerWhileTheLinkIsLost(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.lose()
		p.core.Enter(p.options(2, nil), "4000@default+flags{mute}")
		p.regain()
		time.Sleep(12 * time.Second)
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 2 || !v.Members[1].Muted {
			t.Errorf("%+v", v.Members)
		}
	})
}

// TestTheSwitchIsRestarted: its calls are over, those of other switches and of
// none are not.
func TestTheSwitchIsRestarted(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Enter(p.options(2, nil), "4000@default")
		p.until("he is taken on", func() bool { return len(p.roster("4000").Members) == 2 })
		p.core.Restart()
		p.left(1, engine.ReasonSwitchLost)
		p.left(2, engine.ReasonSwitchLost)
		p.until("the link is back", func() bool { _, up, _ := p.link.Check(); return up })
		if v := p.roster("4000"); len(v.Members) > 0 {
			t.Errorf("%+v", v.Members)
		}
		p.come(3, "4000")
		p.agree("4000")
	})
}

// TestWhatTheSwitchDidNotTellUs is found by the audit, after two looks: told
// once, counted once, and put right.
func TestWhatTheSwitchDidNotTellUs(t *testing.T) {
	for _, c := range []struct {
		name, text string
		change     func(*pbx)
		members    int
	}{
		{"a mute", "other rights than on the roster", func(p *pbx) { p.core.Silently(uuid(1), true, false) }, 2},
		{"out of the conference", "on the roster, not in the conference", func(p *pbx) { p.core.Lose(uuid(1), false) }, 1},
		{"hung up", "on the roster, not ", func(p *pbx) { p.core.Lose(uuid(1), true) }, 1},
		{"another", "in the conference, not on the roster", func(p *pbx) {
			p.core.Lag(time.Hour, 0)
			p.core.Enter(p.options(9, nil), "4000@default")
		}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				p.come(1, "4000")
				p.come(2, "4000")
				c.change(p)
				time.Sleep(12 * time.Second)
				if n := strings.Count(p.log.String(), c.text); n == 0 || n != strings.Count(p.log.String(), "audit.mismatch") {
					t.Errorf("told %d times", n)
				}
				if _, ever := p.link.Differences(); ever == 0 {
					t.Error("not counted")
				}
				told := strings.Count(p.log.String(), "audit.mismatch")
				p.agree("4000")
				if v := p.roster("4000"); len(v.Members) != c.members {
					t.Errorf("%+v", v.Members)
				}
				time.Sleep(25 * time.Second)
				if now, _ := p.link.Differences(); len(now) != 0 || strings.Count(p.log.String(), "audit.mismatch") != told {
					t.Errorf("still %+v", now)
				}
			})
		})
	}
}

// TestADifferenceThatIsOnlyLate is none: what the switch has told is on its
// way.
func TestADifferenceThatIsOnlyLate(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Lag(100*time.Millisecond, 100*time.Millisecond)
		for range 100 { // some of it falls into a look
			p.core.API("conference", "4000 mute 1")
			time.Sleep(90 * time.Millisecond)
			p.core.API("conference", "4000 unmute 1")
			time.Sleep(110 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if _, ever := p.link.Differences(); ever != 0 {
			t.Errorf("%d differences", ever)
		}
		p.quiet()
		p.agree("4000")
	})
}

// TestANewcomerIsTakenOn who came by a dialplan of the switch's own, with the
// rights he has there; and is given back with his results.
func TestANewcomerIsTakenOn(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		own := map[string]string{"hangup_after_bridge": "true", "sofia_profile_name": "internal"}
		c := p.core.Enter(p.options(2, own), "4000@default+flags{mute|moderator}")
		p.awaitOf(engine.EventRestored, 2)
		m := p.roster("4000").Members[1]
		if !m.Muted || m.Role != "moderator" || m.Number != "1002" || m.Name != "Caller 2" {
			t.Errorf("%+v", m)
		}
		p.order("4000", engine.Mute{Member: m.ID, On: false})
		p.agree("4000")
		p.order("4000", engine.Kick{Member: m.ID})
		e := p.ended(c)
		if e.HungUp || e.Vars["parley_reason"] != "kicked" || e.Vars["hangup_after_bridge"] != "true" || e.Vars["playback_terminators"] != "" {
			t.Errorf("the call left with %+v", e)
		}
		time.Sleep(30 * time.Second)
		p.agree("4000")
		if len(p.roster("4000").Members) != 1 {
			t.Error("he was taken on again")
		}
		p.quiet()
	})
}

// TestNothingIsLeftOfACallWithoutASocket when it is over: the switch sends no
// more of its events.
func TestNothingIsLeftOfACallWithoutASocket(t *testing.T) {
	for name, end := range map[string]func(*pbx, *esltest.Call){
		"hung up":     func(_ *pbx, c *esltest.Call) { c.Hangup("NORMAL_CLEARING") },
		"transferred": func(_ *pbx, c *esltest.Call) { c.Transfer() },
		"kicked":      func(p *pbx, _ *esltest.Call) { p.order("4000", engine.Kick{Member: 2}) },
		"refused":     func(*pbx, *esltest.Call) {},
	} {
		t.Run(name, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				p.come(1, "4000")
				if name == "refused" {
					p.core.Refuse("uuid_dump", "-ERR No such channel!\n")
				}
				c := p.core.Enter(p.options(2, nil), "4000@default")
				time.Sleep(time.Second)
				end(p, c)
				time.Sleep(5 * time.Second)
				if n := sent(p.core.Requests(), "filter Unique-ID "+uuid(2)); n == 0 {
					t.Error("its events were never asked for")
				}
				if n := sent(p.core.Requests(), "filter delete Unique-ID "+uuid(2)); n != sent(p.core.Requests(), "filter Unique-ID "+uuid(2)) {
					t.Errorf("taken back %d times", n)
				}
			})
		})
	}
}

// TestAConferenceBecomesARoom that ran at the switch without us, unheard.
func TestAConferenceBecomesARoom(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		var calls []*esltest.Call
		for n := 1; n <= 5; n++ {
			calls = append(calls, p.core.Enter(p.options(n, nil), "4000@default"))
		}
		p.core.API("conference", "4000 mute 2")
		p.core.API("conference", "4000 deaf 3")
		p.core.API("conference", "4000 volume_in 4 -3")
		p.core.API("conference", "4000 lock")
		time.Sleep(11 * time.Second)
		if f := p.adapter.Foreign(); len(f) != 1 || f[0].Switch != "pbx1" || f[0].Name != "4000" || len(f[0].Members) != 5 {
			t.Errorf("%+v", f)
		}
		if len(p.roster("4000").Members) != 0 {
			t.Error("taken over unasked")
		}
		if _, err := p.adapter.Adopt(p.Context(), "4000"); err != nil {
			t.Fatal(err)
		}
		p.agree("4000")
		v := p.roster("4000")
		slices.SortFunc(v.Members, func(a, b engine.MemberView) int { return cmp.Compare(a.ID, b.ID) })
		if !v.Locked || len(v.Members) != 5 || !v.Members[1].Muted || !v.Members[2].Deaf || v.Members[3].Talk > -7 {
			t.Errorf("%+v", v)
		}
		for _, c := range calls {
			if got := fmt.Sprint(played(c)); got != "[conference(4000@default)]" {
				t.Errorf("the caller noticed: %s", got)
			}
		}
		time.Sleep(11 * time.Second)
		if f := p.adapter.Foreign(); len(f) != 0 {
			t.Errorf("still %+v", f)
		}
		p.quiet()
		for _, q := range p.core.Requests() {
			if strings.HasPrefix(q, "api conference 4000") {
				t.Errorf("%q", q)
			}
		}
	})
}

// TestNoSuchConference to take over.
func TestNoSuchConference(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		if _, err := p.adapter.Adopt(p.Context(), "4999"); !errors.Is(err, conference.ErrNoConference) {
			t.Error(err)
		}
		p.lose()
		if _, err := p.adapter.Adopt(p.Context(), "4999"); err == nil || errors.Is(err, conference.ErrNoConference) || !strings.Contains(err.Error(), "pbx1") {
			t.Error(err)
		}
		p.regain()
	})
}

// TestAMemberWhoCannotBeTakenOn is told of, and taken on when he can be.
func TestAMemberWhoCannotBeTakenOn(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.core.Enter(p.options(1, nil), "4000@default")
		p.core.Enter(p.options(2, nil), "4000@default")
		p.core.Refuse("uuid_dump "+uuid(2), "-ERR no reply\n")
		_, err := p.adapter.Adopt(p.Context(), "4000")
		no, ok := errors.AsType[*engine.NotTakenError](err)
		if !ok || no.Calls != 2 || len(no.Absent) != 1 || string(no.Absent[0].Leg) != uuid(2) || !strings.Contains(no.Absent[0].Why, "-ERR no reply") {
			t.Errorf("%v", err)
		}
		if !strings.Contains(p.log.String(), "a call in the conference could not be taken on") {
			t.Error("nobody was told")
		}
		p.core.Refuse("uuid_dump "+uuid(2), "")
		time.Sleep(12 * time.Second)
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 2 {
			t.Errorf("%+v", v.Members)
		}
	})
}

// TestABurst of events: none is lost.
func TestABurst(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		over := make(chan struct{})
		defer close(over)
		go func() {
			for {
				select { // somebody listens
				case <-p.events:
				case <-over:
					return
				}
			}
		}()
		for range 2500 {
			p.core.Talk(uuid(1), true)
			p.core.Talk(uuid(1), false)
		}
		p.core.API("conference", "4000 mute 1")
		p.until("the last one is there", func() bool { return p.roster("4000").Members[0].Muted })
		synctest.Wait()
		p.agree("4000")
		p.quiet()
		if _, up, text := p.link.Check(); !up {
			t.Error(text)
		}
	})
}
