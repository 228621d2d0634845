package adapter

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// priority is what the system lets us have of the processors beside others, as
// `parley status` shows it; warning says what is wrong with that. It asks for the
// calling thread, which has it from whoever started us.
func priority() (text, warning string) {
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
	default:
		return fmt.Sprintf("nice %d", attr.Nice), ""
	}
	return text, "Parley runs under " + text + ": threads of one program that wait for each other can hold all processors there, for ever under FIFO. " +
		"Give it CPUWeight and Nice instead, as configs/systemd/parley.service does. [realtime_policy]"
}
