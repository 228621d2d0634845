package engine

import (
	"strings"
	"time"
)

// maxDigits is the longest number or PIN a caller can type.
const maxDigits = 64

// collector gathers the digits that answer one prompt. Any digit ends the
// prompt; the answer is complete at a terminator, at limit digits, or when
// nothing came for timeout after the prompt or the last digit.
type collector struct {
	limit       int // digits; 0 = maxDigits
	terminators string
	timeout     time.Duration

	digits   []byte
	deadline time.Time // zero while the prompt plays
}

// key takes a digit; done says that the answer is complete.
func (c *collector) key(now time.Time, d byte) (done bool) {
	if strings.IndexByte(c.terminators, d) >= 0 {
		return true
	}
	c.digits = append(c.digits, d)
	c.deadline = now.Add(c.timeout)
	limit := c.limit
	if limit == 0 || limit > maxDigits {
		limit = maxDigits
	}
	return len(c.digits) >= limit
}

// prompted starts the time-out: the prompt has ended by itself.
func (c *collector) prompted(now time.Time) {
	if c.deadline.IsZero() {
		c.deadline = now.Add(c.timeout)
	}
}
