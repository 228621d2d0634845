// Package importer turns the conference configuration of a switch into
// Parley's YAML, and says line by line what is not the same afterwards.
//
// An import is whole or fails with the line at fault. It looks at the bytes it
// is given and nothing else: no file, no network. What it writes loads with
// package config. PINs are in the YAML alone, never in a report or an error.
package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"parley/engine"
)

// Kind says what became of a parameter that is not simply mapped.
type Kind string

// The kinds of a report's lines.
const (
	Differs  Kind = "differs"  // mapped, but not quite the same
	Unneeded Kind = "unneeded" // has no effect here, and nothing is missing for it
	Lost     Kind = "lost"     // has no effect here: what it did no longer happens
)

// Line is one parameter of the source that does not act as it did.
type Line struct {
	File  string `json:"file"`
	Line  int    `json:"line"`  // from 1; 0 = an option of the dialplan
	Where string `json:"where"` // "profile default"; "" = the file itself
	Name  string `json:"name"`  // of the parameter, in the source's words
	Kind  Kind   `json:"kind"`
	Text  string `json:"text"` // a sentence for people
}

// String is the line an operator reads: "FILE:LINE: WHERE: NAME: TEXT [KIND]".
func (l Line) String() string {
	var b strings.Builder
	if l.Line > 0 {
		fmt.Fprintf(&b, "%s:%d: ", printable(l.File), l.Line)
	}
	if l.Where != "" {
		b.WriteString(l.Where + ": ")
	}
	fmt.Fprintf(&b, "%s: %s [%s]", l.Name, l.Text, l.Kind)
	return b.String()
}

// Report is what an import made and what is not the same, by line.
type Report struct {
	Controls int    `json:"controls"`
	Profiles int    `json:"profiles"`
	Rooms    int    `json:"rooms"`
	Lines    []Line `json:"lines"`
}

// Count is how many lines there are of a kind.
func (r Report) Count(k Kind) (n int) {
	for _, l := range r.Lines {
		if l.Kind == k {
			n++
		}
	}
	return n
}

// Summary is the last line of a report.
func (r Report) Summary() string {
	return fmt.Sprintf("%s, %s, %s; %d differ, %d unneeded, %d lost",
		counted(r.Controls, "menu"), counted(r.Profiles, "profile"), counted(r.Rooms, "room"),
		r.Count(Differs), r.Count(Unneeded), r.Count(Lost))
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Error is why a source cannot be imported. It never repeats a PIN.
type Error struct {
	File string
	Line int // from 1; 0 = the whole file
	Text string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return printable(e.File) + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", printable(e.File), e.Line, e.Text)
}

// Result is a finished import.
type Result struct {
	Report

	source   string // "freeswitch": names the files
	file     string // that was read
	controls []*record
	profiles []*record
	rooms    []*record
}

func (r *Result) add(line int, where, name string, kind Kind, format string, args ...any) {
	r.Lines = append(r.Lines, Line{r.file, line, where, clip(name), kind, fmt.Sprintf(format, args...)})
}

// Limits of what Parley reads.
const (
	maxFile    = 1 << 20 // bytes
	maxEntries = 10_000  // of one list
)

// done puts the report in order, and fails when the import is more than one
// file of Parley's configuration may hold.
func (r *Result) done() (*Result, error) {
	r.Controls, r.Profiles, r.Rooms = len(r.controls), len(r.profiles), len(r.rooms)
	slices.SortStableFunc(r.Lines, func(a, b Line) int { return cmp.Compare(a.Line, b.Line) })
	if max(r.Controls, r.Profiles, r.Rooms) > maxEntries {
		return nil, &Error{r.file, 0, fmt.Sprintf("more than %d profiles, controls or rooms", maxEntries)}
	}
	if len(r.YAML()) > maxFile {
		return nil, &Error{r.file, 0, fmt.Sprintf("its import has more than %d bytes; import it in parts", maxFile)}
	}
	return r, nil
}

// clip shortens what a file says, for a message of one line.
func clip(s string) string {
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return printable(s)
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\ufffd' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// rename makes a name that Parley takes, out of one that it may not. Every
// character that is not allowed becomes a hyphen.
func rename(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x80 && strings.ContainsRune(letters+"._-", r) {
			return r
		}
		return '-'
	}, name)
	if strings.HasPrefix(name, ".") {
		name = "-" + name[1:]
	}
	return name[:min(len(name), engine.MaxRoomName)]
}

func roomName(name string) bool {
	_, err := engine.ParseRoomName(name)
	return err == nil
}

const (
	decimals = "0123456789"
	letters  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + decimals
)

// digits says whether text is one to most decimal digits.
func digits(text string, most int) bool {
	return text != "" && len(text) <= most && strings.Trim(text, decimals) == ""
}
