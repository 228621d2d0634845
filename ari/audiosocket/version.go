package audiosocket

import (
	"fmt"
	"strings"
)

// Wide says whether an Asterisk of this version, as it reports itself, tells
// sampling rates apart on the wire. One that does not takes a channel of 16
// kHz without complaint and then sends its audio as 8 kHz. An unknown form of
// version counts as old.
func Wide(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(strings.TrimPrefix(version, "certified-"), "%d.%d", &major, &minor); err != nil {
		return false
	}
	switch major { // the releases of November 2025
	case 20:
		return minor >= 17
	case 21:
		return minor >= 12
	case 22:
		return minor >= 7
	case 23:
		return minor >= 1
	default:
		return major > 23
	}
}
