package importer

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/adapter/config"
	"parley/engine"
)

// shared has the switches' own sample files where it is beside the checkout.
const shared = "../../../shared/data/"

// sample reads a sample file that is not of this repository.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(shared + name)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not there: the folder shared is not beside this checkout", shared+name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// load writes the files of an import beside an empty parley.yaml and reads all
// with Parley's own loader. The one warning that a faithful import may earn is
// that only the dialplan can make somebody a moderator.
func load(t testing.TB, r *Result) *config.Config {
	t.Helper()
	dir := t.TempDir()
	main := filepath.Join(dir, "parley.yaml")
	write(t, main, nil)
	for _, f := range r.Files() {
		write(t, filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data)
	}
	c, warnings, err := config.Load(config.Source{File: main})
	warnings = slices.DeleteFunc(warnings, func(w config.Warning) bool { return w.Code == "no_moderator_pin" })
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v\n%v", err, warnings)
	}
	write(t, main, r.YAML())
	for _, f := range r.Files() {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(f.Name))); err != nil {
			t.Fatal(err)
		}
	}
	whole, _, err := config.Load(config.Source{File: main})
	if err != nil {
		t.Fatalf("as one file: %v", err)
	}
	if changes := config.Diff(c, whole); len(changes) > 0 {
		t.Fatalf("one file says another thing: %v", changes)
	}
	return c
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// report is what an operator reads.
func report(r *Result) string {
	var b strings.Builder
	for _, l := range r.Lines {
		b.WriteString(l.String() + "\n")
	}
	return b.String() + r.Summary() + "\n"
}

// same compares a text with the one of testdata, line by line.
func same(t *testing.T, name, got string) {
	t.Helper()
	want := strings.Split(testdata(t, name), "\n")
	for i, line := range strings.Split(got, "\n") {
		switch {
		case i >= len(want):
			t.Fatalf("%s:%d: there is more: %s", name, i+1, line)
		case line != want[i]:
			t.Fatalf("%s:%d:\n%s\nwant\n%s", name, i+1, line, want[i])
		}
	}
	if n := strings.Count(got, "\n") + 1; n < len(want) {
		t.Fatalf("%s:%d: missing: %s", name, n+1, want[n])
	}
}

func profileOf(t *testing.T, c *config.Config, name string) *engine.Profile {
	t.Helper()
	p := c.Directory().Profiles[name]
	if p == nil {
		t.Fatalf("there is no profile %s", name)
	}
	return p
}

func TestNamesThatParleyCannotHaveAreChanged(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"sales 2", "sales-2"},
		{".hidden", "-hidden"},
		{"für", "f-r"},
		{strings.Repeat("x", 200), strings.Repeat("x", 128)},
	} {
		if got := rename(tt.in); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestTheReportIsSafeToPrint(t *testing.T) {
	l := Line{File: "a\nb", Line: 3, Where: "profile x", Name: "rate", Kind: Lost, Text: "Why."}
	if got, want := l.String(), "a?b:3: profile x: rate: Why. [lost]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := clip("a\x00\u2028" + strings.Repeat("z", 100)); strings.ContainsAny(got, "\x00\u2028") || len(got) > 70 {
		t.Errorf("%q", got)
	}
}
