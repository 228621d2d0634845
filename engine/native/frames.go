package native

import "sync/atomic"

const (
	// apart is how many ticks after it was said a frame is used in another task. The
	// tick of one number is done by each task at its own moment of 20 ms, and later
	// where there is much to do: so one has 22 ms to be late, and 40 where all are due
	// at once.
	apart = 2
	// depth is how many frames wait for a task that does not come, a power of 2: more
	// than a late one catches up with.
	depth = 16
)

// frames are on their way from the tick of one task to that of another. One puts, one
// takes; neither waits, and both may do so at the same time. A frame is known by the
// number of its tick, which counts the same periods everywhere: whoever lags behind, or
// has lost ticks, finds his place again, and nothing has to be held back for it.
type frames struct {
	all        [depth]numbered
	put, taken atomic.Uint64
}

// numbered is a frame of a tick.
type numbered struct {
	n     uint64
	quiet bool // all of it is silence
	pcm   []int16
}

func newFrames(samples int) *frames {
	f := &frames{}
	block := make([]int16, depth*samples)
	for i := range f.all {
		f.all[i].pcm = block[i*samples:][:samples:samples]
	}
	return f
}

// open is where the frame of tick n is to be written; nil: nobody has taken any for so
// long that there is no room.
func (f *frames) open(n uint64) *numbered {
	at := f.put.Load()
	if at-f.taken.Load() == depth {
		return nil
	}
	s := &f.all[at%depth]
	s.n, s.quiet = n, false
	return s
}

// close hands over what was opened.
func (f *frames) close() { f.put.Add(1) }

// take is the frame of tick n, until the next call; nil is none. Older ones are past.
func (f *frames) take(n uint64) *numbered {
	for at, end := f.taken.Load(), f.put.Load(); at < end; at++ {
		f.taken.Store(at) // what was before it may be written again
		switch s := &f.all[at%depth]; {
		case s.n == n:
			return s
		case s.n > n:
			return nil
		}
	}
	return nil
}
