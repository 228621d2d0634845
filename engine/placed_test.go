package engine

import (
	"errors"
	"testing"
)

func TestAnOrderIsFoundUntilItIsRemoved(t *testing.T) {
	var all Orders
	p := NewPlaced(OutCall{Leg: "leg-1", Invite: Invite{Room: "3001"}}, "PJSIP/1001@trunk")
	if all.Find("leg-1") != nil {
		t.Error("it is there before")
	}
	if all.Add(p); all.Find("leg-1") != p || all.Find("leg-2") != nil {
		t.Error("it is not found")
	}
	if all.Remove(p); all.Find("leg-1") != nil {
		t.Error("it is there still")
	}
	p.Settle(nil)
	p.Settle(ErrNotTaken)
	if err := <-p.Ended(); err != nil {
		t.Errorf("the first word is %v", err)
	}
	if in := p.Arrival("asterisk", "pbx"); in.Room != "3001" || in.Kind != "asterisk" || in.Switch != "pbx" || in.Caller.Number != "1001" {
		t.Errorf("%+v", in)
	}
	p = NewPlaced(OutCall{Invite: Invite{Caller: Caller{Number: "5"}}}, "x")
	if p.Settle(ErrNotTaken); p.Arrival("", "").Caller.Number != "5" || !errors.Is(<-p.Ended(), ErrNotTaken) {
		t.Error("the party of the order is not whom it arrives as")
	}
}

func TestParty(t *testing.T) {
	for in, want := range map[string]string{
		"sofia/gateway/gw/123": "123", "user/1001@example.net": "1001", "sofia/internal/sip:bob@h:5": "bob", "x": "x", "PJSIP/1001": "1001",
		"Local/1001@default": "1001", "": "",
	} {
		if got := Party(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
