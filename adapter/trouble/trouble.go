// Package trouble is what the links to all kinds of switches have in common in
// telling an operator what is wrong.
package trouble

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
)

// Link is what has become of a connection to a switch.
type Link uint8

// It was tried once, has never stood since our start, or has stood.
const (
	Tried Link = iota
	Never
	Lost
)

// String is how a line about the trouble begins.
func (l Link) String() string {
	switch l {
	case Tried:
		return "cannot connect"
	case Never:
		return "never connected"
	case Lost:
	}
	return "link lost"
}

// Since is what has become of a connection that is down now.
func Since(stood bool) Link {
	if stood {
		return Lost
	}
	return Never
}

// Reason is why a connection cannot be made, in the words of the system alone;
// any other error is itself.
func Reason(err error) string {
	op, isOp := errors.AsType[*net.OpError](err)
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("%s: %s", lookup.Name, lookup.Err)
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok && isOp {
		return call.Err.Error()
	}
	if isOp {
		return op.Err.Error()
	}
	return err.Error()
}

// most is how many words are remembered: some come from callers.
const most = 1000

// Once remembers what has been said, so that it is said once. Its methods may be
// called from any goroutine; the zero value has said nothing.
type Once struct {
	mu   sync.Mutex
	said map[string]bool // guarded by mu
}

// First says whether a word comes for the first time since Forget.
func (o *Once) First(word string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.said[word] {
		return false
	}
	if o.said == nil || len(o.said) >= most {
		o.said = map[string]bool{}
	}
	o.said[word] = true
	return true
}

// Forget has everything said again.
func (o *Once) Forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.said = nil
}
