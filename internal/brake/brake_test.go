package brake

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestGuessersWaitLongerAndLonger(t *testing.T) {
	var b Brake
	now := time.Unix(0, 0)
	bad, good := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i, want := range []time.Duration{0, 0, 0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second} {
		got := b.Judge(now, bad, "", false)
		if got != want {
			t.Errorf("after %d: %v, want %v", i, got, want)
		}
		if got == 0 {
			continue
		}
		if right := b.Judge(now, bad, "", true); right != want {
			t.Errorf("the right one after %d: %v, want %v", i, right, want)
		}
		if now = now.Add(want); b.Judge(now, bad, "", false) != 0 {
			t.Errorf("after %d and %v it is not judged", i, want)
		}
	}
	if got := b.Judge(now.Add(4*time.Second), bad, "", false); got != 6*time.Second {
		t.Errorf("4 s later: %v", got)
	}
	if b.Judge(now, good, "", true) != 0 || b.Judge(now, bad, "bob", true) != 0 {
		t.Error("another source, or another name, waits, too")
	}
	if b.Judge(now, bad, "", true) == 0 {
		t.Error("bob's own password has made the guesses be forgotten")
	}
	if b.Judge(now.Add(forgetAfter+1), bad, "", false) != 0 {
		t.Error("it is not forgotten")
	}
}

func TestTheRightOneForgetsTheWrongOnes(t *testing.T) {
	var b Brake
	now := time.Unix(0, 0)
	from := netip.MustParseAddr("192.0.2.1")
	for range 5 {
		for _, right := range []bool{false, false, true} {
			if b.Judge(now, from, "", right) != 0 {
				t.Fatal("two wrong ones are too many")
			}
		}
	}
}

// TestGuessesAtOneMoment: a thousand at once are judged no more than three.
func TestGuessesAtOneMoment(t *testing.T) {
	var b Brake
	var judged atomic.Int32
	var group sync.WaitGroup
	for i := range 1000 {
		group.Go(func() {
			from := netip.AddrFrom16([16]byte{0x20, 1, 14: byte(i >> 8), 15: byte(i)}) // of one /64
			if b.Judge(time.Unix(0, 0), from, "", false) == 0 {
				judged.Add(1)
			}
		})
	}
	if group.Wait(); judged.Load() != freeGuesses {
		t.Errorf("%d were judged", judged.Load())
	}
}

func TestSourcesAreBounded(t *testing.T) {
	var b Brake
	now := time.Unix(0, 0)
	from := netip.MustParseAddr("10.0.0.0")
	for range maxSources + 100 {
		b.Judge(now, from, "", false)
		from = from.Next()
	}
	if n := len(b.sources); n != maxSources {
		t.Errorf("%d sources", n)
	}
}
