package freeswitch_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// TestWhoCannotBeTakenOnStaysInHisConference: the take-over fails at once, and
// nobody hears of it.
func TestWhoCannotBeTakenOnStaysInHisConference(t *testing.T) {
	for _, tt := range []struct {
		name, room string
		busy       bool
		want       engine.Reason
	}{
		{"a name that no room can have", "sales team", false, engine.ReasonBadRoomName},
		{"no more rooms", "4000", true, engine.ReasonNodeBusy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				var calls []*esltest.Call
				for n := 1; n <= 3; n++ {
					calls = append(calls, p.core.Enter(p.options(n, map[string]string{"hangup_after_bridge": "true"}), tt.room+"@default"))
				}
				time.Sleep(11 * time.Second)
				p.exchange.SetBusy(tt.busy)
				began := time.Now()
				_, err := p.adapter.Adopt(p.Context(), engine.RoomName(tt.room))
				if no, ok := errors.AsType[*engine.RefusalError](err); !ok || no.Reason != tt.want {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); took > time.Second {
					t.Errorf("it took %v", took)
				}
				time.Sleep(30 * time.Second)
				p.stillThere(tt.room, calls)
			})
		})
	}
}

// stillThere checks that callers are in a conference of the switch's own, as
// they were.
func (p *pbx) stillThere(room string, calls []*esltest.Call) {
	p.Helper()
	for i, c := range calls {
		if in, ok := p.core.Member(uuid(i + 1)); !ok || in.Conference != room || in.Mute || in.Beside {
			p.Errorf("caller %d: %+v, %v", i+1, in, ok)
		}
		if got, want := fmt.Sprint(played(c)), "[conference("+room+"@default)]"; got != want {
			p.Errorf("the caller noticed: %s", got)
		}
		if c.Var("hangup_after_bridge") != "true" || c.Var("socket_resume") != "" || c.Var("parley_borrowed") != "" {
			p.Errorf("%q", []string{c.Var("hangup_after_bridge"), c.Var("socket_resume"), c.Var("parley_borrowed")})
		}
	}
	if f := p.adapter.Foreign(); len(f) != 1 || f[0].Name != room || len(f[0].Members) != len(calls) {
		p.Errorf("%+v", f)
	}
}
