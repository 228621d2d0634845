//go:build integration

package integration

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// contractFile shows the table; PARLEY_UPDATE=1 writes it anew.
const contractFile = "../docs/dialplan-contract.md"

// Marks around the table in the file.
const (
	tableBegins = "<!-- measured: begin -->\n"
	tableEnds   = "<!-- measured: end -->\n"
)

// row is one line of the behaviour table: what a dialplan or caller does, and
// how to measure what comes of it.
type row struct {
	id, what string
	measure  func(*cell)
}

// column is where a row is measured.
type column struct {
	pbx, mode string
	media     string // way of the audio; "": the default, which stands for all
}

func (c column) String() string {
	if c.media == "" {
		return c.pbx + " " + c.mode
	}
	return fmt.Sprintf("%s %s, `media: %s`", c.pbx, c.mode, c.media)
}

// reason is a reviewed one for cells of a row to differ: from the first column,
// or, for a way of the audio, from the default's.
type reason struct {
	row     string
	columns []string
	why     string
}

// table collects what was measured.
type table struct {
	columns []column
	rows    []row

	mu    sync.Mutex
	cells map[string]string // guarded by mu: "id column" -> what was seen
}

func (t *table) set(id string, c column, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cells[id+" "+c.String()] = text
}

func (t *table) cell(id string, c column) string {
	return strings.ReplaceAll(t.cells[id+" "+c.String()], "|", `\|`)
}

// whole says whether every cell was measured.
func (t *table) whole() bool { return len(t.cells) == len(t.rows)*len(t.columns) }

// standard is the cell that another is compared with.
func (t *table) standard(id string, c column) string {
	if c.media != "" {
		return t.cell(id, column{pbx: c.pbx, mode: c.mode})
	}
	return t.cell(id, t.columns[0])
}

func (t *table) differs(id string, c column) bool { return t.cell(id, c) != t.standard(id, c) }

// markdown is the table. A cell that is as that of the first column says so,
// and one for a way of the audio only stands, in that of the default, where it
// differs.
func (t *table) markdown() string {
	var b strings.Builder
	b.WriteString("| | what is done |")
	for _, c := range t.columns {
		if c.media == "" {
			fmt.Fprintf(&b, " %s |", c)
		}
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", strings.Count(b.String(), "|")-3) + "\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s | %s |", r.id, r.what)
		for i, c := range t.columns {
			if c.media == "" {
				fmt.Fprintf(&b, " %s |", t.shown(r.id, i))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (t *table) shown(id string, column int) string {
	c := t.columns[column]
	text := t.cell(id, c)
	if column > 0 && !t.differs(id, c) {
		text = "the same"
	}
	for _, way := range t.columns {
		if way.media != "" && way.pbx == c.pbx && way.mode == c.mode && t.differs(id, way) {
			text += fmt.Sprintf("; with `media: %s`: %s", way.media, t.cell(id, way))
		}
	}
	return text
}

// judge compares the columns with each other, and all with the file.
func (t *table) judge(tt *testing.T, reasons []reason) {
	tt.Helper()
	unlisted := map[string]bool{}
	for _, r := range t.rows {
		for _, c := range t.columns {
			unlisted[r.id+" "+c.String()] = t.differs(r.id, c)
		}
	}
	text := t.markdown()
	for _, why := range reasons {
		for _, c := range why.columns {
			if !unlisted[why.row+" "+c] {
				tt.Errorf("row %s of %s does not differ, or is listed twice, but has a reason: %s", why.row, c, why.why)
			}
			delete(unlisted, why.row+" "+c)
		}
		text += fmt.Sprintf("\nWhy %s differs (%s): %s\n", why.row, strings.Join(why.columns, ", "), why.why)
	}
	for _, cell := range slices.Sorted(maps.Keys(unlisted)) {
		if unlisted[cell] {
			tt.Errorf("%s differs, without a reason: %s", cell, t.cells[cell])
		}
	}
	fmt.Print("\n", text, "\n") // the run's own record of what it saw
	t.compare(tt, text)
}

func (t *table) compare(tt *testing.T, text string) {
	tt.Helper()
	file, err := os.ReadFile(contractFile)
	if err != nil {
		tt.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(file), tableBegins)
	shown, tail, ok2 := strings.Cut(rest, tableEnds)
	if !ok1 || !ok2 {
		tt.Fatalf("%s has no place for the table", contractFile)
	}
	if shown == text {
		return
	}
	if os.Getenv("PARLEY_UPDATE") != "" {
		if err := os.WriteFile(contractFile, []byte(head+tableBegins+text+tableEnds+tail), 0o644); err != nil {
			tt.Fatal(err)
		}
		return
	}
	was, is := strings.Split(shown, "\n"), strings.Split(text, "\n")
	for i := range max(len(was), len(is)) {
		if a, b := line(was, i), line(is, i); a != b {
			tt.Errorf("%s line %d of the table:\n shown    %s\n measured %s", contractFile, i+1, a, b)
		}
	}
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
