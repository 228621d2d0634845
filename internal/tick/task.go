package tick

import (
	"sync/atomic"
	"time"
)

// Func is one tick of a task. worker is below Pool.Workers, and no other Func
// runs under the same number meanwhile, so it may index scratch memory. now is
// the wall clock in Unix nanoseconds. n counts periods since the pool was made:
// it grows by one from tick to tick of a task, by more only where ticks were
// lost.
type Func func(worker int, now int64, n uint64)

// Task is something to be done once per period. It runs in one worker at a
// time, also when it is removed and added again meanwhile.
type Task struct {
	run  Func
	busy atomic.Bool   // held by the worker that runs it, or by the pool to move it
	slot atomic.Int32  // nowhere when it is in no pool
	next atomic.Uint64 // number of the tick that comes next
	cost atomic.Int64  // ns one tick takes, smoothed
	seen int64         // measurements in cost; smooth is enough

	place int // index in its slot, guarded by schedule.mu
}

// nowhere is the slot of a task that is in no pool.
const nowhere = -1

// outlier is how many times its cost a tick is taken to have cost at most.
const outlier = 4

// smooth is how many ticks the cost is the mean of, roughly.
const smooth = 8

// guess is what a task is taken to cost until it has been measured.
const guess = 20 * time.Microsecond

// NewTask makes a task of f; Pool.Add starts it.
func NewTask(f Func) *Task {
	t := &Task{run: f}
	t.slot.Store(nowhere)
	t.cost.Store(int64(guess))
	return t
}

// from has tick n be the next, unless a later one is. A tick that is still running, from
// before t was removed, counts up meanwhile.
func (t *Task) from(n uint64) {
	for {
		next := t.next.Load()
		if next >= n || t.next.CompareAndSwap(next, n) {
			return
		}
	}
}

// weigh takes one more measurement into the cost. One that is far above is cut:
// the system had something else to do meanwhile. A task that has become as dear
// is believed a tick or two later. Only the worker that holds busy calls it.
func (t *Task) weigh(took time.Duration) {
	t.seen = min(t.seen+1, smooth)
	cost := t.cost.Load()
	t.cost.Store(cost + (min(int64(took), outlier*cost+int64(guess))-cost)/t.seen)
}
