package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong, or odd, in the configuration. Its text
// never holds a PIN, a password or a token.
type Problem struct {
	File string `json:"file,omitempty"` // or the name of an environment variable
	Line int    `json:"line,omitempty"` // from 1; 0 = not about a line
	Col  int    `json:"col,omitempty"`  // from 1; 0 = about the line, or more
	Code string `json:"code"`           // stable word for programs, e.g. "unknown_key"
	Text string `json:"text"`           // a sentence for people
}

// Warning is a problem that does not stop the load.
type Warning = Problem

// String is the line an operator reads: "FILE:LINE:COL: TEXT [CODE]".
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		if p.Col > 0 {
			fmt.Fprintf(&b, ":%d", p.Col)
		}
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%s [%s]", p.Text, p.Code)
	return b.String()
}

// Problems is the error of Load: all that must be put right, by file and line.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems is how many problems a load reports before it gives up.
const maxProblems = 100

// report collects what a load finds.
type report struct {
	problems, warnings []Problem
	more               bool // some were left out
}

func (r *report) add(p Problem) {
	if r.full() {
		r.more = true
		return
	}
	r.problems = append(r.problems, p)
}

func (r *report) warn(p Problem) {
	if len(r.warnings) < maxProblems {
		r.warnings = append(r.warnings, p)
	}
}

// full says that nothing more will be reported.
func (r *report) full() bool { return len(r.problems) >= maxProblems }

// err is the error of the load, by file and line.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	ps := sorted(r.problems)
	if r.more {
		ps = append(ps, Problem{Code: "too_many", Text: "There are more problems; put these right first."})
	}
	return Problems(ps)
}

func sorted(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return ps
}

// clip shortens what a file says, for a message.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// list writes names for a message: "a, b, c or d".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
