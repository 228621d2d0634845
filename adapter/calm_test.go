package adapter

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// wrote counts the lines that records make.
func wrote(t *testing.T, log *calm, out *bytes.Buffer, at time.Time, level slog.Level, message string, n int) (lines int, text string) {
	t.Helper()
	out.Reset()
	for range n {
		if err := log.Handle(context.Background(), slog.NewRecord(at, level, message, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Count(out.String(), "\n"), out.String()
}

func TestTheLogStaysCalm(t *testing.T) {
	var out bytes.Buffer
	log := newCalm(slog.NewTextHandler(&out, nil))
	now := time.Unix(1e9, 0)
	for _, tt := range []struct {
		name    string
		after   time.Duration
		level   slog.Level
		message string
		n, want int
		omitted string
	}{
		{"the first ones", 0, slog.LevelWarn, "esl: refused", calmBurst, calmBurst, ""},
		{"then none", 0, slog.LevelWarn, "esl: refused", 1000, 0, ""},
		{"nor others of that kind", 0, slog.LevelError, "esl: something else", 10, 0, ""},
		{"another kind", 0, slog.LevelError, "sip: refused", 10, 10, ""},
		{"some after a second, and how many were left out", time.Second, slog.LevelWarn, "esl: refused", 100, calmRate, "omitted=1010"},
		{"what is no warning", 0, slog.LevelInfo, "participant.joined", 5000, 5000, ""},
		{"all after a while", time.Minute, slog.LevelWarn, "esl: refused", calmBurst, calmBurst, "omitted=95"},
	} {
		now = now.Add(tt.after)
		n, text := wrote(t, log, &out, now, tt.level, tt.message, tt.n)
		if n != tt.want || tt.omitted != "" && !strings.Contains(text, tt.omitted) {
			t.Errorf("%s: %d lines of %d, want %d; %.200s", tt.name, n, tt.n, tt.want, text)
		}
	}
}

func TestCalmKnowsFewKinds(t *testing.T) {
	var out bytes.Buffer
	log := newCalm(slog.NewTextHandler(&out, nil))
	lines := 0
	for i := range 10_000 {
		n, _ := wrote(t, log, &out, time.Unix(1e9, 0), slog.LevelWarn, fmt.Sprint("kind", i, " of warning"), 1)
		lines += n
	}
	if most := calmKinds + calmBurst; lines > most || len(log.kinds.by) > calmKinds+1 {
		t.Errorf("%d lines, %d kinds", lines, len(log.kinds.by))
	}
	if d := slog.New(log).With("a", 1).WithGroup("b").Handler().(*calm); d.kinds != log.kinds {
		t.Error("a derived logger has an allowance of its own")
	}
}
