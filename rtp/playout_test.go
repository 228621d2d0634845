package rtp

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestJitterShowsWhatFollowsALoss(t *testing.T) {
	p := player{j: NewJitter(JitterOptions{})}
	for _, k := range []int{0, 1, 3, 4} {
		p.j.Put(uint16(k), uint32(k*160), p.now, []byte{byte(k), 9})
	}
	var b [10]byte
	for range 3 { // in the first one it waits
		p.tick()
	}
	if n, lost := p.j.Take(b[:], p.now); n != 0 || !lost {
		t.Fatalf("took %d, lost %v", n, lost)
	}
	for range 2 { // it stays
		if n := p.j.Peek(b[:]); n != 2 || b[0] != 3 {
			t.Errorf("after the loss comes %d, %d bytes; want 3", b[0], n)
		}
	}
	p.tick()
	p.tick()
	if n := p.j.Peek(b[:]); n != 0 {
		t.Errorf("%d bytes of nothing", n)
	}
	if want := []byte{0, 1, 3, 4}; !slices.Equal(p.heard(), want) {
		t.Errorf("played %v, want %v", p.heard(), want)
	}
}

func TestJitterTellsWhatSilenceSoundsLike(t *testing.T) {
	p := player{j: NewJitter(JitterOptions{})}
	var said []string
	for k := range 60 {
		ts := uint32(k * 160)
		switch {
		case k < 20:
			p.j.Put(uint16(k), ts, p.now, []byte{byte(k)})
		case k == 20 || k == 30:
			p.j.PutNoise(uint16(20+k/30), ts, p.now, []byte{byte(k), 100})
		case k >= 40:
			p.j.Put(uint16(k-18), ts, p.now, []byte{byte(k)})
		}
		p.tick()
		if s := string(p.j.Comfort()); len(said) == 0 || said[len(said)-1] != s {
			said = append(said, s)
		}
	}
	if want := []string{"", "\x14d", "\x1ed", ""}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
	if p.j.Lost != 0 || p.j.Delay() > 20*time.Millisecond {
		t.Errorf("lost %d, delay %v", p.j.Lost, p.j.Delay())
	}
}

// BenchmarkJitter is one packet of one leg: in, out, and how the pace should be.
func BenchmarkJitter(b *testing.B) {
	j := NewJitter(JitterOptions{})
	payload, buf := make([]byte, 160), make([]byte, 1500)
	r := rand.New(rand.NewPCG(1, 2))
	late := make([]int64, 1024)
	for i := range late {
		late[i] = r.Int64N(int64(30 * time.Millisecond))
	}
	seq, now := uint16(0), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		j.Put(seq, uint32(seq)*160, now-late[seq%1024], payload)
		j.Take(buf, now)
		j.Surplus(0)
		seq, now = seq+1, now+frame
	}
}
