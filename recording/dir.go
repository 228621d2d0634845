package recording

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"parley/codec"
	"parley/sound"
)

// Errors to be tested with errors.Is.
var (
	ErrName   = errors.New("recording: bad name")
	ErrExists = errors.New("recording: the file is there already")
	ErrInUse  = errors.New("recording: the file is being written")
	ErrFull   = errors.New("recording: a WAV file holds no more than 4 GiB")
	ErrFormat = errors.New("recording: not a recording that could be added to")
)

// Extension is that of every recording.
const Extension = ".wav"

const maxName = 512 // bytes

// Exists says what becomes of a file that is there already.
type Exists uint8

// It is kept and the recording refused, replaced, kept while the recording gets
// "-2", "-3" … before its extension, or added to.
const (
	Fail Exists = iota
	Replace
	Number
	Append
)

// Dir is the folder of the recordings. Nothing outside it is written, read or
// removed, whatever a name says or a symbolic link in it points to. Its methods
// may be called from any goroutine, and wait for the disk.
type Dir struct {
	path string

	mu   sync.Mutex
	open map[string]bool // guarded by mu: names that are being written
}

// NewDir is the folder at a path. It is made when it is first needed.
func NewDir(at string) *Dir {
	if abs, err := filepath.Abs(at); err == nil {
		at = abs
	}
	return &Dir{path: at, open: map[string]bool{}}
}

// Path is where the folder is.
func (d *Dir) Path() string { return d.path }

// Name is the name in the folder of what somebody asks for: a path below it, or
// an absolute one that leads into it; without an extension it gets ".wav". The
// error wraps ErrName.
func (d *Dir) Name(asked string) (string, error) { return NameIn(d.path, asked) }

// NameIn is Dir.Name for a folder that may be on another machine.
func NameIn(dir, asked string) (string, error) {
	name := asked
	switch {
	case name == "" || len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }):
		return "", fmt.Errorf("%w %.80q, want 1 to %d bytes of one line", ErrName, asked, maxName)
	case path.IsAbs(name):
		below, err := filepath.Rel(dir, path.Clean(name))
		if err != nil || !filepath.IsLocal(below) {
			return "", fmt.Errorf("%w: %.200q is not below record_dir", ErrName, asked)
		}
		name = below
	}
	name = path.Clean(name)
	switch ext := path.Ext(name); {
	case !filepath.IsLocal(name) || name == "." || strings.HasSuffix(asked, "/"):
		return "", fmt.Errorf("%w: %.200q is no file below record_dir", ErrName, asked)
	case ext == "":
		return name + Extension, nil
	case !strings.EqualFold(ext, Extension):
		return "", fmt.Errorf("%w: %.200q: recordings are %s files", ErrName, asked, Extension)
	}
	return name, nil
}

// MaxParts is how many files of one name there may be.
const MaxParts = 999

// Part is a name as Number counts: "a.wav" is "a-2.wav" the second time.
func Part(name string, n int) string {
	if n < 2 {
		return name
	}
	ext := path.Ext(name)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext)
}

// Check says why nothing can be recorded, in the words of the system: the folder
// is made, and a file in it, which is removed again.
func (d *Dir) Check() error {
	root, err := d.root(true)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing is lost
	const probe = ".parley-check"
	f, err := root.OpenFile(probe, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return d.explain(err, "")
	}
	_ = f.Close() // nothing was written
	return d.explain(root.Remove(probe), "")
}

// Create begins a file, and the folders it is in.
func (d *Dir) Create(name string, rate codec.Rate, exists Exists) (*File, error) {
	root, err := d.root(true)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing is lost
	if sub := path.Dir(name); sub != "." {
		if err := root.MkdirAll(sub, 0o750); err != nil {
			return nil, d.explain(err, sub)
		}
	}
	for n := 1; ; n++ {
		part := Part(name, n)
		f, err := d.begin(root, part, rate, exists)
		taken := errors.Is(err, ErrExists) || errors.Is(err, ErrInUse)
		if exists != Number || !taken || n == MaxParts {
			return f, err
		}
	}
}

