// Package seal makes tokens of members' rights. A token is kept where its call
// is, on the switch, and outlives this process; nobody but the holder of the
// key can make, read or change one, and it is good for one call only.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"parley/engine"
)

// MaxToken is the longest token in bytes. A channel variable of that length
// travels in every event of its call.
const MaxToken = 4096

// Errors that Open and Seal can be told apart by.
var (
	ErrToken = errors.New("seal: not a token of ours for this call")
	ErrSize  = errors.New("seal: too long")
)

// version begins every token, so that another form can be told from a forgery.
const version = "1."

// purpose keeps tokens apart from whatever else the key may come to seal.
const purpose = "parley reattach " + version

// Key seals and opens tokens. It may be used from any goroutine.
type Key struct{ aead cipher.AEAD }

// newKey takes keySize secret bytes.
func newKey(secret []byte) (*Key, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Key{aead}, nil
}

// bound is what a token is only good with.
func bound(call engine.LegID) []byte { return []byte(purpose + string(call)) }

// Seal makes the token of a call's rights. It consists of letters, digits and
// "._-", so that every switch takes it for itself.
func (k *Key) Seal(call engine.LegID, r engine.Rights) (string, error) {
	if err := r.Check(); err != nil {
		return "", err
	}
	plain, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	token := version + base64.RawURLEncoding.EncodeToString(k.aead.Seal(nil, nil, plain, bound(call)))
	if len(token) > MaxToken {
		return "", fmt.Errorf("%w: a token of %d bytes, at most %d", ErrSize, len(token), MaxToken)
	}
	return token, nil
}

// Open returns the rights that were sealed for this call. Errors say no more
// than what a forger knows himself.
func (k *Key) Open(call engine.LegID, token string) (r engine.Rights, err error) {
	if len(token) > MaxToken {
		return r, fmt.Errorf("%w: a token of %d bytes, at most %d", ErrSize, len(token), MaxToken)
	}
	body, ok := strings.CutPrefix(token, version)
	if !ok {
		return r, fmt.Errorf("%w: unknown version", ErrToken)
	}
	box, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return r, fmt.Errorf("%w: not base64", ErrToken)
	}
	plain, err := k.aead.Open(nil, nil, box, bound(call))
	if err != nil {
		return r, fmt.Errorf("%w: wrong seal", ErrToken)
	}
	if err := json.Unmarshal(plain, &r); err != nil {
		return engine.Rights{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if err := r.Check(); err != nil {
		return engine.Rights{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return r, nil
}
