package codec

// Two types rather than one with a byte order inside: the order is then known
// to the compiler, which turns each loop body into one load and one store.
type (
	bigEndian    struct{}
	littleEndian struct{}
)

func (bigEndian) Decode(dst []int16, payload []byte) (int, error) {
	n := len(payload) / 2
	if err := fits(len(dst), n, len(payload)); err != nil {
		return 0, err
	}
	dst = dst[:n]
	for i := range dst {
		dst[i] = int16(payload[2*i])<<8 | int16(payload[2*i+1])
	}
	return n, nil
}

func (bigEndian) Encode(dst []byte, pcm []int16) (int, error) {
	n := 2 * len(pcm)
	if len(dst) < n {
		return 0, ErrShortBuffer
	}
	dst = dst[:n]
	for i, s := range pcm {
		dst[2*i], dst[2*i+1] = byte(s>>8), byte(s)
	}
	return n, nil
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
