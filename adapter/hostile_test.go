package adapter_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/adapter"
	"parley/adapter/config"
	"parley/internal/audiotest"
	"parley/internal/tick"
	"parley/sip/siptest"
)

// attacker is a loopback address that no phone of these tests has: what is
// counted per source must not fall back on them.
const attacker = "127.0.0.3"

// siege is a Parley in which two callers hear each other's tone while somebody
// else does his worst.
type siege struct {
	parley
	log     *logBook
	callers [2]*siptest.Call
}

// tones of the two callers.
var siegeTones = [2]siptest.Tone{{Hz: 440, DBFS: -26}, {Hz: 1000, DBFS: -26}}

// besiege starts it.
func besiege(t *testing.T, edit func(*config.Config)) *siege {
	t.Helper()
	s := &siege{log: &logBook{}}
	s.parley = s.open(t, edit)
	for i, tone := range siegeTones {
		s.callers[i] = s.dial(t, "3001", tone)
	}
	listen(s.callers[:], 200*time.Millisecond)
	return s
}

// open is start with a log that can be read.
func (s *siege) open(t *testing.T, edit func(*config.Config)) parley {
	t.Helper()
	c := config.Defaults()
	vacant(t, c)
	quiet(c)
	if edit != nil {
		edit(c)
	}
	c.Log.Format = map[bool]string{false: "text", true: "json"}[s.log.json]
	return run(t, c, adapter.Options{Log: adapter.NewLog(s.log, c.Log)})
}

// logBook keeps what a Parley logs.
type logBook struct {
	journal
	json bool
}

func (b *logBook) lines() []string { return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") }

// metric reads one figure as Prometheus would: again where its connection had to make
// room for another's.
func (s *siege) metric(t *testing.T, name string) (f float64) {
	t.Helper()
	if !eventually(20*time.Second, func() (ok bool) { f, ok = s.scrape(t, name); return ok }) {
		t.Fatalf("no metric %s", name)
	}
	return f
}

func (s *siege) scrape(t *testing.T, name string) (f float64, ok bool) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.config.HTTP.Listen+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Log(err)
		return 0, false
	}
	defer res.Body.Close()
	for in := bufio.NewScanner(res.Body); in.Scan(); {
		if v, ok := strings.CutPrefix(in.Text(), name+" "); ok {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				t.Fatal(err)
			}
			return f, true
		}
	}
	t.Log(name, res.Status)
	return 0, false
}

// state is what must be the same before and after.
type state struct {
	heap       uint64
	goroutines int
	legs       float64
}

func (s *siege) state(t *testing.T) state {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return state{m.HeapAlloc, runtime.NumGoroutine(), s.metric(t, "parley_legs")}
}

// noise counts, until stop, the periods of 20 ms of a plain goroutine, and how
// many of them began more than 20 ms late: what the machine does to everybody.
func noise() (stop func() (late, all float64)) {
	var late, all float64
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		next := time.Now()
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-timer.C:
			case <-quit:
				return
			}
			for now := time.Now(); !now.Before(next); next = next.Add(tick.Period) {
				if all++; now.Sub(next) > tick.Period {
					late++
				}
			}
			timer.Reset(time.Until(next))
		}
	}()
	return func() (float64, float64) {
		close(quit)
		<-done
		return late, all
	}
}

// during runs an attack and judges what the callers heard meanwhile: no gap of
// more than one frame; and how late Parley's ticks were: none by 20 ms. Both
// hold on a machine that does nothing else. On others a plain timer of this
// process shows what the machine does by itself: a frame more is allowed for
// each of its late periods, twice its share of late periods, and a fifth of all
// ticks for the chance of whom it hits: this is no measurement, it finds what
// stops the clock, each time. The figures are in the log of the test.
func (s *siege) during(t *testing.T, attack func(context.Context)) (faults []string) {
	t.Helper()
	overdue, ticks := s.metric(t, "parley_ticks_overdue_total"), s.metric(t, "parley_ticks_total")
	stop := noise()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var from [2]int
	for i, c := range s.callers {
		from[i] = len(c.Record())
	}
	began := time.Now()
	attack(ctx)
	took := time.Since(began)
	for _, c := range s.callers { // what is on its way
		c.Listen(60 * time.Millisecond)
	}
	late, all := stop()
	overdue = s.metric(t, "parley_ticks_overdue_total") - overdue
	ticks = s.metric(t, "parley_ticks_total") - ticks
	var gaps [2]time.Duration
	for i, c := range s.callers {
		pcm, rate := c.Record()[from[i]:], int(c.Rate())
		gaps[i] = time.Duration(audiotest.LongestGap(pcm, -46)) * time.Second / time.Duration(rate)
	}
	t.Logf("%v: longest gaps %v; %v of %v ticks overdue, of a plain timer %v of %v",
		took.Round(time.Millisecond), gaps, overdue, ticks, late, all)
	if overdue > 2+2*ticks*late/all+ticks/5 {
		faults = append(faults, fmt.Sprintf("%v of %v ticks were more than 20 ms late; those of a plain timer %v of %v", overdue, ticks, late, all))
	}
	for i, gap := range gaps {
		if limit := tick.Period * time.Duration(1+late); gap > limit+2*time.Millisecond {
			faults = append(faults, fmt.Sprintf("caller %d heard a gap of %v, at most %v", i, gap, limit))
		}
	}
	return faults
}

// recovers waits until what an attack cost is given back. Of each call that was
// taken, the SIP transaction may stay for the 32 s of RFC 3261.
func (s *siege) recovers(t *testing.T, before state, calls int) {
	t.Helper()
	const threads = 20
	memory := uint64(8<<20 + calls*48<<10)
	var now state
	if !eventually(8*time.Second, func() bool {
		now = s.state(t)
		return now.heap < before.heap+memory && now.goroutines < before.goroutines+threads && now.legs <= before.legs
	}) {
		t.Errorf("heap %d KiB, was %d; %d goroutines, were %d; %v legs, were %v", now.heap>>10, before.heap>>10,
			now.goroutines, before.goroutines, now.legs, before.legs)
	}
	t.Logf("heap %d KiB, was %d; %d goroutines, were %d; %v legs", now.heap>>10, before.heap>>10,
		now.goroutines, before.goroutines, now.legs)
	if n := s.metric(t, "parley_sip_panics_total"); n != 0 {
		t.Errorf("%v panics", n)
	}
	for _, line := range s.log.lines() {
		if strings.Contains(line, "panic") {
			t.Errorf("log: %s", line)
		}
	}
}

// eventually looks every 50 ms whether something has come true.
func eventually(limit time.Duration, holds func() bool) bool {
	end := time.NewTimer(limit)
	defer end.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-end.C:
			return false
		}
	}
	return true
}

// paced calls f n times in bursts with 5 ms between them.
func paced(ctx context.Context, n, burst int, f func(i int)) {
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for i := range n {
		if i%burst == burst-1 {
			select {
			case <-pause.C:
			case <-ctx.Done():
				return
			}
		}
		f(i)
	}
}

// udpFrom opens a socket of the attacker's that sends to a port of ours.
func udpFrom(t *testing.T, to string) *net.UDPConn {
	t.Helper()
	addr, err := net.ResolveUDPAddr("udp4", to)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(attacker)}, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// tcpFrom opens a connection of the attacker's.
func tcpFrom(ctx context.Context, t *testing.T, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(attacker)}}
	c, err := d.DialContext(ctx, "tcp4", to)
	if err != nil {
		t.Errorf("dial %s: %v", to, err)
		return nil
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
