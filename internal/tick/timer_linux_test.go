package tick

import (
	"syscall"
	"testing"
	"time"
)

// TestTimer_WakesOneThread counts how often threads of the process go to sleep:
// the one that waits, once each time, and not the runtime's watchdog as well.
func TestTimer_WakesOneThread(t *testing.T) {
	tm := newTimer(false)
	defer tm.close()
	const waits = 100
	before := slept(t)
	for range waits {
		tm.arm(time.Now().Add(2 * time.Millisecond))
		tm.wait()
	}
	if n := float64(slept(t)-before) / waits; n > 2 {
		t.Errorf("threads went to sleep %.1f times per wait", n)
	}
}

// TestTimer_ALateWakeForgetsNothing: who wakes may lose his processor between the mark
// that he leaves and his order to fire at once. The mark ends one wait, and the order
// comes in another one, in whose place it fires: that one must be set again.
func TestTimer_ALateWakeForgetsNothing(t *testing.T) {
	tm, ok := newTimer(false).(*fdTimer)
	if !ok {
		t.Skip("the kernel has no timerfd to give")
	}
	defer tm.close()
	alarm := time.AfterFunc(time.Hour, func() { panic("the timer has been forgotten") })
	defer alarm.Stop()
	for _, late := range []time.Duration{0, 100 * time.Microsecond, time.Millisecond} {
		for range 20 {
			alarm.Reset(5 * time.Second)
			tm.woken.Store(true) // the first half of wake
			tm.arm(time.Now().Add(time.Minute))
			tm.wait()
			at := time.Now().Add(5 * time.Millisecond)
			tm.arm(at)
			go func() {
				time.Sleep(late)
				tm.set(1) // the second
			}()
			for tm.wait(); time.Now().Before(at); tm.wait() {
				tm.arm(at)
			}
		}
	}
}

// TestTimer_AWakeIsKept, though nobody waits, and be there nothing to wait for.
func TestTimer_AWakeIsKept(t *testing.T) {
	tm := newTimer(false)
	defer tm.close()
	alarm := time.AfterFunc(5*time.Second, func() { panic("the wake is lost") })
	defer alarm.Stop()
	for range 100 {
		tm.disarm()
		tm.wake()
		tm.wait()
	}
}

func slept(t *testing.T) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u.Nvcsw
}
