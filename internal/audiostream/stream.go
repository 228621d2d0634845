// Package audiostream is one call's audio by TCP: what is the same whatever
// the protocol frames it with.
package audiostream

import (
	"errors"
	"sync/atomic"
	"time"

	"parley/internal/playout"
	"parley/internal/rawtcp"
)

const (
	readSize    = 2048      // one read; 20 ms of 16 kHz are some 640 bytes
	drainBudget = 32 * 1024 // bytes read in one tick at most, 1 s of 16 kHz
)

// Stats counts what happened on a stream; safe to read at any time.
type Stats struct {
	Received  atomic.Uint64 // pieces of audio from the peer
	Sent      atomic.Uint64 // audio frames to the peer
	Full      atomic.Uint64 // not sent: the peer does not read fast enough
	Cut       atomic.Uint64 // 20 ms pieces removed to keep the delay low
	Underruns atomic.Uint64 // times that audio ran out while it was playing
	Malformed atomic.Uint64 // 1 when the peer broke the protocol
	Delay     atomic.Int64  // audio in hand, nanoseconds
}

// Parser takes bytes of the stream in, wherever they were cut. now is that of
// Drain. An error ends the connection.
type Parser interface {
	Feed(b []byte, now int64) error
}

// Stream is the part of a media port that does not know the protocol. Drain,
// Heard, Take, Ready and Write belong to one goroutine; the rest may be called
// by anybody. Nothing waits and nothing allocates.
type Stream struct {
	sock   *rawtcp.Socket
	parser Parser
	play   playout.Buffer
	in     []byte
	rest   []byte // written, but not yet taken by the kernel
	count  *Stats

	last   atomic.Int64
	closed atomic.Bool
}

// Open prepares a stream whose audio is frame bytes per 20 ms.
func (s *Stream) Open(sock *rawtcp.Socket, parser Parser, frame int, count *Stats) {
	s.sock, s.parser, s.count = sock, parser, count
	s.play, s.in = playout.New(frame), make([]byte, readSize)
}

// Drain reads what the peer has sent. now is in nanoseconds since 1970. Called
// once per tick, before Take.
func (s *Stream) Drain(now int64) {
	if s.closed.Load() {
		return
	}
	for budget := drainBudget; budget > 0; {
		n, err := s.sock.Read(s.in)
		if err != nil {
			if !errors.Is(err, rawtcp.ErrAgain) {
				s.closed.Store(true)
			}
			return
		}
		if err := s.parser.Feed(s.in[:n], now); err != nil {
			s.count.Malformed.Store(1)
			s.Fail()
			return
		}
		if budget -= n; n < len(s.in) {
			return // the socket is empty: spares a system call per tick
		}
	}
}

// Heard puts audio into the playout buffer; last says that a frame is whole.
func (s *Stream) Heard(data []byte, last bool, now int64) {
	s.play.Put(data)
	if last {
		s.count.Received.Add(1)
		s.last.Store(now)
	}
}

// Take copies the next 20 ms of the caller's audio to dst, which must have
// room for it (640 bytes at 16 kHz), and returns its length. With n 0, lost
// tells that audio is missing and should be concealed; else nothing is due.
func (s *Stream) Take(dst []byte) (n int, lost bool) {
	n, lost = s.play.Take(dst)
	s.count.Cut.Store(s.play.Cut)
	s.count.Underruns.Store(s.play.Underrun)
	s.count.Delay.Store(int64(s.play.Delay()))
	return n, lost
}

// Ready says whether all that was written is with the kernel: only then may
// the memory that Write was given be used again.
func (s *Stream) Ready() bool {
	if len(s.rest) == 0 {
		return true
	}
	n, err := s.sock.Write(s.rest)
	if err != nil && !errors.Is(err, rawtcp.ErrAgain) {
		s.closed.Store(true)
	}
	s.rest = s.rest[n:]
	return len(s.rest) == 0
}

// Write sends b, which belongs to the stream until Ready: what the kernel has
// no room for goes first next time, so that framing never breaks.
func (s *Stream) Write(b []byte) {
	s.rest = b
	s.Ready()
}

// Held is how many bytes of audio wait to be played.
func (s *Stream) Held() int { return s.play.Held() }

// LastArrival is when audio last came, in the clock of Drain; 0: never. A
// caller who is muted or on hold at Asterisk sends nothing: silence here is
// no sign of a lost call, Closed is.
func (s *Stream) LastArrival() int64 { return s.last.Load() }

// Closed says whether the connection has ended, at either end.
func (s *Stream) Closed() bool { return s.closed.Load() }

// Released says whether the socket has been given back to the system: after
// the end, when the last call has returned.
func (s *Stream) Released() bool { return s.sock.Released() }

// Flow counts the frames that were sent, and those for which there was no room
// because the peer does not read.
func (s *Stream) Flow() (sent, full uint64) { return s.count.Sent.Load(), s.count.Full.Load() }

// Report does nothing: such a protocol has no reports.
func (*Stream) Report(int64) {}

// Delay is how long the audio in hand waits to be played.
func (s *Stream) Delay() time.Duration { return time.Duration(s.count.Delay.Load()) }

// Fail ends the connection.
func (s *Stream) Fail() {
	s.closed.Store(true)
	s.sock.Close()
}

// Close ends the connection; Asterisk then hangs up its channel. Idempotent.
func (s *Stream) Close() error {
	s.Fail()
	return nil
}
