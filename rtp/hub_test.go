package rtp

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// harbour is ports whose hub is open: a peer has sent from where it said.
type harbour struct {
	*Ports
	t   testing.TB
	now int64
}

func openHarbour(t testing.TB, first, last uint16) *harbour {
	t.Helper()
	h := &harbour{Ports: openPorts(t, first, last), t: t, now: time.Now().UnixNano()}
	a := newPeer(t)
	s := h.call(a)
	if s.Shared() {
		t.Fatal("who is unknown has shared ports")
	}
	a.send(s, 0, []byte{1})
	s.Drain(h.step())
	return h
}

// step is the next tick, at least a frame after all that was sent: arrivals have the
// system's time.
func (h *harbour) step() int64 {
	h.now = max(h.now, time.Now().UnixNano()) + frame
	return h.now
}

// call is what happens for an INVITE whose offer names the peer.
func (h *harbour) call(p *peer) *Session { return h.callAt(p.addr()) }

func (h *harbour) callAt(at netip.AddrPort) *Session {
	h.t.Helper()
	pair, err := h.ReserveFor(at, netip.AddrPort{})
	if err != nil {
		h.t.Fatal(err)
	}
	s := pair.Session(Options{Remote: at, Latch: true})
	h.t.Cleanup(func() { _ = s.Close() })
	return s
}

// took is what a session has to play.
func took(s *Session) (b byte) {
	var buf [200]byte
	if n, _ := s.Take(buf[:]); n > 0 {
		return buf[0]
	}
	return 0
}

func TestCallsOfOneHostShareAPortAndHearTheirOwn(t *testing.T) {
	h := openHarbour(t, 43000, 43099)
	var box Outbox
	peers := []*peer{newPeer(t), newPeer(t), newPeer(t)}
	var calls []*Session
	for _, p := range peers {
		s := h.call(p)
		s.Batch(&box)
		if calls = append(calls, s); !s.Shared() || s.Port() != calls[0].Port() {
			t.Fatalf("shared %v, port %d", s.Shared(), s.Port())
		}
	}
	for i, p := range peers {
		p.send(calls[i], 0, []byte{byte(10 + i)})
	}
	now := h.step()
	for i, s := range calls {
		s.Drain(now)
		if got := took(s); got != byte(10+i) {
			t.Errorf("call %d hears %d", i, got)
		}
		s.Send([]byte{byte(20 + i)}, 0, false)
	}
	if peers[0].heard() {
		t.Error("a packet left before its outbox was flushed")
	}
	box.Flush()
	for i, p := range peers {
		if pkt, err := p.read(); err != nil || pkt.Payload[0] != byte(20+i) {
			t.Errorf("peer %d gets %+v %v", i, pkt, err)
		}
		if st := calls[i].Stats(); st.PacketsIn != 1 || st.PacketsOut != 1 || len(st.Dropped) != 0 {
			t.Errorf("call %d: %+v", i, st)
		}
	}
}

// On shared ports nothing decides who is who but the address.
func TestAStrangerIsNobodyOnSharedPorts(t *testing.T) {
	h := openHarbour(t, 43100, 43199)
	a, thief, far := newPeer(t), newPeer(t), elsewhere(t, 3)
	s := h.call(a)
	for range 2 * strangerPackets {
		thief.send(s, 0, []byte{66})
		far.send(s, 0, []byte{67})
	}
	s.Drain(h.step())
	s.publish()
	st := s.Stats()
	if st.PacketsIn != 0 || st.Dropped["source"] != 2*strangerPackets || st.Dropped["kernel"] != 2*strangerPackets {
		t.Errorf("%+v", st)
	}
	s.Send([]byte{1}, 0, false)
	if _, err := a.read(); err != nil || thief.heard() {
		t.Error("audio went elsewhere than to the address that was named")
	}
}

