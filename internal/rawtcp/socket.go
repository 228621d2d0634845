// Package rawtcp is TCP without waiting, for the audio path.
package rawtcp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// ErrAgain: nothing to read, or no room to write, at this moment.
var ErrAgain = errors.New("rawtcp: would block")

// Socket is a TCP socket outside Go's poller: reads and writes never park a
// goroutine. Each has one caller at a time; close may be called by anybody at
// any time and waits for nobody: the last user closes the descriptor, so that
// its number cannot be taken by another socket under a running call.
type Socket struct {
	fd    int
	users atomic.Int32 // calls running, plus closing
}

// New takes over a descriptor that is a TCP socket, or another of the kind, and
// does not block.
func New(fd int) *Socket { return &Socket{fd: fd} }

// closing is added to users once.
const closing = 1 << 29

// Detach takes the socket of c out of the poller and closes c.
func Detach(c *net.TCPConn) (*Socket, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("rawtcp: %w", err)
	}
	fd, dupErr := -1, error(nil)
	err = raw.Control(func(old uintptr) {
		fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err := errors.Join(err, dupErr, c.Close()); err != nil {
		if fd >= 0 {
			unix.Close(fd) //nolint:errcheck // the error above is the one to tell
		}
		return nil, fmt.Errorf("rawtcp: %w", err)
	}
	return New(fd), nil
}

func (s *Socket) enter() bool {
	if s.users.Add(1) >= closing {
		s.leave()
		return false
	}
	return true
}

// leave closes the descriptor when it was the last use after close.
func (s *Socket) leave() {
	if s.users.Add(-1) == closing && s.users.CompareAndSwap(closing, 2*closing) {
		unix.Close(s.fd) //nolint:errcheck // nobody is left to tell
	}
}

// Close is idempotent. The peer sees it at once even if a call is running.
func (s *Socket) Close() {
	for {
		n := s.users.Load()
		if n >= closing {
			return
		}
		if s.users.CompareAndSwap(n, n+closing+1) {
			break
		}
	}
	unix.Shutdown(s.fd, unix.SHUT_RDWR) //nolint:errcheck // the peer may be gone already
	s.leave()
}

// Released says whether the descriptor has been given back to the system: after
// Close, when the last call has ended.
func (s *Socket) Released() bool { return s.users.Load() == 2*closing }

// Read is io.Reader without waiting: ErrAgain, io.EOF or what the kernel says.
func (s *Socket) Read(b []byte) (int, error) {
	if !s.enter() {
		return 0, net.ErrClosed
	}
	defer s.leave()
	n, err := unix.Read(s.fd, b)
	switch {
	case n > 0:
		return n, nil
	case err == nil:
		return 0, io.EOF
	default:
		return 0, again(err)
	}
}

// Write writes as much as there is room for.
func (s *Socket) Write(b []byte) (int, error) {
	if !s.enter() {
		return 0, net.ErrClosed
	}
	defer s.leave()
	n, err := unix.Write(s.fd, b)
	if err != nil {
		return 0, again(err)
	}
	return n, nil
}

func again(err error) error {
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return ErrAgain
	}
	return err
}
