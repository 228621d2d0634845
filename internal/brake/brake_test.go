package brake

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestGuessersWaitLongerAndLonger(t *testing.T) {
	var b Brake
	now, next := time.Unix(0, 0), guesser()
	bad, good := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i, want := range []time.Duration{0, 0, 0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second} {
		got := b.Judge(now, bad, "", next(), false)
		if got != want {
			t.Errorf("after %d: %v, want %v", i, got, want)
		}
		if got == 0 {
			continue
		}
		if right := b.Judge(now, bad, "", "right", true); right != want {
			t.Errorf("the right one after %d: %v, want %v", i, right, want)
		}
		if now = now.Add(want); b.Judge(now, bad, "", next(), false) != 0 {
			t.Errorf("after %d and %v it is not judged", i, want)
		}
	}
	if got := b.Judge(now.Add(4*time.Second), bad, "", next(), false); got != 6*time.Second {
		t.Errorf("4 s later: %v", got)
	}
	if b.Judge(now, good, "", "right", true) != 0 || b.Judge(now, bad, "bob", "bob's", true) != 0 {
		t.Error("another source, or another name, waits, too")
	}
	if b.Judge(now, bad, "", "right", true) == 0 {
		t.Error("bob's own password has made the guesses be forgotten")
	}
	if b.Judge(now.Add(forgetAfter+1), bad, "", next(), false) != 0 {
		t.Error("it is not forgotten")
	}
}

// guesser gives another password each time.
func guesser() func() string {
	n := 0
	return func() string {
		n++
		return strconv.Itoa(n)
	}
}

// TestTheSameWrongOneIsNoGuess: a program with an old password makes nobody
// wait, and neither do three.
func TestTheSameWrongOneIsNoGuess(t *testing.T) {
	var b Brake
	now, next := time.Unix(0, 0), guesser()
	from := netip.MustParseAddr("127.0.0.1")
	for i := range 100 {
		for _, old := range []string{"a", "b", "c"}[:1+i/50] {
			if wait := b.Judge(now, from, "", old, false); wait != 0 {
				t.Errorf("the old one waits %v", wait)
			}
		}
		if wait := b.Judge(now, from, "", "right", true); wait != 0 {
			t.Fatalf("the right one waits %v", wait)
		}
	}
	for range freeGuesses {
		b.Judge(now, from, "", next(), false)
	}
	if b.Judge(now, from, "", "1", false) != 0 || b.Judge(now, from, "", "1", true) == 0 {
		t.Error("what was wrong is still so, and what was wrong and is right now is judged at once")
	}
	if b.Judge(now, from, "", next(), false) == 0 {
		t.Error("a new guess is judged at once")
	}
}

// TestNeighboursOfWhoMayGuessFaster: the right one does not wait for long where
// it has come from before, whoever guesses there. For another name it does.
func TestNeighboursOfWhoMayGuessFaster(t *testing.T) {
	for name, want := range map[string]time.Duration{"": neighbourWait, "bob": longestWait} {
		var b Brake
		now, next := time.Unix(0, 0), guesser()
		from := netip.MustParseAddr("192.0.2.1")
		b.Judge(now, from, "", "right", true)
		longest := time.Duration(0)
		for range 20 {
			wait := b.Judge(now, from, name, next(), false)
			longest = max(longest, wait)
			now = now.Add(wait)
		}
		if got := b.Judge(now, from, name, "right", true); longest != want || got > want {
			t.Errorf("%q: %v, and the right one %v", name, longest, got)
		}
	}
}

func TestTheRightOneForgetsTheWrongOnes(t *testing.T) {
	var b Brake
	now, next := time.Unix(0, 0), guesser()
	from := netip.MustParseAddr("192.0.2.1")
	for range 5 {
		for _, right := range []bool{false, false, true} {
			if b.Judge(now, from, "", next(), right) != 0 {
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
			if b.Judge(time.Unix(0, 0), from, "", strconv.Itoa(i), false) == 0 {
				judged.Add(1)
			}
		})
	}
	if group.Wait(); judged.Load() != freeGuesses {
		t.Errorf("%d were judged", judged.Load())
	}
}

// TestTurnsInTheOrderOfComing: nobody who waits is overtaken, and who will not wait
// longer leaves the others theirs.
func TestTurnsInTheOrderOfComing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Brake
		next, from := guesser(), netip.MustParseAddr("192.0.2.1")
		b.Await(t.Context(), from, "", "right", true)
		for range freeGuesses {
			b.Await(t.Context(), from, "", next(), false)
		}
		var order []int
		var mu sync.Mutex
		for i := range 10 {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if i%5 == 4 {
					ctx, cancel = context.WithTimeout(t.Context(), neighbourWait/2)
				}
				defer cancel()
				if b.Await(ctx, from, "", strconv.Itoa(100+i), false) == 0 {
					mu.Lock()
					order = append(order, i)
					mu.Unlock()
				}
			}()
			synctest.Wait()
		}
		begin := time.Now()
		if wait := b.Await(t.Context(), from, "", "1", false); wait != 0 || time.Since(begin) != 0 {
			t.Error("what was wrong already waits in the line")
		}
		wait := b.Await(t.Context(), from, "", "right", true)
		if took := time.Since(begin); wait != 0 || took != 9*neighbourWait {
			t.Errorf("the right one, behind eight: %v after %v", wait, took)
		}
		synctest.Wait()
		if want := []int{0, 1, 2, 3, 5, 6, 7, 8}; !slices.Equal(order, want) {
			t.Errorf("judged %v, want %v", order, want)
		}
	})
}

func TestSourcesAreBounded(t *testing.T) {
	var b Brake
	now := time.Unix(0, 0)
	from := netip.MustParseAddr("10.0.0.0")
	for range maxSources + 100 {
		b.Judge(now, from, "", "x", false)
		from = from.Next()
	}
	if n := len(b.sources); n != maxSources {
		t.Errorf("%d sources", n)
	}
}
