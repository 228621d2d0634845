package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"
	"unicode/utf8"
)

func TestShown(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"nothing", "", 8, ""},
		{"plain text", "Zoë 你", 40, "Zoë 你"},
		{"as long as may be", "12345678", 8, "12345678"},
		{"longer", "123456789", 8, "12345678…"},
		{"cut in a character", "1234567ë", 8, "1234567…"},
		{"cut in a longer character", "12345😀", 8, "12345…"},
		{"cut in bytes that are no characters", "1234\xff\xff\xff\xff\xff\xff", 8, "1234\uFFFD…"},
		{"line breaks", "a\r\nb\u2028c\u2029d\u0085e", 40, "a  b c d e"},
		{"terminal sequences", "\x1b[2J\u009b31m\x00\x7f", 40, " [2J 31m  "},
		{"writing from the right", "a\u202eb\u2066c", 40, "a b c"},
		{"no UTF-8", "a\xe9b", 40, "a\uFFFDb"},
	} {
		t.Run(tt.name, func(t *testing.T) { want(t, "text", shown(tt.in, tt.limit), tt.want) })
	}
}

// whole reports what must not be in a line of text.
func whole(t *testing.T, what, text string, limit int) {
	t.Helper()
	if len(text) > limit+len("…") || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("%s of %d bytes: %.200q", what, len(text), text)
	}
}

func FuzzShown(f *testing.F) {
	f.Add("a\r\nb\u2028", 3)
	f.Add("\xff\xf0\x9f", 2)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(0, limit%300)
		got := shown(s, limit)
		if n := 3 * (limit + len("…")); len(got) > n { // a byte that is no UTF-8 becomes three
			t.Errorf("%d bytes of %d", len(got), n)
		}
		whole(t, "text", got, len(got))
	})
}

// What a call says about itself may be as long and as wild as it likes: lists,
// events and results stay short and on one line.
func TestWildCallersAreShownTame(t *testing.T) {
	wild := "x\r\nERROR forged=\"line\" \x1b[31m\u009b\u202e" + strings.Repeat("é", 5000)
	vars := map[string]string{"flags": strings.Repeat("nonsense|", 5000), "role": wild, "max_participants": wild, "profile": wild}
	for i := range 500 {
		vars[fmt.Sprint("unknown", i, wild)] = wild
	}
	for _, room := range []string{"1", wild} {
		bubble(t, nil, func(t *testing.T, th *theatre) {
			p := newPhone("wild")
			th.arrive(p, Invite{
				Room: room, Switch: wild, Kind: "sip", Source: wild, Caller: Caller{wild, wild}, Variables: vars,
				Warnings: []string{wild}, Dialplan: true,
			})
			synctest.Wait()
			if v, err := th.Room(t.Context(), "1"); err == nil {
				m := v.Members[0]
				for _, s := range []string{m.Number, m.Name, m.Switch} {
					whole(t, "member", s, maxShown)
				}
			}
			p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
			synctest.Wait()
			for _, e := range th.events {
				for _, s := range []string{string(e.Room), e.Invite.Caller.Number, e.Invite.Caller.Name, e.Invite.Switch, e.Invite.Source} {
					whole(t, "event", s, maxShown)
				}
				if n := len(e.Outcome.Warnings); n > 2*maxWarnings {
					t.Errorf("%d warnings", n)
				}
				for _, w := range e.Outcome.Warnings {
					whole(t, "warning", w, maxWarning)
				}
			}
			for _, v := range outcome(t, p).Variables() {
				whole(t, v.Name, v.Value, maxJoined)
			}
		})
	}
}

// TestNoDetailNamesOurPackages: who reads it sees what is wrong, and not where.
func TestNoDetailNamesOurPackages(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: 2 bytes", ErrBadCommand), "2 bytes"},
		{fmt.Errorf("%w: %w", ErrCannot, errors.New("rtp: no keys")), "no keys"},
		{fmt.Errorf("%w: sip:a@b: want sip:USER@HOST", ErrNoRoute), "no way to that address: sip:a@b: want sip:USER@HOST"},
		{fmt.Errorf("%w: recording: the file is being written: a.wav", ErrInUse), "that id is in use: the file is being written: a.wav"},
		{ErrTooManyDials, "the room makes too many calls"},
		{errors.New("engine: odd\nthing"), "odd thing"},
	} {
		want(t, "detail", Detail(tt.err), tt.want)
	}
}
