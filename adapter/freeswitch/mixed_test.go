package freeswitch_test

import (
	"testing"

	"parley/engine"
)

// TestACallJoinsARoomThatTheSwitchMixes, and its audio never comes to us.
func TestACallJoinsARoomThatTheSwitchMixes(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.come(1, "4000")
		in, ok := p.core.Member(uuid(1))
		if !ok || in.Conference != "4000" || in.Mute || in.Deaf {
			t.Errorf("%+v, %v", in, ok)
		}
		if got := c.Var("parley_result") + " " + c.Var("parley_reason") + " " + c.Var("parley_member_id"); got != "joined hangup 1" {
			t.Errorf("a CDR of who hangs up in the conference would say %q", got)
		}
		c.Fire("DTMF", "DTMF-Digit", "#")
		p.continued(c, vars("4000"), map[string]string{
			"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "0",
		})
		for _, a := range played(c) {
			if a == "bridge" {
				t.Error(a)
			}
		}
	})
}

// TestRightsAreTheSwitchs: what the room decides becomes the conference's.
func TestRightsAreTheSwitchs(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.order("4000", engine.Mute{Member: 1, On: true})
		p.order("4000", engine.Deafen{Member: 1, On: true})
		p.agree("4000")
	})
}

// TestACallComesWhileTheLinkIsDown: its own socket says that it is in.
func TestACallComesWhileTheLinkIsDown(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.lose()
		m := p.answer(p.call(p.options(2, vars("4000")))) // we cannot know yet that it is at home there
		p.awaitOf(engine.EventJoined, 2)
		m.end()
		if in, ok := p.core.Member(uuid(2)); !ok || in.Conference != "4000" {
			t.Errorf("%+v, %v", in, ok)
		}
		p.regain()
		p.agree("4000")
	})
}
