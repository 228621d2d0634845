package phone

import (
	"fmt"

	"parley/engine"
	"parley/sip"
)

// causeOf is the cause of a SIP status: RFC 3398 §8.2.6.1, and where FreeSWITCH
// names another one, which dialplans know, that.
func causeOf(status int) engine.Cause {
	switch status {
	case 401, 402, 403, 407, 603, 607, 608:
		return engine.CauseRejected
	case 404:
		return engine.CauseUnallocated
	case 485, 604:
		return engine.CauseNoRoute
	case 408, 504:
		return engine.CauseTimerExpired
	case 410:
		return engine.CauseChanged
	case 413, 414, 416, 420, 421, 423, 505, 513:
		return engine.CauseInterworking
	case 480:
		return engine.CauseNoResponse
	case 400, 481, 500, 503:
		return engine.CauseTemporary
	case 486, 600:
		return engine.CauseBusy
	case 484:
		return engine.CauseBadNumber
	case 488, 606:
		return engine.CauseIncompatible
	case 502:
		return engine.CauseNetworkDown
	case 405:
		return engine.CauseUnavailable
	case 406, 415, 501:
		return engine.CauseNotImplemented
	case 482, 483:
		return engine.CauseExchangeRouting
	case 487:
		return engine.CauseOriginatorCancel
	default:
		return engine.CauseUnspecified
	}
}

// otherCauses are causes that FreeSWITCH has beside those of Q.850, and its numbers of
// them, which stand in Reason headers.
func otherCauses() map[engine.Cause]int {
	return map[engine.Cause]int{
		engine.CauseOriginatorCancel: 487, "CRASH": 700, "SYSTEM_SHUTDOWN": 701, "MANAGER_REQUEST": 703, engine.CauseBlindTransfer: 800, "ATTENDED_TRANSFER": 801,
		"ALLOTTED_TIMEOUT": 802, "USER_CHALLENGE": 803, mediaTimeout: 804, "USER_NOT_REGISTERED": 806, "PROGRESS_TIMEOUT": 807, "INVALID_GATEWAY": 808,
		"GATEWAY_DOWN": 809, "INVALID_URL": 810, "INVALID_PROFILE": 811, "NO_PICKUP": 812, "SRTP_READ_ERROR": 813,
	}
}

const mediaTimeout engine.Cause = "MEDIA_TIMEOUT"

// reasonOf tells a phone why we end its call (RFC 3326), as FreeSWITCH does: one that
// somebody else has taken is none that its owner has missed.
func reasonOf(cause engine.Cause) sip.Header {
	var value string
	switch number, other := otherCauses()[cause]; {
	case cause == "LOSE_RACE", cause == "PICKED_OFF":
		value = `SIP;cause=200;text="Call completed elsewhere"`
	case other:
		value = fmt.Sprintf("SIP;cause=%d;text=%s", number, sip.Quoted(string(cause)))
	default:
		value = fmt.Sprintf("Q.850;cause=%d;text=%s", cause.Number(), sip.Quoted(string(cause)))
	}
	return sip.Header{Name: "Reason", Value: value}
}

// causeFor is why a call that is given back is ended.
func causeFor(o engine.Outcome) engine.Cause {
	switch {
	case o.Cause != engine.CauseNone:
		return o.Cause
	case o.Reason == engine.ReasonTransferred:
		return engine.CauseBlindTransfer
	case o.Reason == engine.ReasonMediaLost:
		return mediaTimeout
	default:
		return engine.CauseNormal
	}
}

// namedIn is the cause that a phone's Reason header names; "" = it names none.
func namedIn(reason string) engine.Cause {
	n, ok := sip.Q850(reason)
	if !ok {
		return engine.CauseNone
	}
	if c := engine.CauseOf(n); c.Number() == n {
		return c
	}
	return engine.CauseUnknown
}
