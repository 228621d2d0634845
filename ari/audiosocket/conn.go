package audiosocket

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"parley/internal/playout"
	"parley/internal/rawtcp"
)

const (
	readSize    = 2048      // one read; 20 ms of 16 kHz are 643 bytes
	drainBudget = 32 * 1024 // bytes read in one tick at most, 1 s of 16 kHz
)

// frameBytes is 20 ms of audio of a kind, 0 for kinds that are not served.
func frameBytes(k Kind) int {
	switch k {
	case KindSLIN8:
		return 320
	case KindSLIN16:
		return 640
	default:
		return 0
	}
}

// Stats counts what happened on a Conn; safe to read at any time.
type Stats struct {
	Received  atomic.Uint64 // audio frames from Asterisk
	Sent      atomic.Uint64 // audio frames to Asterisk
	Full      atomic.Uint64 // not sent: Asterisk does not read fast enough
	Cut       atomic.Uint64 // 20 ms pieces removed to keep the delay low
	Underruns atomic.Uint64 // times that audio ran out while it was playing
	WrongKind atomic.Uint64 // frames of another sampling rate than agreed
	Digits    atomic.Uint64 // keys reported by Asterisk
	LostKeys  atomic.Uint64 // of these nobody took in time
	Malformed atomic.Uint64 // 1 when the peer broke the protocol
	Delay     atomic.Int64  // audio in hand, nanoseconds
}

// Conn is one call's audio: a media port. Drain, Take and Send belong to one
// goroutine, Digit to one, which may be another; the rest may be called by
// anybody. Nothing waits and nothing allocates.
type Conn struct {
	kind  Kind
	sock  *rawtcp.Socket
	parse Parser
	play  playout.Buffer
	keys  keys
	in    []byte
	out   []byte
	rest  []byte // of a frame the kernel took a part of; aliases out

	last   atomic.Int64
	closed atomic.Bool
	stats  Stats
}

// newConn serves audio of kind k, which must be one of slin8 and slin16.
func newConn(s *rawtcp.Socket, k Kind) (*Conn, error) {
	n := frameBytes(k)
	if n == 0 {
		return nil, fmt.Errorf("%w: audio of %v", errors.ErrUnsupported, k)
	}
	return &Conn{kind: k, sock: s, play: playout.New(n), in: make([]byte, readSize), out: make([]byte, 0, headerSize+n)}, nil
}

// Kind is the encoding both directions use.
func (c *Conn) Kind() Kind { return c.kind }

// Drain reads what Asterisk has sent into the playout buffer. now is in
// nanoseconds since 1970. Called once per tick, before Take.
func (c *Conn) Drain(now int64) {
	if c.closed.Load() {
		return
	}
	for budget := drainBudget; budget > 0; {
		n, err := c.sock.Read(c.in)
		if err != nil {
			if !errors.Is(err, rawtcp.ErrAgain) {
				c.closed.Store(true)
			}
			return
		}
		if err := c.feed(c.in[:n], now); err != nil {
			c.stats.Malformed.Store(1)
			c.fail()
			return
		}
		if budget -= n; n < len(c.in) {
			return // the socket is empty: spares a system call per tick
		}
	}
}

// feed takes bytes of the stream in, wherever they were cut.
func (c *Conn) feed(b []byte, now int64) error {
	for {
		piece, rest, ok, err := c.parse.Next(b)
		if err != nil || !ok {
			return err
		}
		b = rest
		switch {
		case piece.Kind == c.kind:
			c.play.Put(piece.Data)
			if piece.Last {
				c.stats.Received.Add(1)
				c.last.Store(now)
			}
		case piece.Kind.audio():
			if piece.Last {
				c.stats.WrongKind.Add(1)
			}
		case piece.Kind == KindDigit && piece.Last:
			c.key(piece.Data[0])
		case piece.Kind == KindHangup, piece.Kind == KindError:
			c.fail()
			return nil
		}
	}
}

// key keeps a digit of the telephone keypad; anything else is noise.
func (c *Conn) key(d byte) {
	if d >= 'a' && d <= 'd' {
		d -= 'a' - 'A'
	}
	if (d < '0' || d > '9') && d != '*' && d != '#' && (d < 'A' || d > 'D') {
		return
	}
	c.stats.Digits.Add(1)
	if !c.keys.push(d) {
		c.stats.LostKeys.Add(1)
	}
}

// Take copies the next 20 ms of the caller's audio to dst, which must have
// room for it (640 bytes at 16 kHz), and returns its length. With n 0, lost
// tells that audio is missing and should be concealed; else nothing is due.
func (c *Conn) Take(dst []byte) (n int, lost bool) {
	n, lost = c.play.Take(dst)
	c.stats.Cut.Store(c.play.Cut)
	c.stats.Underruns.Store(c.play.Underrun)
	c.stats.Delay.Store(int64(c.play.Delay()))
	return n, lost
}

// Send sends 20 ms of audio as one frame. There are no timestamps: ts and
// marker are ignored. A frame the kernel has no room for is dropped and
// counted; one it took a part of is finished first, so framing never breaks.
func (c *Conn) Send(payload []byte, _ uint32, _ bool) {
	if c.closed.Load() || len(payload) == 0 {
		return
	}
	if len(payload) > cap(c.out)-headerSize || !c.flush() {
		c.stats.Full.Add(1)
		return
	}
	c.out = AppendFrame(c.out[:0], c.kind, payload)
	n, err := c.sock.Write(c.out)
	switch {
	case errors.Is(err, rawtcp.ErrAgain):
		c.stats.Full.Add(1)
	case err != nil:
		c.closed.Store(true)
	default:
		c.rest = c.out[n:]
		c.stats.Sent.Add(1)
	}
}

// flush writes what is left of the frame before; false: some of it still is.
func (c *Conn) flush() bool {
	if len(c.rest) == 0 {
		return true
	}
	n, err := c.sock.Write(c.rest)
	if err != nil && !errors.Is(err, rawtcp.ErrAgain) {
		c.closed.Store(true)
	}
	c.rest = c.rest[n:]
	return len(c.rest) == 0
}

// Digit returns the next key the caller has pressed, in order.
func (c *Conn) Digit() (d byte, ok bool) { return c.keys.pop() }

// LastArrival is when audio last came, in the clock of Drain; 0: never. A
// caller who is muted or on hold at Asterisk sends nothing: silence here is
// no sign of a lost call, Closed is.
func (c *Conn) LastArrival() int64 { return c.last.Load() }

// Closed says whether the connection has ended, at either end.
func (c *Conn) Closed() bool { return c.closed.Load() }

// Flow counts the frames that were sent, and those for which there was no room
// because Asterisk does not read.
func (c *Conn) Flow() (sent, full uint64) { return c.stats.Sent.Load(), c.stats.Full.Load() }

// Report does nothing: the protocol has no reports.
func (c *Conn) Report(int64) {}

// Stats returns the live counters.
func (c *Conn) Stats() *Stats { return &c.stats }

// Delay is how long the audio in hand waits to be played.
func (c *Conn) Delay() time.Duration { return time.Duration(c.stats.Delay.Load()) }

func (c *Conn) fail() {
	c.closed.Store(true)
	c.sock.Close()
}

// Close ends the connection; Asterisk then hangs up its channel. Idempotent.
func (c *Conn) Close() error {
	c.fail()
	return nil
}
