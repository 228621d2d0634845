package engine

import (
	"strings"
	"testing"
	"testing/synctest"
)

// FuzzVariables: whatever a dialplan sets, a call is read without a panic and
// with one line of warnings.
func FuzzVariables(f *testing.F) {
	for _, seed := range []string{"muted=true", "flags=moderator|mute", "beep=loud", "max_participants=0x10", "zzz=\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		vars := map[string]string{}
		for line := range strings.SplitSeq(s, "&") {
			k, v, _ := strings.Cut(line, "=")
			vars[k] = v
		}
		q := readVariables(vars)
		whole(t, "warnings", joinWarnings(q.warnings), maxJoined+maxQuoted)
		p := DefaultProfile()
		for _, set := range q.room {
			set.apply(&p)
		}
		if p.MaxParticipants < 0 || p.MaxParticipants > MaxCount {
			t.Errorf("max_participants %d", p.MaxParticipants)
		}
	})
}

// FuzzDigits: whatever keys are pressed and whenever a call hangs up, rooms
// keep their books and end empty.
func FuzzDigits(f *testing.F) {
	for _, seed := range []string{"a1234#", "a98765b1234#a*1*5-b", "a#a#a#", "a1234#a*8b98765b*#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if len(script) > 200 {
			return
		}
		bubble(t, func(p *Profile) { pins(p); p.WaitForModerator = true; p.MaxParticipants = 2 },
			func(t *testing.T, th *theatre) { play(th, script) })
	})
}

// play runs a script: a letter calls, or names the phone that later keys are
// pressed on; a minus hangs it up.
func play(th *theatre, script string) {
	phones := map[byte]*phone{}
	var p *phone
	for i := range len(script) {
		switch c := script[i]; {
		case c >= 'a' && c <= 'e':
			if p = phones[c]; p == nil {
				p = th.call(string(c), "1", nil)
				phones[c] = p
			}
		case p == nil:
		case c == '-':
			p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
		default:
			p.sink.Post(Digit{Leg: p.id, Digit: c})
		}
		synctest.Wait()
	}
}
