package freeswitch_test

import (
	"strings"
	"testing"
	"time"
)

// TestEventsThatTheSwitchDropped are told once, counted, and what was in them is
// found at once.
func TestEventsThatTheSwitchDropped(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.come(2, "4000")
		time.Sleep(3 * time.Second) // a look is over, the next is far
		p.core.Silently(uuid(1), true, false)
		p.core.Lose(uuid(2), true)
		for range 3 {
			p.core.Log(2, "mod_event_socket.c", "Lost [7] events! Event Queue size: [99999/100000]")
		}
		time.Sleep(time.Second)
		p.agree("4000")
		if v := p.roster("4000"); len(v.Members) != 1 || !v.Members[0].Muted {
			t.Errorf("%+v", v.Members)
		}
		const want = `level=ERROR msg="esl pbx1: the switch has dropped events because a client of it reads too slowly ` +
			`(\"Lost [7] events! Event Queue size: [99999/100000]\"). Rooms and calls are compared with it now. [esl_events_lost]"`
		if log := p.log.String(); !strings.Contains(log, want) || strings.Count(log, "esl_events_lost") != 1 {
			t.Errorf("log\n%s\nwant\n%s", log, want)
		}
		if dropped, _ := p.adapter.Events(); dropped != 21 {
			t.Errorf("%d events counted", dropped)
		}
	})
}

// TestAnEventThatWasOvertaken makes us look before long.
func TestAnEventThatWasOvertaken(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		time.Sleep(3 * time.Second) // a look is over, the next is far
		p.core.Overtaken(uuid(1))
		time.Sleep(1500 * time.Millisecond)
		p.agree("4000")
		if m := p.roster("4000").Members[0]; !m.Muted {
			t.Errorf("%+v", m)
		}
		if _, overtaken := p.adapter.Events(); overtaken != 1 {
			t.Errorf("%d events counted", overtaken)
		}
	})
}
