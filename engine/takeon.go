package engine

import (
	"fmt"
	"strings"
)

// MayTakeOn says why calls could not come to a room of that name now, before
// anybody is moved: ErrBadRoomName, or a RefusalError with node_busy.
func (x *Exchange) MayTakeOn(name RoomName) error {
	if _, err := ParseRoomName(string(name)); err != nil {
		return err
	}
	if x.busy.Load() {
		return &RefusalError{Reason: ReasonNodeBusy, Why: "no calls are taken: too much load, or we are about to stop"}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.rooms[name] == nil && x.crammed() {
		return &RefusalError{Reason: ReasonNodeBusy, Why: fmt.Sprintf("%d rooms run, and no more may (max_rooms)", len(x.all))}
	}
	return nil
}

// Absent is a call of a conference that could not come along when the
// conference was to become a room, or one that came and could not go back.
type Absent struct {
	Leg    LegID
	Number string
	Name   string
	Why    string // in the words of whoever refused
}

// String is a caller and what was in the way: `1002 Bob: "Permission denied"`.
func (a Absent) String() string {
	who := strings.TrimSpace(clip(a.Number) + " " + clip(a.Name))
	if who == "" {
		who = clip(string(a.Leg))
	}
	return who + ": " + a.Why
}

// NotTakenError says who kept a conference from becoming a room. Those who had
// come are in their conference again, but for the ones who stayed.
type NotTakenError struct {
	Room   RoomName
	Switch string
	Calls  int      // that the conference had
	Absent []Absent // could not come
	Stayed []Absent // came, and could not go back: they are in the room
	Cause  error    // what kept the first away, where it has a class; nil: it has none
}

func (e *NotTakenError) Error() string {
	text := fmt.Sprintf("conference %s of %s was not taken over, %d of %d calls could not come: %s", e.Room, e.Switch, len(e.Absent), e.Calls, told(e.Absent))
	if len(e.Stayed) > 0 {
		return text + fmt.Sprintf(". The others are in their conference, but for %d who stay in room %s: %s", len(e.Stayed), e.Room, told(e.Stayed))
	}
	return text + ". All who are still there are in their conference"
}

func (e *NotTakenError) Unwrap() error { return e.Cause }

func told(calls []Absent) string {
	texts := make([]string, len(calls))
	for i, a := range calls {
		texts[i] = a.String()
	}
	return strings.Join(texts, "; ")
}

// Beside is who stands in a conference of a switch that has a room's name and is
// not the room.
type Beside struct {
	Switch  string       `json:"switch"`
	Kind    string       `json:"kind"` // of the switch
	Members []MemberView `json:"members"`
}
