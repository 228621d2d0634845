package rtp

import (
	"sync"
	"sync/atomic"
)

// gate keeps Close from pulling a socket away under a tick, without a lock:
// it counts who is inside, and the last one out after close does the closing.
type gate struct {
	state atomic.Int64 // closed + number inside
	once  sync.Once
	shut  atomic.Bool
}

const gateClosed = 1 << 32

func (g *gate) enter() bool {
	if g.state.Add(1) < gateClosed {
		return true
	}
	g.state.Add(-1)
	return false
}

func (g *gate) leave(closing func()) {
	if g.state.Add(-1) == gateClosed {
		g.once.Do(closing)
	}
}

func (g *gate) close(closing func()) {
	if g.shut.CompareAndSwap(false, true) && g.state.Add(gateClosed) == gateClosed {
		g.once.Do(closing)
	}
}
