package engine

import "time"

// Fact is something that happened at a leg or a bridge. A room changes on
// facts only, never on what it asked for.
type Fact interface{ isFact() }

// Facts about a leg; Leg says which.
type (
	// MediaUp: audio can flow both ways.
	MediaUp struct{ Leg LegID }
	// Digit: the caller pressed and released a key ('0'-'9', '*', '#', 'A'-'D').
	Digit struct {
		Leg   LegID
		Digit byte
		Held  time.Duration // 0 = unknown
	}
	// PromptDone: the prompt of that order ended by itself, or could not be
	// played at all (Err names the item).
	PromptDone struct {
		Leg LegID
		Op  OpID
		Err error
	}
	// Recorded: the recording of that order is complete. OK is false when
	// nothing was said.
	Recorded struct {
		Leg LegID
		Op  OpID
		OK  bool
	}
	// Moved settles Mover.Move. With Err the audio is where it was.
	Moved struct {
		Leg LegID
		Op  OpID
		Err error
	}
	// Changed: somebody has set these for the caller where his call is, while
	// the room is mixed elsewhere; nil is as it was.
	Changed struct {
		Leg          LegID
		Muted, Deaf  *bool
		Talk, Listen *Decibels
	}
	// LegGone: the call has ended, was lost, or left by itself. Nothing can
	// be played to it any more; Release is still called once, for the results.
	LegGone struct {
		Leg    LegID
		Reason Reason // hangup, transferred, media_lost or switch_lost
		Cause  Cause  // as the far side named it; "" = it did not
	}
)

// Facts of a bridge.
type (
	// Joined settles Admit.
	Joined struct {
		Op     OpID
		Member MemberID
	}
	// AdmitFailed settles Admit when the bridge cannot take the leg.
	AdmitFailed struct {
		Op     OpID
		Member MemberID
		Reason Reason
	}
	// Applied settles Set, and also reports a change the switch made itself (Op 0).
	// Err is what of Set could not be done, and why: it answers the command.
	Applied struct {
		Op     OpID
		Member MemberID
		State  MemberState
		Err    error
	}
	// Left settles Remove, and also reports a member who is gone from the
	// bridge for another cause (Op 0), which Reason may name.
	Left struct {
		Op     OpID
		Member MemberID
		Reason Reason // Op 0: kicked, hangup …; none = media_lost
	}
	// Played settles Bridge.Play.
	Played struct {
		Op  OpID
		Err error
	}
	// Talking: a member began or stopped to talk.
	Talking struct {
		Member MemberID
		On     bool
	}
	// Floor: the floor has gone to a member, 0 = to nobody: he is the one who talks.
	// Native bridges judge it by level, others say what their switch does.
	Floor struct{ Member MemberID }
	// Locked settles Lock, and also reports that somebody else locked or unlocked
	// the place of mixing there (Op 0). On is how it is now; Err is why it is not
	// as it was asked to be.
	Locked struct {
		Op  OpID
		On  bool
		Err error
	}
	// BridgeFailed: the place of mixing is gone, all members with it.
	BridgeFailed struct{ Err error }
)

func (MediaUp) isFact()      {}
func (Digit) isFact()        {}
func (PromptDone) isFact()   {}
func (Recorded) isFact()     {}
func (Moved) isFact()        {}
func (Changed) isFact()      {}
func (LegGone) isFact()      {}
func (Joined) isFact()       {}
func (AdmitFailed) isFact()  {}
func (Applied) isFact()      {}
func (Left) isFact()         {}
func (Played) isFact()       {}
func (Talking) isFact()      {}
func (Floor) isFact()        {}
func (Locked) isFact()       {}
func (BridgeFailed) isFact() {}
