package phone_test

import (
	"testing"

	"parley/sip/siptest"
)

// Whose call has been heard from just where its SDP said shares ports from then
// on; and all hear each other.
func TestCallsOfAHostShareAPort(t *testing.T) {
	o := open(t, settings{})
	first := o.dial(t, "shared", low())
	ear := o.dial(t, "shared", siptest.Tone{Hz: 2700, DBFS: -20})
	hears(t, ear, low())
	port := func(c *siptest.Call) uint16 { return c.Session().Remote.Port() }
	var calls []*siptest.Call
	tones := []float64{910, 1570, 2190} // no difference of two others, as G.711 makes them, meets one
	for _, hz := range tones {
		calls = append(calls, o.dial(t, "shared", siptest.Tone{Hz: hz, DBFS: -20}))
	}
	for i, c := range calls {
		if port(c) == port(first) || port(c) != port(calls[0]) {
			t.Errorf("call %d has port %d, the first %d, the first of those that share %d", i, port(c), port(first), port(calls[0]))
		}
		for k, hz := range append(tones, low().Hz) {
			if k != i {
				hears(t, c, siptest.Tone{Hz: hz, DBFS: -20})
			}
		}
		hearsNo(t, c, tones[i])
		hears(t, first, siptest.Tone{Hz: tones[i], DBFS: -20})
	}
}
