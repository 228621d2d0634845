package engine

import (
	"errors"
	"fmt"
	"strconv"
)

// Errors a caller of this package can tell apart.
var (
	ErrBadRoomName  = errors.New("engine: bad room name")
	ErrClosed       = errors.New("engine: closed")
	ErrNoRoom       = errors.New("engine: room is not running")
	ErrNoMember     = errors.New("engine: no such member")
	ErrNoCall       = errors.New("engine: no such call")
	ErrBadCommand   = errors.New("engine: bad command")
	ErrNoRoute      = errors.New("engine: no way to that address")
	ErrTooManyDials = errors.New("engine: the room makes too many calls")
	ErrInUse        = errors.New("engine: that id is in use")
	ErrNoJob        = errors.New("engine: no such job")
	ErrNoRecording  = errors.New("engine: no such recording")
	ErrNoPlay       = errors.New("engine: nothing of that kind plays")
	ErrNotRecorded  = errors.New("engine: not recorded")
	ErrUnrecorded   = errors.New("engine: the room has moved, and a recording of it does not go on there")
	ErrMoving       = errors.New("engine: the room is being moved")
	ErrCannot       = errors.New("engine: the place that mixes the room cannot do this")
	ErrAway         = errors.New("engine: the switch that mixes the room is away")
	ErrCannotMove   = errors.New("engine: the room cannot be moved")
	ErrNotMoved     = errors.New("engine: the room was not moved")
)

// MaxRoomName is the longest room name in bytes.
const MaxRoomName = 128

// RoomName is the key of a room: 1..128 of A-Z a-z 0-9 . _ -, not beginning
// with a dot. Names are case-sensitive.
type RoomName string

// ParseRoomName checks a name that came from a dialplan, a URI or a keypad.
// The error wraps ErrBadRoomName and never repeats more than a few bytes of
// what was sent.
func ParseRoomName(s string) (RoomName, error) {
	if s == "" {
		return "", fmt.Errorf("%w: empty", ErrBadRoomName)
	}
	if len(s) > MaxRoomName {
		return "", fmt.Errorf("%w: %d bytes, at most %d", ErrBadRoomName, len(s), MaxRoomName)
	}
	if s[0] == '.' {
		return "", fmt.Errorf("%w: begins with a dot", ErrBadRoomName)
	}
	for i := range len(s) {
		if !roomByte(s[i]) {
			return "", fmt.Errorf("%w: byte %d is %q", ErrBadRoomName, i, s[i])
		}
	}
	return RoomName(s), nil
}

func roomByte(c byte) bool {
	switch {
	case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return true
	default:
		return c == '.' || c == '_' || c == '-'
	}
}

// InstanceID names one run of a room; it is never used again.
type InstanceID string

// LegID names one call: channel UUID, ARI channel id, or SIP Call-ID.
type LegID string

// JobID names an order to call somebody.
type JobID string

// MemberID is a leg's number in one run of a room, from 1, never reused.
type MemberID uint32

func (m MemberID) String() string { return strconv.FormatUint(uint64(m), 10) }

// OpID joins an order given to a leg or bridge with the fact that settles it.
type OpID uint64

// Role is what a member may do in a room.
type Role uint8

// The roles. RoleUnset is the role of a caller whose PIN is still to decide it.
const (
	RoleUnset Role = iota
	RoleMember
	RoleModerator
)

func (r Role) String() string {
	switch r {
	case RoleMember:
		return "member"
	case RoleModerator:
		return "moderator"
	case RoleUnset:
		return "unset"
	default:
		panic("engine: role out of range")
	}
}

// ParseRole reads "member" or "moderator".
func ParseRole(s string) (Role, bool) {
	switch s {
	case "member":
		return RoleMember, true
	case "moderator":
		return RoleModerator, true
	default:
		return RoleUnset, false
	}
}

// Reason says why a call was refused or left. The same word stands in the
// dialplan variable, event, log line, metric and API answer.
type Reason string

// Every reason there is.
const (
	ReasonNone          Reason = ""
	ReasonBadRoomName   Reason = "bad_room_name"
	ReasonPINFailed     Reason = "pin_failed"
	ReasonThrottled     Reason = "throttled"
	ReasonLocked        Reason = "locked"
	ReasonFull          Reason = "full"
	ReasonNotRunning    Reason = "not_running"
	ReasonNoModerator   Reason = "no_moderator"
	ReasonKicked        Reason = "kicked"
	ReasonEnded         Reason = "ended"
	ReasonModeratorLeft Reason = "moderator_left"
	ReasonTerminator    Reason = "terminator"
	ReasonSignal        Reason = "signal" // a named one: Outcome.Signal
	ReasonHangup        Reason = "hangup"
	ReasonTransferred   Reason = "transferred" // the switch has sent the call elsewhere
	ReasonMediaLost     Reason = "media_lost"
	ReasonSwitchLost    Reason = "switch_lost"
	ReasonNodeBusy      Reason = "node_busy"
)

// Reasons lists every reason, for tables and metrics.
func Reasons() []Reason {
	return []Reason{
		ReasonBadRoomName, ReasonPINFailed, ReasonThrottled, ReasonLocked, ReasonFull, ReasonNotRunning,
		ReasonNoModerator, ReasonKicked, ReasonEnded, ReasonModeratorLeft, ReasonTerminator, ReasonSignal, ReasonHangup,
		ReasonTransferred, ReasonMediaLost, ReasonSwitchLost, ReasonNodeBusy,
	}
}

// Result is the value of parley_result.
type Result string

// The results: was in the room, was refused by a rule, was stopped by a fault.
const (
	ResultJoined   Result = "joined"
	ResultRejected Result = "rejected"
	ResultFailed   Result = "failed"
)

// Exit is the value of parley_exit: how a stay in the room ended.
type Exit string

// The ways out of a room. ExitNone is the exit of a call that never got in.
const (
	ExitNone       Exit = ""
	ExitTerminator Exit = "terminator"
	ExitSignal     Exit = "signal" // also of a call that was not in yet
	ExitKicked     Exit = "kicked"
	ExitEnded      Exit = "ended"
	ExitHangup     Exit = "hangup"
	ExitTransfer   Exit = "transferred"
	ExitLost       Exit = "lost"
)
