package recording_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parley/codec"
	"parley/recording"
)

// made is a complete recording.
func made(t *testing.T, d *recording.Dir, name string, rate codec.Rate, pcm []int16) {
	t.Helper()
	f, err := d.Create(name, rate, recording.Fail)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Write(pcm), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestARecordingIsAddedTo(t *testing.T) {
	dir := t.TempDir()
	d := recording.NewDir(dir)
	if f, err := d.Create("new.wav", 8000, recording.Append); err != nil || f.Close() != nil {
		t.Errorf("one that is not there is begun: %v", err)
	}
	made(t, d, "a.wav", 8000, ramp(0, 100))
	f, err := d.Create("a.wav", 8000, recording.Append)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Write(ramp(100, 60)), f.Cut(10), f.Write(ramp(150, 5)), f.Close()); err != nil {
		t.Fatal(err)
	}
	if got := decode(t, filepath.Join(dir, "a.wav")); !slices.Equal(got, ramp(0, 155)) {
		t.Errorf("%d samples, %v", len(got), got)
	}
	if rate, err := d.Rate("a.wav"); rate != 8000 || err != nil {
		t.Errorf("rate %d, %v", rate, err)
	}
	if _, err := d.Create("a.wav", 16000, recording.Append); !errors.Is(err, recording.ErrFormat) {
		t.Errorf("at another rate: %v", err)
	}
	for name, content := range map[string]string{"short.wav": "RIFF", "other.wav": string(make([]byte, 100))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Create(name, 8000, recording.Append); !errors.Is(err, recording.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
		if have, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(have) != content {
			t.Errorf("%s is not what it was: %v", name, err)
		}
	}
}

func TestARecordingIsCopied(t *testing.T) {
	dir := t.TempDir()
	d := recording.NewDir(dir)
	made(t, d, "a.wav", 8000, ramp(0, 300))
	if err := d.Copy("a.wav", "sub/b.wav"); err != nil {
		t.Fatal(err)
	}
	if got := decode(t, filepath.Join(dir, "sub", "b.wav")); !slices.Equal(got, ramp(0, 300)) {
		t.Errorf("%d samples", len(got))
	}
	if err := d.Copy("a.wav", "sub/b.wav"); !errors.Is(err, recording.ErrExists) {
		t.Errorf("over another: %v", err)
	}
	if err := d.Copy("none.wav", "c.wav"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of none: %v", err)
	}
	f, err := d.Create("open.wav", 8000, recording.Fail)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Copy("open.wav", "d.wav"); !errors.Is(err, recording.ErrInUse) {
		t.Errorf("of one that runs: %v", err)
	}
	if err := d.Copy("a.wav", "open.wav"); !errors.Is(err, recording.ErrInUse) {
		t.Errorf("to one that runs: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// frames are frames of one value.
func frames(value int16, n int) (all [][]int16) {
	for range n {
		all = append(all, slices.Repeat([]int16{value}, 160))
	}
	return all
}

// TestSilenceEndsARecording: 1 s of it; the file keeps the first 200 ms.
func TestSilenceEndsARecording(t *testing.T) {
	for _, tt := range []struct {
		name           string
		put            [][]int16
		length, talked time.Duration
	}{
		{"after talk", slices.Concat(frames(1000, 30), frames(255, 49), frames(-256, 1), frames(0, 80)), 1800 * time.Millisecond, 620 * time.Millisecond},
		{"nothing is said", frames(0, 75), 200 * time.Millisecond, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ended := make(chan recording.Result, 1)
			r := recording.Start(recording.Options{
				Dir: recording.NewDir(t.TempDir()), Name: "a.wav", Rate: 8000, MaxSilence: time.Second,
				Began: func(string) {}, Missing: func(int) {}, Ended: func(r recording.Result) { ended <- r },
			})
			for _, frame := range tt.put {
				r.Put(frame)
			}
			got := <-ended // nobody has stopped it
			if got.Err != nil || got.Duration != tt.length || got.Talked != tt.talked {
				t.Errorf("%+v", got)
			}
			if have := len(decode(t, got.Path)); have != codec.Rate(8000).Samples(tt.length) {
				t.Errorf("%d samples", have)
			}
		})
	}
}

func TestAMutedRecordingGoesOnInSilence(t *testing.T) {
	s := start(recording.NewDir(t.TempDir()), "a.wav")
	file := <-s.began
	s.Put(frames(7, 1)[0])
	s.Mute(true)
	s.Put(frames(7, 1)[0])
	s.Mute(false)
	s.Put(frames(7, 1)[0])
	s.Stop()
	<-s.ended
	if got, want := decode(t, file), slices.Concat(frames(7, 1)[0], frames(0, 1)[0], frames(7, 1)[0]); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
