package freeswitch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// TestWhatThePhoneHasToldTheSwitchCounts, which hangs up whatever that was, and whether
// the answer comes first or that it has.
func TestWhatThePhoneHasToldTheSwitchCounts(t *testing.T) {
	for _, lag := range []time.Duration{0, time.Second} {
		for told, want := range map[string]struct {
			err    error
			reason engine.Reason
		}{
			"SIP/2.0 202 Accepted\r\n":                {nil, engine.ReasonTransferred},
			"SIP/2.0 486 Busy Here\r\nContact: x\r\n": {&engine.StaysError{Code: 486, Text: "Busy Here"}, engine.ReasonHangup},
			"": {&engine.StaysError{Text: "freeswitch: uuid_deflect: no reply"}, engine.ReasonHangup},
		} {
			onSwitch(t, func(p *pbx) {
				p.come(1, "4000")
				p.core.Referred(told)
				p.core.Lag(lag, time.Second-lag)
				err := p.exchange.Do(p.Context(), "4000", engine.Redirect{Member: 1, To: "sip:bob@h", Wait: true})
				if fmt.Sprint(err) != fmt.Sprint(want.err) {
					t.Errorf("%q, after %v: %v, want %v", told, lag, err, want.err)
				}
				if e := p.awaitOf(engine.EventLeft, 1); e.Reason != want.reason || e.Outcome.Cause != engine.CauseBlindTransfer {
					t.Errorf("%q, after %v: left by %s, %s", told, lag, e.Reason, e.Outcome.Cause)
				}
			})
		}
	}
}

// TestACallerOfTheSwitchIsDeflected: by the switch that has his call, wherever the
// room is mixed.
func TestACallerOfTheSwitchIsDeflected(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.come(2, "4000")
		order := engine.Redirect{Member: 2, To: "sip:bob@h", Wait: true}
		p.core.Refuse("uuid_deflect", "+OK:no reply\n")
		if err := p.exchange.Do(p.Context(), "4000", order); !errors.Is(err, engine.ErrCannot) || !strings.Contains(err.Error(), "no reply") {
			t.Errorf("the phone refuses: %v", err)
		}
		p.core.Refuse("uuid_deflect", "")
		p.agree("4000")
		p.order("4000", order)
		if sent(p.core.Requests(), "bgapi uuid_deflect "+uuid(2)+" sip:bob@h") != 2 {
			t.Errorf("%q", p.core.Requests())
		}
		if e := p.awaitOf(engine.EventLeft, 2); e.Reason != engine.ReasonTransferred || e.Outcome.Cause != engine.CauseBlindTransfer {
			t.Errorf("left by %s, %s", e.Reason, e.Outcome.Cause)
		}
		p.lose()
		if err := p.exchange.Do(p.Context(), "4000", engine.Redirect{Member: 1, To: "sip:bob@h"}); !errors.Is(err, engine.ErrCannot) {
			t.Errorf("without a link: %v", err)
		}
		p.regain()
		p.until("the link", func() bool { return len(p.core.Requests()) > 0 })
	})
}
