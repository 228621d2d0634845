package priority

import (
	"os"
	"os/exec"
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
		{unix.SchedAttr{Nice: -11, Runtime: 2_800_000}, "nice -11", ""}, // the system's own
		{unix.SchedAttr{Nice: -11, Runtime: 100_000}, "nice -11, slice 100µs", ""},
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
		text, _ := Read()
		is <- text
	}()
	if text := <-is; !strings.HasPrefix(text, "nice 19") {
		t.Error(text)
	}
}

// TestShortSlices: threads that are there have it, and threads that come later.
func TestShortSlices(t *testing.T) {
	before, after := thread(t), make(chan *unix.SchedAttr)
	if attr := before(); attr.Runtime == 0 {
		t.Skip("Linux before 6.12 tells nothing of slices")
	}
	if err := ShortSlices(); err != nil {
		t.Fatal(err)
	}
	go func() { after <- thread(t)() }()
	for name, attr := range map[string]*unix.SchedAttr{"there already": before(), "made later": <-after} {
		if attr.Runtime != uint64(Slice) {
			t.Errorf("a thread %s has slices of %d ns", name, attr.Runtime)
		}
	}
	if text, _ := Read(); !strings.HasSuffix(text, ", slice 100µs") {
		t.Error(text)
	}
}

// TestBackground is done by a process of its own, as nobody comes back from it
// without a right.
func TestBackground(t *testing.T) {
	if os.Getenv("PARLEY_TEST_BACKGROUND") != "" {
		other := thread(t)
		if err := Background(); err != nil {
			t.Fatal(err)
		}
		text, _ := Read()
		if attr := other(); attr.Policy != unix.SCHED_IDLE || !strings.HasSuffix(text, "background") {
			t.Errorf("policy %d; %s", attr.Policy, text)
		}
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBackground$", "-test.v")
	cmd.Env = append(os.Environ(), "PARLEY_TEST_BACKGROUND=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

// thread starts a thread, and returns how to ask for its attributes.
func thread(t *testing.T) func() *unix.SchedAttr {
	ask, tell := make(chan bool), make(chan *unix.SchedAttr)
	go func() {
		runtime.LockOSThread() // it ends with the goroutine
		for range ask {
			attr, err := unix.SchedGetAttr(0, 0)
			if err != nil {
				t.Error(err)
				attr = &unix.SchedAttr{}
			}
			tell <- attr
		}
	}()
	t.Cleanup(func() { close(ask) })
	return func() *unix.SchedAttr { ask <- true; return <-tell }
}
