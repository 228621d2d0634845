package config

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Sounds that are silence, where an empty sound would mean another sound.
const (
	noSound = "silence:1"  // a millisecond of it
	noMusic = "silence:-1" // without end
)

var errEmptySound = errors.New("is empty; write a sound, or none for no sound")

// soundCell is a setting of the sound grammar.
type soundCell struct {
	cell[string]
	roles []*string // the same sound of the roles, which this one replaces
}

func (s soundCell) take(from value) {
	*s.at = *from.(soundCell).at
	for _, role := range s.roles {
		*role = ""
	}
}

func (s soundCell) same(as value) bool { return *s.at == *as.(soundCell).at }

// sound reads a sound. true and default stand for def, the built-in value;
// false and none for off. The grammar itself and whether files exist is judged
// where sounds are loaded: see Config.Sounds.
func sound(at *string, def, off string, roles ...*string) value {
	print := func(text string) string {
		switch text {
		case off:
			return "none"
		case "":
			return "default"
		}
		return text
	}
	return soundCell{cell[string]{at, soundParser(def, off), print}, roles}
}

// tone is a sound that is mostly switched: true is printed for the built-in
// one.
func tone(at *string, def string) value {
	print := func(text string) string {
		switch text {
		case def:
			return "true"
		case "":
			return "false"
		}
		return text
	}
	return soundCell{cell: cell[string]{at, soundParser(def, ""), print}}
}

func soundParser(def, off string) func(string) (string, error) {
	return func(text string) (string, error) {
		switch strings.ToLower(text) {
		case "":
			return "", errEmptySound
		case "true", "yes", "on", "default":
			return def, nil
		case "false", "no", "off", "none":
			return off, nil
		}
		if len(text) > 4096 || !utf8.ValidString(text) || strings.ContainsFunc(text, control) {
			return "", errors.New("must be a sound on one line of at most 4096 bytes")
		}
		return text, nil
	}
}
