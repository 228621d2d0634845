package rtp

import (
	"encoding/binary"
	"time"
)

const (
	eventBytes  = 4
	eventEnd    = 0x80
	eventVolume = 10 // -10 dBm0
	eventQuiet  = 300 * time.Millisecond
	digitQueue  = 32
	endPackets  = 3 // RFC 4733 §2.5.1.4
	digitPause  = 3 // frames between two digits
)

// digitOf is the key of an RFC 4733 event code.
func digitOf(event byte) (byte, bool) {
	if event > 15 {
		return 0, false
	}
	return "0123456789*#ABCD"[event], true
}

// eventOf is the RFC 4733 event code of a key.
func eventOf(digit byte) (byte, bool) {
	for i := range byte(16) {
		if d, _ := digitOf(i); d == digit {
			return i, true
		}
	}
	return 0, false
}

// ring is a small queue of keys.
type ring[T any] struct {
	keys       [digitQueue]T
	head, size int
}

func (r *ring[T]) push(d T) bool {
	if r.size == len(r.keys) {
		return false
	}
	r.keys[(r.head+r.size)%len(r.keys)] = d
	r.size++
	return true
}

func (r *ring[T]) pop() (d T, ok bool) {
	if r.size == 0 {
		return d, false
	}
	d = r.keys[r.head]
	r.head = (r.head + 1) % len(r.keys)
	r.size--
	return d, true
}

// press is a key, and how long it was held, in units of the RTP clock.
type press struct {
	key   byte
	units uint16
}

// digitReader makes keys of RFC 4733 packets. An event is known by its
// timestamp; it counts once: at its end packet, or when the next one begins,
// or when nothing more was heard of it.
type digitReader struct {
	keys   ring[press]
	open   bool // an event is being received
	digit  byte
	units  uint16 // that it was held, as far as is known
	ts     uint32
	seen   bool  // ts is valid
	last   int64 // unix ns of its last packet
	Broken uint64
}

// packet takes one event payload.
func (r *digitReader) packet(ts uint32, payload []byte, now int64) {
	if len(payload) < eventBytes {
		r.Broken++
		return
	}
	digit, ok := digitOf(payload[0])
	if !ok {
		return // a telephone event, but no key
	}
	end := payload[1]&eventEnd != 0
	switch ahead := int32(ts - r.ts); {
	case r.seen && ahead == 0:
		if !r.open {
			return // counted already
		}
	case r.seen && ahead < 0 && ahead > -1<<20:
		return // a late packet of an earlier event
	default:
		r.finish()
		r.open, r.seen, r.digit, r.units, r.ts = true, true, digit, 0, ts
	}
	r.last = now
	r.units = max(r.units, binary.BigEndian.Uint16(payload[2:]))
	if end || r.units == 0xFFFF {
		r.finish()
	}
}

// finish counts the open event.
func (r *digitReader) finish() {
	if r.open {
		r.keys.push(press{r.digit, r.units})
	}
	r.open = false
}

// idle ends an event whose end was lost.
func (r *digitReader) idle(now int64) {
	if r.open && now-r.last > int64(eventQuiet) {
		r.finish()
	}
}

// reset forgets what a new stream cannot continue.
func (r *digitReader) reset() {
	r.finish()
	r.seen = false
}

// digitWriter sends keys, one frame a tick, instead of audio.
type digitWriter struct {
	queue  ring[byte]
	active bool
	event  byte
	ts     uint32
	age    int // frames sent
	frames int // frames a key lasts
	ends   int // end packets sent
	pause  int // frames to wait before the next key
}

// next fills payload for this tick. ok is false when audio goes out as usual.
// marker is set on the first packet of an event; ts is the event's.
func (w *digitWriter) next(payload []byte, ts uint32, frameUnits int) (eventTS uint32, marker, ok bool) {
	if !w.active && !w.begin(ts) {
		return 0, false, false
	}
	w.age++
	duration := min(w.age*frameUnits, 0xFFFF)
	payload[0], payload[1] = w.event, eventVolume
	if w.age > w.frames {
		duration = min(w.frames*frameUnits, 0xFFFF)
		payload[1] |= eventEnd
		w.ends++
	}
	binary.BigEndian.PutUint16(payload[2:], uint16(duration))
	if w.ends == endPackets {
		w.active, w.pause = false, digitPause
	}
	return w.ts, w.age == 1, true
}

func (w *digitWriter) begin(ts uint32) bool {
	if w.pause > 0 {
		w.pause--
		return false
	}
	d, ok := w.queue.pop()
	if !ok {
		return false
	}
	w.event, _ = eventOf(d)
	w.active, w.ts, w.age, w.ends = true, ts, 0, 0
	return true
}
