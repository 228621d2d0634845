package mediasocket

import (
	"bytes"
	"strconv"
)

// Word is what a text of Asterisk says.
type Word uint8

// Words. Others are of no interest here.
const (
	WordOther  Word = iota
	WordStart       // MEDIA_START: the channel is there
	WordStop        // MEDIA_XOFF: its queue is nearly full
	WordGo          // MEDIA_XON: it has room again
	WordStatus      // STATUS, the answer to GET_STATUS
)

// statusCommand asks for a STATUS.
const statusCommand = "GET_STATUS"

// ParseText reads a text in either of Asterisk's forms, "EVENT key:value …" and
// {"event":"EVENT","key":value,…}. queue is the frames that Asterisk has in
// hand, of a STATUS; -1 where none is told. Nothing is kept of b, and nothing
// allocates.
func ParseText(b []byte) (w Word, queue int) {
	name, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte(" "))
	if len(b) > 0 && b[0] == '{' {
		name = member(b, `"event"`)
	}
	switch string(name) {
	case "MEDIA_START":
		return WordStart, -1
	case "MEDIA_XOFF":
		return WordStop, -1
	case "MEDIA_XON":
		return WordGo, -1
	case "STATUS":
		return WordStatus, queueLength(b)
	default:
		return WordOther, -1
	}
}

// member is the value of a member of a JSON object that is flat, as Asterisk's
// are as far as we read them; nil when there is none.
func member(b []byte, name string) []byte {
	_, rest, found := bytes.Cut(b, []byte(name))
	rest = bytes.TrimLeft(rest, " \t")
	if !found || len(rest) == 0 || rest[0] != ':' {
		return nil
	}
	rest = bytes.TrimLeft(rest[1:], " \t\"")
	if end := bytes.IndexAny(rest, "\",} \t"); end >= 0 {
		return rest[:end]
	}
	return nil
}

func queueLength(b []byte) int {
	value := member(b, `"queue_length"`)
	if b[0] != '{' {
		_, rest, _ := bytes.Cut(b, []byte(" queue_length:"))
		value, _, _ = bytes.Cut(rest, []byte(" "))
	}
	if len(value) == 0 || len(value) > 6 {
		return -1
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(value)))
	if err != nil || n < 0 {
		return -1
	}
	return n
}
