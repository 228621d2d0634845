package tick

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// fdTimer is a timerfd that the netpoller watches: it fires some 0.1 ms after
// its deadline where the runtime's timers take up to a millisecond.
//
// Nobody reads it. Whether it has fired the clock says, and the netpoller tells
// of each time that it does. A read is a call for which the runtime wakes its
// watchdog, a thread that looks around each 20 µs until all sleep again: threads
// went to sleep three times per wake-up.
type fdTimer struct {
	file   *os.File
	conn   syscall.RawConn // of file
	fd     int
	base   time.Time // the same moment by the Go clock
	mono   int64     // and by CLOCK_MONOTONIC, in ns
	at     time.Time // when it fires, unless it is woken; zero is never
	asleep bool      // in wait, set and not woken
	woken  atomic.Bool
	over   func(uintptr) bool // fired, made a value once
}

// newTimer falls back on plain timers where the kernel has no timerfd to give.
func newTimer(plain bool) timer {
	if plain {
		return newPlainTimer()
	}
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return newPlainTimer()
	}
	t := &fdTimer{fd: fd, base: time.Now()}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		_ = unix.Close(fd) // nothing was written to it
		return newPlainTimer()
	}
	t.mono = ts.Nano()
	t.file = os.NewFile(uintptr(fd), "timerfd")
	if t.conn, err = t.file.SyscallConn(); err != nil {
		t.close()
		return newPlainTimer()
	}
	t.over = t.fired
	return t
}

// set has the timer fire at a moment of CLOCK_MONOTONIC; 0 is never.
func (t *fdTimer) set(mono int64) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(mono)}
	_ = unix.TimerfdSettime(t.fd, unix.TFD_TIMER_ABSTIME, &spec, nil) // fails for bad arguments only
}

func (t *fdTimer) arm(at time.Time) { t.at = at }

func (t *fdTimer) disarm() { t.at = time.Time{} }

// wait sets the timer and sleeps. An error means closed: the caller looks.
func (t *fdTimer) wait() {
	t.asleep = false
	_ = t.conn.Read(t.over)
}

// fired is asked before the sleep, once what fired earlier is forgotten, and after it.
// Any sign ends a wait, for it may be that of a late wake, in place of what was set: the
// caller sets it again. base was taken before mono, so the clock is never behind the
// timer.
func (t *fdTimer) fired(uintptr) bool {
	if t.asleep {
		return true
	}
	t.asleep = true
	if t.at.IsZero() {
		t.set(0)
	} else {
		t.set(t.mono + int64(t.at.Sub(t.base)))
	}
	return t.woken.Swap(false) || !t.at.IsZero() && !time.Now().Before(t.at)
}

// wake leaves a mark before it fires. Whoever sets the timer looks for the mark then:
// if he does not see it, the order to fire comes after his.
func (t *fdTimer) wake() {
	t.woken.Store(true)
	t.set(1)
}

func (t *fdTimer) close() { _ = t.file.Close() }
