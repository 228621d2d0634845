package phone

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// loopHeader marks the calls that we make, so that one that comes back to us,
// perhaps through a switch that keeps such headers and gives the call another
// Call-ID, is not taken.
const loopHeader = "X-Parley-Origin"

// marks are words that are signed by the key of this process: each call has another,
// so that whom we call cannot tell whether two calls are of one Parley, and we need
// not remember them.
type marks struct{ key [sha256.Size]byte }

func newMarks() (m marks) {
	_, _ = rand.Read(m.key[:]) // never fails (crypto/rand)
	return m
}

func (m marks) next() string {
	word := rand.Text()
	return word + "." + m.signature(word)
}

func (m marks) ours(mark string) bool {
	word, signature, _ := strings.Cut(mark, ".")
	return hmac.Equal([]byte(signature), []byte(m.signature(word)))
}

func (m marks) signature(word string) string {
	h := hmac.New(sha256.New, m.key[:])
	h.Write([]byte(word))
	return hex.EncodeToString(h.Sum(nil)[:16])
}
