package audiotest

import "encoding/binary"

// Ramp makes audio whose samples count up, so that a test can see which piece of
// time it hears.
type Ramp struct{ Next uint16 }

// Bytes is the next n bytes of it, 16 bit little endian.
func (r *Ramp) Bytes(n int) []byte {
	b := make([]byte, 0, n)
	for range n / 2 {
		b = binary.LittleEndian.AppendUint16(b, r.Next)
		r.Next++
	}
	return b
}
