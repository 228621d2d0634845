package sound

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"parley/codec"
)

//go:embed prompts/en/*.wav
var prompts embed.FS

// Prompts lists the built-in prompts, in order.
func Prompts() []string {
	paths, err := fs.Glob(prompts, "prompts/en/*.wav")
	if err != nil {
		panic(err) // only a malformed pattern
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(path.Base(p), ".wav")
	}
	return paths
}

// MissingError is a sound that is in none of the places it may be in.
// errors.Is(err, ErrMissing) holds.
type MissingError struct {
	Name string   // as it was asked for
	Dirs []string // folders searched, first to last; none for an absolute path
}

func (e *MissingError) Error() string {
	if filepath.IsAbs(e.Name) {
		return fmt.Sprintf("%q not found", e.Name)
	}
	if len(e.Dirs) == 0 {
		return fmt.Sprintf("%q not found among the built-in prompts (sounds_dir is not set)", e.Name)
	}
	places := slices.Clone(e.Dirs)
	for i := 1; i < len(places); i++ {
		if filepath.Dir(e.Dirs[i]) == filepath.Dir(e.Dirs[i-1]) {
			places[i] = "…/" + filepath.Base(e.Dirs[i])
		}
	}
	return fmt.Sprintf("%q not found in %s, nor among the built-in prompts", e.Name, strings.Join(places, ", "))
}

func (e *MissingError) Unwrap() error { return ErrMissing }

// file is a WAV file or a built-in prompt.
type file struct {
	asked string // as it was asked for
	name  string // with ".wav"; slashes only
}

func newFile(name string) (source, error) {
	f := file{asked: name, name: name}
	switch ext := path.Ext(name); {
	case strings.ContainsAny(name, "\x00\r\n\\"):
		return nil, fmt.Errorf("%w: %q is no file name", ErrSpec, clipped(name))
	case !path.IsAbs(name) && !filepath.IsLocal(name):
		return nil, fmt.Errorf("%w: %q leaves the sounds folder", ErrSpec, clipped(name))
	case ext == "":
		f.name += ".wav"
	case !strings.EqualFold(ext, ".wav"):
		return nil, fmt.Errorf("%w: %q is not a WAV file", ErrSpec, clipped(name))
	}
	return f, nil
}

func (f file) load(l *Library, language string) (*Clip, error) {
	pcm, rate, err := f.decode(l, language)
	if err != nil {
		return nil, err
	}
	return FromPCM(pcm, rate), nil
}

func (f file) check(l *Library, language string) error {
	_, _, err := f.decode(l, language)
	return err
}

// decode finds and reads the file.
func (f file) decode(l *Library, language string) (pcm []int16, rate codec.Rate, err error) {
	r, at, err := f.open(l, language)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if pcm, rate, err = DecodeWAV(r); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", at, err)
	}
	return pcm, rate, nil
}

// open finds the file in the first of its places and says where that is.
func (f file) open(l *Library, language string) (r io.ReadCloser, at string, err error) {
	if path.IsAbs(f.name) {
		r, err = openRegular(f.name)
		if errors.Is(err, fs.ErrNotExist) {
			err = &MissingError{Name: f.asked}
		}
		return r, f.name, err
	}
	dirs := f.dirs(l, language)
	for _, dir := range dirs {
		at = filepath.Join(dir, path.Base(f.name))
		if r, err = openRegular(at); !errors.Is(err, fs.ErrNotExist) {
			return r, at, err
		}
	}
	for _, lang := range l.languages(language) {
		at = path.Join("prompts", lang, f.name)
		if r, err := prompts.Open(at); err == nil {
			return r, at, nil
		}
	}
	return nil, "", &MissingError{Name: f.asked, Dirs: dirs}
}

// dirs lists the folders of Options.Dir the file may be in: for each language
// the subfolders by rate that FreeSWITCH's sound packages have, then the folder
// itself; last what belongs to no language.
func (f file) dirs(l *Library, language string) []string {
	if l.opts.Dir == "" {
		return nil
	}
	sub := filepath.FromSlash(path.Dir(f.name))
	var dirs []string
	for _, lang := range l.languages(language) {
		base := filepath.Join(l.opts.Dir, lang, sub)
		dirs = append(dirs, filepath.Join(base, "16000"), filepath.Join(base, "8000"), base)
	}
	return append(dirs, filepath.Join(l.opts.Dir, sub))
}

// openRegular opens a file, but nothing that could block or never end.
func openRegular(name string) (io.ReadCloser, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrFormat, name)
	}
	return os.Open(name)
}
