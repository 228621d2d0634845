package priority

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Read is what the system lets us have, as `parley status` shows it; warning says
// what is wrong with that. It asks for the calling thread, which has it from
// whoever started us.
func Read() (text, warning string) {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return "", "" // a sandbox that does not let us ask
	}
	return describe(attr)
}

// describe words sched_getattr(2).
func describe(attr *unix.SchedAttr) (text, warning string) {
	switch attr.Policy {
	case unix.SCHED_FIFO:
		text = fmt.Sprintf("SCHED_FIFO %d", attr.Priority)
	case unix.SCHED_RR:
		text = fmt.Sprintf("SCHED_RR %d", attr.Priority)
	case unix.SCHED_BATCH, unix.SCHED_IDLE:
		return fmt.Sprintf("nice %d, background", attr.Nice), "the system runs Parley in the background (SCHED_BATCH or SCHED_IDLE): audio will be late. [background_policy]"
	case unix.SCHED_NORMAL:
		return fmt.Sprintf("nice %d", attr.Nice) + sliceOf(attr), ""
	default:
		return fmt.Sprintf("nice %d", attr.Nice), ""
	}
	return text, "Parley runs under " + text + ": threads of one program that wait for each other can hold all processors there, for ever under FIFO. " +
		"Give it CPUWeight and Nice instead, as configs/systemd/parley.service does. [realtime_policy]"
}

// sliceOf words the slice that a thread has asked for. Linux before 6.12 says 0.
func sliceOf(attr *unix.SchedAttr) string {
	if attr.Runtime != uint64(Slice) {
		return ""
	}
	return fmt.Sprintf(", slice %v", time.Duration(attr.Runtime))
}

// ShortSlices asks for Slice for every thread of the process; those to come have
// it from the one that makes them. Nobody gets more of a processor by it, but
// gets it sooner, for which no right is needed (sched_setattr(2), sched_runtime of
// SCHED_OTHER). Linux before 6.12 takes the order and does nothing.
func ShortSlices() error {
	return eachThread(func(attr *unix.SchedAttr) {
		if attr.Policy == unix.SCHED_NORMAL {
			attr.Runtime = uint64(Slice)
		}
	})
}

// Background has every thread of the process get only what others leave
// (SCHED_IDLE).
func Background() error {
	return eachThread(func(attr *unix.SchedAttr) {
		*attr = unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}
	})
}

// eachThread changes the attributes of all threads, also of those that others
// make meanwhile.
func eachThread(change func(*unix.SchedAttr)) error {
	done := map[string]bool{}
	for more := true; more; {
		more = false
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("priority: %w", err)
		}
		for _, t := range tasks {
			if done[t.Name()] {
				continue
			}
			done[t.Name()], more = true, true
			if err := changeThread(t.Name(), change); err != nil {
				return err
			}
		}
	}
	return nil
}

func changeThread(name string, change func(*unix.SchedAttr)) error {
	id, err := strconv.Atoi(name)
	if err != nil {
		return fmt.Errorf("priority: thread %q: %w", name, err)
	}
	attr, err := unix.SchedGetAttr(id, 0)
	if err == nil {
		change(attr)
		err = unix.SchedSetAttr(id, attr, 0)
	}
	if err != nil && !errors.Is(err, unix.ESRCH) { // the thread has ended
		return fmt.Errorf("priority: thread %d: %w", id, err)
	}
	return nil
}
