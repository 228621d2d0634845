package engine

import (
	"fmt"
	"slices"
	"time"
)

// ownVariables are those of a call's variables that are about the caller
// wherever he is. The others were meant for the room that he has called: its
// profile, his rights there, its PIN.
func ownVariables() []string {
	return []string{
		"language", "terminator", "beep", "enter_sound", "exit_sound", "allow_signals", "talk_gain_db", "listen_gain_db",
	}
}

// Resident is a Leg that may be unable to leave the room it is in for another.
type Resident interface {
	Leg
	// Bound says why it cannot; nil = it can.
	Bound() error
}

// transfer takes members out, to join another room as any caller would.
func (r *room) transfer(now time.Time, o order, c Transfer) {
	if _, err := ParseRoomName(string(c.To)); err != nil {
		o.reply <- err
		return
	}
	if r.house.busy() {
		o.reply <- &RefusalError{Reason: ReasonNodeBusy}
		return
	}
	for _, s := range r.seats {
		if l, ok := s.leg.(Resident); ok && s.phase.present() && (c.Member == 0 || c.Member == s.member) {
			if why := l.Bound(); why != nil {
				o.reply <- fmt.Errorf("%w: member %s: %w", ErrCannot, s.member, why)
				return
			}
		}
	}
	r.each(o, c.Member, func(s *seat) OpID {
		op := r.dismiss(now, s, ReasonTransferred, ExitTransfer, "")
		if op != 0 {
			s.onward = &c
		}
		return op
	})
}

// send gives a call that is out of this room to the one it was transferred to.
// What it hears and whether it is still there is no matter of ours any more.
func (r *room) send(s *seat) {
	r.seats = slices.DeleteFunc(r.seats, func(o *seat) bool { return o == s })
	in := s.invite
	in.Room, in.Job, in.Restore, in.Lost = string(s.onward.To), "", nil, time.Time{}
	in.Warnings = s.out.Warnings
	in.Variables, in.Origins = map[string]string{}, nil
	for _, name := range ownVariables() {
		if v, ok := s.invite.Variables[name]; ok {
			in.Variables[name] = v
		}
	}
	if s.onward.Profile != "" {
		in.Variables["profile"] = s.onward.Profile
	}
	request := readVariables(in.Variables)
	request.warnings = nil // they are among those of the invite
	r.house.onward(s.onward.To, arrival{line: s.line, invite: in, request: request, mediaUp: true, ops: r.ops})
}

// onward is the arrival of a call that comes from another room of ours.
func (x *Exchange) onward(name RoomName, a arrival) {
	if x.busy.Load() {
		x.turnedAway(a)
		return
	}
	x.enter(name, a)
}

// turnedAway has the lobby tell a caller whose audio is up that we are busy.
func (x *Exchange) turnedAway(a arrival) {
	x.wait(a, ReasonNodeBusy)
	if a.mediaUp {
		a.line.Post(MediaUp{a.line.leg.ID()})
	}
}

// goingTo is where a seat was transferred to, for the event that tells of it.
func (s *seat) goingTo() string {
	if s.onward == nil {
		return ""
	}
	if s.onward.Profile != "" {
		return fmt.Sprintf("%s@%s", s.onward.To, s.onward.Profile)
	}
	return string(s.onward.To)
}
