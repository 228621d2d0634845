package rtp

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

var errNone = errors.New("nothing came")

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

func openPorts(t testing.TB, first, last uint16) *Ports {
	t.Helper()
	p, err := NewPorts(loopback(), first, last)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// peer is a plain UDP socket that speaks RTP through pion alone.
type peer struct {
	t    testing.TB
	conn *net.UDPConn
	seq  uint16
	ssrc uint32
	ts   uint32
}

func newPeer(t testing.TB) *peer { return listenPeer(t, loopback()) }

func listenPeer(t testing.TB, host netip.Addr) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: t, conn: conn, seq: 65530, ssrc: 7}
}

func (p *peer) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p *peer) send(s *Session, pt uint8, payload []byte) {
	p.t.Helper()
	p.raw(s, p.packet(pt, payload))
}

// packet is the peer's next.
func (p *peer) packet(pt uint8, payload []byte) []byte {
	p.t.Helper()
	b, err := (&rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: pt, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc,
	}, Payload: payload}).Marshal()
	if err != nil {
		p.t.Fatal(err)
	}
	p.seq++
	p.ts += 160
	return b
}

func (p *peer) raw(s *Session, b []byte) {
	p.t.Helper()
	to := loopback()
	if p.addr().Addr().Is6() {
		to = netip.IPv6Loopback()
	}
	if _, err := p.conn.WriteToUDPAddrPort(b, netip.AddrPortFrom(to, s.Port())); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) read() (rtp.Packet, error) {
	var buf [2048]byte
	if err := p.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		p.t.Fatal(err)
	}
	n, _, err := p.conn.ReadFromUDPAddrPort(buf[:])
	if err != nil {
		return rtp.Packet{}, errNone
	}
	var pkt rtp.Packet
	return pkt, pkt.Unmarshal(append([]byte(nil), buf[:n]...))
}

