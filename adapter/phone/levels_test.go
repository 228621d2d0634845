package phone_test

import (
	"slices"
	"testing"

	"parley/sip"
	"parley/sip/siptest"
)

// until waits for a packet that is as it should be.
func untilPacket(t *testing.T, c *siptest.Call, what string, is func(siptest.Packet) bool) {
	t.Helper()
	limit := limited(t)
	for {
		c.Listen(sip.Ptime)
		all := c.Packets()
		if len(all) > 0 && is(all[len(all)-1]) {
			return
		}
		if limit.Err() != nil {
			t.Fatalf("no packet %s; the last of %d is %+v", what, len(all), all[max(0, len(all)-1):])
		}
	}
}

// Who offers it is told in each packet who is heard, and how loud; who does not
// offer it hears the same without.
func TestWhoOffersItIsToldWhoTalks(t *testing.T) {
	o := open(t, settings{})
	client := siptest.Options{Levels: true}
	ann := o.call(t, "levels", client, siptest.CallOptions{Tone: low()})
	bob := o.call(t, "levels", siptest.Options{}, siptest.CallOptions{Tone: siptest.Tone{Hz: 1500, DBFS: -30}})
	eve := o.call(t, "levels", client, siptest.CallOptions{})
	if got, want := eve.Session().Levels, (sip.Levels{MixIn: 1, OwnOut: 2}); got != want {
		t.Fatalf("agreed on %+v", got)
	}
	names := func(want []uint32, levels []uint8) func(siptest.Packet) bool {
		return func(p siptest.Packet) bool { return slices.Equal(p.Voices, want) && slices.Equal(p.Levels, levels) }
	}
	both := []uint32{ann.SSRC(), bob.SSRC()}
	untilPacket(t, eve, "that names both", names(both, []uint8{23, 33}))
	untilPacket(t, ann, "that names the other", names(both[1:], []uint8{33}))
	hears(t, bob, low())
	for _, p := range bob.Packets() {
		if p.Voices != nil || p.Levels != nil {
			t.Fatalf("who has not asked is told %+v", p)
		}
	}
	ann.SetTone(siptest.Tone{})
	untilPacket(t, eve, "that names the one who goes on", names(both[1:], []uint8{33}))
	if err := eve.Hold(limited(t)); err != nil {
		t.Fatal(err)
	}
	if err := eve.Resume(limited(t)); err != nil {
		t.Fatal(err)
	}
	ann.SetTone(low())
	untilPacket(t, eve, "that names both again", names(both, []uint8{23, 33}))
}

func TestNobodyIsToldWhoTalksWhereThatIsOff(t *testing.T) {
	o := open(t, settings{noLevels: true})
	o.dial(t, "none", low())
	ear := o.call(t, "none", siptest.Options{Levels: true}, siptest.CallOptions{})
	hears(t, ear, low())
	if got := ear.Session().Levels; got != (sip.Levels{}) {
		t.Errorf("agreed on %+v", got)
	}
	for _, p := range ear.Packets() {
		if p.Voices != nil {
			t.Fatalf("told %+v", p)
		}
	}
}
