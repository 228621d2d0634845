package native

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parley/codec"
	"parley/engine"
	"parley/rtp"
)

// A room of 1,000 legs at 16 kHz, all of them talking, on one core: the tick
// that is slower than all but one in a thousand. What else the machine does is in
// the first two figures, and not in those of the thread's own clock.
func BenchmarkTickOfAThousand(b *testing.B) {
	const legs = 1000
	r := newRig(b, Options{})
	defer r.sw.Close()
	room := crowd(r, legs, legs, codec.L16(16000))
	settle(b, r, room)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	n := uint64(1000)
	took, cpu := make([]time.Duration, 0, 1<<20), make([]time.Duration, 0, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		n++
		start, used := time.Now(), threadTime(b)
		room.run(0, int64(n)*20e6, n)
		if len(took) < cap(took) {
			took, cpu = append(took, time.Since(start)), append(cpu, threadTime(b)-used)
		}
	}
	perLeg(b, legs)
	for name, all := range map[string][]time.Duration{"": took, "cpu-": cpu} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2])/1e6, name+"p50-ms")
		b.ReportMetric(float64(all[len(all)*999/1000])/1e6, name+"p99.9-ms")
	}
}

// A room on real sockets, each leg on its own and many on one. The phones' side
// is not timed.
func BenchmarkRoomOnSockets(b *testing.B) {
	for _, legs := range []int{10, 100} {
		for _, shared := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/shared=%v", legs, shared), func(b *testing.B) { onSockets(b, legs, shared) })
		}
	}
}

// boxed is an rtp.Session as a Batcher.
type boxed struct{ *rtp.Session }

func (s boxed) Batch(o Outbox) { s.Session.Batch(o.(*rtp.Outbox)) }

func onSockets(b *testing.B, legs int, shared bool) {
	const talkers = 3
	r := newRig(b, Options{Outbox: func() Outbox { return new(rtp.Outbox) }})
	defer r.sw.Close()
	ports, err := rtp.NewPorts(netip.MustParseAddr("127.0.0.1"), 46000, 46999)
	if err != nil {
		b.Fatal(err)
	}
	h := r.hall()
	var phones []*rtp.Session
	for i := range legs {
		ours, theirs := connect(b, ports, shared)
		phones = append(phones, theirs)
		l, err := r.sw.NewLeg(engine.LegID(fmt.Sprint(i)), boxed{ours}, codec.PCMU())
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		defer theirs.Close()
		h.Admit(0, engine.MemberID(i+1), &caller{Leg: l}, engine.MemberState{})
	}
	settle(b, r, h.Bridge)
	payload := [2][]byte{encode(b, codec.PCMU(), mute(8000)(0)), encode(b, codec.PCMU(), tone(8000, 400, -20)(0))}
	n := uint64(1000)
	now := time.Now().UnixNano()
	var packet [maxPacket]byte
	var cpu time.Duration
	before := r.sw.seen()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		n++
		now += 20e6
		for i, p := range phones {
			p.Drain(now)
			for k, _ := p.Take(packet[:]); k > 0; k, _ = p.Take(packet[:]) {
			}
			p.Send(payload[max(0, min(1, talkers-i))], uint32(n)*160, false)
		}
		start := threadTime(b)
		b.StartTimer()
		h.run(0, now, n)
		cpu += threadTime(b) - start
	}
	perLeg(b, legs)
	per := float64(b.N) * float64(legs)
	b.ReportMetric(float64(cpu.Nanoseconds())/per, "cpu-ns/leg")
	b.ReportMetric(float64(r.sw.seen()-before)/per, "packets/leg")
}

// threadTime is what the calling thread has used of a processor.
func threadTime(b *testing.B) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ts.Nano())
}

// seen is how many packets the legs' sessions have received.
func (s *Switch) seen() (n uint64) {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	for l := range s.ledger.live {
		n += l.port.(boxed).Stats().PacketsIn
	}
	return n
}

// connect makes two sessions that send to each other, ours on shared ports where
// that is wanted and a session before has shown that the host is what it says.
func connect(b *testing.B, ports *rtp.Ports, shared bool) (ours, theirs *rtp.Session) {
	b.Helper()
	pair, err := ports.Reserve()
	if err != nil {
		b.Fatal(err)
	}
	local := netip.MustParseAddr("127.0.0.1")
	there := netip.AddrPortFrom(local, pair.Port())
	reserve := ports.Reserve
	if shared {
		reserve = func() (*rtp.Pair, error) { return ports.ReserveFor(there, netip.AddrPort{}) }
	}
	mine, err := reserve()
	if err != nil {
		b.Fatal(err)
	}
	ours = mine.Session(rtp.Options{Remote: there})
	theirs = pair.Session(rtp.Options{Remote: netip.AddrPortFrom(local, mine.Port())})
	now := time.Now().UnixNano()
	theirs.Drain(now)
	theirs.Send(make([]byte, 160), 0, false)
	ours.Drain(now + 1)
	return ours, theirs
}
