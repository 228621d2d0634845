package engine

import "time"

// seat is a call in a room: a candidate at first, then perhaps a member.
type seat struct {
	call
	role     Role
	settings RoleSettings // of the role, with the call's own variables over them
	tries    int          // PINs left
	byPIN    bool         // the role is from a PIN
	opened   bool         // the room: its room-level variables count
	restored bool         // it was a member before we or its switch lost it

	directory *Directory // the role was settled by
	asks      []asking
	changes   []change

	member   MemberID
	joinedAt time.Time
	state    MemberState // as the bridge reported it
	want     MemberState // as last asked of the bridge
	menu     menu
	early    []Digit // keys for the menu that came while the bridge took him
	talking  bool
	floor    bool     // is his
	onHold   bool     // as it has come true
	toHold   bool     // as last asked
	playing  *playing // by command, to him alone; nil = nothing
	hand     bool
	named    bool // the caller's name was recorded

	in      *venue      // that has him, or was asked to; nil = none
	audio   Place       // where his leg's audio goes
	way     way         // of his journey to the room's venue
	order   OpID        // of that step
	heading *venue      // of that step
	entry   MemberState // that he was admitted with
	away    time.Time   // since when he is on the way; zero = he is not
	owed    []OpID      // asked for meanwhile, or by the way
	brought int         // of these, that are in entry
	held    bool        // waits for the room to have moved

	treatment Treatment // his own, by command

	onward   *Transfer // where it goes from here; nil = nowhere
	redirect redirecting

	recording OpID
	tune      tune   // the music that plays to him now
	told      tune   // the music that was announced to him in this spell
	sound     string // to be heard while parting
}

// tune is the private music of a member.
type tune uint8

const (
	tuneNone tune = iota
	tuneAlone
	tuneWait
)

// audible says whether the member is among the others.
func (s *seat) audible() bool { return s.phase == phaseJoined }

// counts says whether a seat is taken: by who has got so far, or by who was
// called and so has it from the beginning.
func (s *seat) counts() bool {
	return s.phase.seated() || s.invite.Job != "" && s.phase < phaseNaming
}

// settle gives the seat its role and the settings that follow from it.
func (s *seat) settle(role Role, p *Profile) {
	s.role = role
	s.settings = *p.Role(role)
	for _, set := range s.request.member {
		set(&s.settings)
	}
	s.choose(p.Role(role).Controls)
	s.menu = newMenu(s.settings.Controls, s.settings.Terminator)
}

// entryState is the state in which the seat becomes a member.
func (s *seat) entryState(wait bool) MemberState {
	if s.restored {
		state := s.invite.Restore.State
		state.Waiting = wait
		return state
	}
	state := MemberState{Muted: s.settings.JoinMuted, Deaf: s.settings.JoinDeaf, Waiting: wait}
	state.Talk, state.Listen = s.request.entry.talk, s.request.entry.listen
	if s.request.muted != nil {
		state.Muted = *s.request.muted
	}
	if s.request.deaf != nil {
		state.Deaf = *s.request.deaf
	}
	return state
}

// view is the seat as lists show it.
func (s *seat) view() MemberView {
	v := callView(s.leg, s.invite)
	v.ID, v.Role, v.State, v.JoinedAt = s.member, s.role.String(), s.phase.String(), s.joinedAt
	v.Muted, v.Hold, v.Deaf, v.Talking, v.Floor, v.Hand = s.state.Muted, s.onHold, s.state.Deaf, s.talking, s.floor, s.hand
	v.Talk, v.Listen = s.state.Talk, s.state.Listen
	return v
}

// callView is what lists show of a call that is no member.
func callView(leg Leg, in Invite) MemberView {
	v := MemberView{CallID: leg.ID(), Number: in.Caller.Number, Name: in.Caller.Name, Switch: in.Switch, Kind: in.Kind}
	if c, ok := leg.(Coder); ok {
		v.Codec = c.Codec()
	}
	return v
}

func (s *seat) deadline() time.Time { return sooner(s.call.deadline(), s.menu.deadline) }
