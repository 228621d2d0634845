package rtp

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

const (
	inboxFrames = 10   // usual packets that fit, at least
	inboxLeast  = 2048 // bytes
	recordHead  = 10   // length and kind, time of arrival
	isReport    = 1 << 15
	goOnInFront = 1<<16 - 1 // instead of a length: the next record is at the beginning
)

// inbox holds datagrams that somebody else has read, until the session's tick
// takes them. Half of its size has room whenever it is empty. One goroutine puts at a time and one takes; they may do so at once.
type inbox struct {
	data       []byte        // a power of two; records lie whole, at even places
	head, tail atomic.Uint32 // bytes taken and put since the beginning
}

// init makes room for packets of so many bytes of payload.
func (q *inbox) init(payload int) {
	need := max(inboxLeast, inboxFrames*(recordHead+minHeader+payload))
	q.data = make([]byte, 1<<bits.Len(uint(need-1)))
}

// put copies b in; false when there is no room.
func (q *inbox) put(b []byte, report bool, arrival int64) bool {
	head, tail, size := q.head.Load(), q.tail.Load(), uint32(len(q.data))
	at, need := tail%size, recordSize(len(b))
	if rest := size - at; rest < need {
		if tail+rest-head > size {
			return false
		}
		binary.NativeEndian.PutUint16(q.data[at:], goOnInFront)
		tail, at = tail+rest, 0
	}
	if tail+need-head > size {
		return false
	}
	kind := uint16(len(b))
	if report {
		kind |= isReport
	}
	binary.NativeEndian.PutUint16(q.data[at:], kind)
	binary.NativeEndian.PutUint64(q.data[at+2:], uint64(arrival))
	copy(q.data[at+recordHead:], b)
	q.tail.Store(tail + need)
	return true
}

// next is the oldest record. b is valid until done.
func (q *inbox) next() (b []byte, report bool, arrival int64, ok bool) {
	head, size := q.head.Load(), uint32(len(q.data))
	if head == q.tail.Load() {
		return nil, false, 0, false
	}
	at := head % size
	kind := binary.NativeEndian.Uint16(q.data[at:])
	if kind == goOnInFront {
		q.head.Store(head + size - at)
		return q.next() // of which there is one, put together with this mark
	}
	n := uint32(kind &^ isReport)
	arrival = int64(binary.NativeEndian.Uint64(q.data[at+2:]))
	return q.data[at+recordHead:][:n:n], kind&isReport != 0, arrival, true
}

// done gives up the record that next has returned, of n bytes.
func (q *inbox) done(n int) { q.head.Add(recordSize(n)) }

// recordSize is even, so that there is always room for a length.
func recordSize(n int) uint32 { return uint32(recordHead+n+1) &^ 1 }
