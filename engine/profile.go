package engine

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"
)

// Profile is every setting of a room, resolved: built-in default, profile and
// room file have been laid over each other. It is immutable once loaded.
// Sounds are specs of the sound grammar; an empty sound is not played.
type Profile struct {
	Name     string
	Language string // of prompts, e.g. "en"

	Create Create // who may start the room
	JoinAs Role   // of a call that names this profile and no role; RoleUnset = its PIN decides

	Mixer             Mixer  // where the room is mixed
	ConferenceProfile string // MixerSwitch: of the switch's own conference
	Media             MediaPath
	Codecs            []string // encoding names that a SIP caller may have, best first; nil = all of sip.codecs
	MaxRate           int      // samples per second that a SIP caller's codec may have

	Sound Sound // MixerNative: how what is said is treated

	MaxParticipants       int // members and moderators, waiting included; 0 = no limit
	ReserveModeratorSeats int // seats above MaxParticipants that only moderators may take
	LockExempts           Exempt

	WaitForModerator      bool          // members wait until the first moderator has joined
	RequireModerator      bool          // as above, and again whenever the last one has left
	RewaitOnModeratorExit bool          // members wait again when the last moderator has left
	ModeratorGrace        time.Duration // RequireModerator: the room ends when no moderator came back; 0 = never
	WaitTimeout           time.Duration // longest wait; 0 = no limit
	OnWaitTimeout         OnWaitTimeout
	EndGrace              time.Duration // end_on_exit: time for a moderator to come back

	PINAttempts   int           // tries a call has
	PINTimeout    time.Duration // between digits, and to the first one after the prompt
	PINTerminator string        // keys that end a PIN or number, any of them
	OnPINFailure  OnRefusal
	OnFull        OnRefusal

	AnnounceCount   int  // say the count when it is at least this and above 1; 0 = never
	AnnounceCountTo Whom // who hears it
	AnnounceName    bool // ask for the name, play it at join and leave

	Record         RecordWhen
	RecordFile     string // see the function of that name
	RecordMin      int    // members, waiting ones not counted, that it begins with
	RecordRate     int    // samples per second; 0 = the highest that a member has when it begins
	RecordSound    string // to the room when a recording begins; "" = none
	RecordEndSound string // when the last one has ended

	EntryTone  string // to the room when somebody joins; "" = none
	ExitTone   string
	EnterSound string // instead of EntryTone when set
	ExitSound  string

	WelcomeSound    string // to the caller before anything else
	NumberSound     string // asks for the conference number
	BadNumberSound  string
	PINSound        string
	BadPINSound     string
	PINFailedSound  string // after the last try
	ThrottledSound  string
	LockedSound     string
	MaxMembersSound string
	NotRunningSound string
	BadRoomSound    string
	BusySound       string // node_busy
	WaitPrompt      string // said once when the wait begins
	WaitSound       string // then looped; "" = MOHSound
	NoModSound      string // wait timed out
	MOHSound        string // looped to a member who is alone; "" = none
	AloneSound      string // once, before MOHSound
	KickedSound     string
	EndedSound      string // to everybody when the room ends
	ModLeftSound    string // instead of EndedSound when moderators have left
	MutedSound      string
	UnmutedSound    string
	DeafSound       string
	UndeafSound     string
	LockedNowSound  string // to the room
	UnlockedSound   string
	HandUpSound     string // to him
	HandDownSound   string
	EntryPrompt     string // PlayEntryPrompt: to the joiner
	NamePrompt      string // AnnounceName: asks for it
	HasJoinedSound  string // after the name
	HasLeftSound    string

	Member    RoleSettings
	Moderator RoleSettings
}

// RoleSettings is the part of a profile that differs by role. Its sounds win
// over the profile's when set.
type RoleSettings struct {
	PINs            []PIN
	JoinMuted       bool
	JoinDeaf        bool
	PlayEntryPrompt bool
	EnterSound      string
	ExitSound       string
	EndOnExit       EndOnExit
	Terminator      string // one key that leaves the room; "" = none
	Controls        Controls
}

// Role returns the section of a role; RoleUnset has the members' one.
func (p *Profile) Role(r Role) *RoleSettings {
	if r == RoleModerator {
		return &p.Moderator
	}
	return &p.Member
}

// NeedsPIN says whether a caller without a role must type a PIN.
func (p *Profile) NeedsPIN() bool { return len(p.Member.PINs) > 0 || len(p.Moderator.PINs) > 0 }

