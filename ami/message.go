package ami

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of what a peer may send.
const (
	maxLine   = 4096 // bytes
	maxFields = 500  // of one message
	maxList   = 10_000
)

// Errors of this package. A *RefusalError is what Asterisk did not do.
var (
	ErrTooLarge = errors.New("ami: message too large")
	ErrMessage  = errors.New("ami: not a message")
	ErrValue    = errors.New("ami: a value holds a line break")
)

// Field is a line of a message. Names are as Asterisk writes them.
type Field struct{ Name, Value string }

// Message is an action, a response or an event.
type Message []Field

// Value is that of the first field of a name, in whatever case, or "".
func (m Message) Value(name string) string {
	for _, f := range m {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// append writes the message as it goes over the wire.
func (m Message) append(dst []byte) ([]byte, error) {
	for _, f := range m {
		if strings.ContainsAny(f.Name+f.Value, "\r\n\x00") || strings.Contains(f.Name, ":") {
			return dst, fmt.Errorf("%w: %s", ErrValue, f.Name)
		}
		dst = append(dst, f.Name+": "+f.Value+"\r\n"...)
	}
	return append(dst, "\r\n"...), nil
}

// ReadMessage reads the next message, within limits. r must have a buffer of at
// least 4096 bytes.
func ReadMessage(r *bufio.Reader) (Message, error) {
	var m Message
	for {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || len(line) > maxLine:
			return nil, fmt.Errorf("%w: a line of more than %d bytes", ErrTooLarge, maxLine)
		case errors.Is(err, io.EOF) && len(line)+len(m) > 0:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		switch name, value, ok := strings.Cut(text, ":"); {
		case text == "" && len(m) == 0: // between two
		case text == "":
			return m, nil
		case !ok || name == "":
			return nil, fmt.Errorf("%w: %.80q", ErrMessage, text)
		case len(m) == maxFields:
			return nil, fmt.Errorf("%w: more than %d fields", ErrTooLarge, maxFields)
		default:
			m = append(m, Field{name, strings.TrimPrefix(value, " ")})
		}
	}
}
