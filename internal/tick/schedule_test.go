package tick

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hand is a clock that stands still until it is moved.
type hand struct{ at atomic.Int64 }

func (h *hand) now() time.Time       { return time.Unix(0, h.at.Load()) }
func (h *hand) move(d time.Duration) { h.at.Add(int64(d)) }

// drive runs what is due, in one worker, in steps of one slot width.
func drive(s *schedule, h *hand, d time.Duration) {
	for range d / width {
		h.move(width)
		for {
			i, n, ok := s.ready(h.now())
			if !ok {
				break
			}
			s.round(0, i, n)
		}
	}
}

// log is a task that notes the numbers of its ticks.
type log struct {
	task *Task
	n    []uint64
	at   []time.Duration
}

func newLog(h *hand, cost time.Duration) *log {
	l := &log{}
	l.task = NewTask(func(_ int, now int64, n uint64) {
		l.n = append(l.n, n)
		l.at = append(l.at, time.Duration(now))
		h.move(cost)
	})
	return l
}

// consecutive fails the test unless every number follows the one before.
func (l *log) consecutive(t *testing.T) {
	t.Helper()
	for i := 1; i < len(l.n); i++ {
		if l.n[i] != l.n[i-1]+1 {
			t.Fatalf("tick %d came after tick %d", l.n[i], l.n[i-1])
		}
	}
}

func TestSchedule_DeadlinesAreAbsolute(t *testing.T) {
	h := &hand{}
	s := newSchedule(h.now, 2)
	for _, c := range []struct {
		name string
		slot int
		at   time.Duration // since the schedule was made
		want uint64
	}{
		{"the first deadline is at once", 0, 0, 1},
		{"just before the second", 0, 20*time.Millisecond - 1, 1},
		{"at the second", 0, 20 * time.Millisecond, 2},
		{"the second slot is half a period later", 1, 10*time.Millisecond - 1, 0},
		{"its first", 1, 10 * time.Millisecond, 1},
		{"after an hour nothing has drifted", 0, time.Hour, 180_001},
		{"an hour in the last slot", 9, time.Hour + 15*time.Millisecond, 180_000},
		{"and its deadline", 9, time.Hour + 16*time.Millisecond, 180_001},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Unix(0, int64(c.at))
			if got := s.due(c.slot, now); got != c.want {
				t.Errorf("due is %d, want %d", got, c.want)
			}
			if s.deadline(c.slot, c.want).After(now) && c.want > 0 || !s.deadline(c.slot, c.want+1).After(now) {
				t.Errorf("deadlines %v and %v do not enclose %v", s.deadline(c.slot, c.want), s.deadline(c.slot, c.want+1), now)
			}
		})
	}
}

func TestSchedule_EveryTaskOncePerPeriod(t *testing.T) {
	h := &hand{}
	s := newSchedule(h.now, 1)
	var logs []*log
	for range 50 {
		l := newLog(h, 0)
		logs = append(logs, l)
		s.add(l.task)
		drive(s, h, 6*time.Millisecond)
	}
	for _, l := range logs {
		l.n = nil
	}
	drive(s, h, time.Second)
	for i, l := range logs {
		if len(l.n) != 50 {
			t.Errorf("task %d ran %d times in a second", i, len(l.n))
		}
		l.consecutive(t)
	}
	if st := s.meter.stats(); st.Late != 0 || st.Lost != 0 {
		t.Errorf("on time, yet %+v", st)
	}
}

