package freeswitch_test

import (
	"testing"
	"time"

	"parley/engine"
)

// TestRelationsAreTheConferences: where the switch mixes, it keeps two members
// apart, and does so again when the room has been elsewhere.
func TestRelationsAreTheConferences(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.call(p.options(2, vars("4000")))
		p.awaitOf(engine.EventJoined, 2)
		p.order("4000", engine.Relate{From: 1, To: 2, NoSpeak: true})
		if !p.core.Apart("4000", 1, 2) || p.core.Apart("4000", 2, 1) {
			t.Error("the conference has not the relation, or too much of it")
		}
		p.order("4000", engine.Relate{From: 1, To: 2, NoHear: true})
		if p.core.Apart("4000", 1, 2) || !p.core.Apart("4000", 2, 1) {
			t.Error("a relation has not taken the other's place")
		}
		p.core.Refuse("conference 4000 relate", "-ERR error!\n")
		if err := p.exchange.Do(p.Context(), "4000", engine.Relate{From: 1, To: 2, NoSpeak: true}); err == nil {
			t.Error("what the switch refused is said to be so")
		}
		if v := p.roster("4000"); len(v.Relations) != 1 || !v.Relations[0].NoHear {
			t.Errorf("%+v", v.Relations)
		}
		p.order("4000", engine.Kick{Member: 1, Quiet: true})
		time.Sleep(30 * time.Second)
		if v := p.roster("4000"); len(v.Relations) != 0 {
			t.Errorf("%+v is left", v.Relations)
		}
	})
}
