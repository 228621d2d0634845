package config

import (
	"os"
	"strings"
	"testing"
)

// FuzzLoad reads the bytes of one file as the main one and as one of rooms.d.
// A file that loads must be dumped, compared and loaded again; one that does
// not must say why.
func FuzzLoad(f *testing.F) {
	text, err := os.ReadFile(reference)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(strings.ReplaceAll(string(text), "#: ", "")))
	for _, c := range append(problemCases(), warningCases()...) {
		for i := 1; i < len(c.files); i += 2 {
			if len(c.files[i]) < 4096 {
				f.Add([]byte(c.files[i]))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLoader()
		l.parse("parley.yaml", data)
		c, warnings, err := l.load()
		for _, w := range warnings {
			checkLine(t, w.String())
		}
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				checkLine(t, line)
			}
			beside(data)
			return
		}
		checkAgain(t, c)
		beside(data)
	})
}

// beside reads data as a file of rooms.d.
func beside(data []byte) {
	l := newLoader()
	l.parse("parley.yaml", nil)
	l.parse("rooms.d/x.yaml", data)
	if c, _, err := l.load(); err == nil {
		c.Directory()
	}
}

func checkLine(t *testing.T, line string) {
	t.Helper()
	if strings.ContainsFunc(line, control) || !strings.HasSuffix(line, "]") || len(line) > 1000 {
		t.Errorf("a line of %d bytes that is no message: %q", len(line), line)
	}
}

// checkAgain loads a configuration without secrets once more from its dump.
func checkAgain(t *testing.T, c *Config) {
	t.Helper()
	d := c.Directory()
	for name, room := range d.Rooms {
		if p, configured, known := d.Lookup(name, ""); p == nil || !configured || !known || room.Profile == "" {
			t.Errorf("room %q cannot be looked up", name)
		}
	}
	c.Sounds()
	dump := c.Dump()
	if strings.Contains(dump, "***") {
		return
	}
	l := newLoader()
	l.parse("dump.yaml", []byte(dump))
	again, _, err := l.load()
	if err != nil {
		t.Fatalf("the dump does not load: %v\n%s", err, dump)
	}
	if changes := Diff(c, again); len(changes) > 0 {
		t.Errorf("the dump is another configuration: %v\n%s", changes, dump)
	}
}
