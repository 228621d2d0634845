package bench

import (
	"math/rand/v2"
	"time"
)

// queued is how many packets can be on a way at one time.
const queued = 32

// way is the network between a caller and the server: it loses packets, each
// for itself, and holds back others by the amount of a normal distribution,
// without ever changing their order.
type way struct {
	loss   float64
	jitter time.Duration // σ
	random *rand.Rand

	first, n int
	late     [queued]struct {
		due int64 // unix ns
		n   int
		b   [datagramMax]byte
	}
	last int64 // when the newest is due

	lost uint64 // in the time in which glitches are counted
}

func newWay(o Options, caller int) *way {
	return &way{loss: o.Loss / 100, jitter: o.Jitter, random: rand.New(rand.NewPCG(3, uint64(caller)))}
}

// put takes a packet that was said at a time in unix ns.
func (w *way) put(b []byte, now int64, m moment) {
	if w.random.Float64() < w.loss {
		if m.pure {
			w.lost++
		}
		return
	}
	if w.n == queued { // 0.6 s: jitter is limited to less
		return
	}
	delay := w.random.NormFloat64() * float64(w.jitter)
	w.last = max(w.last, now+int64(max(delay, -delay)))
	p := &w.late[(w.first+w.n)%queued]
	p.due, p.n = w.last, copy(p.b[:], b)
	w.n++
}

// deliver sends what is due.
func (w *way) deliver(s *socket, now int64) {
	for w.n > 0 && w.late[w.first].due <= now {
		p := &w.late[w.first]
		s.send(p.b[:p.n])
		w.first = (w.first + 1) % queued
		w.n--
	}
}
