package audiosocket

import (
	"errors"
	"fmt"
	"sync/atomic"

	"parley/internal/audiostream"
	"parley/internal/rawtcp"
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
	audiostream.Stats
	WrongKind atomic.Uint64 // frames of another sampling rate than agreed
	Digits    atomic.Uint64 // keys reported by Asterisk
	LostKeys  atomic.Uint64 // of these nobody took in time
}

// Conn is one call's audio: a media port. Drain, Take and Send belong to one
// goroutine, Digit to one, which may be another; the rest may be called by
// anybody. Nothing waits and nothing allocates.
type Conn struct {
	audiostream.Stream
	kind  Kind
	parse Parser
	keys  keys
	out   []byte
	stats Stats
}

// newConn serves audio of kind k, which must be one of slin8 and slin16.
func newConn(s *rawtcp.Socket, k Kind) (*Conn, error) {
	n := frameBytes(k)
	if n == 0 {
		return nil, fmt.Errorf("%w: audio of %v", errors.ErrUnsupported, k)
	}
	c := &Conn{kind: k, out: make([]byte, 0, headerSize+n)}
	c.Open(s, c, n, &c.stats.Stats)
	return c, nil
}

// Kind is the encoding both directions use.
func (c *Conn) Kind() Kind { return c.kind }

// Feed implements audiostream.Parser.
func (c *Conn) Feed(b []byte, now int64) error {
	for {
		piece, rest, ok, err := c.parse.Next(b)
		if err != nil || !ok {
			return err
		}
		b = rest
		switch {
		case piece.Kind == c.kind:
			c.Heard(piece.Data, piece.Last, now)
		case piece.Kind.audio():
			if piece.Last {
				c.stats.WrongKind.Add(1)
			}
		case piece.Kind == KindDigit && piece.Last:
			c.key(piece.Data[0])
		case piece.Kind == KindHangup, piece.Kind == KindError:
			c.Fail()
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

// Send sends 20 ms of audio as one frame. There are no timestamps: ts and
// marker are ignored. A frame the kernel has no room for is dropped and
// counted; one it took a part of is finished first, so framing never breaks.
func (c *Conn) Send(payload []byte, _ uint32, _ bool) {
	if c.Closed() || len(payload) == 0 {
		return
	}
	if len(payload) > cap(c.out)-headerSize || !c.Ready() {
		c.stats.Full.Add(1)
		return
	}
	c.out = AppendFrame(c.out[:0], c.kind, payload)
	c.stats.Sent.Add(1)
	c.Write(c.out)
}

// Digit returns the next key the caller has pressed, in order.
func (c *Conn) Digit() (d byte, ok bool) { return c.keys.pop() }

// Stats returns the live counters.
func (c *Conn) Stats() *Stats { return &c.stats }
