// Package audiosocket is the server end of AudioSocket, the TCP protocol by
// which Asterisk hands a channel's audio to a program: the frames, a listener
// that admits announced calls only, and one call's audio as a media port.
package audiosocket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Errors of the protocol; every one of them ends the connection.
var (
	ErrTooLarge = errors.New("audiosocket: frame too large")
	ErrFrame    = errors.New("audiosocket: malformed frame")
)

// Kind is the type of a frame, its first byte on the wire.
type Kind uint8

// Kinds of frames. Asterisk sends a digit when the key is released; sending
// one to Asterisk ends the channel, so a Conn never does.
const (
	KindHangup Kind = 0x00
	KindUUID   Kind = 0x01 // first frame of a connection, 16 bytes
	KindDigit  Kind = 0x03 // one ASCII byte
	KindSLIN8  Kind = 0x10 // signed linear 16 bit, little endian, 8 kHz
	KindSLIN16 Kind = 0x12 // the same at 16 kHz
	KindError  Kind = 0xff
)

// kindLast is the last of the kinds for audio, which follow KindSLIN8.
const kindLast Kind = 0x18

func (k Kind) audio() bool { return k >= KindSLIN8 && k <= kindLast }

func (k Kind) String() string {
	switch k {
	case KindHangup:
		return "hangup"
	case KindUUID:
		return "uuid"
	case KindDigit:
		return "digit"
	case KindSLIN8:
		return "slin8"
	case KindSLIN16:
		return "slin16"
	case KindError:
		return "error"
	default:
		return fmt.Sprintf("kind %#02x", uint8(k))
	}
}

const (
	headerSize = 3 // kind, length in network order

	// MaxPayload is the longest payload accepted: 200 ms of 16 kHz audio.
	// Asterisk sends what one RTP packet of the caller held.
	MaxPayload = 6400
)

// AppendFrame appends a frame to dst. A payload longer than 65535 bytes is a
// programming error.
func AppendFrame(dst []byte, k Kind, payload []byte) []byte {
	if len(payload) > 0xffff {
		panic("audiosocket: payload does not fit a frame")
	}
	dst = append(dst, byte(k), byte(len(payload)>>8), byte(len(payload)))
	return append(dst, payload...)
}

// ReadFrame reads one whole frame from r into buf and returns its payload,
// which aliases buf. A frame longer than buf is ErrTooLarge.
func ReadFrame(r io.Reader, buf []byte) (Kind, []byte, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return 0, nil, err
	}
	n := int(binary.BigEndian.Uint16(h[1:]))
	if n > len(buf) {
		return 0, nil, fmt.Errorf("%w: %v of %d bytes", ErrTooLarge, Kind(h[0]), n)
	}
	if _, err := io.ReadFull(r, buf[:n]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return Kind(h[0]), buf[:n], nil
}

// Parser cuts a byte stream that arrives in pieces of any size into frames
// without collecting them: a long payload comes out in fragments as it comes
// in. The zero value is ready.
type Parser struct {
	head [headerSize]byte
	have int // bytes of head
	left int // bytes of the payload still to come
}

// Piece is a whole payload or a fragment of one. Data aliases the input.
type Piece struct {
	Kind Kind
	Data []byte
	Size int  // of the whole payload
	Last bool // the payload ends here
}

// Next takes one piece off the front of b. Without one (ok is false) all of b
// is taken in and rest is empty. An error is final.
func (p *Parser) Next(b []byte) (piece Piece, rest []byte, ok bool, err error) {
	if p.have < headerSize {
		n := copy(p.head[p.have:], b)
		p.have += n
		if b = b[n:]; p.have < headerSize {
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
	piece = Piece{Kind: Kind(p.head[0]), Data: b[:n], Size: p.size(), Last: p.left == 0}
	if piece.Last {
		p.have = 0
	}
	return piece, b[n:], true, nil
}

func (p *Parser) size() int { return int(binary.BigEndian.Uint16(p.head[1:])) }

// begin judges a complete header.
func (p *Parser) begin() error {
	k, n := Kind(p.head[0]), p.size()
	switch {
	case n > MaxPayload:
		return fmt.Errorf("%w: %v of %d bytes", ErrTooLarge, k, n)
	case k.audio() && n%2 != 0:
		return fmt.Errorf("%w: %v of %d bytes, samples have 2", ErrFrame, k, n)
	case k == KindDigit && n != 1:
		return fmt.Errorf("%w: %v of %d bytes", ErrFrame, k, n)
	}
	p.left = n
	return nil
}
