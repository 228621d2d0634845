package rtp

import (
	"net/netip"
	"testing"
	"time"
)

// elsewhere is a peer on an address of its own.
func elsewhere(t testing.TB, host byte) *peer {
	t.Helper()
	return listenPeer(t, netip.AddrFrom4([4]byte{127, 0, 0, host}))
}

// heard says whether a packet has come; on loopback it is there when it was
// sent.
func (p *peer) heard() bool {
	var buf [2048]byte
	if err := p.conn.SetReadDeadline(time.Now().Add(2 * time.Millisecond)); err != nil {
		p.t.Fatal(err)
	}
	_, _, err := p.conn.ReadFromUDPAddrPort(buf[:])
	return err == nil
}

func TestDrainEndsUnderAFlood(t *testing.T) {
	a, b := newPeer(t), newPeer(t)
	s := openSession(t, Options{Remote: a.addr(), Latch: true})
	for range 200 {
		b.raw(s, []byte{0x80})
	}
	s.Drain(1e18)
	if n := s.Stats().Dropped["size"]; n != drainMost {
		t.Errorf("one tick read %d datagrams, want %d", n, drainMost)
	}
	s.Drain(1e18 + frame)
	if n := s.Stats().Dropped["size"]; n != 2*drainMost {
		t.Errorf("two ticks read %d datagrams, want %d", n, 2*drainMost)
	}
}

// A flood must not push the caller's packets out of the socket's queue.
func TestAFloodFromElsewhereTakesNoRoom(t *testing.T) {
	for _, tt := range []struct {
		name       string
		bind, host string
		latch      bool
	}{
		{"negotiated", "127.0.0.1", "127.0.0.1", false},
		{"latched", "127.0.0.1", "127.0.0.1", true},
		{"IPv6", "::1", "::1", true},
		{"IPv4 at any address", "0.0.0.0", "127.0.0.1", true},
		{"IPv4 at any address of both", "::", "127.0.0.1", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host := netip.MustParseAddr(tt.host)
			ports, err := NewPorts(netip.MustParseAddr(tt.bind), 41000, 41999)
			if err != nil {
				t.Fatal(err)
			}
			a, thief := listenPeer(t, host), listenPeer(t, host)
			s, err := Open(ports, Options{Remote: a.addr(), Latch: tt.latch})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			a.send(s, 0, []byte{1})
			s.Drain(1e18)
			for range 5000 {
				thief.send(s, 0, make([]byte, 160))
			}
			for range 5 {
				a.send(s, 0, []byte{1})
			}
			s.Drain(1e18 + frame)
			s.publish()
			if st := s.Stats(); st.PacketsIn != 6 || st.Dropped["kernel"] != 5000 {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestWhoMayLatch(t *testing.T) {
	type step struct {
		who  string
		n    int
		want string // who we send to afterwards
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"the named address at once", []step{{"named", 1, "named"}, {"port", 20, "named"}, {"stranger", 20, "named"}}},
		{"another port of its host at once", []step{{"port", 1, "port"}, {"stranger", 20, "port"}, {"signal", 20, "port"}}},
		{"the host of the signalling at once", []step{{"signal", 1, "signal"}, {"stranger", 20, "signal"}}},
		{"a stranger who insists", []step{{"stranger", strangerPackets - 1, "named"}, {"stranger", 1, "stranger"}, {"other", 20, "stranger"}}},
		{"two strangers in turn do not insist", []step{{"stranger", 5, "named"}, {"other", 5, "named"}, {"stranger", 5, "named"}}},
		{"the named address takes over from a stranger", []step{{"stranger", 20, "stranger"}, {"named", 1, "named"}, {"stranger", 20, "named"}}},
		{"the named address takes over from its host", []step{{"port", 3, "port"}, {"named", 1, "named"}, {"port", 20, "named"}}},
		{"the signalling's host takes over from a stranger", []step{{"stranger", 20, "stranger"}, {"signal", 1, "signal"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peers := map[string]*peer{
				"named": newPeer(t), "port": newPeer(t), "signal": elsewhere(t, 2), "stranger": elsewhere(t, 3), "other": elsewhere(t, 4),
			}
			s := openSession(t, Options{Remote: peers["named"].addr(), Latch: true, Signalling: peers["signal"].addr().Addr()})
			now, ts := int64(1e18), uint32(0)
			for _, st := range tt.steps {
				for range st.n {
					peers[st.who].send(s, 0, []byte{1})
				}
				s.Drain(now)
				s.Send([]byte{9}, ts, false)
				now, ts = now+frame, ts+160
				for name, p := range peers {
					if heard := p.heard(); heard != (name == st.want) {
						t.Errorf("after %d packets of %s: %s is sent audio: %v", st.n, st.who, name, heard)
					}
				}
			}
		})
	}
}

func TestAStrangerMayNotLatchWhereNobodyMay(t *testing.T) {
	a, thief := newPeer(t), newPeer(t)
	s := openSession(t, Options{Remote: a.addr()})
	s.Drain(1e18)
	for range 50 {
		thief.send(s, 0, []byte{1})
	}
	s.Drain(1e18 + frame)
	if st := s.Stats(); st.PacketsIn != 0 {
		t.Errorf("%+v", st)
	}
}

func TestAStrangerMustSendInOrder(t *testing.T) {
	a, thief := newPeer(t), elsewhere(t, 3)
	s := openSession(t, Options{Remote: a.addr(), Latch: true})
	for range 50 {
		thief.seq += 7
		thief.send(s, 0, []byte{1})
	}
	s.Drain(1e18)
	if st := s.Stats(); st.PacketsIn != 0 || st.Dropped["source"] != 50 {
		t.Errorf("%+v", st)
	}
}

func TestReportsOfAFloodAreReadWithinALimit(t *testing.T) {
	a, b := newPeer(t), newPeer(t)
	s := openSession(t, Options{Remote: a.addr(), Latch: true})
	s.Drain(1e18)
	s.Report(1e18)
	for range 200 {
		if _, err := b.conn.WriteToUDPAddrPort(make([]byte, 8), netip.AddrPortFrom(loopback(), s.Port()+1)); err != nil {
			t.Fatal(err)
		}
	}
	s.Report(1e18 + 2*int64(reportInterval))
	left := 0
	for s.control.start(s.buffers()); ; left++ {
		if _, _, _, ok := s.control.receive(0); !ok {
			break
		}
	}
	if left != 200-drainMost {
		t.Errorf("%d datagrams left of 200, want %d", left, 200-drainMost)
	}
}

// TestAnEmptyPacketIsNoAudio: phones keep a NAT open by them, with sequence numbers
// of their own.
func TestAnEmptyPacketIsNoAudio(t *testing.T) {
	a := newPeer(t)
	s := openSession(t, Options{Remote: a.addr()})
	lost := 0
	var got []byte
	now := int64(1e18)
	s.Drain(now)
	for i := range byte(30) {
		if i%7 == 3 {
			s.accept(a.packet(0, nil), a.addr(), now)
			a.ts -= 160
		}
		s.accept(a.packet(0, []byte{i}), a.addr(), now)
		now += frame
		s.Drain(now)
		var b [200]byte
		switch n, gone := s.Take(b[:]); {
		case gone:
			lost++
		case n > 0:
			got = append(got, b[0])
		}
	}
	if lost > 0 || len(got) < 28 || got[len(got)-1] != byte(len(got)-1) {
		t.Errorf("%d lost, heard %v", lost, got)
	}
}