func TestAnAddressIsTheFirstOnes(t *testing.T) {
	h := openHarbour(t, 43200, 43299)
	a, b := newPeer(t), newPeer(t)
	first, other := h.call(a), h.call(b)
	if s := h.call(a); s.Port() == first.Port() {
		t.Error("a second call with the same address is on the same ports")
	} else if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	other.SetRemote(a.addr(), netip.AddrPort{}) // a re-INVITE that wants another's audio
	a.send(first, 0, []byte{7})
	now := h.step()
	first.Drain(now)
	other.Drain(now)
	if x, y := took(first), took(other); x != 7 || y != 0 {
		t.Errorf("the first hears %d, who wants the address, too, %d", x, y)
	}
	other.Send([]byte{9}, 0, false)
	if a.heard() || other.Stats().Dropped["send"] != 1 {
		t.Error("who took another's address can send to it")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	a.send(other, 0, []byte{8})
	now = h.step()
	if other.Drain(now); took(other) != 8 {
		t.Error("after the first one left, the address is nobody's")
	}
}

// A host whose packets come from elsewhere than it says, as behind a NAT, keeps
// ports of its own; so does one from whom nothing came where it was trusted.
func TestWhoIsNotWhereItSaysGetsItsOwnPorts(t *testing.T) {
	h := &harbour{Ports: openPorts(t, 43300, 43399), t: t, now: time.Now().UnixNano()}
	named, nat := newPeer(t), newPeer(t)
	s := h.call(named)
	nat.send(s, 0, []byte{1})
	s.Drain(h.step())
	if took(s) != 1 {
		t.Fatal("not latched")
	}
	if h.call(newPeer(t)).Shared() {
		t.Error("shared ports for a host that sends from elsewhere")
	}

	h = openHarbour(t, 43400, 43499)
	s = h.call(newPeer(t))
	if s.Doubt(); h.call(newPeer(t)).Shared() || !s.Shared() {
		t.Error("shared ports after doubt")
	}
}

func TestSharedPortsAreClosedByTheLast(t *testing.T) {
	h := openHarbour(t, 43500, 43599)
	var calls []*Session
	for range berths + 1 {
		calls = append(calls, h.call(newPeer(t)))
	}
	at := func(s *Session) error {
		k, err := openSocket(netip.AddrPortFrom(loopback(), s.Port()), batch, receiveRoom)
		if err == nil {
			k.close()
		}
		return err
	}
	last := calls[berths]
	if last.Port() == calls[0].Port() || !last.Shared() || len(h.hubs) != 2 {
		t.Errorf("%d calls on one pair of ports", berths+1)
	}
	for i, s := range calls[:berths] {
		if err := at(s); !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("closed with %d calls left: %v", berths-i, err)
		}
		_ = s.Close()
	}
	if err := at(calls[0]); err != nil || len(h.hubs) != 1 {
		t.Errorf("the last one has left and the port is not free: %v", err)
	}
	pair, err := h.ReserveFor(newPeer(t).addr(), netip.AddrPort{})
	if err != nil || pair.Port() != last.Port() {
		t.Fatalf("%v", err)
	}
	pair.Close()
	if _ = last.Close(); len(h.hubs) != 0 {
		t.Error("a pair that was given back still has a place")
	}
}

// Who is flushed after it was closed sends nothing to ports that others have.
func TestAClosedSessionsPacketLeavesFirst(t *testing.T) {
	h := openHarbour(t, 43600, 43699)
	var box Outbox
	a := newPeer(t)
	s := h.call(a)
	s.Batch(&box)
	s.Drain(h.step())
	s.Send([]byte{1}, 0, false)
	if _ = s.Close(); len(h.hubs) != 1 {
		t.Fatal("closed with a packet in an outbox")
	}
	if box.Flush(); len(h.hubs) != 0 {
		t.Error("not closed after the packet left")
	}
	if pkt, err := a.read(); err != nil || pkt.Payload[0] != 1 {
		t.Errorf("%+v %v", pkt, err)
	}
}

