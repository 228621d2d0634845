package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the text of a call that is shown, in bytes.
const (
	maxQuoted   = 40  // a value in a message
	maxShown    = 128 // a number, a name, a source
	maxWarning  = 240
	maxWarnings = 16 // of one call
	maxJoined   = 1000
)

// shown makes foreign text fit for logs, lists, headers and dialplans: one line
// of UTF-8, without characters that steer a terminal or turn the direction of
// writing, of at most limit bytes.
func shown(s string, limit int) string {
	cut := len(s) > limit
	if cut {
		s = s[:limit]
		for i := range utf8.UTFMax { // not in the middle of a character
			if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 || i == utf8.UTFMax-1 {
				break
			}
			s = s[:len(s)-1]
		}
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if cut {
		s += "…"
	}
	return s
}

// clip shortens what somebody sent, for a message.
func clip(s string) string { return shown(s, maxQuoted) }

// tidy makes all of an invite that is shown fit for it.
func (in Invite) tidy() Invite {
	in.Caller = Caller{Number: shown(in.Caller.Number, maxShown), Name: shown(in.Caller.Name, maxShown)}
	in.Switch = shown(in.Switch, maxShown)
	in.Source = shown(in.Source, maxShown)
	return in
}

// tidyWarnings bounds what a call is told about itself.
func tidyWarnings(list []string) []string {
	var out []string
	for i, w := range list {
		if i == maxWarnings {
			return append(out, fmt.Sprintf("%d more warnings", len(list)-i))
		}
		out = append(out, shown(w, maxWarning))
	}
	return out
}

// Detail is what an error says, on one line, to those who know nothing of our
// packages: without their names, and beside a class that says little without it.
func Detail(err error) string {
	text := err.Error()
	for _, class := range []error{ErrBadCommand, ErrCannot, ErrAway, ErrMoving, ErrBadRoomName} {
		if rest, ok := strings.CutPrefix(text, class.Error()+": "); ok && errors.Is(err, class) {
			text = rest
		}
	}
	parts := strings.Split(strings.ReplaceAll(text, "\n", " "), ": ")
	last := len(parts) - 1
	where := slices.DeleteFunc(parts[:last:last], func(p string) bool {
		return slices.Contains([]string{"engine", "native", "rtp", "sip", "sound", "recording", "adapter", "ariserver"}, p)
	})
	return strings.Join(append(where, parts[last]), ": ")
}
