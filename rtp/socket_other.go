//go:build unix && !linux

package rtp

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	batch       = 1    // datagrams a system call takes
	datagramMax = 2048 // bytes; longer ones are cut and refused
	receiveRoom = 128 << 10
)

// socket is the portable form, through Go's own connection. Parley's figures
// are those of the Linux one.
type socket struct {
	conn   *net.UDPConn
	raw    syscall.RawConn
	in     *buffers
	to     netip.AddrPort
	toOK   bool
	branch bool // of a socket that somebody else closes
}

// buffers is where a system call puts a datagram.
type buffers struct{ data [datagramMax + 1]byte }

func newBuffers(int) *buffers { return &buffers{} }

func openSocket(addr netip.AddrPort, _, _ int) (*socket, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("rtp: %w", err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("rtp: %w", err)
	}
	return &socket{conn: conn, raw: raw}, nil
}

func (s *socket) start(in *buffers) { s.in = in }

func (s *socket) receive(now int64) (b []byte, from netip.AddrPort, arrival int64, ok bool) {
	var n int
	var sa unix.Sockaddr
	err := s.raw.Read(func(fd uintptr) bool {
		var err error
		n, sa, err = unix.Recvfrom(int(fd), s.in.data[:], unix.MSG_DONTWAIT)
		ok = err == nil
		return true
	})
	if err != nil || !ok {
		return nil, netip.AddrPort{}, 0, false
	}
	if n > datagramMax {
		n = 0
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		from = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		from = netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return s.in.data[:n], from, now, true
}

func (s *socket) aim(to netip.AddrPort) {
	s.to, s.toOK = to, to.IsValid() && to.Port() != 0 && !to.Addr().IsUnspecified()
}

func (s *socket) send(b []byte) bool {
	if !s.toOK {
		return false
	}
	_, err := s.conn.WriteToUDPAddrPort(b, s.to)
	return err == nil
}

// share is the same socket for one of many who send by it; see Linux.
func (s *socket) share() *socket { return &socket{conn: s.conn, raw: s.raw, branch: true} }

func (s *socket) close() {
	if !s.branch {
		_ = s.conn.Close()
	}
}

// admit is the kernel's part of a choice that we make anyway; see Linux.
func (s *socket) admit(...netip.AddrPort) {}

// refused is unknown here.
func (s *socket) refused() uint64 { return 0 }
