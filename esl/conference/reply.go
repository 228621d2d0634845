package conference

import (
	"errors"
	"slices"
	"strings"

	"parley/esl"
)

// What the switch says no to. A *ReplyError is one of these where it can be
// told.
var (
	ErrNoConference = errors.New("conference: no such conference")
	ErrNoMember     = errors.New("conference: no such member")
	ErrNoFile       = errors.New("conference: no such file, or it is not running")
	ErrTaping       = errors.New("conference: that file is being recorded to")
	ErrNotLoaded    = errors.New("conference: mod_conference is not loaded")
)

// ReplyError is a command that mod_conference refused, in its own words.
type ReplyError struct {
	Text  string
	class error // nil when it is none of the above
	cause error // esl's own error, if it was one
}

func (e *ReplyError) Error() string {
	if e.class == nil {
		return "conference: refused: " + e.Text
	}
	return e.class.Error() + ": " + e.Text
}

// Unwrap returns what it is, and esl's error for it.
func (e *ReplyError) Unwrap() []error {
	return slices.DeleteFunc([]error{e.class, e.cause}, func(err error) bool { return err == nil })
}

// Reply judges what a command of the api printed, for the commands that do
// something: nil, or a *ReplyError. The switch may print several lines, and an
// error may come after a success. What it prints for wrong arguments, the
// command's syntax, is an error too. Answers to get, getvar, count and the
// lists are values and not for Reply.
func Reply(text string) error {
	good := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "-") {
			return refusal(line)
		}
		good = good || strings.HasPrefix(line, "+OK") || isValue(line)
	}
	if good {
		return nil
	}
	return refusal(strings.TrimSpace(text))
}

// Answer is Reply for what esl's API returned: it has an error of its own for a
// refusal, which stands behind the one that comes back. Other errors pass.
func Answer(text string, err error) error {
	if refused, ok := errors.AsType[*esl.ReplyError](err); ok {
		e := refusal(refused.Text)
		e.cause = err
		return e
	}
	if err != nil {
		return err
	}
	return Reply(text)
}

// isValue recognises the successes that come without "+OK".
func isValue(line string) bool {
	return strings.HasPrefix(line, "Energy ") || strings.HasPrefix(line, "Agc ") || strings.Contains(line, " = Auto-Energy:") ||
		strings.Contains(line, " = Max-Energy:")
}

func refusal(line string) *ReplyError {
	const longest = 200
	e := &ReplyError{Text: line[:min(len(line), longest)]}
	words := strings.TrimPrefix(line, "-ERR ")
	begins := func(s string) bool { return strings.HasPrefix(words, s) }
	switch {
	case begins("Conference ") && strings.HasSuffix(words, " not found"):
		e.class = ErrNoConference
	case begins("Non-Existant"), begins("Member: "), begins("No Member "), begins("(saymember) Unknown Member"):
		e.class = ErrNoMember
	case begins("(play) File: "), begins("non-existant recording"), begins("Nothing is playing"), begins("File not playing"),
		begins("Conference is not being recorded"):
		e.class = ErrNoFile
	case begins("file [") && strings.HasSuffix(words, "] is already being used for recording."):
		e.class = ErrTaping
	case begins("conference Command not found"):
		e.class = ErrNotLoaded
	}
	return e
}
