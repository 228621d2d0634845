//go:build integration

package integration

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// difference is a step that two transcripts tell otherwise.
type difference struct{ line, want, have string }

func (d difference) String() string {
	return fmt.Sprintf("%s\n  FreeSWITCH: %s\n  Parley:     %s", d.line, d.want, d.have)
}

// differ compares two transcripts step by step.
func differ(want, have string) (list []difference) {
	steps := func(text string) []string { return strings.Split("\n"+text, "\n> ")[1:] }
	a, b := steps(want), steps(have)
	byLine := map[string][]string{}
	for _, s := range b {
		line, rest, _ := strings.Cut(s, "\n")
		byLine[line] = append(byLine[line], strings.TrimSpace(rest))
	}
	for _, s := range a {
		line, rest, _ := strings.Cut(s, "\n")
		rest = strings.TrimSpace(rest)
		got := "nothing of the kind"
		if all := byLine[line]; len(all) > 0 {
			got, byLine[line] = all[0], all[1:]
		}
		if got != rest {
			list = append(list, difference{line, rest, got})
		}
	}
	for line, left := range byLine {
		for _, rest := range left {
			list = append(list, difference{line, "nothing of the kind", rest})
		}
	}
	return list
}

// tapesLast puts the ends of recordings behind all else of their step, by name: a
// recording is a thread of its own at the switch, so its end is told before or
// after what the others do, and whether others went on then, or it has written
// anything by then, is chance, too.
func tapesLast(transcript string) string {
	var out strings.Builder
	var tapes []string
	over := func() {
		slices.Sort(tapes)
		out.WriteString(strings.Join(tapes, ""))
		tapes = nil
	}
	others := regexp.MustCompile(` Other-Recordings=\w+`)
	cause := regexp.MustCompile(` Record-Completion-Cause=(success-maxtime|empty-file)\b`)
	for line := range strings.Lines(transcript) {
		line = cause.ReplaceAllString(line, "")
		switch {
		case strings.HasPrefix(line, "! ") && strings.Contains(line, " Action=stop-recording "):
			tapes = append(tapes, others.ReplaceAllString(line, ""))
			continue
		case !strings.HasPrefix(line, "! "):
			over()
		}
		out.WriteString(line)
	}
	over()
	return out.String()
}

// reviewed are differences that are meant to be, with their reasons, by how
// the line of the step begins.
type reviewed map[string]string

func readReviewed(t *testing.T, of suite) reviewed {
	t.Helper()
	text, err := os.ReadFile(of.reviewed())
	if err != nil {
		t.Fatal(err)
	}
	r := reviewed{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, why, ok := strings.Cut(line, " | ")
		if !ok {
			t.Fatalf("%s: no reason in %q", of.reviewed(), line)
		}
		r[key] = why
	}
	return r
}

func (r reviewed) fits(line string) string {
	for key := range r {
		if line == key || strings.HasSuffix(key, "*") && strings.HasPrefix(line, strings.TrimSuffix(key, "*")) {
			return key
		}
	}
	return ""
}
