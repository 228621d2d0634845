package codec

import "encoding/binary"

// Two types rather than one with a byte order inside: the order is then known
// to the compiler, which turns each loop body into one load and one store. Those
// of network order take four samples at a time.
type (
	bigEndian    struct{}
	littleEndian struct{}
)

func (bigEndian) Decode(dst []int16, payload []byte) (int, error) {
	n := len(payload) / 2
	if err := fits(len(dst), n, len(payload)); err != nil {
		return 0, err
	}
	dst, four := dst[:n], n/4*4
	for i := 0; i < four; i += 4 {
		x, to := swapped(binary.LittleEndian.Uint64(payload[2*i:])), dst[i:i+4]
		to[0], to[1], to[2], to[3] = int16(x), int16(x>>16), int16(x>>32), int16(x>>48)
	}
	for i := four; i < n; i++ {
		dst[i] = int16(payload[2*i])<<8 | int16(payload[2*i+1])
	}
	return n, nil
}

func (bigEndian) Encode(dst []byte, pcm []int16) (int, error) {
	n := 2 * len(pcm)
	if len(dst) < n {
		return 0, ErrShortBuffer
	}
	dst, four := dst[:n], len(pcm)/4*4
	for i := 0; i < four; i += 4 {
		p := pcm[i : i+4]
		x := uint64(uint16(p[0])) | uint64(uint16(p[1]))<<16 | uint64(uint16(p[2]))<<32 | uint64(uint16(p[3]))<<48
		binary.LittleEndian.PutUint64(dst[2*i:], swapped(x))
	}
	for i := four; i < len(pcm); i++ {
		dst[2*i], dst[2*i+1] = byte(pcm[i]>>8), byte(pcm[i])
	}
	return n, nil
}

// swapped has the two bytes of each of four samples change places.
func swapped(x uint64) uint64 {
	const low = 0x00FF00FF00FF00FF
	return x&low<<8 | x>>8&low
}

func (littleEndian) Decode(dst []int16, payload []byte) (int, error) {
	n := len(payload) / 2
	if err := fits(len(dst), n, len(payload)); err != nil {
		return 0, err
	}
	dst = dst[:n]
	for i := range dst {
		dst[i] = int16(payload[2*i+1])<<8 | int16(payload[2*i])
	}
	return n, nil
}

func (littleEndian) Encode(dst []byte, pcm []int16) (int, error) {
	n := 2 * len(pcm)
	if len(dst) < n {
		return 0, ErrShortBuffer
	}
	dst = dst[:n]
	for i, s := range pcm {
		dst[2*i], dst[2*i+1] = byte(s), byte(s>>8)
	}
	return n, nil
}

// fits says whether a payload of so many bytes is whole, and has room.
func fits(room, samples, size int) error {
	switch {
	case size%2 != 0:
		return ErrOddLength
	case room < samples:
		return ErrShortBuffer
	}
	return nil
}
