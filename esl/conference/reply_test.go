package conference

import (
	"errors"
	"testing"

	"parley/esl"
)

// The answers are FreeSWITCH 1.11.1's own.
func TestReplyTellsWhatWasRefused(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		refused  bool
		class    error
		text     string
	}{
		{name: "done", in: "+OK mute 18\n"},
		{name: "energy", in: "Energy 18 = 50\n"},
		{name: "a recording stopped", in: "Stopped recording file /tmp/weekly.wav\n+OK Stopped recording 0 files\n"},
		{name: "no room", in: "-ERR Conference two words not found\n", refused: true, class: ErrNoConference, text: "-ERR Conference two words not found"},
		{name: "no member", in: "-ERR Non-Existant ID 99999\n", refused: true, class: ErrNoMember, text: "-ERR Non-Existant ID 99999"},
		{
			name: "no member to play to", in: "-ERR Member: 1208185586 not found.\nplay <file_path> [async|<member_id> [nomux]]",
			refused: true, class: ErrNoMember, text: "-ERR Member: 1208185586 not found.",
		},
		{name: "no member to transfer", in: "-ERR No Member 9999 in conference plain.\n", refused: true, class: ErrNoMember, text: "-ERR No Member 9999 in conference plain."},
		{name: "no file", in: "-ERR (play) File: /x.wav not found.\n", refused: true, class: ErrNoFile, text: "-ERR (play) File: /x.wav not found."},
		{
			name: "no recording", in: "-ERR non-existant recording '/nope.wav'\n+OK Stopped recording 0 files\n",
			refused: true, class: ErrNoFile, text: "-ERR non-existant recording '/nope.wav'",
		},
		{
			name: "an error after a success", in: "+OK Pause recording file /nope.wav\n-ERR non-existant recording '/nope.wav'\n",
			refused: true, class: ErrNoFile, text: "-ERR non-existant recording '/nope.wav'",
		},
		{
			name: "a file that is recorded to", in: "-ERR file [/tmp/a.wav] is already being used for recording.\n",
			refused: true, class: ErrTaping, text: "-ERR file [/tmp/a.wav] is already being used for recording.",
		},
		{name: "no command", in: "-ERR Conference command 'bogus' not found.\n", refused: true, text: "-ERR Conference command 'bogus' not found."},
		{
			name: "its syntax", in: "mute <[member_id|all]|last|non_moderator> [<quiet>]",
			refused: true, text: "mute <[member_id|all]|last|non_moderator> [<quiet>]",
		},
		{name: "nothing", in: "-ERR no reply\n", refused: true, text: "-ERR no reply"},
		{name: "not even that", in: "", refused: true},
		{name: "no module", in: "-ERR conference Command not found!\n", refused: true, class: ErrNotLoaded, text: "-ERR conference Command not found!"},
	} {
		err := Reply(tc.in)
		refusal, refused := errors.AsType[*ReplyError](err)
		if refused != tc.refused || err != nil && (!errors.Is(err, tc.class) && tc.class != nil || refusal.Text != tc.text) {
			t.Errorf("%s: %v, want %v with %q", tc.name, err, tc.class, tc.text)
		}
		for _, other := range []error{ErrNoConference, ErrNoMember, ErrNoFile, ErrTaping, ErrNotLoaded} {
			if !errors.Is(other, tc.class) && errors.Is(err, other) {
				t.Errorf("%s: %v is also %v", tc.name, err, other)
			}
		}
	}
}

func TestAnswerTakesRefusalsOutOfErrors(t *testing.T) {
	err := Answer("", &esl.ReplyError{Command: "conference", Text: "-ERR Non-Existant ID 7"})
	if refusal, ok := errors.AsType[*ReplyError](err); !ok || !errors.Is(err, ErrNoMember) || refusal.Text != "-ERR Non-Existant ID 7" {
		t.Errorf("a member who is not there: %v", err)
	}
	if _, ok := errors.AsType[*esl.ReplyError](err); !ok {
		t.Errorf("esl's own error is lost: %v", err)
	}
	if err := Answer("", esl.ErrClosed); !errors.Is(err, esl.ErrClosed) {
		t.Errorf("no connection: %v", err)
	}
	if err := Answer("+OK mute 7\n", nil); err != nil {
		t.Errorf("done: %v", err)
	}
	if err := Answer("Stopped recording file a\n-ERR no\n", nil); err == nil {
		t.Error("an error in the second line is none")
	}
}
