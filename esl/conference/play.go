package conference

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/esl"
)

// tagName is the parameter of a file that Tagged adds; the switch repeats it as
// a header of what it tells of the file.
const tagName = "parley_play"

// Tagged is a file whose end, PlayDone or MemberDone, has a Tag: letters, digits
// and dashes.
func Tagged(file, tag string) string {
	mark := "{" + tagName + "=" + tag
	if rest, ok := strings.CutPrefix(file, "{"); ok {
		return mark + "," + rest
	}
	return mark + "}" + file
}

// Play plays a file to a member, over what he hears, or to the room with
// member 0, after what is being played to it. "File" is anything the switch
// plays, and it may have blanks.
func Play(room, file string, id MemberID) (string, error) {
	if id == 0 {
		return words(room, "play", file)
	}
	who, err := one(id)
	if err != nil {
		return "", err
	}
	return words(room, "play", file, who)
}

// PlayAsync plays a file to the room beside all else, in place of its music.
func PlayAsync(room, file string) (string, error) { return words(room, "play", file, "async") }

// Stop ends all that is being played to a member, or to the room with member
// 0: its music too, which begins again.
func Stop(room string, id MemberID) (string, error) {
	if id == 0 {
		return words(room, "stop", "all")
	}
	who, err := one(id)
	if err != nil {
		return "", err
	}
	return words(room, "stop", "all", who)
}

// StopOne ends what is being played to the room: the file whose turn it is, or
// the one beside the others.
func StopOne(room string, beside bool) (string, error) {
	if beside {
		return words(room, "stop", "async")
	}
	return words(room, "stop", "current")
}

// PausePlay stops the file whose turn it is, of the room or with id of a member,
// or has it go on: the answer says which, see Paused. Where nothing plays it is
// empty, as that to SeekPlay is.
func PausePlay(room string, id MemberID) (string, error) { return ofMember(room, id, "pause_play") }

// Paused reads the answer to PausePlay.
func Paused(text string, err error) (bool, error) {
	err = Answer(text, err)
	return err == nil && strings.HasPrefix(text, "+OK Pause"), err
}

// SeekPlay has the file whose turn it is go on elsewhere: at a time from its
// beginning, or with by from where it is, back below 0. The answer says where,
// though tones stay where they are.
func SeekPlay(room string, id MemberID, to time.Duration, by bool) (string, error) {
	if to < 0 && !by {
		return "", fmt.Errorf("%w: before the beginning", esl.ErrArgument)
	}
	ms := strconv.FormatInt(to.Milliseconds(), 10)
	if by && to >= 0 {
		ms = "+" + ms
	}
	return ofMember(room, id, "file_seek", ms)
}

// MaxFileVolume is the highest gain of a file in dB; the lowest is as much below
// 0.
const MaxFileVolume = 50

// FileVolume sets the gain of the file whose turn it is, or of the one beside
// the others.
func FileVolume(room string, decibels int, beside bool) (string, error) {
	if decibels < -MaxFileVolume || decibels > MaxFileVolume {
		return "", fmt.Errorf("%w: file-vol %d", esl.ErrArgument, decibels)
	}
	if beside {
		return words(room, "file-vol", strconv.Itoa(decibels), "beside") // any word but async
	}
	return words(room, "file-vol", strconv.Itoa(decibels))
}

// PlayStatus asks for the file whose turn it is, see Playing.
func PlayStatus(room string, id MemberID) (string, error) { return ofMember(room, id, "play_status") }

// Playing reads the answer to PlayStatus: the file without its scheme and its
// parameters. Of one beside the others the switch does not tell. Where nothing
// plays the error is ErrNoFile.
func Playing(text string, err error) (file string, _ error) {
	if err = Answer(text, err); err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(strings.TrimSpace(text), " ") // +OK
	_, file, _ = strings.Cut(rest, " ")                     // where it is
	return file, nil
}

func ofMember(room string, id MemberID, args ...string) (string, error) {
	if id == 0 {
		return words(room, args...)
	}
	who, err := one(id)
	if err != nil {
		return "", err
	}
	return words(room, append(args, who)...)
}
