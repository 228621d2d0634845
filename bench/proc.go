package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every
// architecture Go runs on.
const clockTick = 10 * time.Millisecond

// state is what the system says of a process.
type state struct {
	cpu          time.Duration // since its start, its threads that have ended included, to the ns
	user, system time.Duration // the same by parts, in whole clockTicks
	threads      int
	rss          int64 // KiB
}

// look reads a process; pid 0 is none.
func look(pid int) (state, error) {
	if pid == 0 {
		return state{}, nil
	}
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return state{}, fmt.Errorf("bench: %w", err)
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return state{}, fmt.Errorf("bench: %w", err)
	}
	s, err := parseStat(stat)
	if err != nil {
		return state{}, err
	}
	if s.rss, err = parseRSS(status); err != nil {
		return s, err
	}
	s.cpu, err = cpuTime(pid, s.user+s.system)
	return s, err
}

// parseStat reads /proc/PID/stat, proc(5). The name, in parentheses, may hold
// anything.
func parseStat(b []byte) (state, error) {
	const utime, stime, threads = 14 - 3, 15 - 3, 20 - 3 // fields are counted from 1, the third follows the name
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) <= threads {
		return state{}, fmt.Errorf("bench: /proc/PID/stat has %d fields after the name", len(fields))
	}
	var n [3]int64
	for i, f := range []int{utime, stime, threads} {
		var err error
		if n[i], err = strconv.ParseInt(fields[f], 10, 64); err != nil {
			return state{}, fmt.Errorf("bench: /proc/PID/stat: %w", err)
		}
	}
	return state{user: time.Duration(n[0]) * clockTick, system: time.Duration(n[1]) * clockTick, threads: int(n[2])}, nil
}

// parseRSS reads VmRSS of /proc/PID/status, in KiB.
func parseRSS(b []byte) (int64, error) {
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("bench: /proc/PID/status: %w", err)
			}
			return kib, nil
		}
	}
	return 0, fmt.Errorf("bench: /proc/PID/status has no VmRSS: a process that has ended?")
}

// spent is what the server and this process used in the measured time.
type spent struct {
	pid          int
	start        time.Time
	wall         time.Duration
	server, self state    // CPU of the measured time; threads and rss at their most
	rss          [2]int64 // of the server, KiB, at the first and the last sample
	samples      int
	minutes      []int64 // the same after each minute
}

func begin(pid int) (s spent, err error) {
	s.pid, s.start = pid, time.Now()
	if s.server, err = look(pid); err == nil {
		s.self, err = look(os.Getpid())
	}
	s.server.rss, s.server.threads = 0, 0
	return s, err
}

// spend makes a state at the beginning what was spent until now.
func (s *state) spend(now state) {
	s.cpu, s.user, s.system = now.cpu-s.cpu, now.user-s.user, now.system-s.system
}

// sample, once a second, notes the most memory.
func (s *spent) sample() error {
	now, err := look(s.pid)
	s.server.rss, s.server.threads = max(s.server.rss, now.rss), max(s.server.threads, now.threads)
	if s.rss[1] = now.rss; s.rss[0] == 0 {
		s.rss[0] = now.rss
	}
	if s.samples++; s.samples%60 == 0 {
		s.minutes = append(s.minutes, now.rss)
	}
	return err
}

func (s *spent) finish() error {
	server, err := look(s.pid)
	if err != nil {
		return err
	}
	self, err := look(os.Getpid())
	s.wall = time.Since(s.start)
	s.server.spend(server)
	s.self.spend(self)
	return err
}

// perSecond is CPU-ms per second of each participant.
func (s *spent) perSecond(cpu time.Duration, legs int) float64 {
	if legs == 0 || s.wall == 0 {
		return 0
	}
	return float64(cpu) / float64(time.Millisecond) / float64(legs) / s.wall.Seconds()
}
