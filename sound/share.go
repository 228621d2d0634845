package sound

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"parley/codec"
)

// Share writes sounds into a folder, for programs that play files and know
// nothing of specs. It may be used by many goroutines at once.
type Share struct {
	Dir  string                                     // made when there is something to write
	Load func(spec, language string) (*Clip, error) // Library.Load
}

// File returns the absolute path of a spec's sound as a WAV file of 16 kHz, and
// writes it if it is not there. An endless clip is written for one lap.
func (s *Share) File(spec, language string) (string, error) {
	clip, err := s.Load(spec, language)
	if err != nil {
		return "", err
	}
	wav := EncodeWAV(clip.PCM(wide), wide)
	sum := sha256.Sum256(wav)
	path, err := filepath.Abs(filepath.Join(s.Dir, hex.EncodeToString(sum[:12])+".wav"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	return path, s.write(path, wav)
}

// write makes the file whole or not at all.
func (s *Share) write(path string, wav []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("sound: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".sound-*")
	if err != nil {
		return fmt.Errorf("sound: %w", err)
	}
	_, err = f.Write(wav)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // what there is of it
		return fmt.Errorf("sound: %w", err)
	}
	return nil
}

// EncodeWAV makes a RIFF WAVE file of mono 16 bit samples.
func EncodeWAV(pcm []int16, rate codec.Rate) []byte {
	var b bytes.Buffer
	b.Grow(44 + 2*len(pcm))
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // to memory
	b.WriteString("RIFF")
	put(uint32(36 + 2*len(pcm)))
	b.WriteString("WAVEfmt ")
	put(uint32(16))
	put(uint16(tagPCM))
	put(uint16(1))
	put(uint32(rate))
	put(uint32(2 * int(rate)))
	put(uint16(2))
	put(uint16(16))
	b.WriteString("data")
	put(uint32(2 * len(pcm)))
	put(pcm)
	return b.Bytes()
}
