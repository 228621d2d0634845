package tick

import (
	"sync"
	"sync/atomic"
	"time"
)

// Period is the time between two ticks of a task.
const Period = 20 * time.Millisecond

const (
	slots   = 10
	width   = Period / slots // between the deadlines of neighbouring slots
	catchUp = 5              // ticks a late task runs at once; what is older is lost
)

// slot is one of the moments of a period at which tasks are due. The workers
// take its tasks by counting cursor up; positions of tasks never change while
// they are in the slot, so a list that grows meanwhile skips nobody.
type slot struct {
	phase  time.Duration
	tasks  atomic.Pointer[[]atomic.Pointer[Task]]
	count  atomic.Int32  // tasks in it; changed under schedule.mu
	cursor atomic.Uint64 // round<<indexBits | position of the next unclaimed task
	cost   atomic.Int64  // ns a round takes; as of the last balance
}

const indexBits = 24

// schedule knows which task is due when. It starts no goroutine and waits for
// nothing: the clock is the caller's.
type schedule struct {
	clock   func() time.Time
	start   time.Time // deadline of tick 0 of slot 0
	workers int
	slots   [slots]slot
	meter   meter

	mu     sync.Mutex // guards the lists and places; a tick never waits for it
	active int        // guarded by mu: slots in use, from the first
}

// newSchedule starts counting one period ago, so that tick 1 is the first.
// Slots stand in the order they come into use: each new one goes into the
// widest gap that is left.
func newSchedule(clock func() time.Time, workers int) *schedule {
	s := &schedule{clock: clock, start: clock().Add(-Period), workers: workers, active: 1}
	for i, p := range [slots]time.Duration{0, 5, 2, 7, 4, 9, 1, 6, 3, 8} {
		s.slots[i].phase = p * width
		s.slots[i].tasks.Store(new([]atomic.Pointer[Task]))
	}
	return s
}

// deadline is when tick n of a slot is due.
func (s *schedule) deadline(i int, n uint64) time.Time {
	return s.start.Add(time.Duration(n)*Period + s.slots[i].phase)
}

// due is the latest tick of a slot whose deadline has come.
func (s *schedule) due(i int, now time.Time) uint64 {
	return uint64(max(0, now.Sub(s.start)-s.slots[i].phase) / Period)
}

// ready returns a slot that has unclaimed tasks and the number of their tick;
// the one whose deadline is longest past when there are several.
func (s *schedule) ready(now time.Time) (i int, n uint64, ok bool) {
	var oldest time.Time
	for k := range s.slots {
		due := s.due(k, now)
		if !s.slots[k].pending(due) {
			continue
		}
		if at := s.deadline(k, due); !ok || at.Before(oldest) {
			i, n, ok, oldest = k, due, true, at
		}
	}
	return i, n, ok
}

// upcoming is the next deadline after now of any slot with tasks; ok is false
// when there is no task.
func (s *schedule) upcoming(now time.Time) (at time.Time, ok bool) {
	for i := range s.slots {
		if s.slots[i].count.Load() == 0 {
			continue
		}
		if d := s.deadline(i, s.due(i, now)+1); !ok || d.Before(at) {
			at, ok = d, true
		}
	}
	return at, ok
}

// worthHelp says whether a round of a slot is worth the wake-up of another worker.
func (s *schedule) worthHelp(i int) bool {
	if time.Duration(s.slots[i].cost.Load()) < heavy {
		return false
	}
	all := int32(0)
	for k := range s.slots {
		all += s.slots[k].count.Load()
	}
	return all > 1
}

// pending says whether a round has tasks that no worker has claimed.
func (sl *slot) pending(round uint64) bool {
	if sl.count.Load() == 0 {
		return false
	}
	c := sl.cursor.Load()
	switch at := c >> indexBits; {
	case at < round:
		return true
	case at > round:
		return false
	default:
		return int(c&(1<<indexBits-1)) < len(*sl.tasks.Load())
	}
}

// claim returns a task of the round that nobody else gets; nil when all are taken.
func (sl *slot) claim(round uint64) *Task {
	for {
		c, tasks := sl.cursor.Load(), *sl.tasks.Load()
		i := c & (1<<indexBits - 1)
		switch at := c >> indexBits; {
		case at > round:
			return nil
		case at < round:
			i = 0
		}
		if int(i) >= len(tasks) {
			sl.cursor.CompareAndSwap(c, round<<indexBits|i)
			return nil
		}
		if !sl.cursor.CompareAndSwap(c, round<<indexBits|(i+1)) {
			continue
		}
		if t := tasks[i].Load(); t != nil {
			return t
		}
	}
}

// round runs the unclaimed tasks of one round of a slot.
func (s *schedule) round(worker, i int, n uint64) {
	for {
		t := s.slots[i].claim(n)
		if t == nil {
			return
		}
		s.run(worker, t)
	}
}

// run runs every tick of t that is due. It looks once more after it let go of
// the task, because a worker that came for the next tick meanwhile went away.
func (s *schedule) run(worker int, t *Task) {
	now := s.clock()
	for s.wants(t, now) && t.busy.CompareAndSwap(false, true) {
		now = s.tick(worker, t, now)
		t.busy.Store(false)
	}
}

// wants says whether a tick of t is due.
func (s *schedule) wants(t *Task, now time.Time) bool {
	i := t.slot.Load()
	return i != nowhere && s.due(int(i), now) >= t.next.Load()
}

// tick runs one tick of t, which the caller holds, and returns the time after.
func (s *schedule) tick(worker int, t *Task, now time.Time) time.Time {
	i := int(t.slot.Load())
	next := t.next.Load()
	if i == nowhere || s.due(i, now) < next { // removed or moved since it was claimed
		return now
	}
	n := next
	if due := s.due(i, now); due-n >= catchUp {
		n = due - catchUp + 1
		s.meter.lost.Add(n - next)
	}
	s.meter.late(now.Sub(s.deadline(i, n)))
	t.run(worker, now.UnixNano(), n)
	after := s.clock()
	t.weigh(after.Sub(now))
	t.next.CompareAndSwap(next, n+1) // unless it was added anew meanwhile
	return after
}
