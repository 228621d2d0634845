package conference

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Limits of what the switch may list.
const (
	MaxList    = 16 << 20 // bytes
	MaxRooms   = 10_000
	MaxMembers = 50_000 // of all rooms together
	maxDepth   = 16     // of JSON and XML
)

// What can be wrong with a list. The errors say where.
var (
	ErrTooLarge  = errors.New("conference: list over the limit")
	ErrMalformed = errors.New("conference: malformed list")
)

// MemberID is the number the switch gives a member: one counter for all rooms,
// kept through a transfer and never given to another channel.
type MemberID int

// Room is a conference of the switch as one of its lists shows it. Which list
// knows what:
//
//	json_list  all but Profile and Member.Ghost
//	xml_list   all but Profile
//	list       all but Profile, UUID, RunTime and MaxMembers
//
// No list names the profile: events do, and "get profile_name".
type Room struct {
	Name    string
	UUID    string // of this run of the room
	Profile string
	Rate    int // samples per second

	Locked      bool
	Recording   bool
	WaitMod     bool // nobody is heard until a moderator joins
	AudioAlways bool // no talk gate
	Ending      bool // being destroyed

	Size       int // members, ghosts not counted
	Ghosts     int
	MaxMembers int // 0 = no limit
	RunTime    time.Duration
	Members    []Member // in the switch's order, newest first; recordings are no members
}

// Member is a channel in a room. While it is on hold the lists say that it
// neither hears nor speaks nor talks, whatever it may do afterwards.
type Member struct {
	ID           MemberID
	UUID         string // of the channel
	Channel      string // name of the channel; only list has it
	CallerName   string
	CallerNumber string

	Hear, Speak, Talking, Hold, Floor, Moderator, Ghost bool

	VolumeIn  int // steps, -4..4: how loud it is heard
	VolumeOut int // steps: how loud it hears
	Energy    int // level of its talk gate, 0 = always open
}

// Find returns the member with that number, or nil.
func (r *Room) Find(id MemberID) *Member {
	for i := range r.Members {
		if r.Members[i].ID == id {
			return &r.Members[i]
		}
	}
	return nil
}

// Named returns the room of that name among rooms, or nil. Names are compared
// as the switch compares them: case counts.
func Named(rooms []Room, name string) *Room {
	for i := range rooms {
		if rooms[i].Name == name {
			return &rooms[i]
		}
	}
	return nil
}

// check judges an answer before it is parsed: an api command that the switch
// refused has an error in the place of a list.
func check(b []byte) error {
	if len(b) > MaxList {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, len(b))
	}
	if head := string(b[:min(len(b), 512)]); strings.HasPrefix(head, "-") {
		return Reply(head)
	}
	return nil
}

// judge checks what every format must have in common.
func judge(rooms []Room) ([]Room, error) {
	if len(rooms) > MaxRooms {
		return nil, fmt.Errorf("%w: %d rooms", ErrTooLarge, len(rooms))
	}
	total := 0
	for i := range rooms {
		r := &rooms[i]
		if total += len(r.Members); total > MaxMembers {
			return nil, fmt.Errorf("%w: more than %d members", ErrTooLarge, MaxMembers)
		}
		if r.Size < 0 || r.Ghosts < 0 || r.Rate < 0 || r.MaxMembers < 0 || r.RunTime < 0 {
			return nil, fmt.Errorf("%w: room %d, %.40q: a negative count", ErrMalformed, i+1, r.Name)
		}
		for k := range r.Members {
			if err := r.Members[k].judge(); err != nil {
				return nil, fmt.Errorf("%w: room %d, %.40q, member %d: %w", ErrMalformed, i+1, r.Name, k+1, err)
			}
		}
	}
	return rooms, nil
}

// A member that cannot be named in a command is of no use.
func (m *Member) judge() error {
	switch {
	case m.ID <= 0:
		return fmt.Errorf("number %d", m.ID)
	case !plainWord(m.UUID):
		return fmt.Errorf("channel %.40q", m.UUID)
	}
	return nil
}

// plainWord says whether s is one word for the switch: no blank, no control
// character, nothing that quotes or is expanded.
func plainWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`'"\$`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
