package rtp

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// A store has the latest payloads, whole, or says that it has them no more; also when
// it grew, once or several times, in its first round or later.
func TestStoreKeepsTheLatest(t *testing.T) {
	for _, longest := range []int{1, 160, 640, 2048} {
		for _, before := range []int{0, 5, 40} { // short ones, and then longer ones
			for range 40 {
				s := store{data: make([]byte, 16*160), sum: 1<<32 - 5000} // its count wraps
				fill(t, &s, before, longest)
			}
		}
	}
}

// fill puts 300 payloads, the first of them short, and looks at the latest after each.
func fill(t *testing.T, s *store, short, longest int) {
	t.Helper()
	var pieces []piece
	var put [][]byte
	for i := range 300 {
		b := make([]byte, rand.IntN(longest+1))
		if i < short {
			b = b[:min(len(b), rand.IntN(161))]
		}
		for k := range b {
			b[k] = byte(rand.IntN(256))
		}
		pieces, put = append(pieces, s.put(b)), append(put, b)
		after := 0
		for k := len(put) - 1; k >= max(0, len(put)-60); k-- {
			if s.has(pieces[k]) && !bytes.Equal(s.get(pieces[k]), put[k]) {
				t.Fatalf("longest %d after %d short ones: payload %d of %d is not what was put", longest, short, k, i)
			}
			after += len(put[k])
			if !s.has(pieces[k]) && after+longest <= len(s.data)/2 {
				t.Fatalf("longest %d after %d short ones: payload %d of %d has gone, after %d of %d bytes", longest, short, k, i, after, len(s.data))
			}
		}
	}
}

// A stream of 20 ms takes memory for the time it may be held back, and packets of
// another length no more than that.
func TestJitterTakesMemoryByTime(t *testing.T) {
	for _, bytes := range []int{40, 80, 160, 480} {
		j := NewJitter(JitterOptions{})
		was := len(j.box.data)
		if was > 16*160 {
			t.Fatalf("%d bytes for %v", was, DefaultMaxDelay)
		}
		for i := range 200 {
			j.Put(uint16(i), uint32(i*bytes), int64(i)*int64(bytes)*125_000, make([]byte, bytes))
		}
		if len(j.box.data) != was {
			t.Errorf("packets of %d bytes: %d bytes, were %d", bytes, len(j.box.data), was)
		}
	}
}
