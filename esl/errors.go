package esl

import (
	"errors"
	"fmt"
)

// What can go wrong with a connection, a message or a command. Errors carry
// detail around these; ask with errors.Is.
var (
	ErrTooLarge     = errors.New("esl: message over the limit")
	ErrMalformed    = errors.New("esl: malformed message")
	ErrArgument     = errors.New("esl: argument not allowed in a command")
	ErrClosed       = errors.New("esl: connection closed")
	ErrDisconnected = errors.New("esl: switch ended the connection")
	ErrSilent       = errors.New("esl: peer is silent")
	ErrSlowConsumer = errors.New("esl: events are not being read")
	ErrBusy         = errors.New("esl: too many commands without a reply")
	ErrAuth         = errors.New("esl: password refused")
	ErrRejected     = errors.New("esl: address refused by the switch's access list")
	ErrHungUp       = errors.New("esl: the call has hung up")
	ErrSocketMode   = errors.New("esl: socket application without \"async full\"")
	ErrLimit        = errors.New("esl: too many connections")
	ErrNotAllowed   = errors.New("esl: address not allowed")
)

// ReplyError is a command the switch refused. Command is its first word only,
// so that no password or PIN gets into a log.
type ReplyError struct {
	Command string
	Text    string // the switch's own words, e.g. "-ERR No such channel!"
}

func (e *ReplyError) Error() string {
	return fmt.Sprintf("esl: %s: %q", e.Command, e.Text)
}

// SocketModeError is a call whose dialplan line lacks "async full", and what
// it has instead. It is an ErrSocketMode.
type SocketModeError struct {
	Mode    string // "static" where "async" is needed
	Control string // "single-channel" where "full" is needed
}

func (e *SocketModeError) Error() string {
	return fmt.Sprintf("%v: it is %q, %q", ErrSocketMode, e.Control, e.Mode)
}

func (e *SocketModeError) Unwrap() error { return ErrSocketMode }
