package brake

import (
	"net/netip"
	"testing"
	"time"
)

func TestGuessersWaitLongerAndLonger(t *testing.T) {
	var b Brake
	now := time.Unix(0, 0)
	bad, good := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i, want := range []time.Duration{0, 0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second} {
		b.Failed(now, bad)
		if got := b.Wait(now, bad); got != want {
			t.Errorf("after %d: %v, want %v", i+1, got, want)
		}
	}
	if got := b.Wait(now.Add(4*time.Second), bad); got != 6*time.Second {
		t.Errorf("4 s later: %v", got)
	}
	if b.Wait(now, good) != 0 {
		t.Error("another source waits, too")
	}
	if b.Wait(now.Add(forgetAfter+1), bad) != 0 {
		t.Error("it is not forgotten")
	}
	if b.Passed(bad); b.Wait(now, bad) != 0 {
		t.Error("the right password does not count")
	}
}

func TestSourcesAreBounded(t *testing.T) {
	var b Brake
	now := time.Unix(0, 0)
	from := netip.MustParseAddr("10.0.0.0")
	for range maxSources + 100 {
		b.Failed(now, from)
		from = from.Next()
	}
	if n := len(b.sources); n != maxSources {
		t.Errorf("%d sources", n)
	}
}