func TestSchedule_CatchUp(t *testing.T) {
	for _, c := range []struct {
		name           string
		sleep          time.Duration
		ran, lost      int
		late, veryLate uint64
	}{
		{"on time", 20 * time.Millisecond, 1, 0, 0, 0},
		{"3 ms late", 23 * time.Millisecond, 1, 0, 1, 0},
		{"two frames due", 40 * time.Millisecond, 2, 0, 1, 0},
		{"five frames due", 100 * time.Millisecond, 5, 0, 4, 3},
		{"six frames due: the oldest is lost", 120 * time.Millisecond, 5, 1, 4, 3},
		{"a second asleep", time.Second, 5, 45, 4, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &hand{}
			s := newSchedule(h.now, 1)
			l := newLog(h, 0)
			s.add(l.task)
			drive(s, h, 40*time.Millisecond)
			before, st := len(l.n), s.meter.stats()
			h.move(c.sleep)
			i, n, ok := s.ready(h.now())
			if !ok {
				t.Fatal("nothing is due")
			}
			s.round(0, i, n)
			got, now := len(l.n)-before, s.meter.stats()
			if got != c.ran || now.Lost-st.Lost != uint64(c.lost) {
				t.Errorf("ran %d, lost %d; want %d, %d", got, now.Lost-st.Lost, c.ran, c.lost)
			}
			if now.Late-st.Late != c.late || now.VeryLate-st.VeryLate != c.veryLate {
				t.Errorf("late %d and %d, want %d and %d", now.Late-st.Late, now.VeryLate-st.VeryLate, c.late, c.veryLate)
			}
			if last := l.n[len(l.n)-1]; last != n {
				t.Errorf("last tick was %d, want %d", last, n)
			}
		})
	}
}

func TestSchedule_SlotsOpenAndCloseWithTheLoad(t *testing.T) {
	h := &hand{}
	s := newSchedule(h.now, 2)
	var logs []*log
	used := func() (n int) {
		for i := range s.slots {
			if s.slots[i].count.Load() > 0 {
				n++
			}
		}
		return n
	}
	for range 16 {
		l := newLog(h, 500*time.Microsecond)
		logs = append(logs, l)
		s.add(l.task)
	}
	if used() != 1 {
		t.Fatalf("%d slots for 16 unmeasured tasks", used())
	}
	for range 100 {
		drive(s, h, 20*time.Millisecond)
		s.balance()
	}
	if used() < slots { // whoever works through one alone is punctual
		t.Errorf("8 ms of work per period stand in %d slots", used())
	}
	for i, l := range logs {
		l.consecutive(t)
		for k := 1; k < len(l.at); k++ {
			if gap := l.at[k] - l.at[k-1]; gap > 2*Period {
				t.Errorf("task %d: %v between two ticks", i, gap)
			}
		}
	}
	for _, l := range logs[2:] {
		s.remove(l.task)
	}
	for range 20 {
		drive(s, h, 20*time.Millisecond)
		s.balance()
	}
	if used() > 2 {
		t.Errorf("two tasks left in %d slots", used())
	}
	if s.active > 5 {
		t.Errorf("%d slots open for 1 ms of work", s.active)
	}
}

func TestSchedule_MovesOnlyBetweenTwoTicks(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to int // slot 0 is at 0 ms, slot 1 at 10 ms
		ran      bool
		at       time.Duration // in the period
		want     bool
	}{
		{"to a later slot, this period's tick done", 0, 1, true, 5 * time.Millisecond, true},
		{"to a later slot, its tick still undone", 0, 1, false, 5 * time.Millisecond, false},
		{"to an earlier slot, this period's tick done", 1, 0, true, 15 * time.Millisecond, true},
		{"to an earlier slot just before its deadline", 1, 0, true, Period - headroom/2, false},
		{"to an earlier slot whose deadline has passed", 1, 0, true, Period + time.Millisecond, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &hand{}
			s := newSchedule(h.now, 1)
			l := newLog(h, 0)
			s.mu.Lock()
			s.put(c.from, l.task)
			s.mu.Unlock()
			l.task.next.Store(5)
			h.at.Store(int64(s.deadline(0, 5).Sub(time.Unix(0, 0)) + c.at))
			if c.ran {
				s.run(0, l.task)
			}
			s.mu.Lock()
			got := s.move(l.task, c.to)
			s.mu.Unlock()
			if got != c.want {
				t.Errorf("moved: %v, want %v", got, c.want)
			}
			if to := int(l.task.slot.Load()); got && to != c.to || !got && to != c.from {
				t.Errorf("stands in slot %d", to)
			}
		})
	}
}