func openSession(t testing.TB, o Options) *Session {
	t.Helper()
	s, err := Open(openPorts(t, 41000, 41999), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSessionReceivesFromItsSourceOnly(t *testing.T) {
	a, b := newPeer(t), newPeer(t)
	s := openSession(t, Options{Remote: a.addr(), EventPayload: 101, EventReceive: 101})
	now := int64(1e18)
	a.send(s, 0, []byte{1})
	b.send(s, 0, []byte{2})
	a.raw(s, []byte{0x80, 0})
	a.raw(s, append([]byte{0x00, 0}, make([]byte, 170)...))
	a.send(s, 96, []byte{3})
	a.raw(s, make([]byte, 3000))
	s.Drain(now)
	st := s.Stats()
	if st.PacketsIn != 1 || st.Dropped["source"] != 1 || st.Dropped["version"] != 1 ||
		st.Dropped["payload"] != 1 || st.Dropped["size"] != 2 {
		t.Errorf("%+v", st)
	}
}

func TestSessionLatchesOnce(t *testing.T) {
	signalled, nat, thief := newPeer(t), newPeer(t), newPeer(t)
	s := openSession(t, Options{Remote: signalled.addr(), Latch: true})
	nat.send(s, 0, []byte{1})
	s.Drain(1e18)
	thief.send(s, 0, []byte{2})
	s.Drain(1e18 + frame)
	s.publish()
	if st := s.Stats(); st.PacketsIn != 1 || st.Dropped["source"]+st.Dropped["kernel"] != 1 {
		t.Errorf("%+v", st)
	}
	s.Send([]byte{9}, 0, false)
	if pkt, err := nat.read(); err != nil || pkt.Payload[0] != 9 || !pkt.Marker {
		t.Errorf("%+v %v", pkt, err)
	}
	if _, err := thief.read(); err == nil {
		t.Error("audio went to the thief")
	}
	s.SetRemote(thief.addr(), netip.AddrPort{}) // a re-INVITE may move it
	s.Drain(1e18 + 2*frame)
	s.Send([]byte{8}, 160, false)
	if pkt, err := thief.read(); err != nil || pkt.Payload[0] != 8 {
		t.Errorf("after SetRemote: %+v %v", pkt, err)
	}
}

func TestSessionFollowsSSRCButNotTwoAtOnce(t *testing.T) {
	a := newPeer(t)
	s := openSession(t, Options{Remote: a.addr()})
	now := int64(1e18)
	step := func(ssrc uint32, pause int64) {
		a.ssrc = ssrc
		a.send(s, 0, []byte{byte(ssrc)})
		now += pause
		s.Drain(now)
	}
	for range 5 {
		step(1, frame)
	}
	for range 10 { // a second stream beside the first
		step(2, 0)
		step(1, frame)
	}
	if st := s.Stats(); st.Dropped["ssrc"] != 10 || st.PacketsIn != 15 {
		t.Errorf("alternating: %+v", st)
	}
	for range 5 {
		step(3, frame) // a successor
	}
	if st := s.Stats(); st.PacketsIn < 18 {
		t.Errorf("successor: %+v", st)
	}
}

func TestSessionSendsInOrderAndHolds(t *testing.T) {
	a := newPeer(t)
	s := openSession(t, Options{Remote: a.addr(), Payload: 8})
	s.Drain(1e18)
	var first rtp.Packet
	for i := range uint32(5) {
		s.Send([]byte{byte(i)}, i*160, false)
		pkt, err := a.read()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = pkt
		}
		if pkt.PayloadType != 8 || pkt.SequenceNumber != first.SequenceNumber+uint16(i) ||
			pkt.Timestamp != first.Timestamp+i*160 || pkt.Marker != (i == 0) {
			t.Errorf("packet %d: %+v", i, pkt.Header)
		}
	}
	s.Hold(true)
	s.Send([]byte{1}, 5*160, false)
	if _, err := a.read(); !errors.Is(err, errNone) {
		t.Error("sent while on hold")
	}
}

func TestSessionCarriesDigitsBothWays(t *testing.T) {
	a := newPeer(t)
	s := openSession(t, Options{Remote: a.addr(), EventPayload: 101, EventReceive: 101})
	a.send(s, 0, []byte{1})
	a.ts = 5000
	for range 3 {
		ts := a.ts
		a.send(s, 101, event(7, true, 800))
		a.ts = ts
	}
	s.Drain(1e18)
	if d, ok := s.Digit(); !ok || d != '7' || s.Pressed() != 100*time.Millisecond {
		t.Errorf("got %q %v, held %v", d, ok, s.Pressed())
	}
	if d, ok := s.Digit(); ok {
		t.Errorf("again %q", d)
	}
	if err := s.SendDigit('x'); !errors.Is(err, ErrDigit) {
		t.Errorf("SendDigit(x): %v", err)
	}
	if err := s.SendDigit('#'); err != nil {
		t.Fatal(err)
	}
	ends := 0
	for i := range uint32(10) {
		s.Send([]byte{0}, i*160, false)
		pkt, err := a.read()
		if err != nil {
			t.Fatal(err)
		}
		if pkt.PayloadType == 101 && pkt.Payload[1]&eventEnd != 0 {
			ends++
		}
	}
	if ends != endPackets {
		t.Errorf("%d end packets, want %d", ends, endPackets)
	}
}

func TestReportsAreReadByAnotherImplementation(t *testing.T) {
	a := newPeer(t)
	control := newPeer(t)
	s := openSession(t, Options{Remote: a.addr(), RemoteRTCP: control.addr()})
	now := time.Now().UnixNano()
	for i := range uint32(600) {
		if i%10 != 5 {
			a.send(s, 0, []byte{1})
		} else {
			a.seq++
		}
		s.Drain(now)
		s.Send([]byte{1}, i*160, false)
		s.Report(now)
		now += frame
	}
	var buf [1500]byte
	if err := control.conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	var report *rtcp.SenderReport
	for range 2 { // the second one covers a whole interval
		n, _, err := control.conn.ReadFromUDPAddrPort(buf[:])
		if err != nil {
			t.Fatal(err)
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
		sr, ok := packets[0].(*rtcp.SenderReport)
		if !ok || len(sr.Reports) != 1 || len(packets) != 2 {
			t.Fatalf("%v", packets)
		}
		report = sr
	}
	block := report.Reports[0]
	if block.SSRC != a.ssrc || block.FractionLost < 20 || block.FractionLost > 31 {
		t.Errorf("%+v, want about 26/256 lost", block)
	}
	b, err := (&rtcp.ReceiverReport{SSRC: 7, Reports: []rtcp.ReceptionReport{{
		SSRC: report.SSRC, FractionLost: 64, LastSenderReport: uint32(report.NTPTime >> 16), Delay: 6553,
	}}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s.readReports(b, int64(report.NTPTime>>32-ntpEpoch)*1e9+int64(1200*time.Millisecond))
	if st := s.Stats(); st.PeerLost != 0.25 || st.RoundTrip <= 0 || st.RoundTrip > 1200*time.Millisecond {
		t.Errorf("%+v", st)
	}
}

func TestPortsAreSkippedAndRunOut(t *testing.T) {
	busy, err := openSocket(netip.AddrPortFrom(loopback(), 42004), batch, receiveRoom)
	if err != nil {
		t.Fatal(err)
	}
	defer busy.close()
	p := openPorts(t, 42000, 42007)
	seen := map[uint16]bool{}
	for range 3 {
		s, err := Open(p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if s.Port()%2 != 0 || s.Port() == 42004 || seen[s.Port()] {
			t.Errorf("port %d", s.Port())
		}
		seen[s.Port()] = true
	}
	if _, err := Open(p, Options{}); !errors.Is(err, ErrNoPort) {
		t.Errorf("a fifth pair: %v", err)
	}
}

func TestCloseMayComeFromAnywhere(t *testing.T) {
	a := newPeer(t)
	for range 50 {
		s := openSession(t, Options{Remote: a.addr()})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range uint32(50) {
				s.Drain(int64(i))
				s.Send([]byte{1}, i*160, false)
				s.Report(int64(i))
			}
		}()
		_ = s.Close()
		_ = s.Close()
		<-done
	}
}

func TestSessionAllocatesNothing(t *testing.T) {
	a, b := openSession(t, Options{}), openSession(t, Options{})
	a.SetRemote(netip.AddrPortFrom(loopback(), b.Port()), netip.AddrPort{})
	b.SetRemote(netip.AddrPortFrom(loopback(), a.Port()), netip.AddrPort{})
	payload, buf := make([]byte, 160), make([]byte, 1500)
	now, ts := time.Now().UnixNano(), uint32(0)
	if n := testing.AllocsPerRun(2000, func() {
		a.Drain(now)
		b.Drain(now)
		a.Send(payload, ts, false)
		b.Take(buf)
		b.Digit()
		a.Report(now)
		b.Report(now)
		now, ts = now+frame, ts+160
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if st := b.Stats(); st.PacketsIn < 1900 {
		t.Errorf("only %d packets went through", st.PacketsIn)
	}
}

// FuzzDatagram: no datagram of the right source harms a session.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5}, uint8(0))
	f.Add([]byte{0xBF, 101, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5}, uint8(1))
	f.Add([]byte{0x81, 200, 0, 12, 0, 0, 0, 1}, uint8(2))
	s := openSession(f, Options{EventPayload: 101, EventReceive: 101})
	from := netip.AddrPortFrom(loopback(), 9)
	s.SetRemote(from, netip.AddrPort{})
	s.Drain(1)
	var buf [64]byte
	f.Fuzz(func(_ *testing.T, b []byte, ticks uint8) {
		s.accept(b, from, s.now)
		s.readReports(b, s.now)
		for range ticks % 8 {
			s.now += frame
			s.Take(buf[:])
			s.digits.idle(s.now)
			s.Digit()
		}
	})
}

func BenchmarkSessionOverLoopback(b *testing.B) {
	x, y := openSession(b, Options{}), openSession(b, Options{})
	x.SetRemote(netip.AddrPortFrom(loopback(), y.Port()), netip.AddrPort{})
	y.SetRemote(netip.AddrPortFrom(loopback(), x.Port()), netip.AddrPort{})
	payload, buf := make([]byte, 160), make([]byte, 1500)
	now, ts := int64(1e18), uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range [2]*Session{x, y} {
			s.Drain(now)
			s.Take(buf)
			s.Send(payload, ts, false)
			s.Report(now)
		}
		now, ts = now+frame, ts+160
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2, "ns/leg")
}
