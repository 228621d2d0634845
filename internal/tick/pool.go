// Package tick calls tasks once per 20 ms, at absolute deadlines, from a fixed
// number of workers. Tasks are spread over up to ten slots of a period, 2 ms
// apart: one while there is little to do, more as the measured load grows. The
// workers of a slot claim its tasks one by one; a task that is late catches up
// at most five ticks. While there is no task nothing wakes up.
package tick

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// heavy is the work of a slot from which on another worker is woken to help
// and to watch the clock meanwhile. Below it the wake-up costs more than it
// brings. So it does where there is one task in all: nobody can help with that,
// and nothing else is due before it ends.
const heavy = 500 * time.Microsecond

// every is how many ticks lie between two balances at least. They come when
// nothing is due: a task whose tick is due cannot be moved, and where all are in
// one slot they are all due at once. In a pool that is never done they come all
// the same, after as many ticks again.
const every = 25

// Options of a Pool; the zero value is fine.
type Options struct {
	Workers int // goroutines that run ticks; 0 means GOMAXPROCS

	// Plain has the runtime's timers keep the time although the system has
	// finer ones: in a testing/synctest bubble nothing else follows its clock.
	Plain bool
}

// Pool runs tasks. Its methods may be called from any goroutine, Add and
// Remove also from within a tick.
type Pool struct {
	sched  *schedule
	timer  timer
	lead   chan struct{} // the token of the one worker that watches the clock
	closed atomic.Bool
	wg     sync.WaitGroup

	balanced uint64 // tick of the last balance; the leader's
}

// New starts a pool's workers. They sleep until there is a task.
func New(o Options) *Pool {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return start(o.Workers, newTimer(o.Plain))
}

func start(workers int, t timer) *Pool {
	p := &Pool{sched: newSchedule(time.Now, workers), timer: t, lead: make(chan struct{}, 1)}
	p.lead <- struct{}{}
	for id := range workers {
		p.wg.Go(func() { p.work(id) })
	}
	return p
}

// Workers is the number of workers.
func (p *Pool) Workers() int { return p.sched.workers }

// Add has t run once per period, from the next deadline on. Adding a task that
// is in the pool changes nothing. A task belongs to one pool at a time.
func (p *Pool) Add(t *Task) {
	p.sched.add(t)
	p.timer.wake()
}

// Remove ends the ticks of t. A tick that is running goes on; none begins after
// Remove has returned. Removing a task that is in no pool changes nothing.
func (p *Pool) Remove(t *Task) { p.sched.remove(t) }

// Load is the share of the workers' time that the ticks take, by what each task
// took last: 1 means that there is no time left. It looks at every task.
func (p *Pool) Load() float64 {
	var ns int64
	for i := range p.sched.slots {
		ns += p.sched.slots[i].weight()
	}
	return float64(ns) / float64(int64(Period)*int64(p.sched.workers))
}

// Stats returns the counters.
func (p *Pool) Stats() Stats { return p.sched.meter.stats() }

// Close ends the workers and returns when they have: no tick runs after it. It
// must not be called from within a tick.
func (p *Pool) Close() {
	p.closed.Store(true)
	p.timer.wake()
	p.wg.Wait()
	p.timer.close()
}

// work is one worker: watch the clock when it is my turn, then do what is due.
// A slot that needs no help is done without giving up the watch.
func (p *Pool) work(id int) {
	for range p.lead {
		i, n, ok := p.await()
		for ok && !p.sched.worthHelp(i) {
			p.sched.round(id, i, n)
			i, n, ok = p.await()
		}
		p.lead <- struct{}{}
		if !ok {
			return
		}
		p.sched.round(id, i, n)
	}
}

// await returns the slot that is due next, when it is; ok is false when the
// pool is closed.
func (p *Pool) await() (i int, n uint64, ok bool) {
	for !p.closed.Load() {
		now := p.sched.clock()
		i, n, ok = p.sched.ready(now)
		if p.balance(now, ok) {
			continue
		}
		if ok {
			return i, n, true
		}
		if at, some := p.sched.upcoming(now); some {
			p.timer.arm(at)
		} else {
			p.timer.disarm()
		}
		p.timer.wait() // a wake that has come since ends it
	}
	return 0, 0, false
}

// balance spreads the tasks anew when it is time to. Only the worker that
// watches the clock calls it.
func (p *Pool) balance(now time.Time, due bool) (done bool) {
	n, wait := p.sched.due(0, now), uint64(every)
	if due {
		wait *= 2
	}
	if n < p.balanced+wait {
		return false
	}
	p.balanced = n
	p.sched.balance()
	return true
}
