package ari

import (
	"errors"
	"fmt"
	"net/http"
)

// Errors of the client. An *Error of a reply matches one of the first six by
// its status.
var (
	ErrAuth     = errors.New("ari: wrong user or password")              // 401
	ErrReadOnly = errors.New("ari: the user may only read")              // 403
	ErrNotFound = errors.New("ari: not found")                           // 404
	ErrConflict = errors.New("ari: conflict")                            // 409: not in Stasis, or id taken
	ErrState    = errors.New("ari: not possible in this state")          // 412, 422
	ErrSwitch   = errors.New("ari: the switch failed")                   // 5xx
	ErrReplaced = errors.New("ari: another client took the application") // events go there now
	ErrAbsent   = errors.New("ari: Asterisk has not connected to us")
	ErrDenied   = errors.New("ari: Asterisk connects with a wrong user or password")
	ErrOtherApp = errors.New("ari: Asterisk has connected, but not for the application")
	// ErrUnregistered is an Asterisk that is connected to us and does not serve
	// the application: one that a connection of ours had ends with that.
	ErrUnregistered = errors.New("ari: Asterisk does not have the application registered")
	ErrSlow         = errors.New("ari: events are not taken fast enough") // the mailbox was full
	ErrTooLarge     = errors.New("ari: message too large")
	ErrOptions      = errors.New("ari: bad option")
	ErrMessage      = errors.New("ari: not an event")
)

// Error is a request that Asterisk answered with a refusal.
type Error struct {
	Method  string
	Path    string // under /ari, without parameters
	Status  int
	Message string // Asterisk's own words
}

func (e *Error) Error() string {
	return fmt.Sprintf("ari: %s %s: %d %s", e.Method, e.Path, e.Status, e.Message)
}

// Is matches the sentinel of the status.
func (e *Error) Is(target error) bool { return target == classOf(e.Status) }

func classOf(status int) error {
	switch status {
	case http.StatusUnauthorized:
		return ErrAuth
	case http.StatusForbidden:
		return ErrReadOnly
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusConflict:
		return ErrConflict
	case http.StatusPreconditionFailed, http.StatusUnprocessableEntity:
		return ErrState
	}
	if status >= http.StatusInternalServerError {
		return ErrSwitch
	}
	return nil
}
