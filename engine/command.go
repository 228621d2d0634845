package engine

// Command is something asked of a room. It is answered when its fact has come.
type Command interface{ isCommand() }

// The commands. Member 0 means every member who is not a moderator, for Kick
// every member.
type (
	// Mute stops a member being heard, or lets him be heard again.
	Mute struct {
		Member MemberID
		On     bool
	}
	// Deafen stops a member hearing, or lets him hear again.
	Deafen struct {
		Member MemberID
		On     bool
	}
	// Kick takes a member out of the room.
	Kick struct{ Member MemberID }
	// HangUp is Kick, and the call ends instead of its dialplan going on.
	HangUp struct{ Member MemberID }
	// Lock keeps new callers out, or lets them in again.
	Lock struct{ On bool }
	// End ends the room for everybody.
	End struct{}
)

func (Mute) isCommand()   {}
func (Deafen) isCommand() {}
func (Kick) isCommand()   {}
func (HangUp) isCommand() {}
func (Lock) isCommand()   {}
func (End) isCommand()    {}
