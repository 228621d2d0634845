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
	keptRoom     = 64       // messages that an empty queue has room for: more than usually come between two writings
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

// bytes is the whole message. The body is written first, as its head says how
// long it is, into one piece of memory with room for the head before it.
func (p *parcel) bytes(f format) []byte {
	if p.written[f] == nil {
		const room = len("Content-Length: 1234567890\nContent-Type: text/event-plain\n\n")
		m := make([]byte, room, room+length(p.event))
		switch f {
		case jsonFormat:
			m = p.event.AppendJSON(m)
		case xmlFormat:
			m = p.event.AppendXML(m)
		default:
			m = p.event.AppendPlain(m)
		}
		head := fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-%s\n\n", len(m)-room, f)
		m = m[room-len(head):]
		copy(m, head)
		p.written[f] = m
	}
	return p.written[f]
}

// length is about how many bytes an event takes in any format, some of its
// characters encoded.
func length(e *esl.Event) int {
	n := len(e.Body) + 128
	for _, h := range e.Headers {
		n += len(h.Name) + len(h.Value)*5/4 + len(": \n")
	}
	return n
}

// queue is what one client is still to be sent. Where messages were lost there
// is a gap in it. Its owner guards it.
type queue struct {
	limit int      // messages
	list  [][]byte // nil is the next of gaps
	gaps  []gap
	bytes int
	lost  int // in all gaps
}

// gap is how much was lost at one place.
type gap struct{ events, lines int }

// put adds an event. Where there is no room it is lost; false says that more
// are than a client is allowed to lose before it is told.
func (q *queue) put(m []byte) bool {
	return q.add(m) || q.lose(gap{events: 1})
}

// putLine is put for a line of the log.
func (q *queue) putLine(m []byte) bool {
	return q.add(m) || q.lose(gap{lines: 1})
}

func (q *queue) add(m []byte) bool {
	if len(q.list) >= q.limit || q.bytes+len(m) > maxQueued {
		return false
	}
	q.list = append(q.list, m)
	q.bytes += len(m)
	return true
}

func (q *queue) lose(one gap) bool {
	if n := len(q.list); n == 0 || q.list[n-1] != nil {
		q.list, q.gaps = append(q.list, nil), append(q.gaps, gap{})
	}
	last := &q.gaps[len(q.gaps)-1]
	last.events += one.events
	last.lines += one.lines
	q.lost++
	return q.lost <= maxLost
}

// take appends what is next to a batch, about maxBatch bytes of it. told writes
// what the client is told of a gap; nil is nothing.
func (q *queue) take(batch [][]byte, told func(gap) []byte) [][]byte {
	n := 0
	for size := 0; n < len(q.list) && (n == 0 || size+len(q.list[n]) <= maxBatch); n++ {
		m := q.list[n]
		size += len(m)
		q.bytes -= len(m)
		if m == nil {
			q.lost -= q.gaps[0].events + q.gaps[0].lines
			m = told(q.gaps[0])
			q.gaps = q.gaps[1:]
		}
		if m != nil {
			batch = append(batch, m)
		}
	}
	clear(q.list[:n]) // or the array keeps what has been sent
	switch whole := n == len(q.list); {
	case !whole:
		q.list = q.list[n:]
	case cap(q.list) > keptRoom:
		q.list, q.gaps = nil, nil
	default:
		q.list = q.list[:0]
	}
	return batch
}

// flush forgets what has not been sent.
func (q *queue) flush() { *q = queue{limit: q.limit} }

// resync is the event that tells a client of a gap.
func (g gap) resync() *esl.Event {
	h := esl.Headers{
		{Name: "Event-Subclass", Value: Resync},
		{Name: "Event-Name", Value: "CUSTOM"},
		{Name: "Lost-Events", Value: strconv.Itoa(g.events)},
	}
	if g.lines > 0 {
		h = append(h, esl.Header{Name: "Lost-Log-Lines", Value: strconv.Itoa(g.lines)})
	}
	return &esl.Event{Headers: h}
}
