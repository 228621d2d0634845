package sound

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// synthesiser is a speech command of a test: it keeps the text it is given in
// "heard", counts its runs, and speaks a tone.
func synthesiser(t *testing.T, script string) (command []string, dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tone.wav"), AppendWAV(nil, sine(500, 22050, 2205, -12), 22050), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "speak.sh")
	if err := os.WriteFile(file, []byte("cd "+dir+"\n"+script), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{"/bin/sh", file, "-v", "{language}"}, dir
}

const speaks = `cat >heard; echo x >>runs; echo "$@" >args; env >env; cat tone.wav`

func read(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestSay(t *testing.T) {
	t.Setenv("PARLEY_SECRET", "hunter2")
	command, dir := synthesiser(t, speaks)
	l := library(t, Options{Speech: Speech{Command: command}}, nil)
	const text = `hello; $(touch pwned) 'it' "is" -v`
	c := load(t, l, "say:"+text, "de-AT")
	near(t, "500 Hz", powerAt(c.PCM(narrow)[80:720], 500, narrow), -12, 0.5)
	if got := read(t, dir, "heard"); got != text {
		t.Errorf("heard %q", got)
	}
	if got := read(t, dir, "args"); got != "-v de-AT" {
		t.Errorf("arguments %q", got)
	}
	if env := read(t, dir, "env"); strings.Contains(env, "hunter2") {
		t.Errorf("the command saw our environment:\n%s", env)
	}
	if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
		t.Error("the text was run by a shell")
	}
	load(t, l, "say:"+text, "de-AT")
	if got := read(t, dir, "runs"); got != "x" {
		t.Errorf("spoken again: %q", got)
	}
	load(t, l, "say:"+text, "fr")
	if got := read(t, dir, "runs"); got != "x\nx" {
		t.Errorf("another language was not spoken: %q", got)
	}
}

func TestSpokenTextsOutliveTheLibrary(t *testing.T) {
	command, dir := synthesiser(t, speaks)
	o := Options{Speech: Speech{Command: command, Dir: filepath.Join(dir, "kept", "here")}}
	for range 2 {
		if c := load(t, library(t, o, nil), "say:hello", ""); c.Duration() < 90*time.Millisecond {
			t.Errorf("lasts %v", c.Duration())
		}
	}
	if got := read(t, dir, "runs"); got != "x" {
		t.Errorf("runs %q", got)
	}
	files, err := os.ReadDir(o.Speech.Dir)
	if err != nil || len(files) != 1 || len(files[0].Name()) != 64+len(".wav") {
		t.Fatalf("%v, %v", files, err)
	}
	// A damaged file is spoken anew.
	if err := os.WriteFile(filepath.Join(o.Speech.Dir, files[0].Name()), []byte("RI"), 0o644); err != nil {
		t.Fatal(err)
	}
	load(t, library(t, o, nil), "say:hello", "")
	if got := read(t, dir, "runs"); got != "x\nx" {
		t.Errorf("runs %q", got)
	}
	load(t, library(t, o, nil), "say:hello", "fr")
	if got := read(t, dir, "args"); got != "-v fr" {
		t.Errorf("another language was not spoken: %q", got)
	}
}

func TestOldSpeechIsDropped(t *testing.T) {
	dir := t.TempDir()
	var s speaker
	s.init(Speech{Dir: dir})
	for i := range maxSpoken + 2 {
		name := filepath.Join(dir, strings.Repeat("0", 60)+string(rune('a'+i%26))+string(rune('a'+i/26))+".wav")
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, time.Time{}, time.Unix(int64(1000+i), 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.save(filepath.Join(dir, "new.wav"), []byte("x")); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != maxSpoken {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if _, err := os.Stat(filepath.Join(dir, strings.Repeat("0", 60)+"aa.wav")); err == nil {
		t.Error("the oldest is still there")
	}
	if got := read(t, dir, "new.wav"); got != "x" {
		t.Errorf("the newest is %q", got)
	}
}

func TestSpeechIntoAFile(t *testing.T) {
	command, dir := synthesiser(t, "cat >/dev/null; echo rubbish; cat tone.wav >$4; echo $4 >out")
	command = append(command, "-o", "{out}")
	l := library(t, Options{Speech: Speech{Command: command}}, nil)
	c := load(t, l, "say:hello", "")
	near(t, "500 Hz", powerAt(c.PCM(narrow)[80:720], 500, narrow), -12, 0.5)
	if _, err := os.Stat(filepath.Dir(read(t, dir, "out"))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is left behind: %v", err)
	}
}

func TestManyTextsInARow(t *testing.T) {
	command, _ := synthesiser(t, speaks)
	l := library(t, Options{Speech: Speech{Command: command}}, nil)
	for _, text := range []string{"one", "two", "three", "four"} {
		load(t, l, "say:"+text, "")
	}
}

func TestSayFails(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		timeout      time.Duration
		err          error
		text         string // part of the message
	}{
		{"exit code", "echo no voice >&2; exit 3", 0, ErrSpeech, "no voice"},
		{"no audio", "cat >/dev/null", 0, ErrFormat, "RIFF header"},
		{"too slow", "cat >/dev/null; exec sleep 30", 50 * time.Millisecond, ErrSpeech, "longer than 50ms"},
		{"no end", "cat tone.wav; exec cat /dev/zero", 0, ErrTooLarge, "more than 16777216 bytes"},
		{"no file", "cat >/dev/null", 0, ErrSpeech, "made no file"},
		{"file without end", "head -c 17000000 /dev/zero >$3", 0, ErrTooLarge, "more than 16777216 bytes"},
		{"much complaint", "head -c 100000 /dev/zero >&2; exit 1", 0, ErrSpeech, "exit status 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			command, _ := synthesiser(t, tt.script)
			if strings.Contains(tt.name, "file") {
				command = append(command, "{out}")
			}
			l := library(t, Options{Speech: Speech{Command: command, Timeout: tt.timeout}}, nil)
			_, err := l.Load("say:hello", "")
			if !errors.Is(err, tt.err) || !errors.Is(err, ErrSpeech) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.err, tt.text)
			}
		})
	}
}

func TestSayNamesItsKey(t *testing.T) {
	_, err := library(t, Options{}, nil).Load("say:hello", "")
	if !errors.Is(err, ErrSpeech) || !strings.Contains(err.Error(), "tts_command") {
		t.Errorf("%v", err)
	}
	l := library(t, Options{Speech: Speech{Command: []string{"/nowhere/speak"}}}, nil)
	if err := l.Check("say:hello", ""); !errors.Is(err, ErrSpeech) || !strings.Contains(err.Error(), "/nowhere/speak") {
		t.Errorf("%v", err)
	}
}

func TestBusySpeakersAreNotWaitedForTooLong(t *testing.T) {
	command, _ := synthesiser(t, speaks)
	l := library(t, Options{Speech: Speech{Command: command, Timeout: 20 * time.Millisecond}}, nil)
	for range maxSpeakers {
		l.speech.slots <- struct{}{}
	}
	if _, err := l.Load("say:hello", ""); !errors.Is(err, ErrSpeech) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
