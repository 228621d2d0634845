package tick

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting counts how often the clock's watcher wakes up.
type counting struct {
	timer
	woke atomic.Int64
}

func (c *counting) wait() {
	c.timer.wait()
	c.woke.Add(1)
}

func TestPool_TicksEvery20ms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Workers: 2, Plain: true})
		defer p.Close()
		start := time.Now()
		var at []time.Duration
		var ns []uint64
		task := NewTask(func(_ int, now int64, n uint64) {
			at = append(at, time.Unix(0, now).Sub(start))
			ns = append(ns, n)
		})
		time.Sleep(7 * time.Millisecond)
		p.Add(task)
		time.Sleep(200 * time.Millisecond)
		p.Remove(task)
		time.Sleep(time.Second)
		if len(at) != 10 {
			t.Fatalf("%d ticks in 200 ms", len(at))
		}
		for i := range at {
			if want := time.Duration(i+1) * Period; at[i] != want || ns[i] != ns[0]+uint64(i) {
				t.Errorf("tick %d came at %v, want %v", ns[i], at[i], want)
			}
		}
	})
}

func TestPool_IdlePoolDoesNotWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watch := &counting{timer: newTimer(true)}
		p := start(1, watch)
		defer p.Close()
		task := NewTask(func(int, int64, uint64) {})
		p.Add(task)
		time.Sleep(time.Second)
		if n := watch.woke.Load(); n < 49 {
			t.Fatalf("woke %d times with a task", n)
		}
		p.Remove(task)
		time.Sleep(100 * time.Millisecond)
		before := watch.woke.Load()
		time.Sleep(time.Hour)
		if n := watch.woke.Load() - before; n != 0 {
			t.Errorf("woke %d times without a task", n)
		}
	})
}

// Waking another worker costs more than a small room does; with one task in
// all there is nothing it could help with.
func TestPool_OneTaskWakesOneWorker(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tasks int
		want  bool // both workers work
	}{{"one", 1, false}, {"two", 2, true}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(Options{Workers: 2, Plain: true})
				defer p.Close()
				var by [2]atomic.Int64
				for range tt.tasks {
					p.Add(NewTask(func(worker int, _ int64, _ uint64) {
						by[worker].Add(1)
						time.Sleep(2 * heavy) // what it costs
					}))
				}
				time.Sleep(time.Second)
				if both := by[0].Load() > 5 && by[1].Load() > 5; both != tt.want {
					t.Errorf("the workers ran %d and %d ticks", by[0].Load(), by[1].Load())
				}
			})
		})
	}
}

func TestPool_RealClock(t *testing.T) {
	for _, plain := range []bool{false, true} {
		p := New(Options{Workers: 2, Plain: plain})
		done := make(chan struct{})
		var ran, wrong atomic.Int64
		for range 20 {
			var last uint64
			p.Add(NewTask(func(worker int, now int64, n uint64) {
				if last != 0 && n != last+1 || worker < 0 || worker > 1 {
					wrong.Add(1)
				}
				last = n
				if ran.Add(1) == 20*15 {
					close(done)
				}
			}))
		}
		begin := time.Now()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("plain %v: %d ticks in 10 s", plain, ran.Load())
		}
		if took := time.Since(begin); took < 260*time.Millisecond {
			t.Errorf("plain %v: 15 periods took %v", plain, took)
		}
		if st := p.Stats(); wrong.Load() != 0 && st.Lost == 0 || st.Ticks == 0 {
			t.Errorf("plain %v: %d ticks out of order, %+v", plain, wrong.Load(), st)
		}
		p.Close()
		after := ran.Load()
		p.Close()
		if ran.Load() != after {
			t.Errorf("plain %v: ticks after Close", plain)
		}
	}
}

// A task that takes all of one worker's time must not delay another's.
func TestPool_HeavySlotIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Workers: 2, Plain: true})
		defer p.Close()
		slow := NewTask(func(int, int64, uint64) { time.Sleep(15 * time.Millisecond) })
		var worst time.Duration
		begun := time.Now()
		var quick *Task
		quick = NewTask(func(_ int, now int64, n uint64) {
			if time.Since(begun) > time.Second { // measured by then
				slot, at := int(quick.slot.Load()), time.Unix(0, now)
				i := p.sched.due(slot, at)
				worst = max(worst, at.Sub(p.sched.deadline(slot, i)), time.Duration(i-n)*Period)
			}
		})
		p.Add(slow)
		p.Add(quick)
		time.Sleep(3 * time.Second)
		p.Remove(quick)
		synctest.Wait()
		if worst > time.Millisecond {
			t.Errorf("beside a slow task, %v late", worst)
		}
		if st := p.Stats(); st.Lost != 0 || st.Ticks < 290 {
			t.Errorf("%+v", st)
		}
		if l := p.Load(); l < 0.3 || l > 0.4 {
			t.Errorf("load is %.2f, want 15/40", l)
		}
	})
}

// TestPool_SpreadsWhatAllBeganInOneSlot: when that slot is due, none of its tasks
// can be moved.
func TestPool_SpreadsWhatAllBeganInOneSlot(t *testing.T) {
	for _, workers := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			p := New(Options{Workers: workers, Plain: true})
			defer p.Close()
			const many, each = 50, 250 * time.Microsecond
			for range many {
				p.Add(NewTask(func(int, int64, uint64) { time.Sleep(each) }))
			}
			time.Sleep(3 * time.Second)
			before := p.Stats()
			time.Sleep(2 * time.Second)
			after := p.Stats()
			run, late := after.Ticks-before.Ticks, after.Late-before.Late
			if run < 2*many*49 || late > run/100 {
				t.Errorf("%d workers: %d of %d ticks are late", workers, late, run)
			}
		})
	}
}

func TestTimer_WaitAllocatesNothing(t *testing.T) {
	tm := newTimer(false)
	defer tm.close()
	n := testing.AllocsPerRun(20, func() {
		at := time.Now().Add(time.Millisecond)
		tm.arm(at)
		tm.wait()
		if early := time.Until(at); early > 0 {
			t.Errorf("fired %v early", early)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per wait", n)
	}
}

func TestTimer_WakeIsNotLost(t *testing.T) {
	for _, tm := range []timer{newTimer(false), newPlainTimer()} {
		tm.wake()
		tm.arm(time.Now().Add(time.Hour))
		tm.wait() // must return: the wake came before
		back := make(chan struct{})
		tm.disarm()
		go func() { tm.wait(); close(back) }()
		tm.wake()
		<-back
		tm.close()
	}
}
