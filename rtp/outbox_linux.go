package rtp

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// outboxSize is how many packets leave by one system call at most.
const outboxSize = 64

// Outbox gathers the packets of sessions on shared ports, so that one system
// call sends many. It belongs to the worker whose ticks put packets in; a tick
// that did flushes it before anybody else may tick those sessions. The zero
// value is ready.
type Outbox struct {
	fd      int
	n       int
	headers [outboxSize]mmsghdr
	vectors [outboxSize]unix.Iovec
	from    [outboxSize]*Session
	in      *buffers // of its worker; nil until it reads
}

// buffers is where its worker reads datagrams into.
func (o *Outbox) buffers() *buffers {
	if o.in == nil {
		o.in = newBuffers(hubBatch)
	}
	return o.in
}

// add takes a packet that stays where it is until it has left.
func (o *Outbox) add(s *Session, b []byte) {
	if o.n == outboxSize || o.n > 0 && o.fd != s.media.fd {
		o.Flush()
	}
	i := o.n
	o.n++
	o.fd, o.from[i] = s.media.fd, s
	o.vectors[i].Base = &b[0]
	o.vectors[i].SetLen(len(b))
	h := &o.headers[i].hdr
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(&s.media.to)), uint32(s.media.toLen)
	h.Iov, h.Iovlen = &o.vectors[i], 1
}

// Flush sends what is in it.
func (o *Outbox) Flush() {
	for at := 0; at < o.n; {
		sent, _, errno := syscall.RawSyscall6(unix.SYS_SENDMMSG, uintptr(o.fd), uintptr(unsafe.Pointer(&o.headers[at])),
			uintptr(o.n-at), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if errno != 0 || sent == 0 { // it is about the first of them: the others may go
			o.gone(at, false)
			at++
			continue
		}
		for range sent {
			o.gone(at, true)
			at++
		}
	}
	o.n = 0
}

// gone lets go of one packet and its session.
func (o *Outbox) gone(i int, ok bool) {
	s := o.from[i]
	o.from[i], o.vectors[i].Base, o.headers[i].hdr.Name = nil, nil, nil
	s.boxed = false
	s.left(ok)
	s.gate.leave(s.closeSockets)
}
