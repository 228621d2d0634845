package adapter

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"parley/adapter/control"
)

// What `parley status` remembers of the log.
const (
	noteTime = time.Hour
	notesOf  = 5  // with one code
	notesAll = 20 // of all codes
)

// notes are the last warnings and errors that have a code, for an operator who
// asks how things are: the same words as in the log.
type notes struct {
	mu   sync.Mutex
	list []control.Note // guarded by mu: the newest last
}

// add keeps a line that ends in a code; others are none of ours.
func (n *notes) add(now time.Time, text string) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // of a peer: it would steer the operator's terminal
			return ' '
		}
		return r
	}, text)
	code := codeOf(text)
	if code == "" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	note := control.Note{Time: now, Code: code, Text: text, Times: 1}
	n.list = slices.DeleteFunc(n.list, func(old control.Note) bool {
		if old.Text == text {
			note.Times += old.Times
		}
		return old.Text == text || now.Sub(old.Time) > noteTime
	})
	same := func(old control.Note) bool { return old.Code == code }
	var of int
	for _, old := range n.list {
		if same(old) {
			of++
		}
	}
	switch {
	case of >= notesOf:
		i := slices.IndexFunc(n.list, same)
		n.list = slices.Delete(n.list, i, i+1)
	case len(n.list) >= notesAll:
		n.list = slices.Delete(n.list, 0, 1)
	}
	n.list = append(n.list, note)
}

// recent are those of the last hour.
func (n *notes) recent(now time.Time) []control.Note {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.list), func(old control.Note) bool { return now.Sub(old.Time) > noteTime })
}

// codeOf is the word in brackets that ends a line, as in "… [esl_auth]".
func codeOf(text string) string {
	rest, ok := strings.CutSuffix(text, "]")
	i := strings.LastIndexByte(rest, '[')
	if !ok || i < 0 || strings.Trim(rest[i+1:], "abcdefghijklmnopqrstuvwxyz_") != "" {
		return ""
	}
	return rest[i+1:]
}

// noting is a slog.Handler that passes everything on and notes what has a code.
type noting struct {
	slog.Handler
	notes *notes
}

// Handle implements slog.Handler.
func (h noting) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		h.notes.add(r.Time, r.Message)
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h noting) WithAttrs(attrs []slog.Attr) slog.Handler {
	return noting{h.Handler.WithAttrs(attrs), h.notes}
}

// WithGroup implements slog.Handler.
func (h noting) WithGroup(name string) slog.Handler {
	return noting{h.Handler.WithGroup(name), h.notes}
}
