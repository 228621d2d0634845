package engine

import (
	"fmt"
	"strings"
)

// Cause is why a call that we made came to an end before it was answered, or
// CauseSuccess. The names are FreeSWITCH's, the numbers those of ITU-T Q.850,
// which Asterisk uses too.
type Cause string

// The causes that Parley itself gives; a switch may report any of Causes.
const (
	CauseNone             Cause = "" // it is still being called
	CauseSuccess          Cause = "SUCCESS"
	CauseUnallocated      Cause = "UNALLOCATED_NUMBER"
	CauseNoRoute          Cause = "NO_ROUTE_DESTINATION"
	CauseNormal           Cause = "NORMAL_CLEARING"
	CauseBusy             Cause = "USER_BUSY"
	CauseNoResponse       Cause = "NO_USER_RESPONSE"
	CauseNoAnswer         Cause = "NO_ANSWER"
	CauseAbsent           Cause = "SUBSCRIBER_ABSENT"
	CauseRejected         Cause = "CALL_REJECTED"
	CauseChanged          Cause = "NUMBER_CHANGED"
	CauseExchangeRouting  Cause = "EXCHANGE_ROUTING_ERROR"
	CauseOutOfOrder       Cause = "DESTINATION_OUT_OF_ORDER"
	CauseBadNumber        Cause = "INVALID_NUMBER_FORMAT"
	CauseCircuits         Cause = "NORMAL_CIRCUIT_CONGESTION"
	CauseUnspecified      Cause = "NORMAL_UNSPECIFIED"
	CauseNetworkDown      Cause = "NETWORK_OUT_OF_ORDER"
	CauseTemporary        Cause = "NORMAL_TEMPORARY_FAILURE"
	CauseCongestion       Cause = "SWITCH_CONGESTION"
	CauseUnavailable      Cause = "SERVICE_UNAVAILABLE"
	CauseNotImplemented   Cause = "SERVICE_NOT_IMPLEMENTED"
	CauseIncompatible     Cause = "INCOMPATIBLE_DESTINATION"
	CauseTimerExpired     Cause = "RECOVERY_ON_TIMER_EXPIRE"
	CauseInterworking     Cause = "INTERWORKING"
	CauseOriginatorCancel Cause = "ORIGINATOR_CANCEL"
	CauseBlindTransfer    Cause = "BLIND_TRANSFER" // FreeSWITCH's, of a call that has gone elsewhere; it has no number
	CauseUnknown          Cause = "UNKNOWN"        // likewise, of a number without a name
)

// causeNumbers are those of Q.850. FreeSWITCH numbers ORIGINATOR_CANCEL 487;
// on the wire it is interworking, 127.
func causeNumbers() map[Cause]int {
	return map[Cause]int{
		CauseSuccess: 0, CauseUnallocated: 1, CauseNoRoute: 3, CauseNormal: 16, CauseBusy: 17, CauseNoResponse: 18,
		CauseNoAnswer: 19, CauseAbsent: 20, CauseRejected: 21, CauseChanged: 22, CauseExchangeRouting: 25, "NON_SELECTED_USER_CLEARING": 26,
		CauseOutOfOrder: 27, CauseBadNumber: 28, "FACILITY_REJECTED": 29, CauseUnspecified: 31,
		CauseCircuits: 34, CauseNetworkDown: 38, CauseTemporary: 41, CauseCongestion: 42,
		"REQUESTED_CHAN_UNAVAIL": 44, "BEARERCAPABILITY_NOTAUTH": 57, "BEARERCAPABILITY_NOTAVAIL": 58,
		CauseUnavailable: 63, "BEARERCAPABILITY_NOTIMPL": 65, CauseNotImplemented: 79, CauseIncompatible: 88,
		CauseTimerExpired: 102, "PROTOCOL_ERROR": 111, CauseInterworking: 127, CauseOriginatorCancel: 127,
	}
}

// Number is the cause's number in Q.850; 31 (unspecified) for one that has none.
func (c Cause) Number() int {
	if n, known := causeNumbers()[c]; known {
		return n
	}
	return 31
}

// CauseOf is the cause of a number of Q.850; NORMAL_UNSPECIFIED for one without
// a name here.
func CauseOf(number int) Cause {
	if number == 127 {
		return CauseInterworking
	}
	for c, n := range causeNumbers() {
		if n == number && c != CauseSuccess {
			return c
		}
	}
	return CauseUnspecified
}

// CauseNamed is the cause of a name, in whatever case; false: none here has it.
func CauseNamed(name string) (Cause, bool) {
	c := Cause(strings.ToUpper(name))
	_, known := causeNumbers()[c]
	return c, known
}

// CallError is a call of ours that was not answered. Its text is what the far
// side or the switch said.
type CallError struct {
	Cause Cause
	SIP   int    // status of the final answer; 0 = a switch made the call, or there was none
	Text  string // its reason phrase
}

func (e *CallError) Error() string {
	if e.SIP == 0 {
		return fmt.Sprintf("engine: not answered: %s (%s)", e.Cause, e.Text)
	}
	return fmt.Sprintf("engine: not answered: %s (%d %s)", e.Cause, e.SIP, e.Text)
}
