package freeswitch_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// TestATransferWhereTheSwitchMixes takes the caller out of one conference of the
// switch and into another.
func TestATransferWhereTheSwitchMixes(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.call(p.options(2, vars("4000")))
		p.awaitOf(engine.EventJoined, 2)
		p.order("4000", engine.Transfer{Member: 2, To: "4003"})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		in, ok := p.core.Member(uuid(2))
		if v, err := p.exchange.Room(p.Context(), "4003"); err != nil || len(v.Members) != 1 || v.Members[0].State != "joined" {
			t.Fatalf("%+v %v; at the switch %+v %v", v, err, in, ok)
		}
		if !ok || in.Conference != "4003" {
			t.Errorf("at the switch he is in %+v", in)
		}
		p.agree("4000")
		p.agree("4003")
	})
}

// TestATransferFromOurMixerToTheSwitchs: he was beside the conference of the
// room that he leaves.
func TestATransferFromOurMixerToTheSwitchs(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		calls := []*esltest.Call{p.come(1, "4000"), p.come(2, "4000")}
		p.come(3, "4003")
		there := p.relocate("4000", engine.Place{})
		p.fetchAll(calls...)
		if err := <-there; err != nil {
			t.Fatal(err)
		}
		p.order("4000", engine.Transfer{Member: 2, To: "4003"})
		time.Sleep(10 * time.Second)
		v, err := p.exchange.Room(p.Context(), "4003")
		in, ok := p.core.Member(uuid(2))
		if err != nil || len(v.Members) != 2 || !ok || in.Conference != "4003" || in.Mute || in.Beside {
			t.Fatalf("%+v %v; at the switch %+v %v", v, err, in, ok)
		}
		p.agree("4003")
	})
}

// TestWhoCameByTheSwitchsOwnDialplanStays: what comes after his conference is
// that dialplan's.
func TestWhoCameByTheSwitchsOwnDialplanStays(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Enter(p.options(8, nil), "4000@default")
		p.awaitOf(engine.EventRestored, 8)
		err := p.exchange.Do(p.Context(), "4000", engine.Transfer{Member: 2, To: "4003"})
		if !errors.Is(err, engine.ErrCannot) {
			t.Errorf("%v", err)
		}
		p.agree("4000")
	})
}
