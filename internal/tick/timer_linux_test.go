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

func slept(t *testing.T) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u.Nvcsw
}
