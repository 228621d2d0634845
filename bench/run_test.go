package bench_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"parley/adapter"
	"parley/adapter/config"
	"parley/bench"
)

const (
	server    = "127.0.0.1:25572"
	reflector = "127.0.0.1:25592"
)

// serve runs something until the test ends.
func serve(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func parley(t *testing.T) {
	t.Helper()
	c := config.Defaults()
	c.StateDir = t.TempDir()
	c.SIP.Listen, c.FreeSWITCH.Listen = server, "127.0.0.1:25573"
	c.AudioSocket.Listen, c.HTTP.Listen = "127.0.0.1:25574", "127.0.0.1:25575"
	c.RTP.Ports = config.Ports{First: 30000, Last: 30999}
	for i := range c.Profiles {
		c.Profiles[i].EntryTone, c.Profiles[i].ExitTone = "", ""
	}
	app, err := adapter.Start(t.Context(), c, adapter.Options{Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, app.Run)
}

func small(target string) bench.Options {
	return bench.Options{
		Target: target, Rooms: 2, Callers: 3, Talkers: 2, Warmup: 400 * time.Millisecond, Duration: 2 * time.Second,
		PID: os.Getpid(), Ports: [2]uint16{29000, 29999},
	}
}

// The machine may be busy, so that packets come late or not at all; levels are
// those of what came.
func TestRunAgainstParley(t *testing.T) {
	parley(t)
	r, err := bench.Run(t.Context(), small(server))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range r.Problems() {
		if !strings.Contains(problem, "packets") && !strings.Contains(problem, "generator") {
			t.Error(problem)
		}
	}
	if r.Calls.Up != 6 || r.Levels.Listeners != 4 || r.Levels.Tones != 6 || r.Packets.Delivery < 0.5 {
		t.Errorf("%+v", r)
	}
	if r.Server.RSS < 1000 || r.Packets.Gaps.Max < 10 || r.Seconds < 1 {
		t.Errorf("%+v", r)
	}
	var text strings.Builder
	if err := r.Print(&text); err != nil || !strings.Contains(text.String(), "6 tones at 4 listeners") {
		t.Errorf("%v: %s", err, text.String())
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// Some callers are far away, and some come and go.
func TestRunWithImpairmentAndChurn(t *testing.T) {
	parley(t)
	o := small(server)
	o.Rooms, o.Callers, o.Talkers, o.Duration = 1, 6, 1, 3*time.Second
	o.Loss, o.Jitter, o.Churn, o.Metrics = 10, 5*time.Millisecond, 10, "http://127.0.0.1:25575/metrics"
	var told []string
	o.Progress = func(s string) { told = append(told, s) }
	r, err := bench.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Calls; c.Again < 5 || len(c.Refused) > 0 || c.Ended > 0 || c.Up < 5 || c.Answer.P50 <= 0 {
		t.Errorf("%+v", c)
	}
	if r.Delay == nil || r.Delay.Bursts+r.Delay.Missing < 3 || r.Delay.Bursts > 0 && r.Delay.P50 <= 0 {
		t.Errorf("%+v", r.Delay)
	}
	if g := r.Glitches; g == nil || g.Lost == 0 || g.Seconds < 1 {
		t.Errorf("%+v", g)
	}
	if r.Ticks == nil || r.Ticks.Run < 150 || r.Ticks.Stuck != 0 {
		t.Errorf("%+v", r.Ticks)
	}
	if len(told) < 3 || !strings.Contains(told[0], "6 callers") {
		t.Errorf("%q", told)
	}
}

func TestServerThatMixesNothingIsFoundOut(t *testing.T) {
	serve(t, func(ctx context.Context) error { return bench.Reflect(ctx, reflector) })
	r, err := bench.Run(t.Context(), small(reflector))
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Join(r.Problems(), "\n")
	if !strings.Contains(bad, "hears himself") || !strings.Contains(bad, "dB off") {
		t.Errorf("%+v\n%s", r, bad)
	}
	if r.Calls.Up != 6 || r.Packets.Delivery < 0.5 {
		t.Errorf("%+v", r)
	}
}

func TestRunWithoutServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := bench.Run(ctx, small("127.0.0.1:9")); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, bench.ErrNoCall) {
		t.Error(err)
	}
	o := small(server)
	o.PID = 1 << 30
	if _, err := bench.Run(ctx, o); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
