package conference

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/esl"
)

// Subclass is that of the events that Parse reads; subscribe with "event plain
// CUSTOM conference::maintenance".
const Subclass = "conference::maintenance"

// Action is what an event says has happened. There are more than these; Parse
// passes on those that it does not know.
type Action string

// The actions that matter to a room.
const (
	Created       Action = "conference-create" // before its first member is there
	Destroyed     Action = "conference-destroy"
	AddMember     Action = "add-member" // sent just before a list shows it
	DelMember     Action = "del-member"
	Muted         Action = "mute-member"
	Unmuted       Action = "unmute-member"
	Deafened      Action = "deaf-member"
	Undeafened    Action = "undeaf-member"
	Held          Action = "hold-member"
	Unheld        Action = "unhold-member"
	Kicked        Action = "kick-member" // del-member follows
	Hupped        Action = "hup-member"  // del-member follows
	VolumeInSet   Action = "volume-in-member"
	VolumeOutSet  Action = "volume-out-member"
	EnergySet     Action = "energy-level-member"
	ListenKey     Action = "volume-level" // by a key: how loud it hears
	TalkKey       Action = "gain-level"   // by a key: how loud it is heard
	EnergyKey     Action = "energy-level" // by a key
	DTMF          Action = "dtmf"         // a control with the action "event"
	DTMFSent      Action = "dtmf-member"
	StartTalking  Action = "start-talking"
	StopTalking   Action = "stop-talking" // not at a mute, a hold or a leave
	MuteDetect    Action = "mute-detect"
	FloorChange   Action = "floor-change"
	Locked        Action = "lock"
	Unlocked      Action = "unlock"
	PlayFile      Action = "play-file" // with Error: it could not be played
	PlayDone      Action = "play-file-done"
	PlayMember    Action = "play-file-member"
	MemberDone    Action = "play-file-member-done"
	RecordStart   Action = "start-recording" // with Error: the file could not be opened
	RecordStop    Action = "stop-recording"
	RecordPause   Action = "pause-recording"
	RecordResume  Action = "resume-recording"
	DialResult    Action = "bgdial-result"
	Transferred   Action = "transfer"
	NoSuchRoom    Action = "rejected-join-only"
	ExecutedByKey Action = "execute_app"
)

// Event is one conference::maintenance event. What its action does not carry
// is zero. Hear and Speak are the member's own flags, also while it is on hold.
type Event struct {
	Action   Action
	Sequence uint64 // of the switch, over all its events
	At       time.Time
	Core     string // Core-UUID: another one is another run of the switch

	Room, RoomID, Profile string
	Size, Ghosts          int

	Member       MemberID // 0: it is about the room
	UUID         string   // of the channel
	Channel      string   // name of the channel
	CallerName   string
	CallerNumber string

	Hear, Speak, Talking, Hold, Floor, Moderator, Ghost bool

	Energy int    // level of the talk gate
	Level  int    // Volume-Level and New-Level, in steps
	File   string // as typed, or resolved by the switch
	Tag    string // of Tagged, where a file is over
	Path   string // of a recording
	Error  string // in the switch's words
	Digits string
	Cause  string // Hangup-Cause, when the call has ended

	OldFloor, NewFloor MemberID      // 0 = nobody
	From, To           string        // rooms of a transfer; To is the whole target when a key did it
	Result, Job        string        // of bgdial: SUCCESS or a cause
	Played             time.Duration // of a file that ended or was stopped, or a recording
}

// Parse reads a conference::maintenance event. ok is false for any other event,
// and for one that lacks its action or its room, or has a number that is none.
func Parse(e *esl.Event) (ev Event, ok bool) {
	if e.Name() != "CUSTOM" || e.Value("Event-Subclass") != Subclass {
		return Event{}, false
	}
	r := reader{headers: e.Headers}
	ev = Event{
		Action: Action(r.last("Action")), Core: e.Value("Core-UUID"),
		Room: e.Value("Conference-Name"), RoomID: e.Value("Conference-Unique-ID"), Profile: e.Value("Conference-Profile-Name"),
		UUID: r.last("Unique-ID"), Channel: r.last("Channel-Name"),
		CallerName: r.last("Caller-Caller-ID-Name"), CallerNumber: r.last("Caller-Caller-ID-Number"),
		Hear: r.yes("Hear"), Speak: r.yes("Speak"), Talking: r.yes("Talking"), Hold: r.yes("Hold"),
		Floor: r.yes("Floor"), Moderator: r.last("Member-Type") == "moderator", Ghost: r.yes("Member-Ghost"),
		File: r.last("File"), Path: r.last("Path"), Error: r.last("Error"), Cause: r.last("Hangup-Cause"),
		Result: r.last("Result"), Job: r.last("Job-UUID"), Tag: r.last(tagName),
		From: r.last("Old-Conference-Name"), To: r.last("New-Conference-Name"),
	}
	if ev.Action == Transferred && ev.To == "" {
		ev.To = r.last("Dialplan")
	}
	if ev.Digits = r.last("Digits"); ev.Digits == "" {
		ev.Digits = r.last("DTMF-Key")
	}
	r.numbers(&ev)
	return ev, !r.bad && ev.Action != "" && ev.Room != ""
}

// reader takes the last header of a name: the variables of a conference stand
// before the switch's own headers, whatever they are called, and some events
// carry a set of headers twice.
type reader struct {
	headers esl.Headers
	bad     bool
}

func (r *reader) last(name string) string {
	for _, h := range slices.Backward(r.headers) {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func (r *reader) yes(name string) bool { return r.last(name) == "true" }

func (r *reader) number(value string) int {
	if value == "" || value == "none" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		r.bad = true
	}
	return n
}

func (r *reader) numbers(ev *Event) {
	ev.Size = r.number(r.headers.Value("Conference-Size"))
	ev.Ghosts = r.number(r.headers.Value("Conference-Ghosts"))
	ev.Member = MemberID(r.number(r.last("Member-ID")))
	ev.OldFloor = MemberID(r.number(r.last("Old-ID")))
	ev.NewFloor = MemberID(r.number(r.last("New-ID")))
	level := r.last("Volume-Level")
	if level == "" {
		level = r.last("New-Level")
	}
	ev.Energy, ev.Level = value(r.last("Energy-Level")), value(level)
	played := r.last("milliseconds")
	if ev.Action == RecordStop {
		played = r.last("Milliseconds-Elapsed")
	}
	ev.Played = time.Duration(value(played)) * time.Millisecond
	ev.Sequence = uint64(max(0, r.number(r.headers.Value("Event-Sequence"))))
	if us := r.number(r.headers.Value("Event-Date-Timestamp")); us > 0 {
		ev.At = time.UnixMicro(int64(us))
	}
}

// value is a number that decides nothing: a room's variable may have its name.
func value(text string) int {
	n, _ := strconv.Atoi(text) // 0 where it is none
	return n
}
