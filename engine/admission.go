package engine

// phase is where a call stands between its arrival and its release. Together
// with transition it is the admission state machine: number, throttle, PIN,
// lock, seat, name, wait, joined, each refusal with one reason. A room moves
// its calls through it in one goroutine, so a step is atomic.
type phase uint8

const (
	phaseArriving  phase = iota // no media yet
	phaseNumber                 // asked for the conference number (lobby)
	phaseGreeting               // hears the welcome
	phasePIN                    // asked for the PIN
	phaseNaming                 // has a seat; asked for the name
	phaseEntering               // has a seat; hears what joiners hear first
	phaseAdmitting              // has a seat; the bridge was asked to take it
	phaseWaiting                // member, held apart until a moderator comes
	phaseJoined                 // member
	phaseRemoving               // the bridge was asked to let it go
	phaseLosing                 // the same, but the call itself is gone
	phaseParting                // out of the bridge or refused; hears why
	phaseGone                   // released
	phases                      // how many there are
)

func (p phase) String() string {
	return [phases]string{
		"arriving", "number", "greeting", "pin", "naming", "entering", "admitting", "waiting", "joined",
		"removing", "losing", "parting", "gone",
	}[p]
}

// seated says whether a call in this phase takes up a seat of the room.
func (p phase) seated() bool { return p >= phaseNaming && p <= phaseRemoving }

// inBridge says whether the bridge has, or was asked to take, the call.
func (p phase) inBridge() bool { return p >= phaseAdmitting && p <= phaseLosing }

// present says whether the call is a member: in the room, or waiting in it.
func (p phase) present() bool { return p == phaseWaiting || p == phaseJoined }

// step is something that moves a call from one phase to the next.
type step uint8

const (
	stepMediaUp   step = iota // audio flows
	stepAskNumber             // audio flows, but which room is meant?
	stepAskPIN                // greeting is over and a PIN is needed
	stepSeat                  // all questions are answered and a seat is reserved, a name is wanted
	stepEnter                 // the same, no name is wanted or it has been taken
	stepAdmit                 // nothing more to hear: the bridge is asked
	stepWait                  // the bridge has the call, apart
	stepJoin                  // the bridge has the call, among the others
	stepRefuse                // a rule or a fault says no, or the room is over
	stepDismiss               // kicked, left by key, or the room is over
	stepRemoved               // the bridge let it go
	stepLost                  // the call itself is gone
	stepRelease               // nothing more to say: given back
	steps                     // how many there are
)

func (s step) String() string {
	return [steps]string{
		"media up", "ask number", "ask pin", "seat", "enter", "admit", "wait", "join",
		"refuse", "dismiss", "removed", "lost", "release",
	}[s]
}

// next returns the phase that a step leads to. ok is false where the step
// means nothing in this phase: the call stays where it is.
func (p phase) next(s step) (to phase, ok bool) {
	switch s {
	case stepLost:
		return p.lost()
	case stepRefuse:
		return phaseParting, p < phaseAdmitting
	case stepRelease:
		return phaseGone, p == phaseParting
	case stepDismiss:
		return phaseRemoving, p == phaseAdmitting || p.present()
	case stepRemoved:
		return p.removed()
	case stepWait:
		return phaseWaiting, p == phaseAdmitting || p == phaseJoined
	case stepJoin:
		return phaseJoined, p == phaseAdmitting || p == phaseWaiting
	case stepMediaUp, stepAskNumber, stepAskPIN, stepSeat, stepEnter, stepAdmit:
		return p.forward(s)
	default:
		panic("engine: step out of range")
	}
}

// forward is the way in, without detours.
func (p phase) forward(s step) (phase, bool) {
	switch s {
	case stepMediaUp:
		return phaseGreeting, p == phaseArriving
	case stepAskNumber:
		return phaseNumber, p == phaseArriving
	case stepAskPIN:
		return phasePIN, p == phaseGreeting
	case stepSeat:
		return phaseNaming, p == phaseGreeting || p == phasePIN
	case stepEnter:
		return phaseEntering, p == phaseGreeting || p == phasePIN || p == phaseNaming
	default: // stepAdmit
		return phaseAdmitting, p == phaseEntering
	}
}

func (p phase) lost() (phase, bool) {
	switch {
	case p == phaseGone || p == phaseLosing:
		return p, false
	case p.inBridge():
		return phaseLosing, true
	default:
		return phaseGone, true
	}
}

func (p phase) removed() (phase, bool) {
	switch p {
	case phaseLosing:
		return phaseGone, true
	case phaseAdmitting, phaseWaiting, phaseJoined, phaseRemoving:
		return phaseParting, true
	default:
		return p, false
	}
}
