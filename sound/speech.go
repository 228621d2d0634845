package sound

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// DefaultSpeechTimeout is how long a speech command may take for one text.
const DefaultSpeechTimeout = 10 * time.Second

// Limits of say:.
const (
	maxText     = 1000     // bytes of a text
	maxSpeech   = 16 << 20 // bytes a command may write
	maxSpoken   = 1000     // files kept in Speech.Dir
	maxSpeakers = 2        // commands at once
)

// Speech says how say: is spoken.
type Speech struct {
	// Command and its arguments (tts_command). It gets the text on its standard
	// input, never as an argument, and writes a WAV file to its standard output,
	// or to the file that "{out}" in an argument names. "{language}" becomes the
	// language. Empty: no say:. Examples: espeak-ng --stdin --stdout -v {language},
	// flite -voice slt -f /dev/stdin -o {out} (flite cannot write to a pipe).
	Command []string
	Timeout time.Duration // 0 means DefaultSpeechTimeout
	Dir     string        // keeps what was spoken over restarts; "" means it does not
}

// speaker runs the speech command.
type speaker struct {
	Speech
	slots chan struct{} // one token per command that runs
}

func (s *speaker) init(o Speech) {
	if o.Timeout == 0 {
		o.Timeout = DefaultSpeechTimeout
	}
	s.Speech = o
	s.slots = make(chan struct{}, maxSpeakers)
}

// speech is say:, a text to be spoken.
type speech string

func newSpeech(text string) (source, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, fmt.Errorf("%w: nothing to say", ErrSpec)
	case len(text) > maxText:
		return nil, fmt.Errorf("%w: text of %d bytes, at most %d", ErrTooLarge, len(text), maxText)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return nil, fmt.Errorf("%w: text with control characters", ErrSpec)
	}
	return speech(text), nil
}

func (t speech) load(l *Library, language string) (*Clip, error) {
	if err := t.check(l, language); err != nil {
		return nil, err
	}
	return l.speech.clip(string(t), language)
}

func (speech) check(l *Library, _ string) error {
	if len(l.speech.Command) == 0 {
		return fmt.Errorf("%w: say: needs tts_command, which is not set", ErrSpeech)
	}
	if _, err := exec.LookPath(l.speech.Command[0]); err != nil {
		return fmt.Errorf("%w: tts_command: %w", ErrSpeech, err)
	}
	return nil
}

// clip speaks a text, or reads what was spoken of it before.
func (s *speaker) clip(text, language string) (*Clip, error) {
	saved := s.file(text, language)
	if saved != "" {
		if wav, err := os.ReadFile(saved); err == nil {
			if pcm, rate, err := DecodeWAV(bytes.NewReader(wav)); err == nil {
				return FromPCM(pcm, rate), nil
			}
		}
	}
	wav, err := s.run(text, language)
	if err != nil {
		return nil, err
	}
	pcm, rate, err := DecodeWAV(bytes.NewReader(wav))
	if err != nil {
		return nil, fmt.Errorf("%w: output of %s: %w", ErrSpeech, s.Command[0], err)
	}
	if saved != "" {
		if err := s.save(saved, AppendWAV(nil, pcm, rate)); err != nil {
			return nil, fmt.Errorf("%w: keeping what was spoken: %w", ErrSpeech, err)
		}
	}
	return FromPCM(pcm, rate), nil
}

// file is where a text is kept: its name is a hash of all that shapes the audio.
func (s *speaker) file(text, language string) string {
	if s.Dir == "" {
		return ""
	}
	h := sha256.Sum256([]byte(strings.Join(s.Command, "\x00") + "\x00\x00" + language + "\x00" + text))
	return filepath.Join(s.Dir, hex.EncodeToString(h[:])+".wav")
}

// run speaks a text with the command and returns the WAV file it made.
func (s *speaker) run(text, language string) (wav []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.Timeout)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %d texts are being spoken already", ErrSpeech, maxSpeakers)
	}
	dir, err := os.MkdirTemp("", "parley-say-*")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSpeech, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "out.wav")
	wav, err = s.execute(ctx, strings.NewReplacer("{language}", language, "{out}", file), text)
	if err != nil || !strings.Contains(strings.Join(s.Command[1:], " "), "{out}") {
		return wav, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %s made no file: %w", ErrSpeech, s.Command[0], err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if wav, err = io.ReadAll(io.LimitReader(f, maxSpeech+1)); len(wav) > maxSpeech {
		return nil, s.wroteTooMuch()
	}
	return wav, err
}

// execute runs the command and returns its standard output. The environment of
// our process stays with us: it may hold secrets.
func (s *speaker) execute(ctx context.Context, fill *strings.Replacer, text string) ([]byte, error) {
	var args []string
	for _, a := range s.Command[1:] {
		args = append(args, fill.Replace(a))
	}
	out, complaint := &capped{limit: maxSpeech}, &capped{limit: 512, quiet: true}
	cmd := exec.CommandContext(ctx, s.Command[0], args...)
	cmd.Stdin = strings.NewReader(text + "\n")
	cmd.Stdout, cmd.Stderr = out, complaint
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LANG=C.UTF-8"}
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %s took longer than %v", ErrSpeech, s.Command[0], s.Timeout)
	case out.full:
		return nil, s.wroteTooMuch()
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w: %s", ErrSpeech, s.Command[0], err, clipped(strings.TrimSpace(complaint.buf.String())))
	}
	return out.buf.Bytes(), nil
}

func (s *speaker) wroteTooMuch() error {
	return fmt.Errorf("%w: %w: %s wrote more than %d bytes", ErrSpeech, ErrTooLarge, s.Command[0], maxSpeech)
}

// save keeps a file whole or not at all, and drops the oldest beyond maxSpoken.
func (s *speaker) save(name string, wav []byte) error {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(s.Dir, "new-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(wav)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return s.prune()
}

// prune removes the oldest kept files beyond maxSpoken.
func (s *speaker) prune() error {
	names, err := filepath.Glob(filepath.Join(s.Dir, "*.wav"))
	if err != nil || len(names) <= maxSpoken {
		return err
	}
	age := make(map[string]time.Time, len(names))
	for _, n := range names {
		if info, err := os.Stat(n); err == nil {
			age[n] = info.ModTime()
		}
	}
	slices.SortFunc(names, func(a, b string) int { return age[a].Compare(age[b]) })
	for _, n := range names[:len(names)-maxSpoken] {
		err = errors.Join(err, os.Remove(n))
	}
	return err
}

// capped is a writer that takes up to limit bytes and then refuses, which ends
// the command, or where it is quiet loses the rest.
type capped struct {
	buf   bytes.Buffer // a field: its ReadFrom would go around the limit
	limit int
	full  bool
	quiet bool
}

func (c *capped) Write(b []byte) (int, error) {
	room := c.limit - c.buf.Len()
	if len(b) <= room {
		return c.buf.Write(b)
	}
	c.full = true
	if !c.quiet {
		return 0, ErrTooLarge
	}
	c.buf.Write(b[:room])
	return len(b), nil
}
