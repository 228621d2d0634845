package adapter_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"parley/adapter"
	"parley/adapter/config"
	"parley/internal/audiotest"
	"parley/sip/siptest"
)

// parley is a whole Parley on ports of its own.
type parley struct {
	*adapter.App
	config *config.Config
}

// start runs a Parley; edit changes the defaults first.
func start(t *testing.T, edit func(*config.Config)) parley {
	t.Helper()
	c := config.Defaults()
	c.SIP.Listen, c.FreeSWITCH.Listen = "127.0.0.1:25070", "127.0.0.1:28084"
	c.AudioSocket.Listen, c.HTTP.Listen = "127.0.0.1:28086", "127.0.0.1:28085"
	c.RTP.Ports = config.Ports{First: 35000, Last: 36999}
	if edit != nil {
		edit(c)
	}
	log := slog.New(slog.NewTextHandler(logWriter{t}, nil))
	app, err := adapter.Start(t.Context(), c, adapter.Options{Version: "test", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return parley{app, c}
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(b []byte) (int, error) {
	w.t.Logf("%s", b)
	return len(b), nil
}

var _ io.Writer = logWriter{}

// phone makes a SIP phone that is closed at the end.
func phone(t *testing.T, o siptest.Options) *siptest.Phone {
	t.Helper()
	p, err := siptest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// dial calls a room with a tone.
func (p parley) dial(t *testing.T, room string, tone siptest.Tone) *siptest.Call {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := phone(t, siptest.Options{User: fmt.Sprintf("1%03.0f", tone.Hz)}).Dial(ctx,
		"sip:"+room+"@"+p.config.SIP.Listen, siptest.CallOptions{Tone: tone})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// quiet has no tones, prompts and music that would be heard over a test's own.
func quiet(c *config.Config) {
	for i := range c.Profiles {
		p := &c.Profiles[i]
		p.EntryTone, p.ExitTone, p.AloneSound, p.MOHSound = "", "", "", ""
	}
}

func TestEverybodyHearsTheOthersAndNotHimself(t *testing.T) {
	for _, n := range []int{2, 3, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			p := start(t, quiet)
			calls := make([]*siptest.Call, n)
			tones := make([]siptest.Tone, n)
			for i := range calls {
				tones[i] = siptest.Tone{Hz: float64(400 + 270*i), DBFS: -26}
				calls[i] = p.dial(t, "3001", tones[i])
			}
			for i, pcm := range listen(calls, 800*time.Millisecond) {
				for k, tone := range tones {
					got := audiotest.Steady(pcm, int(calls[i].Rate()), tone.Hz)
					if k == i {
						if got > tone.DBFS-35 {
							t.Errorf("caller %d hears himself at %.1f dBFS", i, got)
						}
					} else if got < tone.DBFS-1.5 || got > tone.DBFS+1.5 {
						t.Errorf("caller %d hears caller %d at %.1f dBFS, sent at %.1f", i, k, got, tone.DBFS)
					}
				}
			}
		})
	}
}

// listen records what all callers hear at the same time, after all are in and
// the jitter buffers have settled.
func listen(calls []*siptest.Call, d time.Duration) [][]int16 {
	heard := make([][]int16, len(calls))
	var wg sync.WaitGroup
	for i, c := range calls {
		wg.Go(func() {
			c.Listen(400 * time.Millisecond)
			heard[i] = c.Listen(d)
		})
	}
	wg.Wait()
	return heard
}
