package native

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestFrames_AllCross while both sides run, the one as late as it may be, or the other.
func TestFrames_AllCross(t *testing.T) {
	const ticks = 20_000
	f := newFrames(4)
	var put, taken atomic.Uint64 // up to which tick
	wait := func(of *atomic.Uint64, n uint64) {
		for of.Load() < n {
			runtime.Gosched()
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := uint64(1); n <= ticks; n++ {
			wait(&taken, max(n, depth-1)-(depth-1))
			s := f.open(n)
			if s == nil {
				t.Errorf("tick %d: no room", n)
				put.Store(ticks)
				return
			}
			for i := range s.pcm {
				s.pcm[i] = int16(n)
			}
			f.close()
			put.Store(n)
		}
	})
	for n := uint64(1); n <= ticks; n++ {
		wait(&put, n)
		s := f.take(n)
		if s == nil {
			t.Errorf("tick %d: nothing", n)
			taken.Store(ticks)
			break
		}
		for _, x := range s.pcm {
			if s.n != n || x != int16(n) {
				t.Fatalf("tick %d takes %d of tick %d", n, x, s.n)
			}
		}
		taken.Store(n)
	}
	wg.Wait()
}

// TestFrames_FindTheirPlaceAgain when nobody has taken any for a while, or put.
func TestFrames_FindTheirPlaceAgain(t *testing.T) {
	f, n := newFrames(4), uint64(1)
	put := func() bool {
		s := f.open(n)
		if s != nil {
			f.close()
		}
		return s != nil
	}
	got := 0
	for range 3 * depth {
		if put() {
			got++
		}
		n++
	}
	if got != depth {
		t.Errorf("%d frames wait, want %d", got, depth)
	}
	for i := range 10 {
		if s := f.take(n - apart); (s == nil) != (i < apart) {
			t.Errorf("%d ticks later: frame %v", i, s)
		}
		put()
		n++
	}
	for n += 10 * depth; put(); n++ {
		if s := f.take(n); s == nil || s.n != n {
			t.Fatalf("tick %d: frame %v", n, s)
		}
		if n%1000 == 0 {
			return
		}
	}
	t.Error("no room any more")
}
