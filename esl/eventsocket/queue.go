package eventsocket

import (
	"fmt"
	"strconv"

	"parley/esl"
)

// Limits of a client's queue. The switch keeps 100,000 events and gives a
// client up after 500 lost ones; so do we, with fewer kept, and fewer bytes.
const (
	DefaultQueue = 20_000  // messages
	maxQueued    = 8 << 20 // bytes
	maxLost      = 500
	maxBatch     = 64 << 10 // bytes written at a time
)

// format is how events are written.
type format uint8

const (
	plain format = iota
	jsonFormat
	xmlFormat
	formats
)

func (f format) String() string { return [...]string{"plain", "json", "xml"}[f] }

// parseFormat reads "plain", "json" or "xml", in any case.
func parseFormat(word string) (format, bool) {
	for f := range formats {
		if equal(word, f.String()) {
			return f, true
		}
	}
	return 0, false
}

// parcel is an event on its way to clients, written once for each format that
// somebody wants. It belongs to the goroutine that holds Server.firing; what it
// has handed out is not written again.
type parcel struct {
	event   *esl.Event
	written [formats][]byte
}

// bytes is the whole message.
func (p *parcel) bytes(f format) []byte {
	if p.written[f] == nil {
		var body []byte
		switch f {
		case jsonFormat:
			body = p.event.AppendJSON(nil)
		case xmlFormat:
			body = p.event.AppendXML(nil)
		default:
			body = p.event.AppendPlain(nil)
		}
		head := fmt.Appendf(nil, "Content-Length: %d\nContent-Type: text/event-%s\n\n", len(body), f)
		p.written[f] = append(head, body...)
	}
	return p.written[f]
}

// queue is what one client is still to be sent. Its owner guards it.
type queue struct {
	limit  int // messages
	list   [][]byte
	bytes  int
	lost   int // in all
	untold int // of these, not told yet
}

// put adds a message, or counts it as lost. It is false when more were lost
// than a client is allowed to.
func (q *queue) put(m []byte) bool {
	if len(q.list) >= q.limit || q.bytes+len(m) > maxQueued {
		q.lost++
		q.untold++
		return q.lost <= maxLost
	}
	q.list = append(q.list, m)
	q.bytes += len(m)
	return true
}

// recovered returns how many were lost since it was last asked, once there is
// room for what comes next.
func (q *queue) recovered() int {
	if q.untold == 0 || len(q.list) > q.limit/2 || q.bytes > maxQueued/2 {
		return 0
	}
	n := q.untold
	q.untold = 0
	return n
}

// take returns what is next, about maxBatch bytes of it.
func (q *queue) take() [][]byte {
	n, size := 0, 0
	for n < len(q.list) && (n == 0 || size+len(q.list[n]) <= maxBatch) {
		size += len(q.list[n])
		n++
	}
	batch := q.list[:n:n]
	q.list = q.list[n:]
	q.bytes -= size
	return batch
}

// flush forgets what has not been sent.
func (q *queue) flush() { q.list, q.bytes = nil, 0 }

// resync is the event that tells a client of a gap.
func resync(lost int) *esl.Event {
	return &esl.Event{Headers: esl.Headers{
		{Name: "Event-Name", Value: "CUSTOM"},
		{Name: "Event-Subclass", Value: "parley::resync"},
		{Name: "Lost-Events", Value: strconv.Itoa(lost)},
	}}
}
