package asterisk_test

import (
	"errors"
	"slices"
	"testing"

	"parley/ari/aritest"
	"parley/engine"
)

// TestACallIsEndedByItsCause at the switch that has it, which tells its phone.
func TestACallIsEndedByItsCause(t *testing.T) {
	for cause, why := range map[engine.Cause]string{engine.CauseBusy: "17", engine.CauseNormal: "", "MANAGER_REQUEST": "31"} {
		t.Run(string(cause), func(t *testing.T) {
			r := newRig(t, nil).ready()
			c := r.ast.Call("room=3000")
			r.joined(c)
			if err := r.exchange.HangUp(t.Context(), engine.LegID(c.ID()), cause); err != nil {
				t.Error(err)
			}
			r.exit(c, aritest.Exit{How: aritest.HungUp, Why: why})
		})
	}
}

// TestACallerOfTheSwitchIsSentElsewhere: it takes the order, and that is all it tells.
func TestACallerOfTheSwitchIsSentElsewhere(t *testing.T) {
	r := newRig(t, nil).ready()
	a := r.ast.Call("room=3000")
	r.joined(a)
	b := r.ast.Call("room=3000")
	r.joined(b)
	r.command("3000", engine.Redirect{Member: 1, To: "sip:bob@h"})
	if !slices.Contains(r.front.requests(), "POST redirect") {
		t.Errorf("%q", r.front.requests())
	}
	if err := r.exchange.Do(t.Context(), "3000", engine.Redirect{Member: 2, To: "tel:5"}); !errors.Is(err, engine.ErrCannot) {
		t.Errorf("what the switch does not take: %v", err)
	}
	a.Hangup()
	if e := r.await(engine.EventLeft, a.ID()); e.Reason != engine.ReasonTransferred {
		t.Errorf("who was sent elsewhere left by %s", e.Reason)
	}
	b.Hangup()
	if e := r.await(engine.EventLeft, b.ID()); e.Reason != engine.ReasonHangup {
		t.Errorf("who was not left by %s", e.Reason)
	}
}
