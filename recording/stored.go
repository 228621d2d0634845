package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"parley/codec"
	"parley/sound"
)

// reopen opens a file that more is to be added to, and says how many bytes of
// audio it has. One with a second name, which may be outside the folder, is left
// alone.
func (d *Dir) reopen(root *os.Root, name string, rate codec.Rate) (f *os.File, size int64, err error) {
	f, err = root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, err
	}
	size, have, err := d.audio(f, name)
	if err == nil && have != rate {
		err = fmt.Errorf("%w: %s has %d samples per second, and not %d", ErrFormat, filepath.Join(d.path, name), have, rate)
	}
	if info, bad := f.Stat(); err == nil && (bad != nil || linked(info)) {
		err = fmt.Errorf("%w: %s is a hard link: the file has another name", ErrFormat, filepath.Join(d.path, name))
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, 0, err
	}
	return f, size, nil
}

// audio is what a file's header says, which has to be one of ours.
func (d *Dir) audio(f *os.File, name string) (size int64, rate codec.Rate, err error) {
	var head [sound.WAVHeader]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return 0, 0, fmt.Errorf("%w: %s is shorter than its header", ErrFormat, filepath.Join(d.path, name))
	}
	n, rate := binary.LittleEndian.Uint32(head[sound.WAVHeader-4:]), codec.Rate(binary.LittleEndian.Uint32(head[24:]))
	if !bytes.Equal(head[:], sound.AppendWAVHeader(nil, n, rate)) {
		return 0, 0, fmt.Errorf("%w: %s is no WAV file of 16 bits, mono, with a plain header", ErrFormat, filepath.Join(d.path, name))
	}
	return int64(n - n%2), rate, nil
}

// Rate is that of a complete recording, which what is added to it has to have.
// The error wraps ErrFormat for a file that nothing can be added to, and
// fs.ErrNotExist where there is none.
func (d *Dir) Rate(name string) (codec.Rate, error) {
	root, err := d.stored(name)
	if err != nil {
		return 0, err
	}
	defer root.Close() //nolint:errcheck // nothing is lost
	f, err := root.Open(name)
	if err != nil {
		return 0, d.explain(err, name)
	}
	defer f.Close()
	_, rate, err := d.audio(f, name)
	return rate, err
}

// Copy makes another recording of a complete one. Where the other is there
// already the error wraps ErrExists.
func (d *Dir) Copy(name, to string) error {
	from, err := d.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	if !d.claim(to) {
		return fmt.Errorf("%w: %s", ErrInUse, filepath.Join(d.path, to))
	}
	defer d.release(to)
	root, err := d.root(true)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing is lost
	if sub := path.Dir(to); sub != "." {
		if err := root.MkdirAll(sub, 0o750); err != nil {
			return d.explain(err, sub)
		}
	}
	f, err := root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s", ErrExists, filepath.Join(d.path, to))
	}
	if err != nil {
		return d.explain(err, to)
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return d.explain(errors.Join(err, root.Remove(to)), to)
	}
	return nil
}
