package config

import (
	"os"
	"strings"
	"testing"
)

// BenchmarkApply is what a call to a configured room costs.
func BenchmarkApply(b *testing.B) {
	l := newLoader()
	l.parse("parley.yaml", []byte("rooms: [{name: r, max_participants: 2, moderator: {pins: [1234]}}]"))
	c, _, err := l.load()
	if err != nil {
		b.Fatal(err)
	}
	d := c.Directory()
	b.ReportAllocs()
	for b.Loop() {
		d.Lookup("r", "")
	}
}

// BenchmarkLoad reads the reference and 1,000 rooms.
func BenchmarkLoad(b *testing.B) {
	text, err := os.ReadFile(reference)
	if err != nil {
		b.Fatal(err)
	}
	var rooms strings.Builder
	rooms.WriteString("rooms:\n")
	for i := range 1000 {
		rooms.WriteString("- {name: room-" + strings.Repeat("x", i%50) + strings.Repeat("y", i/50) + ", member: {pins: [123456]}}\n")
	}
	b.ReportAllocs()
	for b.Loop() {
		l := newLoader()
		l.parse("parley.yaml", text)
		l.parse("rooms.d/x.yaml", []byte(rooms.String()))
		if _, _, err := l.load(); err != nil {
			b.Fatal(err)
		}
	}
}
