package phone_test

import (
	"testing"

	"parley/engine"
	"parley/sip/siptest"
)

// oneCallID is three calls that say the same Call-ID, which is theirs to choose:
// each is a leg of its own, and ends by itself.
func oneCallID(t *testing.T, o *office) {
	const room, id = "one-id", "one-call-id"
	same := siptest.CallOptions{CallID: id}
	first := o.call(t, room, siptest.Options{}, same)
	second := o.call(t, room, siptest.Options{}, same)
	v := o.until(t, room, "with both", present(2))
	if a, b := v.Members[0].CallID, v.Members[1].CallID; a == b || a != id && b != id {
		t.Fatalf("two calls are called %q and %q", a, b)
	}
	if err := o.HangUp(limited(t), id, engine.CauseNormal); err != nil {
		t.Fatal(err)
	}
	rest := second
	select { // they came at one time
	case <-first.Done():
	case <-second.Done():
		rest = first
	case <-limited(t).Done():
		t.Fatal("no call has ended")
	}
	if v = o.until(t, room, "with the second", present(1)); v.Members[0].CallID == id {
		t.Error("the call that was ended is there still")
	}
	var third *siptest.Call
	for tries := 0; ; tries++ { // his phone has yet to say that it is over
		third = o.call(t, room, siptest.Options{}, same)
		v = o.until(t, room, "with the third", present(2))
		if v.Members[0].CallID == id || v.Members[1].CallID == id {
			break
		}
		if tries == 5 {
			t.Fatalf("a name that nobody has any more is not given again: %q and %q", v.Members[0].CallID, v.Members[1].CallID)
		}
		third.Hangup()
		o.until(t, room, "with the second again", present(1))
	}
	for _, m := range v.Members {
		if err := o.HangUp(limited(t), m.CallID, engine.CauseNormal); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []*siptest.Call{rest, third} {
		if _, err := c.Wait(limited(t)); err != nil {
			t.Error(err)
		}
	}
}
