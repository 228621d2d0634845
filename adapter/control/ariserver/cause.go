package ariserver

import (
	"strconv"

	"parley/engine"
)

// explicit is what Asterisk names as the cause of a hangup that a client asks for:
// AST_SOFTHANGUP_EXPLICIT, which is none.
const explicit = 32

// reasons are Asterisk's names of causes, and their numbers.
func reasons() map[string]int {
	return map[string]int{
		"normal": 16, "busy": 17, "congestion": 34, "no_answer": 19, "timeout": 18, "rejected": 21, "unallocated": 1, "normal_unspecified": 31,
		"number_incomplete": 28, "codec_mismatch": 58, "interworking": 127, "failure": 38, "answered_elsewhere": 26,
	}
}

// causeOf reads the reason for a hangup, or says what is wrong with it. A number
// that has no name is "unspecified".
func causeOf(q *request) (cause engine.Cause, wrong string) {
	reason, code := q.get("reason"), q.get("reason_code")
	switch {
	case reason != "" && code != "":
		return "", "The reason and reason_code can't both be specified"
	case reason != "":
		n, known := reasons()[reason]
		if !known {
			return "", "Invalid reason for hangup reason provided"
		}
		return engine.CauseOf(n), ""
	case code != "":
		n, err := strconv.Atoi(code)
		if err != nil || n < 0 || n > 127 {
			return "", "Invalid reason for hangup reason code provided"
		}
		return engine.CauseOf(n), ""
	}
	return engine.CauseNormal, ""
}

// ended is the number of a cause in Q.850 and Asterisk's words for it. To Asterisk a
// call that its caller gives up, or that has gone elsewhere, has cleared normally.
func ended(c engine.Cause) (number int, words string) {
	if c == engine.CauseOriginatorCancel || c == engine.CauseBlindTransfer {
		c = engine.CauseNormal
	}
	words, known := map[int]string{
		1: "Unallocated (unassigned) number", 3: "No route to destination", 16: "Normal Clearing", 17: "User busy", 18: "No user responding",
		19: "User alerting, no answer", 20: "Subscriber absent", 21: "Call Rejected", 22: "Number changed", 26: "Answered elsewhere",
		27: "Destination out of order", 28: "Invalid number format", 29: "Facility rejected", 31: "Normal, unspecified", 34: "Circuit/channel congestion",
		38: "Network out of order", 41: "Temporary failure", 42: "Switching equipment congestion", 44: "Requested channel not available",
		57: "Bearer capability not authorized", 58: "Bearer capability not available", 65: "Bearer capability not implemented",
		88: "Incompatible destination", 102: "Recover on timer expiry", 111: "Protocol error, unspecified", 127: "Interworking, unspecified",
	}[c.Number()]
	if !known {
		words = "Unknown"
	}
	return c.Number(), words
}

// dialStatus is why a call was not answered, in Asterisk's words: whatever is
// neither busy nor full, nor has no way there, is no answer. A 503, which it takes
// for 34, has with us the temporary failure of FreeSWITCH.
func dialStatus(c engine.Cause) string {
	switch c {
	case engine.CauseBusy:
		return "BUSY"
	case engine.CauseTemporary, engine.CauseCongestion, engine.CauseCircuits:
		return "CONGESTION"
	case engine.CauseNoRoute, engine.CauseAbsent:
		return "CHANUNAVAIL"
	default:
		return "NOANSWER"
	}
}
