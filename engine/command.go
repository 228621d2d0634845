package engine

// Command is something asked of a room. It is answered when its fact has come.
type Command interface{ isCommand() }

// The commands. Member 0 means every member who is not a moderator, for Kick
// and Transfer every member.
type (
	// Mute stops a member being heard, or lets him be heard again. Next is in place
	// of On what follows on what is, asked by the room in its turn, as of a Gain.
	Mute struct {
		Member MemberID
		On     bool
		Next   func(now bool) bool
		Quiet  bool // he is not told
	}
	// Deafen stops a member hearing, or lets him hear again.
	Deafen struct {
		Member MemberID
		On     bool
	}
	// Kick takes a member out of the room. He hears Sound, or the profile's
	// where it is "", and nothing if Quiet.
	Kick struct {
		Member MemberID
		Sound  string
		Quiet  bool
	}
	// Transfer takes a member, or with Member 0 everybody, out of the room with
	// reason transferred, and the call joins the room To as any caller would,
	// asked, judged and told by its rules. Of the call's variables only those that
	// are about the caller himself count there, and Profile where it is set. It is
	// answered when the members have left.
	Transfer struct {
		Member  MemberID
		To      RoomName
		Profile string
	}
	// Relate sets what the member From is to the member To, in place of what he
	// was: with neither, they have no relation. It lasts until one of them leaves.
	Relate Relation
	// Gain sets how loud a member is heard, and hears; nil = as it is. Both are
	// asked by the room, in its turn, what follows on what is: so one step more,
	// asked twice, is two.
	Gain struct {
		Member       MemberID
		Talk, Listen func(now Decibels) Decibels
	}
	// Hold stops a member being heard, whether he is muted or not, until he is
	// taken off hold. He goes on hearing the room. Next is as of a Mute.
	Hold struct {
		Member MemberID
		On     bool
		Next   func(now bool) bool
	}
	// Treat has a member's sound treated in a way of his own, as long as he is in
	// the room. The room asks for it as for a gain.
	Treat struct {
		Member MemberID
		To     func() Treatment
	}
	// Press sends keys to a member's phone. It is answered when they are on their
	// way.
	Press struct {
		Member MemberID
		Digits string
	}
	// Play plays something to a member over what he hears, in place of a prompt,
	// or with member 0 to the room, after what is being played to it. With Beside
	// it is mixed with what else is played to the room, in place of what plays so;
	// in the bridge of an Asterisk it waits for its turn all the same. It is
	// answered at once; EventPlayQueued tells that it has to wait, EventPlaying and
	// EventPlayed when it begins and ends, with the ID that was given. Then is what
	// plays next, as a part of the same play, each part told by EventPlayContinues:
	// where nothing else comes between them, and a control means the part that plays.
	// Nothing beside others has such parts.
	Play struct {
		Member MemberID
		ID     string
		What   Media
		Then   []Media
		Part   int // the number of What, where it continues a play that was begun before
		Beside bool
	}
	// StopPlay ends what Play plays to a member, or with member 0 all that is
	// being played to the room; with an ID that play alone, where an error wraps
	// ErrNoPlay if it does not play to the room.
	StopPlay struct {
		Member MemberID
		ID     string
	}
	// Rule sets a rule of the room by the name and value of its parley_ variable,
	// or a PIN by the names pin and moderator_pin, where "" means none, or its
	// enter_sound and exit_sound. It wins over the configuration and the opening
	// call's variables while the room runs. To is in place of Value, asked by the
	// room in its turn.
	Rule struct {
		Name, Value string
		To          func() string
	}
	// Lock keeps new callers out, or lets them in again.
	Lock struct{ On bool }
	// End ends the room for everybody.
	End struct{}
)

func (Mute) isCommand()     {}
func (Deafen) isCommand()   {}
func (Kick) isCommand()     {}
func (Transfer) isCommand() {}
func (Relate) isCommand()   {}
func (Gain) isCommand()     {}
func (Hold) isCommand()     {}
func (Treat) isCommand()    {}
func (Press) isCommand()    {}
func (Play) isCommand()     {}
func (StopPlay) isCommand() {}
func (Rule) isCommand()     {}
func (Lock) isCommand()     {}
func (End) isCommand()      {}
