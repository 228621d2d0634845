package engine

import "time"

// EventType names what changed.
type EventType string

// Everything that can happen to a call, or a room.
const (
	EventArrived       EventType = "call.arrived" // by itself: of a call that we make dial.started is the first
	EventEnded         EventType = "call.ended"   // given back: the last that is told of any call that has arrived
	EventRoomStarted   EventType = "room.started"
	EventRoomEnded     EventType = "room.ended"
	EventRoomLocked    EventType = "room.locked"
	EventRoomUnlocked  EventType = "room.unlocked"
	EventRoomModified  EventType = "room.modified"
	EventRoomMoved     EventType = "room.moved"
	EventIgnored       EventType = "config.ignored" // a call wanted another rule than the room has
	EventDialing       EventType = "dial.started"   // a call out: its seat is kept
	EventRinging       EventType = "dial.ringing"
	EventDialed        EventType = "dial.result"
	EventRejected      EventType = "participant.rejected"
	EventJoined        EventType = "participant.joined"
	EventWaiting       EventType = "participant.waiting"
	EventRestored      EventType = "participant.restored" // a member whom we or his switch had lost
	EventLeft          EventType = "participant.left"
	EventMuted         EventType = "participant.muted"
	EventUnmuted       EventType = "participant.unmuted"
	EventDeafened      EventType = "participant.deafened"
	EventUndeafened    EventType = "participant.undeafened"
	EventModified      EventType = "participant.modified"
	EventHeld          EventType = "participant.held"
	EventUnheld        EventType = "participant.unheld"
	EventPlayQueued    EventType = "play.queued"  // of the command Play: it waits for those before it
	EventPlaying       EventType = "play.started" // likewise: it is heard
	EventPlayed        EventType = "play.ended"
	EventPlayContinues EventType = "play.continued" // its next part is heard
	EventPlayPaused    EventType = "play.paused"
	EventPlayResumed   EventType = "play.resumed"
	EventPlayModified  EventType = "play.modified" // it goes on elsewhere, or louder
	EventTalking       EventType = "participant.talking"
	EventSilent        EventType = "participant.silent"
	EventSpeaker       EventType = "room.speaker" // the floor has gone to Member, or with none to nobody
	EventHandRaised    EventType = "participant.hand_raised"
	EventHandLowered   EventType = "participant.hand_lowered"
	EventDigit         EventType = "participant.digit" // a key of a member, none of an answer to a prompt

	EventRecordStarted EventType = "recording.started"
	EventRecordPaused  EventType = "recording.paused"
	EventRecordResumed EventType = "recording.resumed"
	EventRecordEnded   EventType = "recording.completed"
	EventRecordFailed  EventType = "recording.failed" // it could not begin, or ended by itself
)

// What participant.modified is about.
const (
	ChangeTalk   = "talk_gain_db"
	ChangeListen = "listen_gain_db"
)

// Event is a fact that changed a room, or that a command found so: each command
// to a member, and each Lock, that has come true is told once. Seq counts from 1 in each instance,
// without gaps but for one where the room was restored. Events of calls that have no room (yet), and call.…, have Seq 0.
type Event struct {
	Type      EventType
	Time      time.Time
	Room      RoomName
	Instance  InstanceID
	Profile   string // of the room
	Seq       uint64
	Reason    Reason
	Leg       LegID
	Invite    Invite     // of that leg: caller, switch, kind
	Member    MemberView // of call.…: what is known of the call
	Present   int        // members after the event, waiting ones included
	Outcome   Outcome
	Dial      *Job          // of dial.…
	Changes   []string      // of room.modified, room.moved and config.ignored; of participant.modified: ChangeTalk, ChangeListen
	By        string        // of a member's muted … modified: who wanted it, "by command", "by key 1", "at the switch" …
	Play      Playback      // of play.…
	Recording *Recording    // of recording.…
	To        string        // of participant.left, reason transferred: ROOM, or ROOM@PROFILE; "" = the switch sent it elsewhere
	Gap       time.Duration // of participant.restored: without audio; 0 = unknown
	Digit     byte          // of participant.digit
	Held      time.Duration // likewise: how long it was pressed; 0 = unknown
	Previous  MemberID      // of room.speaker: who had the floor; 0 = nobody
}

// Playback is something that Play plays.
type Playback struct {
	ID   string
	What Media         // the part that plays, or was the last to
	Part int           // its number, from 0
	For  time.Duration // all of it has played, pauses included
	Late bool          // it was queued before it began
	At   Playhead      // when it was last changed
	Err  error         // the part, or something of it, could not be played
}

// Observer is told every event, in order per room and per call, from the goroutine
// that has the room or the call: it must not wait.
type Observer func(Event)
