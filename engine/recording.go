package engine

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Recorder is a Bridge that can record what everybody in the room hears: what is
// said, and what is played to all. Music and prompts of one member are not in
// it.
type Recorder interface {
	// Record begins a recording, which is known by op from now on:
	// RecordingBegan, and RecordingEnded once; only the latter, with Err, where
	// it cannot begin. It ends by itself when the place is closed.
	Record(op OpID, t Tape)
	// PauseRecord leaves out what comes, or goes on: RecordingPaused.
	PauseRecord(op OpID, on bool)
	// StopRecord ends it: RecordingEnded.
	StopRecord(op OpID)
}

// RecordMuter is a Recorder that can put silence in place of what comes.
type RecordMuter interface {
	MuteRecord(op OpID, on bool) // RecordingMuted
}

// Tape says how to record. Where the place cannot record like that,
// RecordingEnded's Err wraps ErrCannot.
type Tape struct {
	File       string // as it was asked for; the place knows where that is
	Rate       int    // samples per second; 0 = the highest that a member has now, or Member's
	Exists     Exists
	Member     MemberID      // of whom alone is recorded what he says; 0 = the room
	MaxSilence time.Duration // that ends the recording; 0 = none does
}

// Exists says what becomes of a file that is there already.
type Exists uint8

// The recording is refused, the file is replaced, the recording gets a number
// in its name, or it goes on at the end of the file.
const (
	ExistsFail Exists = iota
	ExistsReplace
	ExistsNumber
	ExistsAppend
)

// Facts about the recording of an order.
type (
	// RecordingBegan: the file is open.
	RecordingBegan struct {
		Op   OpID
		File string // where it is
		Rate int
	}
	// RecordingPaused settles PauseRecord, and also reports a change the switch
	// made itself. With Err nothing has changed.
	RecordingPaused struct {
		Op  OpID
		On  bool
		Err error
	}
	// RecordingMuted settles MuteRecord.
	RecordingMuted struct {
		Op  OpID
		On  bool
		Err error
	}
	// RecordingEnded: the file is complete, or with Err as complete as it could
	// be.
	RecordingEnded struct {
		Op       OpID
		Duration time.Duration // of the audio; 0 = unknown
		Bytes    int64         // of the file; 0 = unknown
		Lost     time.Duration // silence: the disk, or the machine, was too slow
		Talked   time.Duration // not silence; 0 = unknown, or no silence was waited for
		Err      error
	}
)

func (RecordingBegan) isFact()  {}
func (RecordingPaused) isFact() {}
func (RecordingMuted) isFact()  {}
func (RecordingEnded) isFact()  {}

// Commands about recordings. A name is that of the file as it was asked for, or
// where it is.
type (
	// Record begins a recording of the room, or of what one member says, until
	// he leaves; while he is muted it is silence. It is answered when the file is
	// open; an error wraps ErrInUse where that file is being recorded to, and
	// ErrCannot where the room is mixed by what cannot record like that.
	Record struct {
		File       string // "" = as the profile's record_file says
		Rate       int    // 0 = as the profile says, or as the member's audio is
		Exists     Exists
		Member     MemberID      // 0 = the room
		MaxSilence time.Duration // ends it, as long as that; 0 = none does

		// MaxDuration ends it when so much is recorded, pauses not counted, wherever
		// the room is meanwhile; 0 = no matter how much.
		MaxDuration time.Duration
	}
	// MuteRecord has silence recorded for what comes until it is called with On
	// false; "" = in all. An error wraps ErrCannot where the room is mixed by what
	// cannot do that.
	MuteRecord struct {
		File string
		On   bool
	}
	// StopRecord ends one, or with "" all. It is answered when the files are
	// complete.
	StopRecord struct{ File string }
	// PauseRecord leaves out what comes until it is called with On false; "" =
	// all.
	PauseRecord struct {
		File string
		On   bool
	}
)

func (Record) isCommand()      {}
func (StopRecord) isCommand()  {}
func (PauseRecord) isCommand() {}
func (MuteRecord) isCommand()  {}

// RecordingState is a word for how a recording is.
type RecordingState string

// The states of a recording.
const (
	RecordingStarting RecordingState = "starting" // the file is not open yet
	RecordingRunning  RecordingState = "running"
	RecordingPausing  RecordingState = "paused"
	RecordingDone     RecordingState = "done"   // in events only, like the next
	RecordingFailed   RecordingState = "failed" // by itself; Error says why
)

// RecordEnd is a word for why a recording has ended that has not failed.
type RecordEnd string

// The ends of a recording.
const (
	RecordStopped RecordEnd = "stopped"      // by a command
	RecordFull    RecordEnd = "max_duration" // it has all that it was to have
	RecordSilent  RecordEnd = "max_silence"  // or somebody at a switch has stopped one that silence could have ended
	RecordLeft    RecordEnd = "left"         // nobody is there any more, or he is not whom it is of
	RecordMoved   RecordEnd = "moved"        // it goes on in another file, where the room is now
)

