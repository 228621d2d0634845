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

// table collects what was measured.
type table struct {
	modes []string
	rows  []row

	mu    sync.Mutex
	cells map[string]string // guarded by mu: "id mode" -> what was seen
}

func (t *table) set(id, mode, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cells[id+" "+mode] = text
}

// markdown is the table. A row in which the modes agree has one cell for all.
func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | what is done | %s |\n|---|---|%s\n", strings.Join(t.modes, " | "), strings.Repeat("---|", len(t.modes)))
	for _, r := range t.rows {
		seen := t.seen(r.id)
		if t.same(r.id) {
			for i := range seen[1:] {
				seen[i+1] = "the same"
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.id, r.what, strings.Join(seen, " | "))
	}
	return b.String()
}

func (t *table) seen(id string) []string {
	var out []string
	for _, mode := range t.modes {
		out = append(out, strings.ReplaceAll(t.cells[id+" "+mode], "|", `\|`))
	}
	return out
}

func (t *table) same(id string) bool { return len(slices.Compact(t.seen(id))) == 1 }

// judge compares the modes with each other, and all with the file. reasons
// says for a row why its cells may differ.
func (t *table) judge(tt *testing.T, reasons map[string]string) {
	tt.Helper()
	for _, r := range t.rows {
		why, listed := reasons[r.id]
		switch same := t.same(r.id); {
		case !same && !listed:
			tt.Errorf("row %s differs between the modes, without a reason: %q", r.id, t.seen(r.id))
		case same && listed:
			tt.Errorf("row %s does not differ, but has a reason: %s", r.id, why)
		}
	}
	text := t.markdown()
	for _, id := range slices.Sorted(maps.Keys(reasons)) {
		text += fmt.Sprintf("\nWhy %s differs: %s\n", id, reasons[id])
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