// PIN is a digest of the digits, so that no dump, log or comparison shows
// them. The zero PIN matches nothing.
type PIN struct {
	sum    [sha256.Size]byte
	digits int // how many there are
}

// NewPIN digests digits.
func NewPIN(digits string) PIN { return PIN{sha256.Sum256([]byte(digits)), len(digits)} }

// Matches compares in constant time.
func (p PIN) Matches(o PIN) bool {
	return p.digits > 0 && subtle.ConstantTimeCompare(p.sum[:], o.sum[:]) == 1
}

// among says whether p is one of list, looking at all of it.
func (p PIN) among(list []PIN) (found bool) {
	for _, o := range list {
		found = p.Matches(o) || found
	}
	return found
}

// longestPIN is the number of digits at which a PIN is complete without a
// terminator.
func (p *Profile) longestPIN() (n int) {
	for _, list := range [][]PIN{p.Member.PINs, p.Moderator.PINs} {
		for _, pin := range list {
			n = max(n, pin.digits)
		}
	}
	return n
}

func (p PIN) String() string { return "***" }

// Controls is a DTMF menu.
type Controls struct {
	Name string
	Keys []Control
}

// Control binds digits to an action.
type Control struct {
	Digits string // 1..8 of 0-9 * # A-D
	Action Action
}

// Action is what a control does.
type Action string

// The actions of DTMF menus.
const (
	ActionMute        Action = "mute" // toggles
	ActionMuteOn      Action = "mute on"
	ActionMuteOff     Action = "mute off"
	ActionDeaf        Action = "deaf" // toggles
	ActionDeafOn      Action = "deaf on"
	ActionDeafOff     Action = "deaf off"
	ActionTalkUp      Action = "volume talk up" // how loud the caller is heard
	ActionTalkDown    Action = "volume talk down"
	ActionTalkReset   Action = "volume talk reset"
	ActionListenUp    Action = "volume listen up" // how loud the caller hears
	ActionListenDown  Action = "volume listen down"
	ActionListenReset Action = "volume listen reset"
	ActionLock        Action = "lock" // toggles; moderators only
	ActionLeave       Action = "leave"
	ActionEnd         Action = "end" // moderators only
	ActionCount       Action = "announce count"
	ActionHand        Action = "raise hand" // toggles
)

// Actions lists every action, for checking and "did you mean".
func Actions() []Action {
	return []Action{
		ActionMute, ActionMuteOn, ActionMuteOff, ActionDeaf, ActionDeafOn, ActionDeafOff,
		ActionTalkUp, ActionTalkDown, ActionTalkReset, ActionListenUp, ActionListenDown, ActionListenReset,
		ActionLock, ActionLeave, ActionEnd, ActionCount, ActionHand,
	}
}

// Create says who may start a room.
type Create string

// On demand by anybody, only if the configuration names the room, or only
// join one that runs already.
const (
	CreateOnDemand Create = "on_demand"
	CreateExisting Create = "existing_only"
	CreateRunning  Create = "running_only"
)

// Exempt says whom the lock lets through.
type Exempt string

// The lock lets moderators through, or nobody.
const (
	ExemptModerators Exempt = "moderators"
	ExemptNobody     Exempt = "nobody"
)

// OnRefusal says what happens to a refused call that has a dialplan.
type OnRefusal string

// Go on in the dialplan, or end the call.
const (
	RefusalContinue OnRefusal = "continue"
	RefusalHangup   OnRefusal = "hangup"
)

// OnWaitTimeout says what happens when no moderator came.
type OnWaitTimeout string

// Go on in the dialplan, end the call, or open the room without a moderator.
const (
	WaitContinue OnWaitTimeout = "continue"
	WaitHangup   OnWaitTimeout = "hangup"
	WaitOpen     OnWaitTimeout = "open"
)

// EndOnExit says whose leaving ends the room.
type EndOnExit string

// Nobody's, that of any member with the setting, or of the last such member.
const (
	EndNever EndOnExit = ""
	EndAny   EndOnExit = "any"
	EndLast  EndOnExit = "last"
)

// Whom says who hears an announcement.
type Whom string

// The joiner only, or the whole room.
const (
	ToJoiner Whom = "joiner"
	ToAll    Whom = "all"
)

