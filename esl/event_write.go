package esl

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// AppendJSON writes the event the way the switch writes the body of a
// text/event-json message: one flat object, values not encoded. Content-Length
// is written from Body alone.
func (e *Event) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	member := func(name, value string) {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, name), ':')
		dst = appendText(dst, value)
	}
	for _, l := range e.Headers {
		if !strings.EqualFold(l.Name, "Content-Length") {
			member(l.Name, l.Value)
		}
	}
	if len(e.Body) > 0 {
		member("Content-Length", fmt.Sprint(len(e.Body)))
		member("_body", string(e.Body))
	}
	return append(dst, '}')
}

// appendText writes a JSON string with no more escapes than RFC 8259 §7 needs.
// Bytes that are no UTF-8 become U+FFFD.
func appendText(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// AppendXML writes the event the way the switch writes the body of a
// text/event-xml message: an element per header, its value percent-encoded as
// in a plain event, so that only a body needs XML's own escapes. A header whose
// name can be no element's is left out.
func (e *Event) AppendXML(dst []byte) []byte {
	dst = append(dst, "<event>\n  <headers>\n"...)
	for _, l := range e.Headers {
		if !strings.EqualFold(l.Name, "Content-Length") && elementName(l.Name) {
			dst = fmt.Appendf(dst, "    <%s>", l.Name)
			dst = appendPercent(dst, l.Value)
			dst = fmt.Appendf(dst, "</%s>\n", l.Name)
		}
	}
	dst = append(dst, "  </headers>\n"...)
	if len(e.Body) > 0 {
		dst = fmt.Appendf(dst, "  <Content-Length>%d</Content-Length>\n  <body>%s</body>\n", len(e.Body), EscapeXML(string(e.Body)))
	}
	return append(dst, "</event>\n"...)
}

// elementName says whether a header's name is one for an element as well.
func elementName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// EscapeXML writes text for an element or an attribute in double quotes, as the
// switch does. Characters that XML 1.0 §2.2 does not have are left out.
func EscapeXML(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	return xmlEscapes.Replace(text)
}

//nolint:gochecknoglobals // a table, never written after it was built: to build it costs 2.5 KB
var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// Escape writes text percent-encoded, as the switch does in its events and in
// the texts of its lists.
func Escape(text string) string { return string(appendPercent(nil, text)) }

// Quote writes a JSON string as the switch does.
func Quote(text string) string { return string(appendText(nil, text)) }
