package conference

import (
	"fmt"
	"strings"

	"parley/esl"
)

// Spec is the argument of the dialplan application "conference":
//
//	[bridge:] name [@profile] [+pin] [+flags{a|b,c}]
type Spec struct {
	Name    string
	Profile string   // "" = default
	PIN     string   // of members, for this call; "" = the profile's
	Flags   []string // of the member and of the room that the call opens, as they were written
	Bridge  string   // bridge:NAME:DIALSTRING: who is called into the room; "" = it is no such
	Ignored string   // what the switch does not read: text behind the flags
	Open    bool     // the flags have no closing brace; the switch reads them all the same
}

// MaxFlags is how many flags the switch takes out of a list; the rest of it
// becomes part of the last one, and is lost.
const MaxFlags = 10

const (
	flagsPrefix  = "+flags{"
	bridgePrefix = "bridge:"
)

// maxArgument is how many bytes an argument may have.
const maxArgument = 4096

// argument says why a text cannot be an argument of the switch at all. It does not repeat
// the text.
func argument(text, what string) error {
	switch {
	case len(text) > maxArgument:
		return fmt.Errorf("%w: %s of %d bytes", esl.ErrArgument, what, len(text))
	case strings.ContainsFunc(text, control):
		return fmt.Errorf("%w: %s with a control character", esl.ErrArgument, what)
	}
	return nil
}

// ParseSpec reads an argument as the switch does, but all of its flags. The
// first "+" after the name begins the PIN, the last "@" before it the profile.
// Its errors do not repeat the text: there may be a PIN in it.
func ParseSpec(text string) (Spec, error) {
	var s Spec
	if err := argument(text, "a conference"); err != nil {
		return s, err
	}
	rest, list, flagged := strings.Cut(text, flagsPrefix)
	list, behind, closed := strings.Cut(list, "}")
	s.Ignored, s.Open = behind, flagged && !closed
	s.Flags = Flags(list)
	if len(rest) >= len(bridgePrefix) && strings.EqualFold(rest[:len(bridgePrefix)], bridgePrefix) {
		var whole bool
		rest, s.Bridge, whole = strings.Cut(rest[len(bridgePrefix):], ":")
		if !whole || s.Bridge == "" {
			return s, fmt.Errorf("%w: bridge: without a dial string", esl.ErrArgument)
		}
	}
	s.Name, s.PIN, _ = strings.Cut(strings.TrimLeft(rest, " "), "+")
	if at := strings.LastIndexByte(s.Name, '@'); at >= 0 {
		s.Name, s.Profile = s.Name[:at], s.Name[at+1:]
	}
	if s.Name == "" {
		return s, fmt.Errorf("%w: no conference name", esl.ErrArgument)
	}
	return s, nil
}

// Flags takes a list of flags apart: at bars and commas, or in the form of an
// array, "ARRAY::a|:b".
func Flags(list string) []string {
	list = strings.TrimPrefix(list, "ARRAY::")
	var flags []string
	for f := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == '|' || r == ',' }) {
		if f = strings.Trim(strings.TrimPrefix(f, ":"), " "); f != "" {
			flags = append(flags, f)
		}
	}
	return flags
}

// String writes the argument, or says why the switch would read it otherwise
// than it is meant: the grammar has no way to quote anything.
func (s Spec) String() (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	text := s.Name
	if profile := s.Profile; profile != "" || strings.Contains(s.Name, "@") {
		if profile == "" {
			profile = "default"
		}
		text += "@" + profile
	}
	if s.PIN != "" {
		text += "+" + s.PIN
	}
	if len(s.Flags) > 0 {
		text += flagsPrefix + strings.Join(s.Flags, "|") + "}"
	}
	if !esl.Literal(text) || strings.ContainsFunc(text, control) || strings.Contains(text, `\`) {
		return "", fmt.Errorf("%w: %.60q", esl.ErrArgument, s.Name+"@"+s.Profile)
	}
	return text, nil
}

func (s Spec) check() error {
	switch {
	case s.Name == "" || strings.HasPrefix(s.Name, " "):
		return fmt.Errorf("%w: conference name %.40q", esl.ErrArgument, s.Name)
	case len(s.Name) > len(bridgePrefix) && strings.EqualFold(s.Name[:len(bridgePrefix)], bridgePrefix):
		return fmt.Errorf("%w: conference name %.40q is a bridge", esl.ErrArgument, s.Name)
	case s.Bridge != "":
		return fmt.Errorf("%w: bridge:%.40s calls somebody", esl.ErrArgument, s.Name)
	case strings.Contains(s.Name, "+"):
		return fmt.Errorf("%w: %.40q: what is behind + would be a PIN", esl.ErrArgument, s.Name)
	case strings.ContainsAny(s.Profile, "+@"):
		return fmt.Errorf("%w: profile %.40q", esl.ErrArgument, s.Profile)
	case s.PIN != "" && !keypad(s.PIN):
		return fmt.Errorf("%w: a PIN that no phone can send", esl.ErrArgument)
	case s.Ignored != "":
		return fmt.Errorf("%w: %.40q behind the flags", esl.ErrArgument, s.Ignored)
	case len(s.Flags) > MaxFlags:
		return fmt.Errorf("%w: %d flags, the switch reads %d", esl.ErrArgument, len(s.Flags), MaxFlags)
	}
	for _, f := range s.Flags {
		if !flagName(f) {
			return fmt.Errorf("%w: flag %.40q", esl.ErrArgument, f)
		}
	}
	return nil
}

func flagName(f string) bool {
	for i := range len(f) {
		switch c := f[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return f != ""
}
