package rtp

import (
	"testing"
	"time"
)

func event(code byte, end bool, duration uint16) []byte {
	b := []byte{code, eventVolume, byte(duration >> 8), byte(duration)}
	if end {
		b[1] |= eventEnd
	}
	return b
}

func TestDigitsCountOnce(t *testing.T) {
	type pkt struct {
		ts   uint32
		body []byte
		at   time.Duration
	}
	ms := time.Millisecond
	for _, c := range []struct {
		name string
		in   []pkt
		want string
	}{
		{"one key, three ends", []pkt{
			{1000, event(1, false, 160), 0},
			{1000, event(1, false, 320), 20 * ms},
			{1000, event(1, true, 480), 40 * ms},
			{1000, event(1, true, 480), 60 * ms},
			{1000, event(1, true, 480), 80 * ms},
		}, "1"},
		{"same key twice", []pkt{{1000, event(5, true, 160), 0}, {3000, event(5, true, 160), 200 * ms}}, "55"},
		{"only ends arrive", []pkt{{1000, event(10, true, 160), 0}}, "*"},
		{"end lost, next begins", []pkt{{1000, event(2, false, 160), 0}, {3000, event(3, true, 160), 200 * ms}}, "23"},
		{"end lost for good", []pkt{{1000, event(11, false, 160), 0}, {0, nil, 400 * ms}}, "#"},
		{"late packet of an old event", []pkt{
			{1000, event(1, true, 160), 0}, {3000, event(2, true, 160), 200 * ms}, {1000, event(1, true, 160), 210 * ms},
		}, "12"},
		{"over the timestamp wrap", []pkt{
			{0xFFFFFF00, event(8, true, 160), 0}, {0x00000100, event(9, true, 160), 200 * ms},
		}, "89"},
		{"flash is no key", []pkt{{1000, event(16, true, 160), 0}}, ""},
		{"cut short", []pkt{{1000, []byte{1, 2, 3}, 0}}, ""},
		{"endless key ends", []pkt{{1000, event(4, false, 0xFFFF), 0}}, "4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r digitReader
			got := ""
			for _, p := range c.in {
				if p.body != nil {
					r.packet(p.ts, p.body, int64(p.at))
				}
				r.idle(int64(p.at))
				for d, ok := r.keys.pop(); ok; d, ok = r.keys.pop() {
					got += string(d.key)
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSentDigitsAreReadBack(t *testing.T) {
	for _, lose := range []int{0, 3, 7} { // every n-th packet
		w := digitWriter{frames: keyFrames}
		var r digitReader
		const keys = "0123456789*#ABCD"
		for i := range len(keys) {
			w.queue.push(keys[i])
		}
		got := ""
		var ts uint32
		for tick := range 400 {
			var payload [eventBytes]byte
			if at, _, ok := w.next(payload[:], ts, 160); ok && (lose == 0 || tick%lose != 0) {
				r.packet(at, payload[:], int64(tick)*frame)
			}
			ts += 160
			for d, ok := r.keys.pop(); ok; d, ok = r.keys.pop() {
				got += string(d.key)
			}
		}
		if got != keys {
			t.Errorf("losing every %d: got %q", lose, got)
		}
	}
}

// FuzzDigits: any event packets, no panic, and never more keys than packets.
func FuzzDigits(f *testing.F) {
	f.Add([]byte{1, 0x8A, 0, 160, 2, 10, 0, 160})
	f.Fuzz(func(t *testing.T, in []byte) {
		var r digitReader
		packets, keys := 0, 0
		for i := 0; i < len(in); i += 5 {
			end := min(i+5, len(in))
			r.packet(uint32(in[i])<<9, in[i:end], int64(i)*frame)
			r.idle(int64(i) * frame)
			packets++
			for d, ok := r.keys.pop(); ok; d, ok = r.keys.pop() {
				if _, known := eventOf(d.key); !known {
					t.Fatalf("key %q", d.key)
				}
				keys++
			}
		}
		if keys > packets {
			t.Fatalf("%d keys of %d packets", keys, packets)
		}
	})
}
