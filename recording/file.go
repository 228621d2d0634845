package recording

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"time"

	"parley/codec"
	"parley/sound"
)

// maxData is the most audio that the sizes of a WAV header can tell, in bytes.
const maxData = math.MaxUint32 - sound.WAVHeader - 1

// File is a WAV file that is being written: 16 bits, mono. After every Write
// its header says how much audio there is, so that it can be played whenever
// writing ends, and however. It has one user at a time.
type File struct {
	dir   *Dir
	name  string
	f     *os.File
	rate  codec.Rate
	size  int64 // bytes of audio
	block []byte
}

// Path is where the file is.
func (f *File) Path() string { return filepath.Join(f.dir.path, f.name) }

// Duration is how much audio is in it.
func (f *File) Duration() time.Duration {
	return time.Duration(f.size/2) * time.Second / time.Duration(f.rate)
}

// Bytes is how long the file is.
func (f *File) Bytes() int64 { return sound.WAVHeader + f.size }

// Write appends samples. On an error, which is ErrFull or the system's, the file
// holds what went in before.
func (f *File) Write(pcm []int16) error {
	f.block = f.block[:0]
	for _, s := range pcm {
		f.block = binary.LittleEndian.AppendUint16(f.block, uint16(s))
	}
	if f.size+int64(len(f.block)) > maxData {
		return ErrFull
	}
	n, err := f.f.WriteAt(f.block, sound.WAVHeader+f.size)
	f.size += int64(n - n%2)
	return errors.Join(f.dir.explain(err, f.name), f.header())
}

// header writes the sizes as they are now.
func (f *File) header() error {
	f.block = sound.AppendWAVHeader(f.block[:0], uint32(f.size), f.rate)
	_, err := f.f.WriteAt(f.block, 0)
	return f.dir.explain(err, f.name)
}

// Cut takes back the last of what was written.
func (f *File) Cut(samples int) error {
	f.size = max(0, f.size-2*int64(samples))
	return errors.Join(f.dir.explain(f.f.Truncate(sound.WAVHeader+f.size), f.name), f.header())
}

// Close has the file on the disk, and closes it.
func (f *File) Close() error {
	defer f.dir.release(f.name)
	return errors.Join(f.dir.explain(f.f.Sync(), f.name), f.dir.explain(f.f.Close(), f.name))
}
