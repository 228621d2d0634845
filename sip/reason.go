package sip

import (
	"strconv"
	"strings"
)

// Q850 is the cause of ITU-T Q.850 that the first value of a Reason header (RFC 3326)
// names, 1 to 127; false: it names none. FreeSWITCH does not look at further values.
func Q850(reason string) (cause int, ok bool) {
	value, _ := cut(reason, ',')
	protocol, rest := cut(value, ';')
	if !strings.EqualFold(strings.TrimSpace(protocol), "Q.850") {
		return 0, false
	}
	for rest != "" {
		var parameter string
		parameter, rest = cut(rest, ';')
		name, number, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "cause") {
			n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 7)
			return int(n), err == nil && n > 0
		}
	}
	return 0, false
}
