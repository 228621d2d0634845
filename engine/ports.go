package engine

import "time"

// Leg is one call, wherever its signalling lives, as a room's owner drives it.
// Every method returns at once and may be called from any goroutine; what came
// of it is told by a Fact posted to the Sink that Exchange.Arrive returned.
// After Release a leg posts nothing more.
type Leg interface {
	ID() LegID
	Voice

	// Release gives the call back: results are set on its channel, then its
	// dialplan goes on (a call with no dialplan, or with o.Hangup, is ended).
	Release(o Outcome)
}

// Coder is a Leg that knows how its audio is encoded where it reaches us, e.g.
// "PCMU/8000"; "" = it does not. Safe to call at any time.
type Coder interface{ Codec() string }

// Voice is what a caller hears and says apart from a room.
type Voice interface {
	// Play plays what to this caller alone, in place of a prompt that may be
	// playing. It settles with PromptDone{Op: op} when it ends by itself; a
	// prompt that is replaced or stopped settles with nothing. In a room the
	// prompt is laid over what the caller hears there.
	Play(op OpID, what Media)

	// StopPlay ends the prompt that is playing, at once.
	StopPlay()

	// Record keeps what the caller says, at most limit long, under the media
	// name RecordedName(ID). It settles with Recorded{Op: op}. StopRecord
	// ends it early and settles it too.
	Record(op OpID, limit time.Duration)
	StopRecord()
}

// Bridge is the place where one room's audio is mixed. Its methods return at
// once; Admit, Set and Remove are each settled by one Fact, even if the place
// is gone. A room has one Bridge, and two while it moves between places.
type Bridge interface {
	// Admit makes leg a member in state s: Joined or AdmitFailed.
	Admit(op OpID, m MemberID, leg Leg, s MemberState)
	// Set asks for a member's whole state: Applied.
	Set(op OpID, m MemberID, s MemberState)
	// Remove takes the member out: Left. Its leg lives on, in silence.
	Remove(op OpID, m MemberID)
	// Play plays into the room for an audience, mixed with its speech;
	// several plays queue. It settles with Played.
	Play(op OpID, what Media, to Audience)
	// Levels appends the last measured level and the media health of each
	// member to dst. Safe to call at any time.
	Levels(dst []MemberMedia) []MemberMedia
	// Close ends the place. Nothing is posted afterwards.
	Close()
}

// BridgeFactory makes a bridge of a room at a place. Facts of the bridge go to
// sink. An error is a reason not to run the room there (node_busy).
type BridgeFactory func(at Place, room RoomName, instance InstanceID, sink Sink) (Bridge, error)

// Sink takes facts. Post never blocks and may be called from any goroutine;
// facts of one source are applied in the order posted.
type Sink interface {
	Post(Fact)
}

// Media is something to play: specs of the sound grammar (design: a file,
// tone:…, tone_stream://…, silence:ms, number:N, recorded:LEG …) played one
// after the other. An item that cannot be loaded is skipped and reported.
type Media struct {
	Items    []string
	Language string // of prompts that have one, e.g. "en"
	Loop     bool   // start again until stopped
}

// Empty says whether there is nothing to play.
func (m Media) Empty() bool { return len(m.Items) == 0 }

// RecordedName is the media spec under which a leg's recording is played.
func RecordedName(id LegID) string { return "recorded:" + string(id) }

// Audience is who hears a Bridge.Play: everybody who is not waiting, less Except.
type Audience struct {
	Except MemberID // 0: nobody is left out

	// Beside has it mixed with the plays of the queue, in place of another that is
	// beside them; then Except is 0. A place that cannot queues it.
	Beside bool
}

// Decibels is a gain.
type Decibels float64

// MemberState is everything a bridge needs to know of a member.
type MemberState struct {
	Muted   bool     // is not heard by anybody
	Deaf    bool     // hears nobody (private prompts still reach him)
	Waiting bool     // neither heard nor hearing: only private prompts
	Talk    Decibels // gain of what he says, 0 = unchanged
	Listen  Decibels // gain of what he hears, 0 = unchanged
}

// MemberMedia is a member's media health at one moment.
type MemberMedia struct {
	Member  MemberID
	Level   float64 // dBov of the last frames, -127 = silence
	Unseen  bool    // the place does not see the audio: all but Talking and Codec means nothing
	Talking bool
	Codec   string        // e.g. "PCMU/8000"
	Lost    float64       // share of packets lost, 0..1
	Late    uint64        // packets that came too late; lost, too
	Delay   time.Duration // jitter buffer
	Capped  bool          // it may not hold back more
	Jitter  time.Duration // of the packets' arrival
	Quiet   time.Duration // since the last packet; below 0 none has come, or the place does not know
	Source  string        // where packets come from; "" is nowhere, or the place does not know
	Held    bool          // by the other side
	Gated   bool          // the gate has let nothing through for a second
}

// Listener is what a Bridge may offer besides: an opinion on who disturbs the
// others. Safe to call at any time.
type Listener interface {
	Disturbances() map[MemberID]Disturbance
}

// Disturbance is what is wrong with what a member says.
type Disturbance struct {
	Kind    DisturbanceKind `json:"kind"`
	Share   float64         `json:"share,omitempty"`      // echo: of what he hears, 1 is as loud
	DelayMS int64           `json:"delay_ms,omitempty"`   // echo: until it comes back
	Level   float64         `json:"level_dbov,omitempty"` // howl and noise
	Hz      float64         `json:"hz,omitempty"`         // howl
	Seconds float64         `json:"seconds,omitempty"`    // howl and noise: for how long; 8 at most
}

// DisturbanceKind is a word for a disturbance.
type DisturbanceKind string

// The disturbances.
const (
	Echo  DisturbanceKind = "echo"  // he says what he hears
	Howl  DisturbanceKind = "howl"  // a loud tone that does not end
	Noise DisturbanceKind = "noise" // no pause in it
)

// Outcome is what a call is told when it is given back; an adapter writes it
// to the channel as parley_result, parley_reason, parley_exit,
// parley_exit_digits, parley_signal, parley_duration, parley_member_id,
// parley_warnings.
type Outcome struct {
	Result     Result
	Reason     Reason
	Exit       Exit
	ExitDigits string
	Signal     string        // that interrupted the stay
	Duration   time.Duration // time as a member, waiting included
	Member     MemberID      // 0: never was one
	Warnings   []string
	Hangup     bool  // end the call instead of letting its dialplan go on
	Cause      Cause // that HangUp named; "" = it was not that, or has none
}

// Variables renders the outcome as the dialplan reads it, names without the
// parley_ prefix, in a fixed order. Values are free of line breaks.
func (o Outcome) Variables() []Variable {
	member := ""
	if o.Member != 0 {
		member = o.Member.String()
	}
	return []Variable{
		{"result", string(o.Result)},
		{"reason", string(o.Reason)},
		{"exit", string(o.Exit)},
		{"exit_digits", o.ExitDigits},
		{"signal", o.Signal},
		{"duration", seconds(o.Duration)},
		{"member_id", member},
		{"warnings", joinWarnings(o.Warnings)},
	}
}

// Variable is one name and value of a dialplan.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