func TestSchedule_RemovedTaskRunsNoMore(t *testing.T) {
	h := &hand{}
	s := newSchedule(h.now, 1)
	l := newLog(h, 0)
	s.add(l.task)
	s.add(l.task)
	drive(s, h, 40*time.Millisecond)
	if len(l.n) != 2 {
		t.Fatalf("added twice, ran %d times in two periods", len(l.n))
	}
	s.remove(l.task)
	s.remove(l.task)
	drive(s, h, 40*time.Millisecond)
	if len(l.n) != 2 {
		t.Errorf("ran after it was removed")
	}
	if _, some := s.upcoming(h.now()); some {
		t.Errorf("a deadline without a task")
	}
	s.add(l.task)
	drive(s, h, 20*time.Millisecond)
	if len(l.n) != 3 || l.n[2] <= l.n[1] {
		t.Errorf("ticks %v after it was added again", l.n)
	}
}

func TestSchedule_OneWorkerAtATime(t *testing.T) {
	h := &hand{}
	const workers = 4
	s := newSchedule(h.now, workers)
	var tasks []*Task
	var ran atomic.Int64
	for range 40 {
		var inside atomic.Bool
		var last uint64
		tasks = append(tasks, NewTask(func(_ int, _ int64, n uint64) {
			if !inside.CompareAndSwap(false, true) {
				t.Error("two workers in one task")
			}
			if n <= last {
				t.Errorf("tick %d after tick %d", n, last)
			}
			last = n
			h.move(time.Duration(rand.IntN(200)) * time.Microsecond)
			ran.Add(1)
			inside.Store(false)
		}))
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for id := range workers {
		wg.Go(func() {
			for !stop.Load() {
				if i, n, ok := s.ready(h.now()); ok {
					s.round(id, i, n)
				}
				h.move(50 * time.Microsecond)
			}
		})
	}
	for ran.Load() < 20_000 {
		switch k := tasks[rand.IntN(len(tasks))]; rand.IntN(8) {
		case 0:
			s.remove(k)
		case 1:
			s.balance()
		default:
			s.add(k)
		}
	}
	stop.Store(true)
	wg.Wait()
	for i := range s.slots {
		var n int32
		list := *s.slots[i].tasks.Load()
		for k := range list {
			if list[k].Load() != nil {
				n++
			}
		}
		if n != s.slots[i].count.Load() {
			t.Errorf("slot %d counts %d tasks and lists %d", i, s.slots[i].count.Load(), n)
		}
	}
}

func TestSchedule_TickAllocatesNothing(t *testing.T) {
	h := &hand{}
	s := newSchedule(h.now, 1)
	ran := 0
	for range 100 {
		s.add(NewTask(func(int, int64, uint64) { ran++ }))
	}
	if n := testing.AllocsPerRun(200, func() { drive(s, h, 20*time.Millisecond); s.balance() }); n != 0 {
		t.Errorf("%v allocations per period", n)
	}
	if ran < 100*200 {
		t.Errorf("ran %d", ran)
	}
}

func BenchmarkRound(b *testing.B) {
	s := newSchedule(time.Now, 1)
	const tasks = 400
	for range tasks {
		s.add(NewTask(func(int, int64, uint64) {}))
	}
	h := &hand{}
	h.at.Store(time.Now().UnixNano())
	s.clock = h.now
	s.start = h.now()
	b.ReportAllocs()
	for b.Loop() {
		drive(s, h, Period)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tasks, "ns/task")
}

func TestManual_RunsWhenTold(t *testing.T) {
	var m Manual
	var order []string
	var numbers []uint64
	a := NewTask(func(_ int, _ int64, n uint64) { order = append(order, "a"); numbers = append(numbers, n) })
	b := NewTask(func(int, int64, uint64) { order = append(order, "b") })
	m.Add(a)
	m.Add(b)
	m.Add(a)
	m.Step()
	m.Turn()
	m.Step()
	m.Remove(b)
	m.Step()
	if got := strings.Join(order, ""); got != "abbaa" {
		t.Errorf("ran %s", got)
	}
	if !slices.Equal(numbers, []uint64{1, 2, 3}) || !m.Now().Equal(time.Unix(0, int64(3*Period))) || m.Tasks() != 1 {
		t.Errorf("ticks %v, now %v, %d tasks", numbers, m.Now(), m.Tasks())
	}
}
