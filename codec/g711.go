package codec

import "math/bits"

// The two laws of ITU-T G.711, compiled into tables at start-up.
//
//nolint:gochecknoglobals // tables, never written after they were built
var (
	muLaw = newLaw(expandMu, compressMu)
	aLaw  = newLaw(expandA, compressA)
)

// law is a companding law as two tables. Both laws ignore the two lowest bits
// of a sample (A-law ignores two more), so 14 bits are enough of an index.
type law struct {
	expand   [1 << 8]int16
	compress [1 << 14]byte
}

func newLaw(expand func(byte) int16, compress func(int) byte) *law {
	l := &law{}
	for code := range l.expand {
		l.expand[code] = expand(byte(code))
	}
	for i := range l.compress {
		l.compress[i] = compress(int(int16(i << 2)))
	}
	return l
}

func (l *law) Decode(dst []int16, payload []byte) (int, error) {
	if len(dst) < len(payload) {
		return 0, ErrShortBuffer
	}
	dst = dst[:len(payload)]
	for i, code := range payload {
		dst[i] = l.expand[code]
	}
	return len(payload), nil
}

func (l *law) Encode(dst []byte, pcm []int16) (int, error) {
	if len(dst) < len(pcm) {
		return 0, ErrShortBuffer
	}
	dst = dst[:len(pcm)]
	for i, s := range pcm {
		dst[i] = l.compress[uint16(s)>>2]
	}
	return len(pcm), nil
}

// A code is a sign bit, three bits of segment and four of step within it. The
// step doubles with each segment. Both laws work on the magnitude of negative
// samples less one, which makes their halves symmetrical.

// muBias moves the borders of the µ-law segments to powers of two. It belongs
// to the 14-bit scale of the law.
const muBias = 33

func expandMu(code byte) int16 {
	code = ^code // all bits are inverted on the wire
	segment, step := code>>4&7, int(code&15)
	magnitude := (2*step+muBias)<<segment - muBias
	if code&0x80 != 0 {
		magnitude = -magnitude
	}
	return int16(magnitude << 2)
}

func compressMu(sample int) byte {
	sign, magnitude := split(sample, 2)
	magnitude = min(magnitude+muBias, 1<<13-1)
	segment := bits.Len(uint(magnitude)) - 6
	return ^(sign | byte(segment<<4) | byte(magnitude>>(segment+1)&15))
}

// aInverted are the bits that A-law inverts on the wire.
const aInverted = 0x55

func expandA(code byte) int16 {
	code ^= aInverted
	segment, step := code>>4&7, int(code&15)
	magnitude := 2*step + 1 // the middle of the step, on a 13-bit scale
	if segment > 0 {
		magnitude = (magnitude + 32) << (segment - 1)
	}
	if code&0x80 == 0 { // set means positive
		magnitude = -magnitude
	}
	return int16(magnitude << 3)
}

func compressA(sample int) byte {
	sign, magnitude := split(sample, 4)
	segment := max(bits.Len(uint(magnitude))-4, 0)
	step := magnitude >> max(segment-1, 0) & 15
	return (sign ^ 0x80 | byte(segment<<4) | byte(step)) ^ aInverted
}

// split separates the sign bit from the magnitude, without the lowest bits.
func split(sample int, lowest uint) (sign byte, magnitude int) {
	if sample < 0 {
		return 0x80, ^sample >> lowest
	}
	return 0, sample >> lowest
}
