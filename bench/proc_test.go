package bench

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const rest = " S 1 2 3 4 -1 6 7 8 9 10 1234 567 11 12 20 0 42 0 999 1000 25"
	want := state{user: 12340 * time.Millisecond, system: 5670 * time.Millisecond, threads: 42}
	for _, tt := range []struct {
		name, in string
		ok       bool
	}{
		{"plain", "77 (asterisk)" + rest, true},
		{"a name with anything in it", "77 (a) b (c 1 2 3)" + rest, true},
		{"cut", "77 (asterisk) S 1 2 3", false},
		{"no number", "77 (x) S 1 2 3 4 -1 6 7 8 9 10 many 567 11 12 20 0 42 0", false},
		{"empty", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStat([]byte(tt.in))
			if (err == nil) != tt.ok || tt.ok && got != want {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestParseRSS(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     int64
		ok       bool
	}{
		{"among others", "Name:\tx\nVmPeak:\t  99999 kB\nVmRSS:\t   13704 kB\nRssAnon:\t 1 kB\n", 13704, true},
		{"a process that has ended", "Name:\tx\nState:\tZ (zombie)\n", 0, false},
		{"no number", "VmRSS:\tlots kB\n", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseRSS([]byte(tt.in))
			if (err == nil) != tt.ok || got != tt.want {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}

func TestLookAtOurselves(t *testing.T) {
	if s, err := look(0); err != nil || s != (state{}) {
		t.Errorf("nobody: %+v, %v", s, err)
	}
	s, err := look(os.Getpid())
	if by := s.cpu - s.user - s.system; err != nil || s.rss < 1000 || s.threads < 2 || by < -time.Second || by > time.Second {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestCostPerParticipantSecond(t *testing.T) {
	s := spent{wall: 30 * time.Second}
	used := state{cpu: 1800 * time.Millisecond, user: 1200 * time.Millisecond, system: 600 * time.Millisecond}
	if got := s.cost(used, 100); got.CPU != 0.6 || got.User != 0.4 || got.System != 0.2 {
		t.Errorf("%+v", got)
	}
	if got := s.cost(used, 0); got.CPU != 0 {
		t.Errorf("of nobody: %+v", got)
	}
}

func TestMemoryIsNotedEachMinute(t *testing.T) {
	s, err := begin(os.Getpid())
	for range 125 { // seconds, to it
		err = errors.Join(err, s.sample())
	}
	if err != nil || len(s.minutes) != 2 || s.minutes[1] < 1000 {
		t.Errorf("%v, %v", s.minutes, err)
	}
}
