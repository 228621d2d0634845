package esl

import (
	"fmt"
	"strings"
)

// Header is one "Name: value" line. The name keeps the case it came in.
type Header struct{ Name, Value string }

// Headers are the lines of one message or event, in the order they came.
type Headers []Header

// Lookup returns the first header of that name, whatever its case.
func (h Headers) Lookup(name string) (value string, ok bool) {
	for _, l := range h {
		if strings.EqualFold(l.Name, name) {
			return l.Value, true
		}
	}
	return "", false
}

// Value returns the first header of that name, or "".
func (h Headers) Value(name string) string {
	v, _ := h.Lookup(name)
	return v
}

// cutHeader takes a line apart at its first colon. Blanks before the value are
// not part of it.
func cutHeader(line string) (Header, error) {
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" {
		return Header{}, fmt.Errorf("%w: no header name in a line of %d bytes", ErrMalformed, len(line))
	}
	return Header{Name: name, Value: strings.TrimLeft(value, " ")}, nil
}

// decoded returns the headers with their values percent-decoded, the way the
// switch writes an event and the reply to connect.
func (h Headers) decoded() Headers {
	d := make(Headers, len(h))
	for i, l := range h {
		d[i] = Header{Name: l.Name, Value: decodeValue(l.Value)}
	}
	return d
}

// undefined stands for an empty value in a plain event.
const undefined = "_undef_"

func decodeValue(v string) string {
	if v == undefined {
		return ""
	}
	return unescape(v)
}

// Unescape resolves the %hh of a text that the switch has encoded, as it does
// in its events and in some of its lists. '+' is a plus.
func Unescape(v string) string { return unescape(v) }

// unescape resolves %hh; '+' is a plus, and a '%' that starts no escape stands
// for itself.
func unescape(v string) string {
	if !strings.Contains(v, "%") {
		return v
	}
	var b strings.Builder
	b.Grow(len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '%' && i+2 < len(v) {
			hi, lo := unhex(v[i+1]), unhex(v[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// reserved are the printable bytes an event's values carry as %HH.
const reserved = "\"#%&+:;<=>?@[\\]^`{|} "

// appendEscaped writes v the way the switch writes it in a plain event.
func appendEscaped(dst []byte, v string) []byte {
	if v == "" {
		return append(dst, undefined...)
	}
	return appendPercent(dst, v)
}

// appendPercent writes v with %HH for what is reserved or not printable. As at the
// switch, what is written so already stays.
func appendPercent(dst []byte, v string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(v) {
		c := v[i]
		written := c == '%' && i+2 < len(v) && strings.IndexByte(hex, v[i+1]) >= 0 && strings.IndexByte(hex, v[i+2]) >= 0
		if written {
			dst = append(dst, c)
			continue
		}
		if c < 0x20 || c > 0x7e || strings.IndexByte(reserved, c) >= 0 {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
