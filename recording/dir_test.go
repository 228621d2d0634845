package recording_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"parley/recording"
)

type nameCase struct {
	name, in, want string
}

func names() []nameCase {
	return []nameCase{
		{"plain", "a.wav", "a.wav"},
		{"without an extension", "a", "a.wav"},
		{"below", "2026/11/a.wav", "2026/11/a.wav"},
		{"absolute in the folder", "/srv/rec/x/a.wav", "x/a.wav"},
		{"upper case", "A.WAV", "A.WAV"},
		{"tidied", "./x//a.wav", "x/a.wav"},
		{"up and down stays in", "x/../a.wav", "a.wav"},
		{"leaves it", "../a.wav", ""},
		{"leaves it from below", "x/../../a.wav", ""},
		{"absolute elsewhere", "/etc/a.wav", ""},
		{"absolute, a neighbour", "/srv/recordings/a.wav", ""},
		{"absolute, up from the folder", "/srv/rec/../a.wav", ""},
		{"the folder itself", "/srv/rec", ""},
		{"a folder", "x/", ""},
		{"nothing", "", ""},
		{"a dot", ".", ""},
		{"another format", "a.mp3", ""},
		{"two lines", "a\n.wav", ""},
		{"a zero byte", "a\x00.wav", ""},
		{"a backslash", `x\a.wav`, ""},
		{"too long", strings.Repeat("a", 513), ""},
	}
}

func TestNamesStayInTheFolder(t *testing.T) {
	for _, tt := range names() {
		t.Run(tt.name, func(t *testing.T) {
			got, err := recording.NameIn("/srv/rec", tt.in)
			if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, recording.ErrName) {
				t.Errorf("%q: %q, %v; want %q", tt.in, got, err, tt.want)
			}
		})
	}
}

func FuzzName(f *testing.F) {
	for _, tt := range names() {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := recording.NameIn("/srv/rec", in)
		if err == nil && (!filepath.IsLocal(got) || !strings.EqualFold(filepath.Ext(got), ".wav")) {
			t.Errorf("%q: %q", in, got)
		}
	})
}

func TestDirExistingFiles(t *testing.T) {
	d := recording.NewDir(filepath.Join(t.TempDir(), "made"))
	create := func(name string, exists recording.Exists) (*recording.File, error) {
		return d.Create(name, 8000, exists)
	}
	first, err := create("x/a.wav", recording.Fail)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := create("x/a.wav", recording.Replace); !errors.Is(err, recording.ErrInUse) {
		t.Errorf("replaced while it is written: %v", err)
	}
	if list, err := d.List(); err != nil || len(list) != 0 {
		t.Errorf("an unfinished recording is listed: %v, %v", list, err)
	}
	if _, err := d.Open("x/a.wav"); !errors.Is(err, recording.ErrInUse) {
		t.Errorf("an unfinished recording is opened: %v", err)
	}
	second, err := create("x/a.wav", recording.Number)
	if err != nil || filepath.Base(second.Path()) != "a-2.wav" {
		t.Fatalf("%v, %v", second, err)
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := create("x/a.wav", recording.Fail); !errors.Is(err, recording.ErrExists) {
		t.Errorf("%v, want ErrExists", err)
	}
	again, err := create("x/a.wav", recording.Replace)
	if err != nil || again.Close() != nil {
		t.Fatal(err)
	}
	var got []string
	list, err := d.List()
	for _, s := range list {
		got = append(got, s.Name)
	}
	if want := []string{"x/a-2.wav", "x/a.wav"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("listed %v, %v; want %v", got, err, want)
	}
	if err := d.Remove("x/a.wav"); err != nil {
		t.Error(err)
	}
	if err := d.Remove("x/a.wav"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestDirDoesNotFollowLinksOut(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	victim := filepath.Join(outside, "victim.wav")
	if err := errors.Join(os.WriteFile(victim, []byte("keep"), 0o600), os.Symlink(victim, filepath.Join(inside, "file.wav")),
		os.Symlink(outside, filepath.Join(inside, "sub"))); err != nil {
		t.Fatal(err)
	}
	d := recording.NewDir(inside)
	for _, name := range []string{"file.wav", "sub/new.wav", "sub/victim.wav"} {
		if f, err := d.Create(name, 8000, recording.Replace); err == nil {
			t.Errorf("%s was created at %s", name, f.Path())
		} else if strings.HasPrefix(name, "sub/") && !errors.Is(err, recording.ErrName) {
			t.Error(err)
		}
		if _, err := d.Open(name); !errors.Is(err, recording.ErrName) {
			t.Errorf("%s was opened: %v", name, err)
		}
	}
	if _, err := d.Create(strings.Repeat("a", 300)+".wav", 8000, recording.Fail); !errors.Is(err, recording.ErrName) {
		t.Error(err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "keep" {
		t.Errorf("the file outside is %q, %v", text, err)
	}
	if list, err := os.ReadDir(outside); err != nil || len(list) != 1 {
		t.Errorf("outside are %v, %v", list, err)
	}
}

// TestAFileWithAnotherNameIsLeftAsItIs: a hard link in the folder may be a file
// outside it.
func TestAFileWithAnotherNameIsLeftAsItIs(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	d := recording.NewDir(inside)
	f, err := d.Create("a.wav", 8000, recording.Fail)
	if err != nil || f.Write(make([]int16, 80)) != nil || f.Close() != nil {
		t.Fatal(err)
	}
	name, victim := filepath.Join(inside, "a.wav"), filepath.Join(outside, "victim.wav")
	if err := os.Link(name, victim); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(victim)
	if err != nil || len(before) != 204 {
		t.Fatal(len(before), err)
	}
	if _, err := d.Create("a.wav", 8000, recording.Append); !errors.Is(err, recording.ErrFormat) {
		t.Errorf("added to: %v", err)
	}
	again, err := d.Create("a.wav", 8000, recording.Replace)
	if err != nil || again.Write(make([]int16, 8)) != nil || again.Close() != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(victim); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the file outside has %d bytes, %v; it had %d", len(after), err, len(before))
	}
	if here, err := os.Stat(name); err != nil || here.Size() != 60 {
		t.Errorf("%v, %v", here, err)
	}
}

func TestDirErrorsAreTheSystems(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{blocked, filepath.Join(blocked, "below")} {
		d := recording.NewDir(at)
		_, err := d.Create("a.wav", 8000, recording.Fail)
		for _, err := range []error{err, d.Check()} {
			if !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), blocked) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", at, err)
			}
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.wav"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := recording.NewDir(dir).Create("pipe.wav", 8000, recording.Replace); !errors.Is(err, recording.ErrName) {
		t.Errorf("a pipe: %v", err)
	}
	if err := recording.NewDir(filepath.Join(dir, "new", "er")).Check(); err != nil {
		t.Error(err)
	}
}
