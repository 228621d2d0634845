// Package mediasocket is the client end of Asterisk's media websocket
// (chan_websocket): a channel's audio in binary messages, and what Asterisk and
// we have to say about it in texts. It has its own framing (RFC 6455), because
// one call's audio may neither wait nor allocate.
package mediasocket

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Errors of the protocol; each of them ends the connection.
var (
	ErrTooLarge = errors.New("mediasocket: message too large")
	ErrFrame    = errors.New("mediasocket: malformed frame")
)

// Op is the opcode of a frame, RFC 6455 §5.2.
type Op uint8

// Opcodes.
const (
	OpContinue Op = 0x0
	OpText     Op = 0x1
	OpBinary   Op = 0x2
	OpClose    Op = 0x8
	OpPing     Op = 0x9
	OpPong     Op = 0xA
)

// control says whether frames of o stand between those of a message.
func (o Op) control() bool { return o >= OpClose }

const (
	maxBinary  = 64 * 1024 // of one frame: a burst of 2 s at 16 kHz
	maxText    = 2048      // of one frame
	maxControl = 125       // RFC 6455 §5.5
	headMost   = 10        // bytes of a header without a mask
)

// Parser cuts the stream of a server into frames without collecting them: a
// long payload comes out in fragments as it comes in. The zero value is ready.
type Parser struct {
	head    [headMost]byte
	have    int // bytes of head
	left    int // bytes of the payload still to come
	inside  bool
	message Op // that a continuation is of; 0: none
}

// Piece is a payload or a fragment of one. Data aliases the input.
type Piece struct {
	Op   Op // of the message, never OpContinue
	Data []byte
	Last bool // the message, or the control frame, ends here
}

// Next takes one piece off the front of b. Without one (ok is false) all of b
// is taken in. An error is final.
func (p *Parser) Next(b []byte) (piece Piece, rest []byte, ok bool, err error) {
	if !p.inside {
		for p.have < p.size() && len(b) > 0 {
			p.head[p.have] = b[0]
			p.have++
			b = b[1:]
		}
		if p.have < p.size() {
			return Piece{}, b, false, nil
		}
		if err := p.begin(); err != nil {
			return Piece{}, nil, false, err
		}
	}
	if p.left > 0 && len(b) == 0 {
		return Piece{}, b, false, nil
	}
	n := min(p.left, len(b))
	p.left -= n
	op := Op(p.head[0] & 0x0F)
	if op == OpContinue {
		op = p.message
	}
	done := p.left == 0
	piece = Piece{Op: op, Data: b[:n], Last: done && p.head[0]&0x80 != 0}
	if done {
		p.end()
	}
	return piece, b[n:], true, nil
}

// size is how long the header is, as far as its first bytes tell.
func (p *Parser) size() int {
	if p.have < 2 {
		return 2
	}
	switch p.head[1] & 0x7F {
	case 126:
		return 4
	case 127:
		return 10
	default:
		return 2
	}
}

// begin judges a complete header.
func (p *Parser) begin() error {
	op, final := Op(p.head[0]&0x0F), p.head[0]&0x80 != 0
	n := uint64(p.head[1] & 0x7F)
	switch p.size() {
	case 4:
		n = uint64(binary.BigEndian.Uint16(p.head[2:]))
	case 10:
		n = binary.BigEndian.Uint64(p.head[2:])
	}
	limit := uint64(maxBinary)
	switch {
	case p.head[0]&0x70 != 0 || p.head[1]&0x80 != 0:
		return fmt.Errorf("%w: reserved bits, or a mask", ErrFrame)
	case op == OpText || op == OpContinue && p.message == OpText:
		limit = maxText
	case op.control():
		limit = maxControl
	}
	switch {
	case op.control() && !final, op > OpPong, op > OpBinary && op < OpClose,
		op == OpContinue && p.message == 0, (op == OpText || op == OpBinary) && p.message != 0:
		return fmt.Errorf("%w: opcode %d out of place", ErrFrame, op)
	case n > limit:
		return fmt.Errorf("%w: %d bytes of opcode %d", ErrTooLarge, n, op)
	}
	if op == OpText || op == OpBinary {
		p.message = op
	}
	p.left, p.inside = int(n), true
	return nil
}

// end is the end of a frame.
func (p *Parser) end() {
	p.inside, p.have = false, 0
	if p.head[0]&0x80 != 0 && !Op(p.head[0]&0x0F).control() {
		p.message = 0
	}
}

// AppendFrame appends a whole message of a client to dst, masked with key as
// RFC 6455 §5.3 asks. A payload longer than 65535 bytes is a programming error.
func AppendFrame(dst []byte, op Op, key uint32, payload []byte) []byte {
	const final, masked = 0x80, 0x80
	switch n := len(payload); {
	case n > 0xFFFF:
		panic("mediasocket: payload does not fit a frame")
	case n > maxControl:
		dst = append(dst, final|byte(op), masked|126, byte(n>>8), byte(n))
	default:
		dst = append(dst, final|byte(op), masked|byte(n))
	}
	dst = binary.BigEndian.AppendUint32(dst, key)
	at := len(dst)
	dst = append(dst, payload...)
	mask(dst[at:], key)
	return dst
}

// mask masks b, eight bytes at a time.
func mask(b []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for ; len(b) >= 8; b = b[8:] {
		binary.BigEndian.PutUint64(b, binary.BigEndian.Uint64(b)^wide)
	}
	for i := range b {
		b[i] ^= byte(key >> (24 - 8*(i%4)))
	}
}
