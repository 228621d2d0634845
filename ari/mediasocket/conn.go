package mediasocket

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"parley/internal/audiostream"
	"parley/internal/rawtcp"
)

const (
	statusEvery = int64(5 * time.Second) // between two questions for the queue's length

	// queueTarget is how many frames Asterisk may have in hand: it plays one per
	// 20 ms of its own clock, and what it once has too many of stays for ever.
	queueTarget = 3
)

// Stats counts what happened on a Conn; safe to read at any time.
type Stats struct {
	audiostream.Stats
	Shed atomic.Uint64 // not sent: Asterisk's own queue was too long
}

// Conn is one call's audio: a media port. Drain, Take and Send belong to one
// goroutine; the rest may be called by anybody. Nothing waits and nothing
// allocates.
type Conn struct {
	audiostream.Stream
	parse Parser
	text  []byte // of a message that is coming in
	pong  []byte // of a ping, to send back
	out   []byte
	frame int // bytes of 20 ms

	question []byte // GET_STATUS

	pinged  bool  // pong is whole
	stopped bool  // Asterisk has asked for no more
	shed    int   // frames not to send
	asked   int64 // when the queue's length was asked for
	ask     bool  // it is to be

	stats Stats
}

// newConn serves audio of linear samples, frame bytes per 20 ms.
func newConn(s *rawtcp.Socket, frame int) *Conn {
	c := &Conn{
		frame: frame, question: []byte(statusCommand), text: make([]byte, 0, maxText),
		pong: make([]byte, 0, maxControl), out: make([]byte, 0, 2*headMost+2*maxControl+headMost+4+frame),
	}
	c.Open(s, c, frame, &c.stats.Stats)
	return c
}

// Drain implements the media port. Now and then it has Asterisk asked for the
// length of its queue.
func (c *Conn) Drain(now int64) {
	switch {
	case c.asked == 0:
		c.asked = now
	case now-c.asked > statusEvery:
		c.ask, c.asked = true, now
	}
	c.Stream.Drain(now)
}

// Feed implements audiostream.Parser.
func (c *Conn) Feed(b []byte, now int64) error {
	for {
		piece, rest, ok, err := c.parse.Next(b)
		if err != nil || !ok {
			return err
		}
		b = rest
		switch piece.Op {
		case OpBinary:
			c.Heard(piece.Data, piece.Last, now)
		case OpText:
			if err := c.read(piece); err != nil {
				return err
			}
		case OpPing:
			c.echo(piece)
		case OpClose:
			c.Fail()
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

// Send sends 20 ms of audio as one message. There are no timestamps: ts and
// marker are ignored. What the kernel, or Asterisk, has no room for is dropped
// and counted; a message the kernel took a part of is finished first.
func (c *Conn) Send(payload []byte, _ uint32, _ bool) {
	if c.Closed() || len(payload) == 0 {
		return
	}
	if len(payload) > c.frame || !c.Ready() {
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
	c.Write(c.out)
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

// Digit says that there are none: keys come as events of ARI.
func (*Conn) Digit() (byte, bool) { return 0, false }

// Stats returns the live counters.
func (c *Conn) Stats() *Stats { return &c.stats }
