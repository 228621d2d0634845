package adapter_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/adapter"
	"parley/adapter/config"
	"parley/codec"
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
	vacant(t, c)
	if edit != nil {
		edit(c)
	}
	return run(t, c, adapter.Options{Log: slog.New(slog.NewTextHandler(logWriter{t}, nil))})
}

// lastPort counts those that vacant has looked at.
var lastPort atomic.Int32

// vacant puts a configuration on ports that nobody has: below those that the
// system hands out, so that no phone of these tests takes one meanwhile, and
// others for each process that tests.
func vacant(t *testing.T, c *config.Config) {
	t.Helper()
	c.StateDir = t.TempDir()
	var got []string
	for tries := 0; len(got) < 5; tries++ {
		at := fmt.Sprintf("127.0.0.1:%d", 20000+50*(os.Getpid()%240)+int(lastPort.Add(1))%50)
		udp, err := net.ListenPacket("udp", at)
		if err == nil {
			var tcp net.Listener
			if tcp, err = net.Listen("tcp", at); err == nil {
				got = append(got, at)
				_ = tcp.Close()
			}
			_ = udp.Close()
		}
		if tries > 100 {
			t.Fatal(err)
		}
	}
	c.SIP.Listen, c.FreeSWITCH.Listen, c.AudioSocket.Listen, c.HTTP.Listen = got[0], got[1], got[2], got[3]
	c.ESLServer.Listen = got[4]
	c.RTP.Ports = config.Ports{First: 12000, Last: 17999}
}

// run runs a Parley until the end of the test.
func run(t *testing.T, c *config.Config, o adapter.Options) parley {
	t.Helper()
	o.Version, o.MaxLoad = "test", 100 // no call is refused on a busy machine
	app, err := adapter.Start(t.Context(), c, o)
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
	return p.dialWith(t, room, siptest.Options{User: fmt.Sprintf("1%03.0f", tone.Hz)}, siptest.CallOptions{Tone: tone})
}

// dialWith calls a room with a phone of its own; it must be answered.
func (p parley) dialWith(t *testing.T, room string, o siptest.Options, c siptest.CallOptions) *siptest.Call {
	t.Helper()
	call, err := p.try(t, room, o, c)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// try is dialWith for a call that may be refused.
func (p parley) try(t *testing.T, room string, o siptest.Options, c siptest.CallOptions) (*siptest.Call, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return phone(t, o).Dial(ctx, "sip:"+room+"@"+p.config.SIP.Listen, c)
}

// quiet has no tones, prompts and music that would be heard over a test's own.
func quiet(c *config.Config) {
	for i := range c.Profiles {
		p := &c.Profiles[i]
		p.EntryTone, p.ExitTone, p.AloneSound, p.MOHSound, p.EndedSound = "", "", "", "", ""
	}
}

func TestEverybodyHearsTheOthersAndNotHimself(t *testing.T) {
	p := start(t, quiet)
	for _, tt := range []struct {
		name string
		n    int
		kind func(int) []codec.Format
	}{
		{"two", 2, func(int) []codec.Format { return narrow() }},
		{"three", 3, func(int) []codec.Format { return wide() }},
		{"eight", 8, func(int) []codec.Format { return narrow() }},
		{"eight-mixed", 8, mixed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all := tones(tt.n, -26)
			calls := p.gather(t, tt.name, all, tt.kind)
			othersAreHeard(t, calls, all, 800*time.Millisecond)
		})
	}
}

// othersAreHeard wants that callers who each say a tone hear all the others.
func othersAreHeard(t *testing.T, calls []*siptest.Call, all []siptest.Tone, d time.Duration) {
	t.Helper()
	sometimes(t, func() (faults []string) {
		for i, pcm := range listen(calls, d) {
			faults = append(faults, hearsOthers(pcm, int(calls[i].Rate()), all, i)...)
		}
		return faults
	})
}

// hearsOthers judges what caller i hears of callers who each say a tone.
func hearsOthers(pcm []int16, rate int, all []siptest.Tone, i int) (faults []string) {
	for k, tone := range all {
		got := audiotest.Steady(pcm, rate, tone.Hz)
		switch {
		case k == i && got > tone.DBFS-35:
			faults = append(faults, fmt.Sprintf("caller %d hears himself at %.1f dBFS", i, got))
		case k != i && (got < tone.DBFS-1.5 || got > tone.DBFS+1.5):
			faults = append(faults, fmt.Sprintf("caller %d hears caller %d at %.1f dBFS, sent at %.1f", i, k, got, tone.DBFS))
		}
	}
	return faults
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

// TestAnyAddress listens on every address of the machine.
func TestAnyAddress(t *testing.T) {
	for _, any := range []string{"0.0.0.0", "", "[::]"} {
		t.Run(any, func(t *testing.T) {
			t.Parallel()
			p := start(t, func(c *config.Config) {
				quiet(c)
				_, port, _ := net.SplitHostPort(c.SIP.Listen)
				c.SIP.Listen = any + ":" + port
			})
			_, port, _ := net.SplitHostPort(p.config.SIP.Listen)
			p.config.SIP.Listen = "127.0.0.1:" + port
			calls := p.gather(t, "3001", tones(2, -26), mixed)
			othersAreHeard(t, calls, tones(2, -26), 400*time.Millisecond)
		})
	}
}
