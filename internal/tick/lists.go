package tick

import (
	"sync/atomic"
	"time"
)

const (
	fill     = heavy / 2              // work that one slot takes before the next is opened: it needs no help, nor when it takes twice as long
	uneven   = fill                   // difference between slots that is worth a move
	moves    = 16                     // tasks moved per balance; a move shifts a task's phase once
	headroom = 500 * time.Microsecond // before the next deadline, to move a task safely
)

// add puts t into the lightest slot in use; a task that is in one already
// stays where it is. Its first tick is the next one of that slot.
func (s *schedule) add(t *Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.slot.Load() != nowhere {
		return
	}
	i := 0
	for k := range s.active {
		if s.slots[k].cost.Load() < s.slots[i].cost.Load() {
			i = k
		}
	}
	t.from(s.due(i, s.clock()) + 1)
	s.put(i, t)
}

// remove takes t out; it may still be running its last tick.
func (s *schedule) remove(t *Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take(t)
}

// put enters t into a slot. The caller holds mu.
func (s *schedule) put(i int, t *Task) {
	sl := &s.slots[i]
	t.place = sl.vacancy()
	(*sl.tasks.Load())[t.place].Store(t)
	sl.count.Add(1)
	sl.cost.Add(t.cost.Load())
	t.slot.Store(int32(i))
}

// take strikes t out of its slot. The caller holds mu.
func (s *schedule) take(t *Task) {
	i := t.slot.Swap(nowhere)
	if i == nowhere {
		return
	}
	sl := &s.slots[i]
	(*sl.tasks.Load())[t.place].Store(nil)
	sl.cost.Add(-t.cost.Load())
	if sl.count.Add(-1) == 0 {
		sl.tasks.Store(new([]atomic.Pointer[Task]))
		sl.cost.Store(0)
	}
}

// vacancy returns a free position, after growing the list where there is none.
// A worker may go on reading the old list: all it misses is not due yet.
func (sl *slot) vacancy() int {
	old := *sl.tasks.Load()
	for i := range old {
		if old[i].Load() == nil {
			return i
		}
	}
	grown := make([]atomic.Pointer[Task], max(4, 2*len(old)))
	for i := range old {
		grown[i].Store(old[i].Load())
	}
	sl.tasks.Store(&grown)
	return len(old)
}

// balance measures the slots, opens or closes some as the load asks, and moves
// a few tasks from the fullest to the emptiest. It gives up at once when tasks
// are being added or removed.
func (s *schedule) balance() {
	if !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	s.active = s.wanted(s.weigh())
	for range moves {
		if !s.moveOne() {
			return
		}
	}
}

// weigh brings the cost of every slot up to date and returns the sum.
func (s *schedule) weigh() (total time.Duration) {
	for i := range s.slots {
		sl := &s.slots[i]
		sum := sl.weight()
		sl.cost.Store(sum)
		total += time.Duration(sum)
	}
	return total
}

// weight is what a round of the slot takes now, in ns.
func (sl *slot) weight() (sum int64) {
	tasks := *sl.tasks.Load()
	for k := range tasks {
		if t := tasks[k].Load(); t != nil {
			sum += t.cost.Load()
		}
	}
	return sum
}

// wanted is how many slots a load asks for. A slot is closed only when the
// rest would be three quarters full.
func (s *schedule) wanted(total time.Duration) int {
	want := min(slots, 1+int(total/fill))
	if want < s.active && total > fill*time.Duration(s.active-1)*3/4 {
		want = s.active
	}
	return want
}

// moveOne moves a task from a closed slot, or from the heaviest, to the
// lightest. It is false when nothing is worth moving or can be moved now.
func (s *schedule) moveOne() bool {
	from, to, closed := 0, 0, false
	for i := range s.slots {
		sl := &s.slots[i]
		switch {
		case i >= s.active && sl.count.Load() > 0:
			from, closed = i, true
		case i >= s.active:
		case sl.cost.Load() < s.slots[to].cost.Load():
			to = i
		case !closed && sl.cost.Load() > s.slots[from].cost.Load():
			from = i
		}
	}
	gap := s.slots[from].cost.Load() - s.slots[to].cost.Load()
	if from == to || !closed && gap < int64(uneven) {
		return false
	}
	tasks := *s.slots[from].tasks.Load()
	for k := range tasks {
		t := tasks[k].Load()
		if t != nil && (closed || t.cost.Load() < gap) && s.move(t, to) {
			return true
		}
	}
	return false
}

// move changes t's slot between two of its ticks: the one of this period is
// done, the next one is still to come in the new slot.
func (s *schedule) move(t *Task, to int) bool {
	if !t.busy.CompareAndSwap(false, true) {
		return false
	}
	defer t.busy.Store(false)
	now, next := s.clock(), t.next.Load()
	if next <= s.due(int(t.slot.Load()), now) || s.deadline(to, next).Before(now.Add(headroom)) {
		return false
	}
	s.take(t)
	s.put(to, t)
	return true
}
