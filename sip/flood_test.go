package sip

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestTenThousandInvitesFromOneSource(t *testing.T) {
	o := Options{MaxCalls: 100}
	o.Incoming = func(c *Call) Events { return nil } // rings for ever: the worst case
	bubble(t, o, func(t *testing.T, r *rig) {
		flood := make([][]byte, 10_000)
		for i := range flood {
			flood[i] = r.p.leg().invite(pcmuSDP).bytes()
		}
		other := r.peer("10.0.0.3:5060")
		was := heap()
		for _, m := range flood {
			r.p.raw(m)
		}
		other.send(other.leg().request("OPTIONS"))
		synctest.Wait()
		other.response(503) // full, but answered, and at once
		if n := r.Calls(); n != 100 {
			t.Errorf("%d calls", n)
		}
		if n := r.servers.len(); n != 100 {
			t.Errorf("%d transactions", n)
		}
		s := r.Stats()
		if got := s.Limited.Load() + s.Refused.Load() + s.Flooded.Load() + s.CallsIn.Load(); got != 10_001 {
			t.Errorf("%d accounted for: limited %d, refused %d, flooded %d", got, s.Limited.Load(), s.Refused.Load(), s.Flooded.Load())
		}
		for r.p.next(0) != nil { // what it was answered does not count
		}
		if grown := int64(heap() - was); grown > 4<<20 {
			t.Errorf("heap grew by %d KiB", grown>>10)
		}
		for _, c := range r.calls.all() {
			_ = c.Reject(486)
		}
		time.Sleep(time.Minute)
		if r.servers.len() != 0 || r.Calls() != 0 {
			t.Errorf("%d transactions, %d calls left", r.servers.len(), r.Calls())
		}
		other.send(other.leg().invite(pcmuSDP))
		other.response(100)
	})
}

// TestCallsThatNobodyConfirms: one address, which may be a false one, cannot take all
// places of all callers by calls whose answer it never gets.
func TestCallsThatNobodyConfirms(t *testing.T) {
	const most = 20
	o := Options{MaxCalls: 100, Rate: Rate{Requests: 1000, Burst: most}}
	bubble(t, o, func(t *testing.T, r *rig) {
		tries := func(n int) (up []*leg) {
			for range n {
				l := r.p.leg()
				l.send(l.invite(pcmuSDP))
				for m := r.p.next(time.Millisecond); m != nil; m = r.p.next(time.Millisecond) {
					if m.code() == 200 && m.get("Call-ID") == l.id && l.remote == "" {
						l.remote = tagIn(m.get("To"))
						up = append(up, l)
					}
				}
			}
			return up
		}
		taken := tries(200)
		if len(taken) != most || r.Calls() != most || r.Stats().Limited.Load() != 200-most {
			t.Fatalf("%d are taken, %d calls, %d limited", len(taken), r.Calls(), r.Stats().Limited.Load())
		}
		other := r.peer("10.0.0.3:5060")
		other.leg().up(pcmuSDP)
		for _, l := range taken[:5] {
			l.send(l.request("ACK"))
		}
		if more := tries(10); len(more) != 5 {
			t.Errorf("%d more when 5 were confirmed", len(more))
		}
		time.Sleep(time.Minute) // those are given up
		for r.p.next(time.Millisecond) != nil {
		}
		if again := tries(200); len(again) != most {
			t.Errorf("%d later", len(again))
		}
	})
}

func TestLimiterForgets(t *testing.T) {
	l := newLimiter(Rate{Requests: 1, Burst: 2, Sources: 100})
	now := time.Unix(1e9, 0)
	a := netip.MustParseAddr("10.0.0.1")
	for i, want := range []bool{true, true, false} {
		if got := l.request(a, now); got != want {
			t.Errorf("request %d: %v", i, got)
		}
	}
	if !l.request(a, now.Add(time.Second)) {
		t.Error("not even after a second")
	}
	for i := range 100_000 {
		b := a.As4()
		binary.BigEndian.PutUint32(b[:], uint32(i))
		l.request(netip.AddrFrom4(b), now)
		if i%10 == 0 && l.request(a, now.Add(time.Second)) { // who keeps asking is not forgotten
			t.Fatalf("forgotten after %d others", i)
		}
	}
	if n := len(l.young) + len(l.old); n > 101 {
		t.Errorf("%d sources remembered", n)
	}
	v6 := func(s string) bool { return l.request(netip.MustParseAddr(s), now) }
	if !v6("2001:db8::1") || !v6("2001:db8::2") || v6("2001:db8::3") {
		t.Error("addresses of one network are one source")
	}
	off := newLimiter(Rate{Off: true})
	for range 1000 {
		if !off.request(a, now) || !off.message(a, now) {
			t.Fatal("limited")
		}
	}
}

func TestTrustedAreNotLimited(t *testing.T) {
	o := Options{Rate: Rate{Requests: 1, Burst: 1, Messages: 1}, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/32")}}
	bubble(t, o, func(t *testing.T, r *rig) {
		for range 100 {
			r.p.send(r.p.leg().request("OPTIONS"))
			r.p.response(200)
		}
		other := r.peer("10.0.0.3:5060")
		for i, code := range []int{200, 503} {
			other.send(other.leg().request("OPTIONS"))
			if m := other.next(time.Second); m == nil || m.code() != code {
				t.Errorf("%d: %+v", i, m)
			}
		}
		other.send(other.leg().request("OPTIONS"))
		other.quiet(time.Millisecond)
	})
}

func TestCallsInWhichNothingHappensCostLittle(t *testing.T) {
	o := Options{Rate: Rate{Off: true}}
	o.Incoming = func(c *Call) Events { _ = c.Answer(ours()); return nil }
	bubble(t, o, func(t *testing.T, r *rig) {
		const calls = 1000
		was, threads := heap(), runtime.NumGoroutine()
		for range calls {
			l := r.p.leg()
			l.send(l.invite(pcmuSDP))
			m := r.p.next(time.Second)
			for m.code() != 200 {
				m = r.p.next(time.Second)
			}
			l.remote = tagIn(m.get("To"))
			l.send(l.request("ACK"))
		}
		time.Sleep(time.Minute) // sipgo keeps the INVITE's transaction for 32 s
		if n := (heap() - was) / calls; n > 5<<10 {
			t.Errorf("%d bytes each", n)
		}
		if n := runtime.NumGoroutine() - threads; n > 0 {
			t.Errorf("%d goroutines more", n)
		}
		if n := r.Calls(); n != calls {
			t.Errorf("%d calls", n)
		}
	})
}
