package conference

import (
	"fmt"
	"strconv"
	"strings"

	"parley/esl"
)

// The functions below write the argument of "conference" for esl's API. They
// refuse with esl.ErrArgument what the switch would read as something else.
// Room names may have blanks and quotes in them. Reply judges the answer.

// Everyone stands for all members where a command takes a member.
const Everyone MemberID = -1

// MaxEnergy is the highest level of a talk gate that makes sense.
const MaxEnergy = 1800

// Mute stops a member being heard. quiet spares him the prompt.
func Mute(room string, id MemberID, quiet bool) (string, error) {
	return quietly(room, "mute", id, quiet)
}

// Unmute lets a member be heard again.
func Unmute(room string, id MemberID, quiet bool) (string, error) {
	return quietly(room, "unmute", id, quiet)
}

// Deaf stops a member hearing.
func Deaf(room string, id MemberID, quiet bool) (string, error) {
	return quietly(room, "deaf", id, quiet)
}

// Undeaf lets a member hear again.
func Undeaf(room string, id MemberID, quiet bool) (string, error) {
	return quietly(room, "undeaf", id, quiet)
}

// Hold stops a member being heard; he goes on hearing the room. Unhold also
// lifts the mute of a muted member's leg: mute him again.
func Hold(room string, id MemberID) (string, error) { return member(room, "hold", id) }

// Unhold ends a hold.
func Unhold(room string, id MemberID) (string, error) { return member(room, "unhold", id) }

// Hup takes a member out of the room; his dialplan goes on. It takes effect
// with his next media frame.
func Hup(room string, id MemberID) (string, error) { return member(room, "hup", id) }

// Kick is Hup, and plays the profile's kicked-sound to him afterwards.
func Kick(room string, id MemberID) (string, error) { return member(room, "kick", id) }

// VolumeIn sets how loud a member is heard, in steps.
func VolumeIn(room string, id MemberID, step int) (string, error) {
	return limited(room, "volume_in", id, step, -MaxStep, MaxStep)
}

// VolumeOut sets how loud a member hears, in steps.
func VolumeOut(room string, id MemberID, step int) (string, error) {
	return limited(room, "volume_out", id, step, -MaxStep, MaxStep)
}

// Energy sets the level of a member's talk gate; 0 leaves it open.
func Energy(room string, id MemberID, level int) (string, error) {
	return limited(room, "energy", id, level, 0, MaxEnergy)
}

// Relate keeps a member from being heard by another one, or lets him be heard
// again, until one of them leaves.
func Relate(room string, from, to MemberID, on bool) (string, error) {
	a, err := one(from)
	if err != nil {
		return "", err
	}
	b, err := one(to)
	if err != nil {
		return "", err
	}
	action := "clear"
	if on {
		action = "nospeak"
	}
	return words(room, "relate", a, b, action)
}

// Lock keeps new callers out. Unlock lets them in again.
func Lock(room string) (string, error) { return words(room, "lock") }

// Unlock is the end of Lock.
func Unlock(room string) (string, error) { return words(room, "unlock") }

// MOH sets the room's music: a file, or "on", "off", "reset".
func MOH(room, file string) (string, error) { return words(room, "moh", file) }

// Record begins a recording. The answer comes before the file is opened;
// whether that worked is told by start-recording.
func Record(room, file string) (string, error) { return words(room, "record", file) }

// StopRecord ends a recording, or every one with file "all".
func StopRecord(room, file string) (string, error) { return words(room, "norecord", file) }

// PauseRecord leaves a gap in a recording, until ResumeRecord.
func PauseRecord(room, file string) (string, error) { return words(room, "pause", file) }

// ResumeRecord is the end of PauseRecord.
func ResumeRecord(room, file string) (string, error) { return words(room, "resume", file) }

// PIN sets the PIN of members, for those who are asked from now on; with "" it
// is removed, which leaves the moderators' one in force.
func PIN(room, digits string) (string, error) {
	if digits == "" {
		return words(room, "nopin")
	}
	return pin(digits, room, "pin", digits)
}

// ModeratorPIN sets the PIN of moderators.
func ModeratorPIN(room, digits string) (string, error) {
	return pin(digits, room, "pin", "mod", digits)
}

// Transfer moves members into another room, "name" or "name@profile". They
// join anew: with the target's checks, and without what was set here.
func Transfer(room, target string, ids ...MemberID) (string, error) {
	args := []string{"transfer", target}
	for _, id := range ids {
		who, err := one(id)
		if err != nil {
			return "", err
		}
		args = append(args, who)
	}
	if len(ids) == 0 || len(ids) > 20 { // of 25 words
		return "", fmt.Errorf("%w: transfer of %d members", esl.ErrArgument, len(ids))
	}
	return words(room, args...)
}

// SetMaxMembers sets how many members may be in the room; 0 is no limit. The
// answer is the old value and not for Reply.
func SetMaxMembers(room string, n int) (string, error) {
	if n < 0 || n == 1 {
		return "", fmt.Errorf("%w: at most %d members", esl.ErrArgument, n)
	}
	return words(room, "set", "max_members", strconv.Itoa(n))
}

// Get asks for a value of the room: profile_name, wait_mod, uuid … The answer
// is the bare value.
func Get(room, what string) (string, error) { return words(room, "get", what) }

func quietly(room, verb string, id MemberID, quiet bool) (string, error) {
	who, err := target(id)
	if err != nil {
		return "", err
	}
	if quiet {
		return words(room, verb, who, "quiet")
	}
	return words(room, verb, who)
}

func member(room, verb string, id MemberID) (string, error) { return quietly(room, verb, id, false) }

func limited(room, verb string, id MemberID, n, least, most int) (string, error) {
	if n < least || n > most {
		return "", fmt.Errorf("%w: %s %d, want %d..%d", esl.ErrArgument, verb, n, least, most)
	}
	who, err := target(id)
	if err != nil {
		return "", err
	}
	return words(room, verb, who, strconv.Itoa(n))
}

func pin(digits, room string, args ...string) (string, error) {
	if !keypad(digits) {
		return "", fmt.Errorf("%w: a PIN that no phone can send", esl.ErrArgument)
	}
	return words(room, args...)
}

// keypad says whether s is made of what the switch collects as digits. '#' ends
// a PIN there.
func keypad(s string) bool { return s != "" && len(s) < 80 && strings.Trim(s, "0123456789*ABCD") == "" }

func target(id MemberID) (string, error) {
	if id == Everyone {
		return "all", nil
	}
	return one(id)
}

func one(id MemberID) (string, error) {
	if id <= 0 || id > 1<<32-1 {
		return "", fmt.Errorf("%w: member %d", esl.ErrArgument, id)
	}
	return strconv.Itoa(int(id)), nil
}

// words joins a room and its arguments as words for the switch's splitter.
func words(room string, args ...string) (string, error) {
	var b strings.Builder
	for i, w := range append([]string{room}, args...) {
		if w == "" || len(w) > maxWord || !esl.Literal(w) || strings.ContainsFunc(w, control) {
			return "", fmt.Errorf("%w: word %d, %.40q", esl.ErrArgument, i+1, w)
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(quote(w))
	}
	return b.String(), nil
}

const maxWord = 2048

func control(r rune) bool { return r < ' ' || r == 0x7f }

// quote writes one word. A "^^" at the very beginning would choose another
// separator than the blank.
func quote(w string) string {
	if !strings.ContainsAny(w, ` '\`) && !strings.HasPrefix(w, "^^") {
		return w
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(w) + "'"
}