// DefaultProfile is the profile of a room without configuration: no PIN,
// tones on, every prompt of the built-in set.
func DefaultProfile() Profile {
	return Profile{
		Name: "default", Language: "en", Create: CreateOnDemand,
		Mixer: MixerNative, ConferenceProfile: "parley", Media: MediaAudioSocket, MaxRate: 48000,
		ReserveModeratorSeats: 1, LockExempts: ExemptModerators,
		ModeratorGrace: 5 * time.Minute, OnWaitTimeout: WaitContinue,
		PINAttempts: 3, PINTimeout: 5 * time.Second, PINTerminator: "#",
		OnPINFailure: RefusalContinue, OnFull: RefusalContinue, AnnounceCountTo: ToJoiner,
		Record: RecordOff, RecordFile: DefaultRecordFile, RecordMin: 1,
		EntryTone: DefaultEntryTone, ExitTone: DefaultExitTone,
		NumberSound: "enter-conference-number", BadNumberSound: "bad-conference-number",
		PINSound: "enter-pin", BadPINSound: "bad-pin", PINFailedSound: "too-many-attempts",
		ThrottledSound: "throttled", LockedSound: "conference-locked", MaxMembersSound: "conference-full",
		NotRunningSound: "not-running", BadRoomSound: "invalid-room", BusySound: "node-busy",
		WaitPrompt: "wait-for-moderator", NoModSound: "no-moderator",
		MOHSound: "local_stream://moh", AloneSound: "you-are-alone",
		KickedSound: "kicked", EndedSound: "conference-ended", ModLeftSound: "moderator-left",
		MutedSound: "you-are-muted", UnmutedSound: "you-are-unmuted",
		DeafSound: "you-are-deaf", UndeafSound: "you-hear-again",
		LockedNowSound: "now-locked", UnlockedSound: "now-unlocked",
		HandUpSound: "hand-raised", HandDownSound: "hand-lowered",
		EntryPrompt: "you-are-joining", NamePrompt: "say-your-name",
		HasJoinedSound: "has-joined", HasLeftSound: "has-left",
		Member:    RoleSettings{Controls: DefaultControls(RoleMember)},
		Moderator: RoleSettings{Controls: DefaultControls(RoleModerator)},
	}
}

// Default tones, in FreeSWITCH's tone_stream grammar.
const (
	DefaultEntryTone = "tone_stream://%(200,0,500,600,700)"
	DefaultExitTone  = "tone_stream://%(500,0,300,200,100,50,25)"
)

// DefaultControls is the built-in menu of a role, on the keys that both
// FreeSWITCH and MeetMe users know with a star before them.
func DefaultControls(r Role) Controls {
	keys := []Control{
		{"*1", ActionMute},
		{"*2", ActionDeaf},
		{"*3", ActionHand},
		{"*4", ActionListenDown},
		{"*6", ActionListenUp},
		{"*7", ActionTalkDown},
		{"*9", ActionTalkUp},
		{"*0", ActionCount},
		{"*8", ActionLeave},
	}
	if r == RoleModerator {
		return Controls{Name: "moderator", Keys: append(keys, Control{"*5", ActionLock}, Control{"*#", ActionEnd})}
	}
	return Controls{Name: "default", Keys: keys}
}

// Directory is the configuration the engine runs on: one immutable value,
// replaced as a whole by a reload.
type Directory struct {
	Profiles map[string]*Profile
	Rooms    map[RoomName]*RoomEntry
	Menus    map[string]Controls // that a call may name; nil = the built-in ones

	// Settings lists what a profile, with a room's own settings over it, says
	// and where that stands, by keys of the configuration; nil = unknown.
	Settings func(room RoomName, profile string) []Setting
}

// RoomEntry is a room that the configuration names.
type RoomEntry struct {
	Title   string
	Profile string                  // a key of Directory.Profiles
	Apply   func(*Profile) *Profile // lays the room's own settings over a profile; nil = none
}

// Lookup returns the profile of a room. asked is the profile that the call
// named; "" is the room's own, or "default". known is false when no such
// profile exists and the room's own stands in.
func (d *Directory) Lookup(room RoomName, asked string) (p *Profile, configured, known bool) {
	entry, configured := d.Rooms[room]
	name := "default"
	if configured {
		name = entry.Profile
	}
	known = true
	if asked != "" {
		if _, known = d.Profiles[asked]; known {
			name = asked
		}
	}
	p = d.Profiles[name]
	if configured && entry.Apply != nil {
		p = entry.Apply(p)
	}
	return p, configured, known
}

// NewDirectory is the directory of a Parley without configuration.
func NewDirectory() *Directory {
	p := DefaultProfile()
	return &Directory{Profiles: map[string]*Profile{"default": &p}, Rooms: map[RoomName]*RoomEntry{}}
}
