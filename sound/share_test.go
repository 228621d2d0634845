package sound

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestShareWritesWhatAnotherProgramCanPlay(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "made", "when needed")
	s := Share{Dir: dir, Load: l.Load}
	for _, spec := range []string{"enter-pin", "tone_stream://%(100,0,500)", "silence:20", "phrase:count:21"} {
		path, err := s.File(spec, "en")
		if err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		if !filepath.IsAbs(path) || filepath.Dir(path) != dir {
			t.Errorf("%s is in %s", spec, path)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pcm, rate, err := DecodeWAV(bytes.NewReader(data))
		want, _ := l.Load(spec, "en")
		if err != nil || rate != 16000 || !slices.Equal(pcm, want.PCM(16000)) {
			t.Errorf("%s: %d samples at %d, %v", spec, len(pcm), rate, err)
		}
		if again, err := s.File(spec, "en"); again != path || err != nil {
			t.Errorf("%s is in %s the second time, %v", spec, again, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 4 {
		t.Errorf("files %q, %v", files, err)
	}
}

func TestShareFails(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	occupied := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := Share{Dir: filepath.Join(occupied, "dir"), Load: l.Load}
	if _, err := s.File("no such sound", "en"); !errors.Is(err, ErrMissing) {
		t.Errorf("a sound that is missing: %v", err)
	}
	if _, err := s.File("enter-pin", "en"); err == nil {
		t.Error("a folder that cannot be made is no error")
	}
}

func TestEncodeWAV(t *testing.T) {
	for _, pcm := range [][]int16{nil, {0, 1, -1, 32767, -32768}} {
		got, rate, err := DecodeWAV(bytes.NewReader(EncodeWAV(pcm, 8000)))
		if len(pcm) > 0 && (err != nil || rate != 8000 || !slices.Equal(got, pcm)) {
			t.Errorf("%v became %v at %d, %v", pcm, got, rate, err)
		}
	}
}
