package sip

import (
	"maps"
	"strings"

	sipgo "github.com/emiago/sipgo/sip"
)

// Quoted writes a quoted-string (RFC 3261 §25.1). text is printable.
func Quoted(text string) string { return `"` + paired(text) + `"` }

// paired is a text as it stands between quotes, unpaired reads it again.
func paired(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), `"`, `\"`)
}

func unpaired(quoted string) string {
	if !strings.Contains(quoted, `\`) {
		return quoted
	}
	b := make([]byte, 0, len(quoted))
	for i := 0; i < len(quoted); i++ {
		if quoted[i] == '\\' && i+1 < len(quoted) {
			i++
		}
		b = append(b, quoted[i])
	}
	return string(b)
}

// cut is what is before and behind the first separator in a header that is not in
// quotes.
func cut(text string, separator byte) (before, after string) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && text[i] == separator:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// newParser is sipgo's, which looks for the commas and angle brackets of addresses
// whose names do not matter here as if no quote within a name had a backslash.
func newParser() *sipgo.Parser {
	headers := maps.Clone(sipgo.DefaultHeadersParser()) // which is one for all
	for _, name := range []string{"contact", "m", "route", "record-route", "refer-to"} {
		if parse := headers[name]; parse != nil {
			headers[name] = func(name []byte, value string) (sipgo.Header, error) { return parse(name, blotted(value)) }
		}
	}
	for _, name := range []string{"from", "f"} {
		if parse := headers[name]; parse != nil {
			headers[name] = func(name []byte, value string) (sipgo.Header, error) {
				if h, err := parse(name, value); err == nil {
					return h, nil
				}
				return sipgo.NewHeader("From", value), nil // so the rest is read, and it can be answered
			}
		}
	}
	p := sipgo.NewParser(sipgo.WithHeadersParsers(headers))
	p.MaxMessageLength = maxMessage
	return p
}

// blotted is a header as long as it was, without the quoted-pairs of its names.
func blotted(value string) string {
	if !strings.Contains(value, `\`) {
		return value
	}
	b, quoted := []byte(value), false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\' && i+1 < len(b):
			b[i], b[i+1] = '_', '_'
			i++
		case b[i] == '"':
			quoted = !quoted
		}
	}
	return string(b)
}
