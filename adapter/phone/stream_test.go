package phone_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"parley/codec"
)

// TestAStreamTalksToItsOtherEndAlone: what it sends goes there, with the payload
// type of its format, and a stranger's packets are no sign of life.
func TestAStreamTalksToItsOtherEndAlone(t *testing.T) {
	o := open(t, settings{})
	f := codec.L16(8000)
	f.Payload = 10
	s, err := o.Stream("by ari", f)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	peer, other := socket(t), socket(t)
	s.Aim(peer.LocalAddr().(*net.UDPAddr).AddrPort())
	to := net.UDPAddrFromAddrPort(s.Address())
	send := func(from *net.UDPConn, seq uint16) {
		packet := make([]byte, 12+320)
		packet[0], packet[1] = 0x80, 10
		binary.BigEndian.PutUint16(packet[2:], seq)
		binary.BigEndian.PutUint32(packet[4:], 160*uint32(seq))
		if _, err := from.WriteTo(packet, to); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 1500)
	_ = peer.SetReadDeadline(time.Now().Add(patience))
	for seq := range uint16(20) {
		send(other, seq)
		n, from, err := peer.ReadFromUDPAddrPort(buf)
		if err != nil || n != 12+320 || buf[1]&0x7F != 10 || netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) != s.Address() {
			t.Fatalf("%d bytes of type %d from %v, %v", n, buf[1]&0x7F, from, err)
		}
	}
	if s.LastArrival() != 0 {
		t.Error("a stranger's packets were taken")
	}
	for seq := uint16(0); s.LastArrival() == 0; seq++ {
		if seq == 500 {
			t.Fatal("the other end's packets were not taken")
		}
		send(peer, seq)
		if _, _, err := peer.ReadFromUDPAddrPort(buf); err != nil {
			t.Fatal(err)
		}
	}
}

func socket(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
