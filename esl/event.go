package esl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Content types of a message.
const (
	typeReply      = "command/reply"
	typeAPI        = "api/response"
	typePlain      = "text/event-plain"
	typeJSON       = "text/event-json"
	typeAuth       = "auth/request"
	typeDisconnect = "text/disconnect-notice"
	typeRejection  = "text/rude-rejection"
	typeLog        = "log/data"
)

// Event is something that happened at the switch. Its values are decoded; a
// value that was an array keeps the switch's own form, "ARRAY::a|:b".
type Event struct {
	Headers
	Body []byte
}

// Name is the event's name, e.g. "CHANNEL_HANGUP".
func (e *Event) Name() string { return e.Value("Event-Name") }

// Var is a channel variable the event carries, or "".
func (e *Event) Var(name string) string { return e.Value(variablePrefix + name) }

// ParseEvent reads the event in a message of type text/event-plain or
// text/event-json.
func ParseEvent(m *Message) (*Event, error) {
	switch m.Type() {
	case typePlain:
		return parsePlain(m.Body)
	case typeJSON:
		return parseJSON(m.Body)
	}
	return nil, fmt.Errorf("%w: %.40q is no event", ErrMalformed, m.Type())
}

func parsePlain(b []byte) (*Event, error) {
	head, body, _ := bytes.Cut(b, []byte("\n\n"))
	if bytes.Count(head, []byte("\n")) >= MaxLines {
		return nil, fmt.Errorf("%w: event of more than %d lines", ErrTooLarge, MaxLines)
	}
	raw, err := parseHeaders(strings.Split(strings.TrimRight(string(head), "\n"), "\n"))
	if err != nil {
		return nil, err
	}
	n, err := contentLength(raw)
	if err != nil {
		return nil, err
	}
	if n > len(body) {
		return nil, fmt.Errorf("%w: event body cut off: %d of %d bytes", ErrMalformed, len(body), n)
	}
	e := &Event{Headers: raw.decoded()}
	if n > 0 {
		e.Body = body[:n:n]
	}
	return e, nil
}

// parseJSON reads the flat object the switch writes, member by member, so that
// order and repeated names survive.
func parseJSON(b []byte) (*Event, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := delim(d, '{'); err != nil {
		return nil, err
	}
	e := &Event{}
	for d.More() {
		if len(e.Headers) == MaxLines {
			return nil, fmt.Errorf("%w: event of more than %d members", ErrTooLarge, MaxLines)
		}
		name, err := jsonText(d)
		if err != nil {
			return nil, err
		}
		value, err := jsonText(d)
		if err != nil {
			return nil, err
		}
		if name == "_body" {
			e.Body = []byte(value)
			continue
		}
		e.Headers = append(e.Headers, Header{Name: name, Value: value})
	}
	if err := delim(d, '}'); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something after the event", ErrMalformed)
	}
	return e, nil
}

func delim(d *json.Decoder, want json.Delim) error {
	if t, err := d.Token(); err != nil || t != want {
		return fmt.Errorf("%w: JSON event without %q", ErrMalformed, want)
	}
	return nil
}

// jsonText reads one string, or what can stand in its place: a number, a
// truth value, or an array of strings, which becomes the switch's "ARRAY::".
func jsonText(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", fmt.Errorf("%w: JSON event: %w", ErrMalformed, err)
	}
	switch v := t.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case nil:
		return "", nil
	}
	if t != json.Delim('[') {
		return "", fmt.Errorf("%w: JSON event is not flat", ErrMalformed)
	}
	var items []string
	for d.More() {
		var s string
		if err := d.Decode(&s); err != nil {
			return "", fmt.Errorf("%w: JSON event: %w", ErrMalformed, err)
		}
		items = append(items, s)
	}
	if err := delim(d, ']'); err != nil {
		return "", err
	}
	return "ARRAY::" + strings.Join(items, "|:"), nil
}

// AppendPlain writes the event the way the switch writes the body of a
// text/event-plain message. Content-Length is written from Body alone.
func (e *Event) AppendPlain(dst []byte) []byte {
	for _, l := range e.Headers {
		if strings.EqualFold(l.Name, "Content-Length") {
			continue
		}
		dst = append(append(dst, l.Name...), ": "...)
		dst = append(appendEscaped(dst, l.Value), '\n')
	}
	if len(e.Body) > 0 {
		dst = fmt.Appendf(dst, "Content-Length: %d\n", len(e.Body))
	}
	dst = append(dst, '\n')
	return append(dst, e.Body...)
}
