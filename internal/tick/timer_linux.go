package tick

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// fdTimer is a timerfd that the netpoller watches: it fires some 0.1 ms after
// its deadline where the runtime's timers take up to a millisecond.
type fdTimer struct {
	file  *os.File
	fd    int
	base  time.Time // the same moment by the Go clock
	mono  int64     // and by CLOCK_MONOTONIC, in ns
	woken atomic.Bool
	buf   [8]byte
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
	return t
}

// set has the timer fire at a moment of CLOCK_MONOTONIC; 0 is never.
func (t *fdTimer) set(mono int64) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(mono)}
	_ = unix.TimerfdSettime(t.fd, unix.TFD_TIMER_ABSTIME, &spec, nil) // fails for bad arguments only
}

func (t *fdTimer) arm(at time.Time) { t.set(t.mono + int64(at.Sub(t.base))) }

func (t *fdTimer) disarm() { t.set(0) }

// wait reads the number of expirations, which is of no interest.
func (t *fdTimer) wait() {
	if t.woken.Swap(false) {
		return
	}
	_, _ = t.file.Read(t.buf[:]) // an error means closed: the caller looks
}

// wake leaves a mark before it fires, because arm takes back what has fired
// and has not been read.
func (t *fdTimer) wake() {
	t.woken.Store(true)
	t.set(1)
}

func (t *fdTimer) close() { _ = t.file.Close() }