func TestReportsOnSharedPortsFindTheirSession(t *testing.T) {
	h := openHarbour(t, 43700, 43799)
	a, reports := newPeer(t), newPeer(t)
	pair, err := h.ReserveFor(a.addr(), reports.addr())
	if err != nil {
		t.Fatal(err)
	}
	s := pair.Session(Options{Remote: a.addr(), RemoteRTCP: reports.addr()})
	defer s.Close()
	s.Drain(h.step())
	s.Send([]byte{1}, 0, false)
	b, err := (&rtcp.ReceiverReport{SSRC: 7, Reports: []rtcp.ReceptionReport{{SSRC: s.out.ssrc, FractionLost: 64}}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	to := netip.AddrPortFrom(loopback(), s.Port()+1)
	if _, err := reports.conn.WriteToUDPAddrPort(b, to); err != nil {
		t.Fatal(err)
	}
	s.Report(h.now)
	h.now += 10 * int64(time.Second)
	s.Report(h.now)
	s.Drain(h.step())
	if got := s.Stats().PeerLost; got != 0.25 {
		t.Errorf("the peer misses %v", got)
	}
	var buf [1500]byte
	_ = reports.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	n, _, err := reports.conn.ReadFromUDPAddrPort(buf[:])
	if p, bad := rtcp.Unmarshal(buf[:n]); err != nil || bad != nil || p[0].(*rtcp.SenderReport).SSRC != s.out.ssrc {
		t.Errorf("%v %v %v", p, err, bad)
	}
}

// What fits into no inbox is dropped and counted.
func TestAFloodOnSharedPortsFillsItsOwnInboxOnly(t *testing.T) {
	h := openHarbour(t, 43800, 43899)
	a, b := newPeer(t), newPeer(t)
	flooded, other := h.call(a), h.call(b)
	for range 200 {
		a.send(flooded, 0, make([]byte, 160))
	}
	b.send(other, 0, []byte{5})
	now := h.step()
	other.Drain(now)
	flooded.Drain(now)
	if took(other) != 5 {
		t.Error("another's flood took its packet")
	}
	st := flooded.Stats()
	if in := st.PacketsIn; in < inboxFrames || in+st.Dropped["kernel"] != 200 {
		t.Errorf("%+v", st)
	}
}

func TestSharedPortsAllocateNothing(t *testing.T) {
	h := openHarbour(t, 43900, 43999)
	var box Outbox
	var calls []*Session
	var mirrors []*Session
	for range 5 {
		pair, err := h.Reserve()
		if err != nil {
			t.Fatal(err)
		}
		s := h.callAt(netip.AddrPortFrom(loopback(), pair.Port()))
		s.Batch(&box)
		m := pair.Session(Options{Remote: netip.AddrPortFrom(loopback(), s.Port())})
		defer m.Close()
		calls, mirrors = append(calls, s), append(mirrors, m)
	}
	payload, buf := make([]byte, 160), make([]byte, 1500)
	ts := uint32(0)
	if n := testing.AllocsPerRun(1000, func() {
		now := h.step()
		for i, s := range calls {
			mirrors[i].Drain(now)
			mirrors[i].Send(payload, ts, false)
			s.Drain(now)
			s.Take(buf)
			s.Send(payload, ts, false)
			s.Report(now)
		}
		box.Flush()
		ts += 160
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if st := calls[4].Stats(); st.PacketsIn < 900 || st.PacketsOut < 900 {
		t.Errorf("%+v", st)
	}
}

// FuzzInbox: what is put comes out in order, whole, or was refused.
func FuzzInbox(f *testing.F) {
	f.Add([]byte{1, 2, 3, 250, 0, 0, 255, 255, 255, 255})
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var q inbox
		q.init(160)
		var want []int
		for i, op := range ops {
			if op == 0 {
				b, report, at, ok := q.next()
				if ok != (len(want) > 0) || ok && (len(b) != want[0]*8 || at != int64(want[0]) || report != (want[0]%2 == 1)) {
					t.Fatalf("op %d: %d bytes, %v, %d, %v; want %v", i, len(b), report, at, ok, want)
				}
				if ok {
					want = want[1:]
					q.done(len(b))
				}
				continue
			}
			n := int(op)
			if q.put(make([]byte, n*8), n%2 == 1, int64(n)) {
				want = append(want, n)
			} else if len(want) == 0 && recordSize(n*8) <= uint32(len(q.data)/2) {
				t.Fatalf("op %d: refused %d bytes though empty", i, n*8)
			}
		}
	})
}
