package rtp

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Instructions of the kernel's packet filter. Offsets count from the UDP
// header; the network header and what the kernel knows besides have places of
// their own, see linux/filter.h.
const (
	loadHalf = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	loadWord = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	ifEqual  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	finish   = unix.BPF_RET | unix.BPF_K

	network  = 0xFFF00000 // SKF_NET_OFF
	protocol = 0xFFFFF000 // SKF_AD_OFF + SKF_AD_PROTOCOL
	sourceV4 = network + 12
	sourceV6 = network + 8
	takeAll  = 0xFFFFFFFF
)

// admit has the kernel drop whatever does not come from one of these addresses
// (port 0 is any port) before it is queued. No addresses admit everybody.
// A kernel that refuses filters leaves the choice to us alone.
func (s *socket) admit(from ...netip.AddrPort) {
	if len(from) == 0 {
		if s.screened {
			_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
		}
		s.screened = false
		return
	}
	p := program(from)
	s.screened = unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}) == nil
}

// program accepts datagrams of these addresses.
func program(from []netip.AddrPort) []unix.SockFilter {
	var p []unix.SockFilter
	for _, f := range from {
		if !f.Addr().IsValid() {
			continue
		}
		var tests [][2]uint32 // where a value is, and what it must be
		if a := f.Addr().Unmap(); a.Is4() {
			b := a.As4()
			tests = append(tests, [2]uint32{protocol, unix.ETH_P_IP}, [2]uint32{sourceV4, binary.BigEndian.Uint32(b[:])})
		} else {
			b := a.As16()
			tests = append(tests, [2]uint32{protocol, unix.ETH_P_IPV6})
			for i := uint32(0); i < 16; i += 4 {
				tests = append(tests, [2]uint32{sourceV6 + i, binary.BigEndian.Uint32(b[i:])})
			}
		}
		if f.Port() != 0 {
			tests = append(tests, [2]uint32{0, uint32(f.Port())})
		}
		for i, t := range tests {
			load := uint16(loadWord)
			if t[0] == 0 {
				load = loadHalf
			}
			onward := uint8(2*(len(tests)-i) - 1) // to the next address
			p = append(p, unix.SockFilter{Code: load, K: t[0]}, unix.SockFilter{Code: ifEqual, Jf: onward, K: t[1]})
		}
		p = append(p, unix.SockFilter{Code: finish, K: takeAll})
	}
	return append(p, unix.SockFilter{Code: finish})
}

// refused is how many datagrams the kernel has dropped: those of others, and
// those that found the queue full.
func (s *socket) refused() uint64 {
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return uint64(info[unix.SK_MEMINFO_DROPS])
}
