package sip

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	errorsAtOnce = 1024 // of a socket's error queue
	quotedRoom   = 2048 // bytes of the datagram that an error quotes; hosts quote up to 548 or 1232
	controlRoom  = 256
)

// errorQueue is where the kernel keeps what the network tells of the datagrams of a
// socket (ip(7), IP_RECVERR). It also fails the next call on the socket, whomever
// that is for. nil: there is none.
type errorQueue struct {
	raw  syscall.RawConn
	tell func(sent []byte, to netip.AddrPort) // of one that did not get there; does not wait or keep sent
}

// openErrors asks for the error queue of a socket.
func openErrors(c net.PacketConn, tell func(sent []byte, to netip.AddrPort)) *errorQueue {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	asked := false
	err = raw.Control(func(fd uintptr) { // a socket of IPv6 may carry both
		v4 := unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
		v6 := unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
		asked = v4 == nil || v6 == nil
	})
	if err != nil || !asked {
		return nil
	}
	return &errorQueue{raw: raw, tell: tell}
}

// readErrors empties the queue, and says how many there were. It does not wait; any
// goroutine may call it.
func (l *packetLink) readErrors() (n int) {
	if l.errors == nil {
		return 0
	}
	_ = l.errors.raw.Control(func(fd uintptr) { // fails if the socket is closed
		data, control := make([]byte, quotedRoom), make([]byte, controlRoom)
		for ; n < errorsAtOnce; n++ {
			quoted, c, _, to, err := unix.Recvmsg(int(fd), data, control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if lost(control[:c]) {
				l.errors.tell(data[:quoted], addressOf(to))
			}
		}
	})
	return n
}

// lost says whether an error is that a datagram cannot get where it was sent: an
// ICMP "destination unreachable" other than that it is too long.
func lost(control []byte) bool {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return false
	}
	for _, m := range messages {
		v4 := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		v6 := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if !v4 && !v6 || len(m.Data) < 16 { // struct sock_extended_err
			continue
		}
		switch origin, kind, code := m.Data[4], m.Data[5], m.Data[6]; origin {
		case unix.SO_EE_ORIGIN_ICMP:
			return kind == 3 && code != 4 // RFC 792
		case unix.SO_EE_ORIGIN_ICMP6:
			return kind == 1 // RFC 4443 §3.1
		}
	}
	return false
}

func addressOf(s unix.Sockaddr) netip.AddrPort {
	switch s := s.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(s.Addr), uint16(s.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(s.Addr).Unmap(), uint16(s.Port))
	}
	return netip.AddrPort{}
}
