package asterisk

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"parley/ami"
	"parley/ari"
	"parley/engine"
)

// straggle is how long a call that was sent to us may take to come: by then the
// dialplan's time limit has sent it back.
const straggle = 20 * time.Second

// gatherTime is how long who goes back waits for the others to have come out.
const gatherTime = time.Second

// adopted is a call that is on its way out of a ConfBridge room.
type adopted struct {
	room   engine.RoomName
	member ami.Member
	lastID engine.MemberID
	id     engine.MemberID
	sent   time.Time
	guided bool       // by the context of the pasted dialplan, which sends him back if we die
	party  []*adopted // all who are taken over with him

	came     latch                 // it is in our application
	over     latch                 // it has left us, or never comes
	recalled latch                 // it is to go back, wherever it is
	missed   atomic.Pointer[error] // why it is no member
	stuck    atomic.Pointer[error] // why it could not go back
}

// takeOverContext is the end of the name of that context; before it stands the
// application's.
const takeOverContext = "-takeover"

// args are those of the call, arguments of the Stasis() that it came by.
func (a *adopted) args(given map[string]string) map[string]string {
	if given == nil || !a.guided {
		given = map[string]string{}
	}
	given["room"] = string(a.room)
	return given
}

// place is where the call is in its dialplan, as the hangup handler of its audio
// needs it: what comes next takes him back.
func (a *adopted) place(at *ari.Location) *ari.Location {
	if a.guided {
		return at
	}
	return &ari.Location{Context: a.member.At.Context, Exten: a.member.At.Extension, Priority: int64(a.member.At.Priority) - 1}
}

// next is where he goes on: behind his ConfBridge(), or into it again where we
// cannot serve him any more.
func (a *adopted) next(back bool) ari.Place {
	at := a.member.At
	if !back {
		at.Priority++
	}
	return ari.Place{Context: at.Context, Extension: at.Extension, Priority: at.Priority}
}

// rights are what an adopted call was in its ConfBridge room.
func (a *adopted) rights() *engine.Rights {
	role := engine.RoleMember
	if a.member.Admin {
		role = engine.RoleModerator
	}
	return &engine.Rights{
		Room: a.room, Opened: true, LastID: a.lastID, Member: a.id, Role: role, State: engine.MemberState{Muted: a.member.Muted && !a.member.Waiting},
	}
}

// miss notes why a call is no member. What is known first is the reason; what
// comes after its recall is the recall's doing.
func (a *adopted) miss(why error) {
	if !a.recalled.isSet() {
		a.missed.CompareAndSwap(nil, &why)
	}
}

// why it is no member; nil: nothing is known to be in the way.
func (a *adopted) why() error {
	if why := a.missed.Load(); why != nil {
		return *why
	}
	return nil
}

func (a *adopted) isMissed() bool { return a.why() != nil }

// gather waits until all who were sent for are out of the conference. Asterisk has
// taken who came back while the last one left into a conference of his own, of the
// same name.
func (a *adopted) gather() {
	limit := time.NewTimer(gatherTime)
	defer limit.Stop()
	for _, other := range a.party {
		select {
		case <-other.came.done:
		case <-other.over.done:
		case <-limit.C:
			return
		}
	}
}

func (a *adopted) absent(why error) engine.Absent {
	return engine.Absent{Leg: engine.LegID(a.member.ID), Number: a.member.Number, Name: a.member.Name, Why: why.Error()}
}

// recall is done when the call is to go back; never for one that was not
// taken over.
func (a *adopted) recall() <-chan struct{} {
	if a == nil {
		return nil
	}
	return a.recalled.done
}

// until ends a context when the call is to go back.
func (a *adopted) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if a != nil {
		go func() {
			defer cancel()
			select {
			case <-a.recalled.done:
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// failed notes that a call, which has not hung up, did not get to a room. Where it
// has left, the end of its audio has sent it back by the dialplan.
func (a *adopted) failed(why engine.Reason, err, audio error) {
	switch {
	case errors.Is(err, errLeft):
		a.miss(audio)
	case why == engine.ReasonNodeBusy:
		a.miss(&engine.RefusalError{Reason: why, Why: err.Error()})
	default:
		a.miss(err)
	}
}

// parted notes that a call which has not hung up is no member, or none any more.
func (a *adopted) parted(o engine.Outcome, audio error) {
	switch o.Reason {
	case engine.ReasonNodeBusy:
		a.miss(&engine.RefusalError{Reason: o.Reason})
	case engine.ReasonMediaLost:
		a.miss(audio)
	default:
		a.miss(fmt.Errorf("given up: %s", o.Reason))
	}
}
