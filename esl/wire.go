package esl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits of one message. The reply to connect carries every channel variable
// in its header block, SDP included, so that block is allowed to be large.
const (
	MaxHead  = 256 << 10 // bytes of header lines
	MaxLines = 4096      // header lines
	MaxBody  = 1 << 20   // bytes of body
)

// Message is one unit the switch sends: header lines, a blank line and, where
// Content-Length says so, a body.
type Message struct {
	Headers
	Body []byte
}

// Type is the Content-Type, which says what kind of message this is.
func (m *Message) Type() string { return m.Value("Content-Type") }

// Request is one unit a client sends: a command line, header lines, a blank
// line and perhaps a body.
type Request struct {
	Line string
	Headers
	Body []byte
}

// Reader cuts a byte stream into messages or requests. It has one caller. An
// error is final: what follows in the stream has no known beginning.
type Reader struct {
	br         *bufio.Reader
	head, most int // bytes that a header block and a body may have
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader {
	return &Reader{bufio.NewReaderSize(r, 8<<10), MaxHead, MaxBody}
}

// Limit is how many bytes the header block and the body of what comes next may
// have, instead of MaxHead and MaxBody.
func (r *Reader) Limit(head, body int) { r.head, r.most = head, body }

// Message reads the next message of a switch. It returns io.EOF at the end of
// the stream, io.ErrUnexpectedEOF inside a message, ErrMalformed or ErrTooLarge.
func (r *Reader) Message() (*Message, error) {
	lines, err := r.block()
	if err != nil {
		return nil, err
	}
	m := &Message{}
	if m.Headers, err = parseHeaders(lines); err != nil {
		return nil, err
	}
	n, err := contentLength(m.Headers)
	if err != nil {
		return nil, err
	}
	m.Body, err = r.body(n)
	return m, err
}

// Request reads the next request of a client, with the errors of Message. A line
// behind the first that is no header is passed over, as the switch does: an
// argument with a line break in it ends at that. So is a Content-Length that
// begins with no digit; what follows its digits does not count.
func (r *Reader) Request() (*Request, error) {
	lines, err := r.block()
	if err != nil {
		return nil, err
	}
	q := &Request{Line: lines[0]}
	for _, line := range lines[1:] {
		if h, err := cutHeader(line); err == nil {
			q.Headers = append(q.Headers, h)
		}
	}
	n, err := requestLength(q.Headers)
	if err != nil {
		return nil, err
	}
	q.Body, err = r.body(n)
	return q, err
}

// block reads lines up to the blank one, which it takes too. Blank lines in
// front are skipped, within the same limit.
func (r *Reader) block() ([]string, error) {
	var lines []string
	for left := r.head; ; {
		line, err := r.line(&left)
		switch {
		case errors.Is(err, io.EOF) && line == "" && len(lines) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		switch {
		case line != "" && len(lines) == MaxLines:
			return nil, fmt.Errorf("%w: more than %d header lines", ErrTooLarge, MaxLines)
		case line != "":
			lines = append(lines, line)
		case len(lines) > 0:
			return lines, nil
		}
	}
}

// line reads one line without its ending and takes its length off left.
func (r *Reader) line(left *int) (string, error) {
	var long []byte
	for {
		part, err := r.br.ReadSlice('\n')
		if *left -= len(part); *left < 0 {
			return "", fmt.Errorf("%w: header block of more than %d bytes", ErrTooLarge, r.head)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		if long != nil {
			part = append(long, part...)
		}
		return string(bytes.TrimRight(part, "\r\n")), err
	}
}

func parseHeaders(lines []string) (Headers, error) {
	h := make(Headers, 0, len(lines))
	for _, line := range lines {
		l, err := cutHeader(line)
		if err != nil {
			return nil, err
		}
		h = append(h, l)
	}
	return h, nil
}

// body reads as much as Content-Length promises. It grows with what arrives,
// not with what is promised.
func (r *Reader) body(n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if n > r.most {
		return nil, fmt.Errorf("%w: body of %d bytes", ErrTooLarge, n)
	}
	b, err := io.ReadAll(io.LimitReader(r.br, int64(n)))
	if err == nil && len(b) < n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// contentLength is 0 without such a header.
func contentLength(h Headers) (int, error) {
	text, err := lengthText(h)
	if text == nil || err != nil {
		return 0, err
	}
	return number(*text)
}

// requestLength is contentLength as the switch reads a client's: by atoi.
func requestLength(h Headers) (int, error) {
	text, err := lengthText(h)
	if text == nil || err != nil {
		return 0, err
	}
	digits := strings.TrimLeft(*text, " \t")
	digits = strings.TrimPrefix(digits, "+")
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	if digits == "" {
		return 0, nil
	}
	return number(digits)
}

// lengthText is the value of Content-Length, nil without one. Two that differ
// would let two readers see two different streams, so they are an error.
func lengthText(h Headers) (text *string, err error) {
	for _, l := range h {
		if !strings.EqualFold(l.Name, "Content-Length") {
			continue
		}
		if v := strings.TrimRight(l.Value, " "); text == nil {
			text = &v
		} else if v != *text {
			return nil, fmt.Errorf("%w: two values of Content-Length", ErrMalformed)
		}
	}
	return text, nil
}

func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && n > MaxBody:
		return 0, fmt.Errorf("%w: body of %.20s bytes", ErrTooLarge, text)
	case err != nil:
		return 0, fmt.Errorf("%w: Content-Length %.20q", ErrMalformed, text)
	}
	return int(n), nil
}
