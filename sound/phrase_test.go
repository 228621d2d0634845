package sound

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		n    int
		want string
	}{
		{0, "0"},
		{1, "1"},
		{13, "13"},
		{20, "20"},
		{21, "20 1"},
		{30, "30"},
		{99, "90 9"},
		{100, "1 hundred"},
		{101, "1 hundred 1"},
		{120, "1 hundred 20"},
		{342, "3 hundred 40 2"},
		{999, "9 hundred 90 9"},
		{1000, ""},
		{-1, ""},
	} {
		got := strings.ReplaceAll(strings.Join(Number(tt.n), " "), "number-", "")
		if got != tt.want {
			t.Errorf("%d: %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{
		0:    "there-are number-0 participants",
		1:    "there-is-one participant",
		2:    "there-are number-2 participants",
		1000: "",
	} {
		if got := strings.Join(Count(n), " "); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestEveryNumberIsSpoken(t *testing.T) {
	names := Prompts()
	for n := range MaxNumber + 1 {
		for _, name := range slices.Concat(Number(n), Count(n)) {
			if !slices.Contains(names, name) {
				t.Fatalf("%d needs %q, which is not built in", n, name)
			}
		}
	}
}

func TestPhraseIsItsPromptsInARow(t *testing.T) {
	l := library(t, Options{}, nil)
	whole := load(t, l, "phrase:count:42", "").PCM(wide)
	for i, name := range Count(42) {
		part := load(t, l, name, "").PCM(wide)
		if i > 0 {
			whole = whole[wide.Samples(phraseGap):]
		}
		if !slices.Equal(whole[:len(part)], part) {
			t.Fatalf("%s is not part %d", name, i)
		}
		whole = whole[len(part):]
	}
	if len(whole) != 0 {
		t.Errorf("%d samples too many", len(whole))
	}
}

func TestPrompts(t *testing.T) {
	table, err := os.ReadFile("prompts/prompts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(table)) {
		name, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok || text == "" {
			t.Errorf("prompts.tsv: %q", line)
		}
		listed = append(listed, name)
	}
	slices.Sort(listed)
	if names := Prompts(); !slices.Equal(names, listed) {
		t.Fatalf("built in %v\nlisted   %v", names, listed)
	}
	total := 0
	for _, name := range listed {
		file, err := prompts.ReadFile("prompts/en/" + name + ".wav")
		if err != nil {
			t.Fatal(err)
		}
		total += len(file)
		pcm, rate, err := DecodeWAV(bytes.NewReader(file))
		if err != nil || rate != wide {
			t.Fatalf("%s: %d Hz, %v", name, rate, err)
		}
		near(t, name, loudness(pcm), -20, 0.2)
		if lasts := float64(len(pcm)) / float64(rate); lasts < 0.3 || lasts > 5 {
			t.Errorf("%s lasts %.2f s", name, lasts)
		}
		if ends := max(loudness(pcm[:80]), loudness(pcm[len(pcm)-80:])); ends > -45 {
			t.Errorf("%s begins or ends at %.1f dBov", name, ends)
		}
	}
	if total > 3<<20 {
		t.Errorf("%d bytes of prompts", total)
	}
}
