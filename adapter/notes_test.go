package adapter

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"parley/adapter/control"
)

func TestCodes(t *testing.T) {
	for text, want := range map[string]string{
		"esl pbx1: refused. [esl_auth]": "esl_auth", "[a] b": "", "no code": "", "a [B]": "", "a]": "", "list [1, 2]": "", "": "",
	} {
		if got := codeOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// texts are the notes in short, with how often each came.
func texts(list []control.Note) string {
	var all []string
	for _, n := range list {
		all = append(all, fmt.Sprintf("%s×%d", strings.Fields(n.Text)[0], n.Times))
	}
	return strings.Join(all, " ")
}

func TestNotesAreTheLastTroubles(t *testing.T) {
	n := &notes{}
	now := time.Unix(0, 0)
	add := func(text string) { n.add(now, text) }
	add("plain")
	for i := range notesOf + 2 {
		add(fmt.Sprintf("a%d [a]", i))
	}
	add("b \x1b[2J\n [b]")
	add("a4 [a]")
	if got := texts(n.recent(now)); got != "a2×1 a3×1 a5×1 a6×1 b×1 a4×2" {
		t.Errorf("%s", got)
	}
	if got := n.recent(now)[4].Text; got != "b  [2J  [b]" {
		t.Errorf("%q", got)
	}
	for i := range notesAll {
		add(fmt.Sprintf("c%d [%c]", i, 'c'+i))
	}
	if got := n.recent(now); len(got) != notesAll || got[0].Code != "c" {
		t.Errorf("%d notes: %s", len(got), texts(got))
	}
	if got := n.recent(now.Add(noteTime + 1)); len(got) != 0 {
		t.Errorf("an hour later: %s", texts(got))
	}
}

func TestTheLogIsNoted(t *testing.T) {
	var b strings.Builder
	n := &notes{}
	log := slog.New(noting{slog.NewTextHandler(&b, nil), n}).With("switch", "pbx1").WithGroup("g")
	log.Info("fine [a]")
	log.Warn("bad [b]", "x", 1)
	log.Error("worse")
	if got := texts(n.recent(time.Now())); got != "bad×1" {
		t.Errorf("notes %s", got)
	}
	if text := b.String(); strings.Count(text, "\n") != 3 || !strings.Contains(text, "switch=pbx1 g.x=1") {
		t.Errorf("log %s", text)
	}
}
