package seal

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File is the name of the key in the state folder.
const File = "reattach.key"

const keySize = 32 // AES-256

// ErrKey is the class of every trouble with the key's file.
var ErrKey = errors.New("seal: no key")

// Load reads the key from a folder, and makes both when they are not there.
// Its file is for this user alone.
func Load(dir string) (*Key, error) {
	path := filepath.Join(dir, File)
	secret, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(dir, path); err == nil {
			secret, err = read(path) // another process may have been faster
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return newKey(secret)
}

// read takes a key that nobody else can have read.
func read(path string) ([]byte, error) {
	info, err := os.Lstat(path) // before opening: a pipe would block
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s may be read by others (mode %#o); remove it, another one is made", path, info.Mode().Perm())
	case info.Size() > 2*keySize+1:
		return nil, fmt.Errorf("%s holds %d bytes, which is no key; remove it, another one is made", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSuffix(string(text), "\n"))
	if err != nil || len(secret) != keySize {
		return nil, fmt.Errorf("%s holds no key of %d bytes; remove it, another one is made", path, keySize)
	}
	return secret, nil
}

// create makes a key. It appears whole or not at all, and never in the place
// of another one.
func create(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails
	draft, err := os.CreateTemp(dir, File+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }() // the name only: the key has another
	_, err = draft.WriteString(hex.EncodeToString(secret) + "\n")
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