// Recording is a recording of a room at one moment.
type Recording struct {
	Name       string         `json:"name"`           // as it was asked for
	File       string         `json:"file,omitempty"` // where it is, once it has begun
	State      RecordingState `json:"state"`
	Auto       bool           `json:"auto"`             // by the profile, not by a command
	Member     MemberID       `json:"member,omitempty"` // of whom alone it is; 0 = of the room
	Rate       int            `json:"rate,omitempty"`
	StartedAt  time.Time      `json:"started_at,omitzero"`
	DurationMS int64          `json:"duration_ms"`         // recorded so far
	Bytes      int64          `json:"bytes,omitempty"`     // of a complete file
	LostMS     int64          `json:"lost_ms,omitempty"`   // silence in it, since the disk, or the machine, was too slow
	TalkedMS   int64          `json:"talked_ms,omitempty"` // not silence: of a complete one that silence could have ended
	End        RecordEnd      `json:"end,omitempty"`       // why it has; "" = it has not, has failed, or a switch has ended it
	Error      string         `json:"error,omitempty"`
}

// is says whether a command means this recording.
func (r *Recording) is(name string) bool {
	return name == "" || name == r.Name || name == r.File || name+".wav" == r.Name
}

// RecordWhen says when a room is recorded without a command.
type RecordWhen string

// Never, from the first members on, or from the first moderator on.
const (
	RecordOff         RecordWhen = "off"
	RecordFromStart   RecordWhen = "from_start"
	RecordOnModerator RecordWhen = "on_moderator"
)

// DefaultRecordFile is where the recordings of a room go.
const DefaultRecordFile = "${room}-${time}.wav"

// RecordFile fills in the name of a recording: ${room} (or ${conference_name}),
// ${instance}, ${date} (20060102), ${time} (20060102-150405) and
// ${strftime(FORMAT)} with %Y %y %m %d %H %M %S %F %T %s %%, in local time.
func RecordFile(template string, room RoomName, instance InstanceID, now time.Time) (string, error) {
	var b strings.Builder
	for rest := template; ; {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			name := b.String()
			if name != "" && !path.IsAbs(name) && !filepath.IsLocal(name) {
				return "", fmt.Errorf("%q leads out of the folder of recordings", clip(name))
			}
			return name, nil
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return "", fmt.Errorf("%q has a ${ without its }", clip(template))
		}
		value, err := recordVariable(name, room, instance, now)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		rest = tail
	}
}

func recordVariable(name string, room RoomName, instance InstanceID, now time.Time) (string, error) {
	switch name {
	case "room", "conference_name":
		return string(room), nil
	case "instance":
		return string(instance), nil
	case "date":
		return now.Format("20060102"), nil
	case "time":
		return now.Format("20060102-150405"), nil
	}
	if format, ok := strings.CutPrefix(name, "strftime("); ok && strings.HasSuffix(format, ")") {
		return strftime(strings.TrimSuffix(format, ")"), now)
	}
	return "", fmt.Errorf("${%s} is unknown; ${room}, ${instance}, ${date}, ${time} and ${strftime(%%Y-%%m-%%d)} are filled in", clip(name))
}

func strftime(format string, now time.Time) (string, error) {
	layouts := map[byte]string{
		'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'F': "2006-01-02", 'T': "15:04:05",
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch {
		case i < len(format) && format[i] == 's':
			fmt.Fprint(&b, now.Unix())
		case i < len(format) && format[i] == '%':
			b.WriteByte('%')
		case i < len(format) && layouts[format[i]] != "":
			b.WriteString(now.Format(layouts[format[i]]))
		default:
			return "", fmt.Errorf("strftime(%s): only %%Y %%y %%m %%d %%H %%M %%S %%F %%T %%s %%%% are filled in", clip(format))
		}
	}
	return b.String(), nil
}

// readRecord reads when the room is recorded.
func readRecord(q *request, v string) error {
	switch when := RecordWhen(v); when {
	case RecordOff, RecordFromStart, RecordOnModerator:
		q.room = append(q.room, roomSetting{"record", v, func(p *Profile) { p.Record = when }})
		return nil
	default:
		return fmt.Errorf("%w %q, want off, from_start or on_moderator", errValue, clip(v))
	}
}

func readRecordFile(q *request, v string) error {
	if _, err := RecordFile(v, "", "", time.Time{}); err != nil {
		return fmt.Errorf("%w: %w", errValue, err)
	}
	q.room = append(q.room, roomSetting{"record_file", v, func(p *Profile) { p.RecordFile = v }})
	return nil
}
