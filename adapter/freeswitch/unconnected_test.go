package freeswitch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// comesAndDies has the switch's call reach us and be answered, and then fail to
// open the port that it named.
func (r *rig) comesAndDies(c *esltest.Call, token string) {
	r.Helper()
	m, err := r.tickets.claim(c, token)
	if err != nil {
		r.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond)
	m.end()
	c.Finish(map[string]string{"originate_disposition": "INCOMPATIBLE_DESTINATION"})
}

// TestTheSwitchHasNoPortForItsEnd of the bridge: an answer is no audio, nobody
// has joined.
func TestTheSwitchHasNoPortForItsEnd(t *testing.T) {
	inBubble(t, func(r *rig) {
		c := r.call(esltest.CallOptions{Vars: vars("3000")})
		_, token := r.bridge(c)
		r.comesAndDies(c, token)
		e := r.ended(c)
		if e.HungUp || e.Stuck != "" || e.Broken != "" || e.Vars["parley_result"] != "failed" || e.Vars["parley_reason"] != "media_lost" {
			t.Errorf("the call left with %+v", e)
		}
		if len(r.events) > 0 || !strings.Contains(r.log.String(), "INCOMPATIBLE_DESTINATION") {
			t.Errorf("%d events; log %s", len(r.events), r.log)
		}
	})
}

// TestOurOwnRefusalIsNamed, not what the switch makes of it.
func TestOurOwnRefusalIsNamed(t *testing.T) {
	full := &engine.RefusalError{Reason: engine.ReasonNodeBusy, Why: "no free port"}
	t.Run("in a move", func(t *testing.T) {
		onSwitch(t, func(p *pbx) {
			c := p.come(1, "4000")
			there := p.relocate("4000", engine.Place{})
			_, token := p.bridge(c)
			p.tickets.refuse(c, token, full)
			if err := <-there; !errors.Is(err, engine.ErrNotMoved) || !strings.Contains(err.Error(), "no free port") {
				t.Error(err)
			}
			time.Sleep(2 * time.Second)
			p.agree("4000")
		})
	})
	t.Run("to a call", func(t *testing.T) {
		inBubble(t, func(r *rig) {
			c := r.call(esltest.CallOptions{Vars: vars("3000")})
			_, token := r.bridge(c)
			r.tickets.refuse(c, token, full)
			if e := r.ended(c); e.Vars["parley_result"] != "failed" || e.Vars["parley_reason"] != "node_busy" {
				t.Errorf("the call left with %+v", e)
			}
			if !strings.Contains(r.log.String(), "no free port") {
				t.Errorf("log %s", r.log)
			}
		})
	})
}
