package freeswitch_test

import (
	"strings"
	"testing"
	"time"

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
