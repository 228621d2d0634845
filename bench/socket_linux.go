package bench

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batch       = 4    // datagrams a system call takes
	datagramMax = 2048 // bytes; what is longer is not ours
	controlSize = 64
)

// socket is a UDP socket outside Go's netpoller: an arriving packet wakes
// nobody, and no call waits.
type socket struct {
	fd   int
	ipv6 bool
}

// inbox is where a system call puts datagrams, and when they came.
type inbox struct {
	have    int
	headers [batch]mmsghdr
	vectors [batch]unix.Iovec
	control [batch][controlSize]byte
	data    [batch][datagramMax]byte
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	unix.Msghdr
	n uint32
}

func newInbox() *inbox {
	in := &inbox{}
	for i := range in.headers {
		in.vectors[i].Base = &in.data[i][0]
		in.vectors[i].SetLen(datagramMax)
		in.headers[i].Iov, in.headers[i].Iovlen = &in.vectors[i], 1
		in.headers[i].Control = &in.control[i][0]
	}
	return in
}

// open binds a socket whose datagrams bear the time of their arrival.
func open(a netip.AddrPort) (*socket, error) {
	s := &socket{ipv6: !a.Addr().Is4()}
	family := unix.AF_INET
	if s.ipv6 {
		family = unix.AF_INET6
	}
	var err error
	if s.fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("bench: socket: %w", err)
	}
	err = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	if err == nil {
		err = unix.Bind(s.fd, s.address(a))
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("bench: %v: %w", a, os.NewSyscallError("bind", err))
	}
	return s, nil
}

func (s *socket) address(a netip.AddrPort) unix.Sockaddr {
	if s.ipv6 {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().Unmap().As4()}
}

// connect says who is sent to, and the only one who is heard.
func (s *socket) connect(to netip.AddrPort) error {
	if !to.IsValid() {
		return fmt.Errorf("%w: the answer has no address for audio", ErrOptions)
	}
	return os.NewSyscallError("connect", unix.Connect(s.fd, s.address(to)))
}

// send sends, unless the system will not take it now.
func (s *socket) send(b []byte) {
	_, _, _ = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
}

// fill reads up to batch datagrams; it is false when there are none.
func (s *socket) fill(in *inbox) bool {
	for i := range in.headers {
		in.headers[i].SetControllen(controlSize)
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&in.headers[0])),
		batch, unix.MSG_DONTWAIT, 0, 0)
	in.have = 0
	if errno == 0 {
		in.have = int(n)
	}
	return in.have > 0
}

// datagram is one of those read last, and its arrival in unix ns.
func (in *inbox) datagram(i int) (b []byte, arrival int64) {
	return in.data[i][:min(int(in.headers[i].n), datagramMax)], in.stamp(i)
}

// stamp is when the kernel got the datagram (SO_TIMESTAMPNS).
func (in *inbox) stamp(i int) int64 {
	b := in.control[i][:]
	c := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	if in.headers[i].Controllen < unix.SizeofCmsghdr+16 || c.Level != unix.SOL_SOCKET || c.Type != unix.SCM_TIMESTAMPNS {
		return time.Now().UnixNano()
	}
	b = b[unix.SizeofCmsghdr:]
	return int64(binary.NativeEndian.Uint64(b))*1e9 + int64(binary.NativeEndian.Uint64(b[8:]))
}

// cpuTime reads the CPU clock of a process, clock_getcpuclockid(3), which counts
// in ns; known is what /proc says.
func cpuTime(pid int, _ time.Duration) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED of linux/posix-timers.h
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|sched, &ts); err != nil {
		return 0, fmt.Errorf("bench: CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

func (s *socket) close() { _ = unix.Close(s.fd) }
