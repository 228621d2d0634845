package rtp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batch       = 2    // datagrams a system call takes, where one stream comes in
	datagramMax = 2048 // bytes; longer ones are cut and refused
	controlMax  = 64
	dscpEF      = 46 << 2 // expedited forwarding, RFC 3246
	receiveRoom = 128 << 10
)

// socket is a UDP socket that Go's netpoller does not know: nothing wakes when
// a packet arrives, and every call returns at once.
type socket struct {
	fd       int
	ipv6     bool
	branch   bool // of a socket that somebody else closes
	screened bool // a filter is attached

	most int // datagrams that a system call takes
	in   *buffers
	have int // datagrams of the last call
	at   int // next of them
	more bool

	to    unix.RawSockaddrInet6
	toLen uintptr
	toOK  bool
}

// buffers is where a system call puts a batch of datagrams. What is in it is used
// before the next: so a worker needs one, for all sockets that its ticks drain.
type buffers struct {
	headers []mmsghdr
	vectors []unix.Iovec
	names   []unix.RawSockaddrInet6 // large enough for both families
	control [][controlMax]byte
	data    [][datagramMax]byte
}

// newBuffers makes room for n datagrams.
func newBuffers(n int) *buffers {
	b := &buffers{
		headers: make([]mmsghdr, n), vectors: make([]unix.Iovec, n), names: make([]unix.RawSockaddrInet6, n),
		control: make([][controlMax]byte, n), data: make([][datagramMax]byte, n),
	}
	for i := range b.headers {
		b.vectors[i].Base = &b.data[i][0]
		b.vectors[i].SetLen(datagramMax)
		h := &b.headers[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		h.Iov, h.Iovlen = &b.vectors[i], 1
		h.Control = &b.control[i][0]
	}
	return b
}

type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// openSocket binds addr, to be read so many datagrams at once, with room for so
// many bytes to wait in. EADDRINUSE comes back as such.
func openSocket(addr netip.AddrPort, most, room int) (*socket, error) {
	family := unix.AF_INET
	ipv6 := !addr.Addr().Unmap().Is4()
	if ipv6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("rtp: socket: %w", err)
	}
	if err := unix.Bind(fd, sockaddr(addr, ipv6)); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("rtp: bind %v: %w", addr, os.NewSyscallError("bind", err))
	}
	// Best effort: a kernel that refuses these still carries audio.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	if ipv6 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, dscpEF)
	} else {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, dscpEF)
	}
	return &socket{fd: fd, ipv6: ipv6, most: most}, nil
}

func sockaddr(a netip.AddrPort, ipv6 bool) unix.Sockaddr {
	if ipv6 {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().Unmap().As4()}
}

// start begins a round of receiving into in.
func (s *socket) start(in *buffers) { s.in, s.have, s.at, s.more = in, 0, 0, true }

// receive returns the next datagram of this round; ok is false when none is
// left. b is valid until the next call. now stands in for a missing stamp.
func (s *socket) receive(now int64) (b []byte, from netip.AddrPort, arrival int64, ok bool) {
	if s.at == s.have && !s.fill() {
		return nil, netip.AddrPort{}, 0, false
	}
	i := s.at
	s.at++
	h := &s.in.headers[i]
	b = s.in.data[i][:min(int(h.n), datagramMax)]
	if h.hdr.Flags&unix.MSG_TRUNC != 0 {
		b = b[:0] // refused by its size
	}
	return b, s.source(i), stamp(s.in.control[i][:min(int(h.hdr.Controllen), controlMax)], now), true
}

// fill asks the kernel for a batch.
func (s *socket) fill() bool {
	if !s.more {
		return false
	}
	headers := s.in.headers[:min(s.most, len(s.in.headers))]
	for i := range headers {
		headers[i].hdr.Namelen = unix.SizeofSockaddrInet6
		headers[i].hdr.SetControllen(controlMax)
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(s.fd),
		uintptr(unsafe.Pointer(&headers[0])), uintptr(len(headers)), unix.MSG_DONTWAIT, 0, 0)
	s.at, s.have = 0, int(n)
	if errno != 0 {
		s.have = 0
		s.more = errno == unix.ECONNREFUSED // the peer's port is closed: nothing lost here
		return false
	}
	s.more = s.have == len(headers)
	return s.have > 0
}

func (s *socket) source(i int) netip.AddrPort {
	n := &s.in.names[i]
	port := (*[2]byte)(unsafe.Pointer(&n.Port))
	p := uint16(port[0])<<8 | uint16(port[1])
	if n.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(n))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), p)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(n.Addr).Unmap(), p)
}

// stamp reads the kernel's arrival time of SO_TIMESTAMPNS.
func stamp(control []byte, now int64) int64 {
	const header = unix.SizeofCmsghdr
	if len(control) < header+16 {
		return now
	}
	c := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	if c.Level != unix.SOL_SOCKET || c.Type != unix.SCM_TIMESTAMPNS {
		return now
	}
	sec := int64(binary.NativeEndian.Uint64(control[header:]))
	nsec := int64(binary.NativeEndian.Uint64(control[header+8:]))
	return sec*1e9 + nsec
}

// aim sets where send goes.
func (s *socket) aim(to netip.AddrPort) {
	s.toOK = to.IsValid() && to.Port() != 0 && !to.Addr().IsUnspecified() && (s.ipv6 || to.Addr().Unmap().Is4())
	if !s.toOK {
		return
	}
	if s.ipv6 {
		s.to.Family, s.to.Addr = unix.AF_INET6, to.Addr().As16()
		s.toLen = unix.SizeofSockaddrInet6
	} else {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.to))
		v4.Family, v4.Addr = unix.AF_INET, to.Addr().Unmap().As4()
		s.toLen = unix.SizeofSockaddrInet4
	}
	p := (*[2]byte)(unsafe.Pointer(&s.to.Port))
	p[0], p[1] = byte(to.Port()>>8), byte(to.Port())
}

// send sends b; false means that the kernel would not take it now.
func (s *socket) send(b []byte) bool {
	if !s.toOK || len(b) == 0 {
		return false
	}
	_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])),
		uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&s.to)), s.toLen)
	return errno == 0 || errno == unix.ECONNREFUSED
}

// share is the same socket for one of many who send by it, each to an address of
// his own. It receives nothing, and closing it closes nothing.
func (s *socket) share() *socket { return &socket{fd: s.fd, ipv6: s.ipv6, branch: true} }

func (s *socket) close() {
	if !s.branch {
		_ = unix.Close(s.fd)
	}
}
