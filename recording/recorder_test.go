package recording_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/recording"
	"parley/sound"
)

// ramp is audio whose samples count.
func ramp(from, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(from + i)
	}
	return pcm
}

func decode(t *testing.T, file string) []int16 {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pcm, rate, err := sound.DecodeWAV(bytes.NewReader(b))
	if err != nil || rate != 8000 {
		t.Fatalf("%s: %v, rate %d", file, err, rate)
	}
	return pcm
}

func TestFileCanBePlayedWhileItIsWritten(t *testing.T) {
	f, err := recording.NewDir(t.TempDir()).Create("a.wav", 8000, recording.Fail)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		if err := f.Write(ramp(100*n, 100)); err != nil {
			t.Fatal(err)
		}
		if got := decode(t, f.Path()); !slices.Equal(got, ramp(0, 100*(n+1))) {
			t.Fatalf("after %d writes the file has %d samples, or others", n+1, len(got))
		}
	}
	info, err := os.Stat(f.Path())
	if err != nil || info.Size() != f.Bytes() || f.Duration() != 62500*time.Microsecond {
		t.Errorf("%d bytes, %v; said %d, %v", info.Size(), err, f.Bytes(), f.Duration())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// session is a recorder with what it has told.
type session struct {
	*recording.Recorder
	began   chan string
	missing *[]int // frames; the recorder's until it has ended
	ended   chan recording.Result
}

func start(d *recording.Dir, name string) session {
	s := session{began: make(chan string, 1), missing: new([]int), ended: make(chan recording.Result, 1)}
	s.Recorder = recording.Start(recording.Options{
		Dir: d, Name: name, Rate: 8000, Began: func(at string) { s.began <- at },
		Missing: func(n int) { *s.missing = append(*s.missing, n) }, Ended: func(r recording.Result) { s.ended <- r },
	})
	return s
}

// What is missing at one place is told in one, however long it is.
func TestRecorderTellsWhatIsMissing(t *testing.T) {
	s := start(recording.NewDir(t.TempDir()), "a.wav")
	file := <-s.began
	s.Put(ramp(0, 160))
	s.Skip(1000)
	s.Put(ramp(1, 160))
	s.Stop()
	r := <-s.ended
	if r.Err != nil || r.Lost != 1000 || r.Duration != 1002*20*time.Millisecond || !slices.Equal(*s.missing, []int{1000}) {
		t.Errorf("%+v, told %v", r, *s.missing)
	}
	if got := decode(t, file); len(got) != 1002*160 || got[160] != 0 || got[160*1000] != 0 || !slices.Equal(got[1001*160:], ramp(1, 160)) {
		t.Errorf("%d samples", len(got))
	}
}

func TestRecorderWritesWhatIsPutIn(t *testing.T) {
	s := start(recording.NewDir(t.TempDir()), "a.wav")
	file := <-s.began
	var want []int16
	put := func(from int, kept bool) {
		frame := ramp(from, 160)
		s.Put(frame)
		if kept {
			want = append(want, frame...)
		}
	}
	for i := range 60 {
		put(i, true)
	}
	s.Pause(true)
	put(1000, false)
	s.Pause(false)
	put(2000, true)
	s.Stop()
	s.Stop()
	put(3000, false)
	r := <-s.ended
	if r.Err != nil || r.Path != file || r.Lost != 0 || r.Duration != 61*20*time.Millisecond {
		t.Errorf("%+v", r)
	}
	if got := decode(t, file); !slices.Equal(got, want) {
		t.Errorf("the file has %d samples, want %d", len(got), len(want))
	}
}

func TestRecorderCannotBegin(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(recording.NewDir(blocked), "a.wav")
	if r := <-s.ended; !errors.Is(r.Err, syscall.ENOTDIR) || r.Path != "" {
		t.Errorf("%+v", r)
	}
	s.Put(ramp(0, 160)) // nobody minds
	s.Stop()
}

const childDir = "PARLEY_TEST_RECORD_DIR"

// TestChildRecords is no test: it records until it is killed.
func TestChildRecords(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("run by TestKilledWhileRecording only")
	}
	s := start(recording.NewDir(dir), "a.wav")
	<-s.began
	for i := 0; ; i++ {
		s.Put(ramp(i, 160)) // what is dropped is silence in its place
		time.Sleep(100 * time.Microsecond)
	}
}

func TestKilledWhileRecording(t *testing.T) {
	dir := t.TempDir()
	c := exec.Command(os.Args[0], "-test.run=^TestChildRecords$")
	c.Env = append(os.Environ(), childDir+"="+dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a.wav")
	for { // until there is audio
		if info, err := os.Stat(file); err == nil && info.Size() > 100_000 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	pcm := decode(t, file)
	const block = 25 * 160
	if told := int64(44 + 2*len(pcm)); told > info.Size() || info.Size()-told > 2*block || len(pcm) < 40_000 {
		t.Errorf("the header tells %d bytes of %d", told, info.Size())
	}
	for i := 0; i+160 <= len(pcm); i += 160 {
		if frame := pcm[i : i+160]; !slices.Equal(frame, ramp(i/160, 160)) && !slices.Equal(frame, make([]int16, 160)) {
			t.Fatalf("frame %d is another: %v", i/160, frame)
		}
	}
}

const childFull = "PARLEY_TEST_RECORD_FULL"

// TestChildFillsADisk is no test: it records onto a disk of its own.
func TestChildFillsADisk(t *testing.T) {
	dir := os.Getenv(childFull)
	if dir == "" {
		t.Skip("run by TestDiskFull only")
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("no disk of its own here: ", err)
	}
	s := start(recording.NewDir(dir), "a.wav")
	<-s.began
	var r recording.Result
	for ended := false; !ended; {
		s.Put(ramp(0, 160))
		select {
		case r = <-s.ended:
			ended = true
		case <-time.After(time.Millisecond):
		}
	}
	if !errors.Is(r.Err, syscall.ENOSPC) || !strings.Contains(r.Err.Error(), "no space left on device") {
		t.Errorf("%+v", r)
	}
	if pcm := decode(t, r.Path); len(pcm) < 25_000 || int64(2*len(pcm)+44) != r.Bytes {
		t.Errorf("the file holds %d samples, %d bytes were told", len(pcm), r.Bytes)
	}
}

func TestDiskFull(t *testing.T) {
	c := exec.Command(os.Args[0], "-test.run=^TestChildFillsADisk$", "-test.v")
	c.Env = append(os.Environ(), childFull+"="+t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := c.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM), err == nil && bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("no name space of its own here: %v\n%s", err, out)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	}
}
