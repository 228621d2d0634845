package adapter

import (
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPriority(t *testing.T) {
	for _, tt := range []struct {
		in            unix.SchedAttr
		text, warning string
	}{
		{unix.SchedAttr{}, "nice 0", ""},
		{unix.SchedAttr{Nice: -11}, "nice -11", ""},
		{unix.SchedAttr{Policy: unix.SCHED_IDLE}, "nice 0, background", "[background_policy]"},
		{unix.SchedAttr{Policy: unix.SCHED_BATCH, Nice: 5}, "nice 5, background", "[background_policy]"},
		{unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 10}, "SCHED_FIFO 10", "[realtime_policy]"},
		{unix.SchedAttr{Policy: unix.SCHED_RR, Priority: 1}, "SCHED_RR 1", "[realtime_policy]"},
	} {
		text, warning := describe(&tt.in)
		if text != tt.text || !strings.HasSuffix(warning, tt.warning) || (warning == "") != (tt.warning == "") {
			t.Errorf("%+v: %q %q", tt.in, text, warning)
		}
	}
}

// TestPriorityIsTheThreads reads back what the system was told.
func TestPriorityIsTheThreads(t *testing.T) {
	is := make(chan string)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19); err != nil {
			is <- err.Error()
			return
		}
		text, _ := priority()
		is <- text
	}()
	if text := <-is; !strings.HasPrefix(text, "nice 19") {
		t.Error(text)
	}
}
