package importer

import (
	"errors"
	"path"
	"slices"
	"strings"
	"unicode"

	"parley/sound"
)

// judge says how a sound of the source will do in Parley. Lost means that it
// cannot be played; no kind, that it is the same. It opens no file.
func judge(spec string) (Kind, string) {
	meaning := []string{"true", "yes", "on", "default", "false", "no", "off", "none"}
	switch {
	case slices.Contains(meaning, strings.ToLower(spec)):
		return Lost, "The name means another thing in Parley; rename the file. Parley's default stays."
	case strings.ContainsFunc(spec, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }):
		return Lost, "It is not one line; Parley's default stays."
	}
	if parts, ok := strings.CutPrefix(spec, "file_string://"); ok {
		return judgeAll(strings.Split(parts, "!"))
	}
	absolute := path.IsAbs(spec)
	if absolute {
		spec = strings.TrimLeft(spec, "/") // so that only its form is judged
	}
	library, err := sound.New(sound.Options{})
	if err == nil {
		err = library.Check(spec, "")
	}
	switch {
	case err == nil && !absolute:
		return "", ""
	case absolute && (err == nil || errors.Is(err, sound.ErrMissing)):
		return Differs, "Parley reads that WAV file itself, at that place."
	case errors.Is(err, sound.ErrSpeech):
		return Differs, "tts_command speaks it, which must be set."
	case errors.Is(err, sound.ErrMissing) && strings.HasPrefix(spec, "local_stream:"):
		return Differs, "Parley looks for that WAV file in the folder music of sounds_dir; put it there."
	case errors.Is(err, sound.ErrMissing):
		return Differs, "Parley looks for that WAV file in sounds_dir; put it there."
	default:
		return Lost, "Parley cannot play it (" + clip(err.Error()) + "); its default stays."
	}
}

// judgeAll judges sounds that are played one after the other by the worst.
func judgeAll(parts []string) (kind Kind, text string) {
	if len(parts) > 64 {
		return Lost, "It has more than 64 parts; Parley's default stays."
	}
	for _, part := range parts {
		k, t := Lost, "Parley cannot play a file_string in a file_string; its default stays."
		if !strings.HasPrefix(part, "file_string:") {
			k, t = judge(part)
		}
		if k == Lost || k == Differs && kind == "" {
			kind, text = k, t
		}
	}
	return kind, text
}

// soundRule maps a sound of mod_conference to one of Parley's keys.
func soundRule(key string) fsRule {
	return fsRule{to: func(p *profile, at param) error {
		p.sound(key, at)
		return nil
	}}
}

// sound says whether the sound could be mapped.
func (p *profile) sound(key string, at param) bool {
	spec, ok := p.spec(p.where, at, stockSounds()[path.Base(at.value)])
	if ok {
		p.set(key, plain(spec), at.from())
	}
	return ok
}

// spec makes a sound of Parley's out of one of the source, and reports what is
// not the same. own is Parley's own prompt for a recording of the switch, or
// "". Without ok the sound cannot be played.
func (r *Result) spec(where string, at param, own string) (spec string, ok bool) {
	if own != "" && !path.IsAbs(at.value) {
		r.add(at.line, where, at.name, Differs, "Parley's own %s is played, not the recording.", own)
		return own, true
	}
	if strings.Contains(at.value, "${") {
		r.add(at.line, where, at.name, Lost, "Variables of a call are not filled in; Parley's default stays.")
		return "", false
	}
	kind, text := judge(at.value)
	if kind != "" {
		r.add(at.line, where, at.name, kind, "%s", text)
	}
	return at.value, kind != Lost
}

func (p *profile) music(at param) error {
	if at.value == "silence" || at.value == "indicate_hold" {
		p.set("moh_sound", plain("none"), at.from())
		return nil
	}
	p.sound("moh_sound", at)
	return nil
}

// stockSounds are recordings of the sound packages that speak what a prompt of
// Parley's speaks.
func stockSounds() map[string]string {
	return map[string]string{
		"conf-alone.wav":              "you-are-alone",
		"conf-bad-pin.wav":            "bad-pin",
		"conf-conference_is_full.wav": "conference-full",
		"conf-enter_conf_pin.wav":     "enter-pin",
		"conf-goodbye.wav":            "goodbye",
		"conf-is-locked.wav":          "now-locked",
		"conf-is-unlocked.wav":        "now-unlocked",
		"conf-kicked.wav":             "kicked",
		"conf-locked.wav":             "conference-locked",
		"conf-muted.wav":              "you-are-muted",
		"conf-pin.wav":                "enter-pin",
		"conf-unmuted.wav":            "you-are-unmuted",
		"conf-welcome.wav":            "welcome",
	}
}