// begin opens one file, for this recording alone.
func (d *Dir) begin(root *os.Root, name string, rate codec.Rate, exists Exists) (*File, error) {
	if !d.claim(name) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, name)
	}
	f, size, err := d.make(root, name, rate, exists)
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%w: %s", ErrExists, name)
	}
	if err != nil {
		d.release(name)
		return nil, d.explain(err, name)
	}
	w := &File{dir: d, name: name, f: f, rate: rate, size: size, block: make([]byte, 0, sound.WAVHeader)}
	if err := w.header(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// make opens a file that is new, or one that is to be added to, which has size
// bytes of audio. What is replaced loses its name and is not written to: it may
// have another one outside the folder.
func (d *Dir) make(root *os.Root, name string, rate codec.Rate, exists Exists) (f *os.File, size int64, err error) {
	info, _ := root.Stat(name) // whatever keeps it from being seen keeps it from being made
	there := info != nil && (exists == Replace || exists == Append)
	switch {
	case there && !info.Mode().IsRegular():
		return nil, 0, fmt.Errorf("%w: %s is no file", ErrName, name)
	case there && exists == Append:
		return d.reopen(root, name, rate)
	case there:
		if err := root.Remove(name); err != nil {
			return nil, 0, err
		}
	}
	f, err = root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	return f, 0, err
}

func (d *Dir) claim(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open[name] {
		return false
	}
	d.open[name] = true
	return true
}

func (d *Dir) release(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, name)
}

func (d *Dir) writing(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open[name]
}

// Stored is a complete recording.
type Stored struct {
	Name     string // in the folder
	Bytes    int64
	Modified time.Time
}

// List is every complete recording, by name. A folder that is not there yet has
// none.
func (d *Dir) List() ([]Stored, error) {
	root, err := d.root(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing is lost
	var list []Stored
	err = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || !strings.EqualFold(path.Ext(name), Extension) || d.writing(name) {
			return err
		}
		info, err := e.Info()
		if err == nil {
			list = append(list, Stored{name, info.Size(), info.ModTime()})
		}
		return err
	})
	slices.SortFunc(list, func(a, b Stored) int { return cmp.Compare(a.Name, b.Name) })
	return list, d.explain(err, "")
}

// Open opens a complete recording to be read.
func (d *Dir) Open(name string) (*os.File, error) {
	root, err := d.stored(name)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing is lost
	f, err := root.Open(name)
	return f, d.explain(err, name)
}

// Remove deletes a complete recording.
func (d *Dir) Remove(name string) error {
	root, err := d.stored(name)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing is lost
	return d.explain(root.Remove(name), name)
}

// stored opens the folder where a name is a complete recording.
func (d *Dir) stored(name string) (*os.Root, error) {
	if d.writing(name) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, name)
	}
	root, err := d.root(false)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = root.Close() // the error that comes back says more
		return nil, d.explain(err, name)
	}
	return root, nil
}

func (d *Dir) root(create bool) (*os.Root, error) {
	if create {
		if err := os.MkdirAll(d.path, 0o750); err != nil {
			return nil, d.explain(err, "")
		}
	}
	root, err := os.OpenRoot(d.path)
	return root, d.explain(err, "")
}

// explain makes an error of the system one line with the whole path. A path on
// which a link leads out of the folder, and one that is too long for the system,
// are bad names.
func (d *Dir) explain(err error, name string) error {
	at, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return err
	}
	for inner := at; ok; inner, ok = errors.AsType[*fs.PathError](at.Err) {
		at = inner
	}
	if errors.Is(at.Err, syscall.ENAMETOOLONG) || strings.HasSuffix(at.Err.Error(), "path escapes from parent") { // os.Root has no name for it
		return fmt.Errorf("%w: %.200s: %w", ErrName, name, at.Err)
	}
	return fmt.Errorf("recording: %s: %w", filepath.Join(d.path, name), at.Err)
}
