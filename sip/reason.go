package sip

import (
	"strconv"
	"strings"
)

// Q850 is the cause of ITU-T Q.850 that a Reason header (RFC 3326) names, 1 to 127;
// false: it names none.
func Q850(reason string) (cause int, ok bool) {
	for value := range fields(reason, ',') {
		protocol, rest, _ := strings.Cut(value, ";")
		if !strings.EqualFold(strings.TrimSpace(protocol), "Q.850") {
			continue
		}
		for parameter := range fields(rest, ';') {
			name, number, _ := strings.Cut(parameter, "=")
			if strings.EqualFold(strings.TrimSpace(name), "cause") {
				n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 7)
				return int(n), err == nil && n > 0
			}
		}
	}
	return 0, false
}

// fields are the parts of a header between separators, of which those in quotes are
// none.
func fields(text string, separator byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, from := false, 0
		for i := 0; i < len(text); i++ {
			switch {
			case quoted && text[i] == '\\':
				i++
			case text[i] == '"':
				quoted = !quoted
			case !quoted && text[i] == separator:
				if !yield(text[from:i]) {
					return
				}
				from = i + 1
			}
		}
		yield(text[from:])
	}
}
