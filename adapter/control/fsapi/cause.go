package fsapi

import (
	"slices"

	"parley/engine"
)

// causeIn reads a cause as the switch does: its name in whatever case, or its
// number in Q.850, behind which nothing counts. A name that is none is
// NORMAL_CLEARING, and a number without one UNKNOWN.
func causeIn(text string) engine.Cause {
	if text != "" && text[0] >= '0' && text[0] <= '9' {
		n := atoi(text)
		if c := engine.CauseOf(n); c.Number() == n {
			return c
		}
		return engine.CauseUnknown
	}
	c, known := engine.CauseNamed(text)
	if !known && !slices.Contains(otherCauses(), c) {
		return engine.CauseNormal
	}
	return c
}

// otherCauses are names of the switch's own, which have no number in Q.850.
func otherCauses() []engine.Cause {
	return []engine.Cause{
		"CRASH", "SYSTEM_SHUTDOWN", "LOSE_RACE", "MANAGER_REQUEST", engine.CauseBlindTransfer, "ATTENDED_TRANSFER", "ALLOTTED_TIMEOUT", "USER_CHALLENGE",
		"MEDIA_TIMEOUT", "PICKED_OFF", "USER_NOT_REGISTERED", "PROGRESS_TIMEOUT", "INVALID_GATEWAY", "GATEWAY_DOWN", "INVALID_URL", "INVALID_PROFILE",
		"NO_PICKUP", "SRTP_READ_ERROR",
	}
}
