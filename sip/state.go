package sip

// state is how far a call has come.
type state int

const (
	offering state = iota // an INVITE waits for our answer
	answered              // 2xx sent, no ACK yet
	leaving               // the same, and we hang up once the ACK is there (RFC 3261 §15)
	up
	over
)

// step is what takes a call from one state to the next.
type step int

const (
	stepAnswer step = iota // 2xx sent
	stepRefuse             // a final answer other than 2xx sent
	stepACK
	stepLeave // we want to hang up
	stepEnd   // BYE, sent or received, or nobody is left to send one to
)

// next is where a step leads; ok is false where it cannot be taken.
func (s state) next(p step) (to state, ok bool) {
	switch {
	case s == offering && p == stepAnswer:
		return answered, true
	case s == offering && p == stepRefuse:
		return over, true
	case (s == answered || s == leaving) && p == stepACK:
		return up, true
	case s == answered && p == stepLeave:
		return leaving, true
	case (s == answered || s == leaving || s == up) && p == stepEnd:
		return over, true
	}
	return s, false
}

// steps goes on to the next state, and says whether that can be.
func (c *Call) steps(p step) bool {
	to, ok := c.state.next(p)
	c.state = to
	return ok
}
