package audiosocket

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// UUID names one call on both ends: ARI gets it as text, the first frame of
// the connection carries its bytes. It is the only secret of the protocol.
type UUID [16]byte

// NewUUID makes a random one, RFC 9562 version 4.
func NewUUID() UUID {
	var u UUID
	rand.Read(u[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// String is the form of RFC 9562 §4.
func (u UUID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// ParseUUID is the inverse of String.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return UUID{}, fmt.Errorf("%w: %.40q is not a UUID", ErrFrame, s)
	}
	if _, err := hex.Decode(u[:], []byte(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:])); err != nil {
		return UUID{}, fmt.Errorf("%w: %.40q is not a UUID", ErrFrame, s)
	}
	return u, nil
}
