package sound

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limits of a spec.
const (
	maxSpec  = 4096 // bytes
	maxParts = 64   // of file_string://
)

// source is a parsed spec. The set is closed: file, tones, silence, music,
// speech and sequence.
type source interface {
	// load makes the clip. It may read files and run the speech command.
	load(l *Library, language string) (*Clip, error)
	// check says what load would complain of, without running anything.
	check(l *Library, language string) error
}

// parse reads a spec. It looks at no file.
func parse(spec string) (source, error) {
	switch {
	case spec == "":
		return nil, fmt.Errorf("%w: empty", ErrSpec)
	case len(spec) > maxSpec:
		return nil, fmt.Errorf("%w: spec of %d bytes, at most %d", ErrTooLarge, len(spec), maxSpec)
	}
	if scheme, rest, ok := strings.Cut(spec, "://"); ok && isWord(scheme) {
		return parseURL(strings.ToLower(scheme), rest)
	}
	if scheme, rest, ok := strings.Cut(spec, ":"); ok && isWord(scheme) {
		return parseNamed(strings.ToLower(scheme), rest)
	}
	return newFile(spec)
}

// isWord tells a scheme from the beginning of a file name.
func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && s[i] != '_' {
			return false
		}
	}
	return s != ""
}

// parseURL reads FreeSWITCH's forms, scheme://rest.
func parseURL(scheme, rest string) (source, error) {
	switch scheme {
	case "tone_stream":
		return newTones(rest)
	case "silence_stream":
		ms, factor, ok := strings.Cut(rest, ",")
		if _, err := strconv.Atoi(factor); ok && err != nil {
			return nil, fmt.Errorf("%w: comfort noise factor %q is not a number", ErrSpec, clipped(factor))
		}
		return newSilence(ms)
	case "local_stream":
		return newMusic(rest)
	case "file_string":
		return newSequence(rest)
	}
	return nil, fmt.Errorf("%w: %s:// is not supported", ErrSpec, scheme)
}

// parseNamed reads our own forms, scheme:rest.
func parseNamed(scheme, rest string) (source, error) {
	switch scheme {
	case "tone":
		text, ok := toneTable()[rest]
		if !ok {
			return nil, fmt.Errorf("%w: tone %q; tones are %s", ErrMissing, clipped(rest), strings.Join(Tones(), ", "))
		}
		return newTones(text)
	case "silence":
		return newSilence(rest)
	case "say":
		return newSpeech(rest)
	case "number":
		return newPhrase(rest, Number)
	case "phrase":
		kind, n, _ := strings.Cut(rest, ":")
		if kind != "count" {
			return nil, fmt.Errorf("%w: phrase %q; phrase:count:N is known", ErrSpec, clipped(kind))
		}
		return newPhrase(n, Count)
	}
	return nil, fmt.Errorf("%w: %s: is not supported", ErrSpec, scheme)
}

// tones is tone_stream:// or tone:.
type tones struct{ melody }

func newTones(text string) (source, error) {
	m, err := parseTone(text)
	if err != nil {
		return nil, err
	}
	return tones{m}, nil
}

func (t tones) load(*Library, string) (*Clip, error) { return t.clip(), nil }
func (tones) check(*Library, string) error           { return nil }

// silence lasts a time, or without end where it is negative.
type silence time.Duration

func newSilence(text string) (source, error) {
	ms, err := strconv.Atoi(text)
	if err != nil || ms == 0 || ms < -1 || ms > int(MaxDuration/time.Millisecond) {
		return nil, fmt.Errorf("%w: silence %q is neither -1 nor a number of milliseconds up to %d",
			ErrSpec, clipped(text), MaxDuration/time.Millisecond)
	}
	return silence(time.Duration(ms) * time.Millisecond), nil
}

func (s silence) load(*Library, string) (*Clip, error) {
	if s < 0 {
		return quiet(time.Second).looped(), nil
	}
	return quiet(time.Duration(s)), nil
}

func (silence) check(*Library, string) error { return nil }

// music is local_stream://, endless.
type music struct {
	file
	builtIn bool // a name that needs no file
}

func newMusic(name string) (source, error) {
	base, rate, _ := strings.Cut(name, "/")
	if rate == "8000" || rate == "16000" || rate == "32000" || rate == "48000" {
		name = base // FreeSWITCH keeps one stream per rate
	}
	f, err := newFile("music/" + name)
	if err != nil {
		return nil, err
	}
	return music{file: f.(file), builtIn: name == "moh" || name == "default"}, nil
}

func (m music) load(l *Library, language string) (*Clip, error) {
	c, err := m.file.load(l, language)
	switch {
	case err == nil:
		return c.looped(), nil
	case m.builtIn: // a broken file is for check to tell
		return l.music(), nil
	}
	return nil, err
}

func (m music) check(l *Library, language string) error {
	err := m.file.check(l, language)
	if m.builtIn && errors.Is(err, ErrMissing) {
		return nil
	}
	return err
}

// sequence is several sources played in a row.
type sequence struct {
	parts []source
	gap   time.Duration // between two of them
}

func newSequence(text string) (source, error) {
	specs := strings.Split(text, "!")
	if len(specs) > maxParts {
		return nil, fmt.Errorf("%w: file_string of %d parts, at most %d", ErrTooLarge, len(specs), maxParts)
	}
	var s sequence
	for _, spec := range specs {
		if strings.HasPrefix(strings.ToLower(spec), "file_string:") {
			return nil, fmt.Errorf("%w: file_string inside file_string", ErrSpec)
		}
		part, err := parse(spec)
		if err != nil {
			return nil, err
		}
		s.parts = append(s.parts, part)
	}
	return s, nil
}

func (s sequence) load(l *Library, language string) (*Clip, error) {
	var clips []*Clip
	var total time.Duration
	for i, part := range s.parts {
		c, err := part.load(l, language)
		if err != nil {
			return nil, err
		}
		if c.Endless() && i < len(s.parts)-1 {
			return nil, fmt.Errorf("%w: part %d of %d never ends", ErrSpec, i+1, len(s.parts))
		}
		if total += c.Duration() + s.gap; total > MaxDuration {
			return nil, fmt.Errorf("%w: the parts last longer than %v", ErrTooLarge, MaxDuration)
		}
		if i > 0 && s.gap > 0 {
			clips = append(clips, quiet(s.gap))
		}
		clips = append(clips, c)
	}
	return join(clips), nil
}

func (s sequence) check(l *Library, language string) error {
	for i, part := range s.parts {
		if err := part.check(l, language); err != nil {
			return err
		}
		if i < len(s.parts)-1 && unending(part) {
			return fmt.Errorf("%w: part %d of %d never ends", ErrSpec, i+1, len(s.parts))
		}
	}
	return nil
}

// unending says whether a source makes an endless clip.
func unending(s source) bool {
	switch s := s.(type) {
	case tones:
		return s.melody.unending()
	case silence:
		return s < 0
	case music:
		return true
	}
	return false
}
