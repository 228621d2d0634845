package fsapi

import (
	"strconv"
	"strings"

	"parley/engine"
)

// atoi reads a number as C's does at the switch: blanks and a sign may stand before
// its digits, what comes after them is passed over, and no digit is 0. Of a number
// that is too long the lower 32 bits count, of one beyond 64 bits those of the last
// that has so many.
func atoi(word string) int {
	word = strings.TrimLeft(word, " \t\n\v\f\r")
	end := 0
	if word != "" && (word[0] == '+' || word[0] == '-') {
		end = 1
	}
	for end < len(word) && word[end] >= '0' && word[end] <= '9' {
		end++
	}
	n, _ := strconv.ParseInt(word[:end], 10, 64) // it is 0, or the last one, where that fails
	return int(int32(n))
}

// memberIn is the member's number that a word begins with; 0 = none.
func memberIn(word string) engine.MemberID { return engine.MemberID(uint32(atoi(word))) }
