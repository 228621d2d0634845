package mediasocket

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"parley/internal/playout"
	"parley/internal/rawtcp"
)

const (
	readSize    = 2048      // one read; 20 ms of 16 kHz are 644 bytes
	drainBudget = 32 * 1024 // bytes read in one tick at most, 1 s of 16 kHz

	statusEvery = int64(5 * time.Second) // between two questions for the queue's length

	// queueTarget is how many frames Asterisk may have in hand: it plays one per
	// 20 ms of its own clock, and what it once has too many of stays for ever.
	queueTarget = 3
)

// Stats counts what happened on a Conn; safe to read at any time.
type Stats struct {
	Received  atomic.Uint64 // pieces of audio from Asterisk
	Sent      atomic.Uint64 // audio frames to Asterisk
	Full      atomic.Uint64 // not sent: Asterisk does not read fast enough
	Shed      atomic.Uint64 // not sent: Asterisk's own queue was too long
	Cut       atomic.Uint64 // 20 ms pieces removed to keep the delay low
	Underruns atomic.Uint64 // times that audio ran out while it was playing
	Malformed atomic.Uint64 // 1 when the peer broke the protocol
	Delay     atomic.Int64  // audio in hand, nanoseconds
}

// Conn is one call's audio: a media port. Drain, Take and Send belong to one
// goroutine; the rest may be called by anybody. Nothing waits and nothing
// allocates.
type Conn struct {
	sock  *rawtcp.Socket
	parse Parser
	play  playout.Buffer
	text  []byte // of a message that is coming in
	pong  []byte // of a ping, to send back
	in    []byte
	out   []byte
	rest  []byte // of out, not yet taken by the kernel
	frame int    // bytes of 20 ms

	question []byte // GET_STATUS

	pinged  bool  // pong is whole
	stopped bool  // Asterisk has asked for no more
	shed    int   // frames not to send
	asked   int64 // when the queue's length was asked for
	ask     bool  // it is to be

	last   atomic.Int64
	closed atomic.Bool
	stats  Stats
}

// newConn serves audio of linear samples, frame bytes per 20 ms.
func newConn(s *rawtcp.Socket, frame int) *Conn {
	return &Conn{
		sock: s, frame: frame, question: []byte(statusCommand), play: playout.New(frame), in: make([]byte, readSize), text: make([]byte, 0, maxText),
		pong: make([]byte, 0, maxControl), out: make([]byte, 0, 2*headMost+2*maxControl+headMost+4+frame),
	}
}

// Drain reads what Asterisk has sent. now is in nanoseconds since 1970. Called
// once per tick, before Take.
func (c *Conn) Drain(now int64) {
	if c.closed.Load() {
		return
	}
	switch {
	case c.asked == 0:
		c.asked = now
	case now-c.asked > statusEvery:
		c.ask, c.asked = true, now
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
		switch piece.Op {
		case OpBinary:
			c.play.Put(piece.Data)
			if piece.Last {
				c.stats.Received.Add(1)
				c.last.Store(now)
			}
		case OpText:
			if err := c.read(piece); err != nil {
				return err
			}
		case OpPing:
			c.echo(piece)
		case OpClose:
			c.fail()
			return nil
		case OpContinue, OpPong:
		}
	}
}

// echo keeps a ping until the next Send. Of several the last is answered, as
// RFC 6455 §5.5.3 allows.
func (c *Conn) echo(piece Piece) {
	if c.pinged {
		c.pong, c.pinged = c.pong[:0], false
	}
	c.pong = append(c.pong, piece.Data...) // the parser lets no ping be longer than its room
	c.pinged = piece.Last
}

// read collects a text and obeys it.
func (c *Conn) read(piece Piece) error {
	if len(c.text)+len(piece.Data) > cap(c.text) {
		return ErrTooLarge
	}
	c.text = append(c.text, piece.Data...)
	if !piece.Last {
		return nil
	}
	word, queue := ParseText(c.text)
	c.text = c.text[:0]
	switch word {
	case WordStop:
		c.stopped = true
	case WordGo:
		c.stopped = false
	case WordStatus:
		c.shed = max(0, queue-queueTarget)
	case WordStart, WordOther:
	}
	return nil
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

// Send sends 20 ms of audio as one message. There are no timestamps: ts and
// marker are ignored. What the kernel, or Asterisk, has no room for is dropped
// and counted; a message the kernel took a part of is finished first.
func (c *Conn) Send(payload []byte, _ uint32, _ bool) {
	if c.closed.Load() || len(payload) == 0 {
		return
	}
	if len(payload) > c.frame || !c.flush() {
		c.stats.Full.Add(1)
		return
	}
	c.out = c.out[:0]
	c.aside()
	switch {
	case c.stopped:
		c.stats.Shed.Add(1)
	case c.shed > 0:
		c.shed--
		c.stats.Shed.Add(1)
	default:
		c.out = AppendFrame(c.out, OpBinary, rand.Uint32(), payload)
		c.stats.Sent.Add(1)
	}
	c.rest = c.out
	c.flush()
}

// aside writes what is to be said beside the audio.
func (c *Conn) aside() {
	if c.pinged {
		c.out = AppendFrame(c.out, OpPong, rand.Uint32(), c.pong)
		c.pong, c.pinged = c.pong[:0], false
	}
	if c.ask {
		c.out = AppendFrame(c.out, OpText, rand.Uint32(), c.question)
		c.ask = false
	}
}

// flush writes what is left; false: some of it still is.
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

// Digit says that there are none: keys come as events of ARI.
func (*Conn) Digit() (byte, bool) { return 0, false }

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
func (*Conn) Report(int64) {}

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
