package phone_test

import (
	"testing"
	"time"

	"parley/engine"
	"parley/sip"
	"parley/sip/siptest"
)

func TestLostMedia(t *testing.T) {
	t.Parallel()
	o := open(t, settings{lost: 800 * time.Millisecond})
	// These three are silent for a good reason.
	listener, holder, musical := o.dial(t, "lost", low()), o.dial(t, "lost", siptest.Tone{}), o.dial(t, "lost", siptest.Tone{})
	o.until(t, "lost", "with three", present(3))
	for c, d := range map[*siptest.Call]sip.Direction{listener: sip.RecvOnly, holder: sip.Inactive, musical: sip.SendOnly} {
		if err := c.Direct(limited(t), d); err != nil {
			t.Fatal(err)
		}
		c.Mute(true)
	}
	// These two are gone, one after the other.
	for range 2 {
		c := o.dial(t, "lost", high())
		o.until(t, "lost", "with four", present(4))
		hears(t, listener, high())
		c.Mute(true)
		if end := over(t, c); end.Cause != sip.ByPeer {
			t.Errorf("%+v", end)
		}
		o.until(t, "lost", "with three", present(3))
	}
	e := o.event(t, "lost", engine.EventLeft)
	if e.Reason != engine.ReasonMediaLost || e.Outcome.Exit != engine.ExitLost || e.Outcome.Result != engine.ResultJoined {
		t.Errorf("%+v", e.Outcome)
	}
	// And so is one of the three, once he should be heard again.
	if err := listener.Direct(limited(t), sip.SendRecv); err != nil {
		t.Fatal(err)
	}
	over(t, listener)
	o.until(t, "lost", "with two", present(2))
}

func TestMediaIsNeverLostIfNobodyMinds(t *testing.T) {
	t.Parallel()
	o := open(t, settings{lost: 0})
	c := o.dial(t, "patient", low())
	o.until(t, "patient", "open", present(1))
	c.Mute(true)
	c.Listen(700 * time.Millisecond)
	o.until(t, "patient", "open", present(1))
}
