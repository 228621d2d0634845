package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrPrompted is what Await says of a call that is talked to before it may come in.
var ErrPrompted = errors.New("engine: the call hears a prompt, or is asked something")

// lines are the calls that we have, from their arrival until they are given back:
// each is told of once when it comes by itself, and once when it is no more.
type lines struct {
	observe Observer

	mu  sync.Mutex
	all map[LegID]*line // guarded by mu
}

// open takes a call on. Until it is on its way to somebody, who has box lets what
// is asked of it wait.
func (c *lines) open(leg Leg, in Invite, box *mailbox) *line {
	l := &line{leg: leg, invite: in, lines: c, gone: make(chan struct{})}
	l.owner.Store(box)
	l.coming.Store(1)
	c.mu.Lock()
	if c.all == nil {
		c.all = map[LegID]*line{}
	}
	c.all[leg.ID()] = l // one that his switch has lost may be there still
	c.mu.Unlock()
	if in.Job == "" {
		l.tell(EventArrived, Outcome{})
	}
	return l
}

// tell tells of the call itself.
func (l *line) tell(what EventType, o Outcome) {
	room := RoomName(clip(l.invite.Room))
	l.lines.observe(Event{
		Type: what, Time: time.Now(), Room: room, Reason: o.Reason, Leg: l.leg.ID(), Invite: l.invite, Member: callView(l.leg, l.invite), Outcome: o,
	})
}

func (c *lines) find(leg LegID) *line {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[leg]
}

// Leg is a call that we have, wherever it is; nil: there is none of that name.
func (x *Exchange) Leg(id LegID) Leg {
	if l := x.house.lines.find(id); l != nil {
		return l.leg
	}
	return nil
}

// Knows says whether there is a call of that name, or one is being made, or was
// in the last hour.
func (x *Exchange) Knows(id LegID) bool {
	return x.house.lines.find(id) != nil || x.house.jobs.knows(id)
}

// release gives a call back; nobody can ask anything of it any more. Where it has
// come again meanwhile its end is no end.
func (l *line) release(o Outcome) {
	l.lines.mu.Lock()
	id := l.leg.ID()
	last := l.lines.all[id] == l
	if last {
		delete(l.lines.all, id)
	}
	l.lines.mu.Unlock()
	if last {
		l.tell(EventEnded, o)
	}
	l.leg.Release(o)
	close(l.gone)
}

// What is asked of a call wherever it is comes to whoever has it as its facts do.
type (
	hangingUp struct{ cause Cause }
	awaiting  struct{ reply chan error } // capacity 1
)

func (hangingUp) isFact() {}
func (awaiting) isFact()  {}

// HangUp ends a call wherever it is: being called, on its way, at the attendant,
// between two rooms, a member. It returns when the call is given back, and wraps
// ErrNoCall where there is none. Who gives up waiting does not save the call. The
// cause stands in the Outcome, or in the Job; who ends its signalling may name another.
func (x *Exchange) HangUp(ctx context.Context, leg LegID, cause Cause) error {
	over, called := x.house.jobs.hangUp(leg, cause)
	if called {
		select {
		case <-over: // not answered, or it is a call like any other now
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l := x.house.lines.find(leg)
	switch {
	case l == nil && called:
		return nil
	case l == nil:
		return fmt.Errorf("%w: %s", ErrNoCall, clip(string(leg)))
	}
	l.Post(hangingUp{cause})
	select {
	case <-l.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Await returns when a call that has arrived, or comes from another room, is a
// member; at once where it is. It wraps ErrPrompted where the caller has to hear or
// say something first, and ErrNoCall where there is no call, or it leaves.
func (x *Exchange) Await(ctx context.Context, leg LegID) error {
	none := fmt.Errorf("%w: %s", ErrNoCall, clip(string(leg)))
	l := x.house.lines.find(leg)
	if l == nil {
		return none
	}
	reply := make(chan error, 1)
	l.Post(awaiting{reply})
	select {
	case err := <-reply:
		return err
	case <-l.gone:
		return none
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hangUp ends a call of the room, without a word.
func (r *room) hangUp(now time.Time, s *seat, cause Cause) {
	s.out.Hangup, s.out.Cause, s.sound = true, cause, ""
	if s.onward != nil {
		s.onward, s.out.Reason, s.out.Exit = nil, ReasonKicked, ExitKicked
	}
	switch {
	case s.phase == phaseParting:
		s.hush()
		r.release(now, s)
	case s.phase < phaseAdmitting:
		r.refuse(now, s, ReasonKicked)
	default:
		r.dismiss(now, s, ReasonKicked, ExitKicked, "")
	}
}

// hangUp ends a call of the lobby, without a word.
func (l *lobby) hangUp(now time.Time, c *lobbyCall, cause Cause) {
	c.out.Hangup, c.out.Cause = true, cause
	if c.phase != phaseParting {
		l.refuse(now, c, ReasonKicked)
		return
	}
	c.hush()
	if c.step(now, stepRelease) {
		l.leave(now, c)
	}
}

// awaited is somebody who waits for a call to be a member.
type awaited struct {
	line  *line
	reply chan error
}

// settleAwaited answers those whose call has come in, or cannot for now. A call
// that has gone on to another room is awaited there.
func (r *room) settleAwaited() {
	r.awaited = slices.DeleteFunc(r.awaited, func(a awaited) bool {
		s := r.seatOf(a.line)
		switch {
		case s == nil:
			a.line.Post(awaiting{a.reply}) // of one that is gone its line tells
		case s.phase.present():
			a.reply <- nil
		case s.phase > phaseJoined && s.onward == nil:
			a.reply <- fmt.Errorf("%w: %s leaves", ErrNoCall, s.leg.ID())
		case s.phase < phaseAdmitting && s.prompted():
			a.reply <- fmt.Errorf("%w: %s", ErrPrompted, s.leg.ID())
		default:
			return false
		}
		return true
	})
}

// prompted says whether the caller hears something before he is let in, or is to
// answer.
func (s *seat) prompted() bool { return s.prompt != 0 || s.ask != nil || s.phase == phaseNaming }
