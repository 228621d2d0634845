package rtp

import "encoding/binary"

// MaxVoices is how many a packet names (RFC 3550 §5.1).
const MaxVoices = 15

const (
	extensionBit = 0x10
	oneByteForm  = 0xBEDE // profile of header extensions, RFC 8285 §4.2
	levelMask    = 0x7F
	endOfForm    = 15 // number that ends the elements

	// voicesMost is the room that MaxVoices take in a packet: their names, the
	// header of the extension, and its one element.
	voicesMost = 4*MaxVoices + 4 + 1 + MaxVoices
)

// Voice is one who is heard in a mix.
type Voice struct {
	SSRC  uint32 // his name
	Level uint8  // -dBov, 0 to 127 (RFC 6465 §3)
}

// SetLevels says by which numbers levels go in header extensions: mix of those
// in what is sent (RFC 6465), own of who sends what comes (RFC 6464); 0 = not.
// They count from the next tick on.
func (s *Session) SetLevels(mix, own uint8) { s.levels.Store(uint32(mix)<<8 | uint32(own)) }

// Credits says whether the peer wants to know who is in a mix.
func (s *Session) Credits() bool { return s.levels.Load()>>8 != 0 }

// SSRC is the name of the stream that comes; 0 = none has. It belongs to the
// tick.
func (s *Session) SSRC() uint32 { return s.in.ssrc }

// Credit names who is in the payload that is sent next, at most MaxVoices of
// them. It belongs to the tick, as Send does.
func (s *Session) Credit(voices []Voice) {
	if s.boxed { // the last packet is still in the buffer
		s.box.Flush()
	}
	o := &s.out
	o.head, o.voices = minHeader, 0
	id := uint8(s.levels.Load() >> 8)
	if id == 0 || len(voices) == 0 {
		return
	}
	voices = voices[:min(len(voices), MaxVoices)]
	at := o.buf[minHeader:]
	for _, v := range voices {
		binary.BigEndian.PutUint32(at, v.SSRC)
		at = at[4:]
	}
	words := (1 + len(voices) + 3) / 4
	binary.BigEndian.PutUint16(at, oneByteForm)
	binary.BigEndian.PutUint16(at[2:], uint16(words))
	at = at[4 : 4+4*words]
	clear(at)
	at[0] = id<<4 | uint8(len(voices)-1)
	for i, v := range voices {
		at[1+i] = v.Level & levelMask
	}
	o.voices = uint8(len(voices))
	o.head = minHeader + 4*len(voices) + 4 + 4*words
}

// saidOf is what a packet says of its level, and one, by the number agreed on; 0 =
// nothing.
func (s *Session) saidOf(b []byte) uint8 {
	id := uint8(s.levels.Load())
	if id == 0 {
		return 0
	}
	if level, ok := levelIn(b, id); ok {
		return level + 1
	}
	return 0
}

// levelIn finds the level that a packet says it has, in -dBov (RFC 6464), among
// header extensions of the one-byte form (RFC 8285 §4.2).
func levelIn(b []byte, id uint8) (level uint8, ok bool) {
	if len(b) < minHeader || b[0]&extensionBit == 0 {
		return 0, false
	}
	at := minHeader + 4*int(b[0]&0x0F)
	if len(b) < at+4 || binary.BigEndian.Uint16(b[at:]) != oneByteForm {
		return 0, false
	}
	size := 4 * int(binary.BigEndian.Uint16(b[at+2:]))
	if b = b[at+4:]; len(b) < size {
		return 0, false
	}
	for b = b[:size]; len(b) > 1; {
		number, n := b[0]>>4, 1+int(b[0]&0x0F)
		switch {
		case b[0] == 0: // padding
			b = b[1:]
			continue
		case number == endOfForm, len(b) < 1+n:
			return 0, false
		case number == id && n == 1:
			return b[1] & levelMask, true
		}
		b = b[1+n:]
	}
	return 0, false
}
