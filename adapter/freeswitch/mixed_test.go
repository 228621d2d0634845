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
		if got := c.Var("parley_reason"); got != "switch_lost" {
			t.Errorf("parley_reason=%q while it is in the conference", got)
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
