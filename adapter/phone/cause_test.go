package phone_test

import (
	"fmt"
	"testing"

	"parley/engine"
	"parley/sip"
	"parley/sip/siptest"
)

// TestAPhoneIsToldWhyItsCallEnds, in the words of a FreeSWITCH 1.11.1, which was asked
// for each.
func TestAPhoneIsToldWhyItsCallEnds(t *testing.T) {
	t.Parallel()
	o, bob := open(t, settings{}), extension(t)
	for cause, want := range map[engine.Cause]string{
		"":                           `Q.850;cause=16;text="NORMAL_CLEARING"`,
		engine.CauseBusy:             `Q.850;cause=17;text="USER_BUSY"`,
		engine.CauseRejected:         `Q.850;cause=21;text="CALL_REJECTED"`,
		"REQUESTED_CHAN_UNAVAIL":     `Q.850;cause=44;text="REQUESTED_CHAN_UNAVAIL"`,
		engine.CauseInterworking:     `Q.850;cause=127;text="INTERWORKING"`,
		engine.CauseOriginatorCancel: `SIP;cause=487;text="ORIGINATOR_CANCEL"`,
		"MANAGER_REQUEST":            `SIP;cause=703;text="MANAGER_REQUEST"`,
		engine.CauseBlindTransfer:    `SIP;cause=800;text="BLIND_TRANSFER"`,
		"MEDIA_TIMEOUT":              `SIP;cause=804;text="MEDIA_TIMEOUT"`,
		"LOSE_RACE":                  `SIP;cause=200;text="Call completed elsewhere"`,
		"PICKED_OFF":                 `SIP;cause=200;text="Call completed elsewhere"`,
	} {
		id := o.ring(t, engine.Dial{Room: "why", Address: bob.URI()})
		called, err := bob.Accept(limited(t), siptest.CallOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.HangUp(limited(t), o.result(t, id).Leg, cause); err != nil {
			t.Errorf("%s: %v", cause, err)
		}
		if end := over(t, called); end.Cause != sip.ByPeer || end.Reason != want {
			t.Errorf("%s: %+v, want %s", cause, end, want)
		}
	}
}

// TestWhatAPhoneNamesIsTheCause of its end, as at a FreeSWITCH, and of its refusal.
func TestWhatAPhoneNamesIsTheCause(t *testing.T) {
	t.Parallel()
	o, bob := open(t, settings{}), extension(t)
	n := 0
	for reason, want := range map[string]engine.Cause{
		"": "", `Q.850;cause=17;text="x"`: engine.CauseBusy, `q.850 ;text="a;cause=1";cause=34`: engine.CauseCircuits,
		`SIP;cause=200;text="Call completed elsewhere"`: "", `Q.850;cause=5`: engine.CauseUnknown, `Q.850;cause=x`: "",
		`SIP;cause=200, Q.850;cause=21`: "", `Q.850;cause=21, SIP;cause=200`: engine.CauseRejected,
	} {
		n++
		room := fmt.Sprint("named-", n)
		id := o.ring(t, engine.Dial{Room: engine.RoomName(room), Address: bob.URI()})
		called, err := bob.Accept(limited(t), siptest.CallOptions{})
		if err != nil {
			t.Fatal(err)
		}
		o.result(t, id)
		o.until(t, room, "with one", present(1))
		called.Hangup(sip.Header{Name: "Reason", Value: reason})
		if e := o.event(t, room, engine.EventLeft); e.Outcome.Cause != want || e.Reason != engine.ReasonHangup {
			t.Errorf("%s: %s, want %s (%s)", reason, e.Outcome.Cause, want, e.Reason)
		}
	}
	busy, err := sip.New(sip.Options{UDP: []string{"127.0.0.1:0"}, Incoming: func(c *sip.Call) sip.Events {
		_ = c.Reject(486, sip.Header{Name: "Reason", Value: "Q.850;cause=34"})
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, busy)
	if j := o.result(t, o.ring(t, engine.Dial{Room: "named", Address: "sip:bob@" + busy.UDP()[0].String()})); j.Cause != engine.CauseCircuits || j.SIP != 486 {
		t.Errorf("%+v", j)
	}
}
