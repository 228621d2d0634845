package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestDiffSaysWhatAReloadChanges(t *testing.T) {
	const base = `
sip: {users: [{name: u, password: old-one}]}
auth: {tokens: [{name: t, token: 0123456789abcdef}]}
switches: [{name: s, kind: freeswitch, esl: "127.0.0.1:1", password: x}]
profiles: [{name: default, max_participants: 20, member: {pins: [1111]}}, {name: gone}]
rooms: [{name: r, title: A, max_participants: 3}, {name: q}]
`
	for _, tt := range []struct {
		name     string
		old, new string // replaced in base
		want     []string
	}{
		{"nothing", "20", "20", nil},
		{"the flows' line", "participants: 20", "participants: 2", []string{"profile default changed: max_participants 20→2"}},
		{"two keys", "max_participants: 20", "max_participants: 0, locked_sound: none, end_on_exit: last", []string{
			"profile default changed: max_participants 20→0, locked_sound conference-locked→none, moderator.end_on_exit never→last",
		}},
		{"a PIN, unseen", "[1111]", "[2222]", []string{"profile default changed: member.pins"}},
		{"a PIN more", "[1111]", "[1111, 3333]", []string{"profile default changed: member.pins [***]→[***, ***]"}},
		{"a password, unseen", "old-one", "new-one", []string{"user u changed: password; needs a restart"}},
		{"a token, unseen", "0123456789abcdef", "0123456789abcdeX", []string{"token t changed: token"}},
		{"profiles come and go", "name: gone", "name: new", []string{"profile new added", "profile gone removed"}},
		{"a room's own", "title: A, max_participants: 3", `title: "B C", profile: gone, pin_attempts: 1`, []string{
			"room r changed: title A→B C, profile default→gone, pin_attempts unset→1, max_participants 3→unset",
		}},
		{"a room's own for both roles", "title: A,", "title: A, controls: none, join_muted: true,", []string{
			"room r changed: join_muted unset→true, controls unset→none",
		}},
		{"rooms come and go", "name: q", "name: w", []string{"room w added", "room q removed"}},
		{"a switch", "127.0.0.1:1", "127.0.0.1:2", []string{"switch s changed: esl 127.0.0.1:1→127.0.0.1:2; needs a restart"}},
		{"switches come and go", "name: s", "name: z", []string{"switch z added; needs a restart", "switch s removed; needs a restart"}},
		{"settings", "sip: {", `tts_command: [a, b]
sounds_dir: /s
language: de
sip: {listen: "127.0.0.1:5080", trusted: "10.0.0.9,fd00::/8", codecs: [PCMA], `, []string{
			"setting changed: language en→de",
			`setting changed: sounds_dir ""→/s`,
			"setting changed: tts_command []→[a, b]",
			"setting changed: sip.listen 127.0.0.1:5070→127.0.0.1:5080; needs a restart",
			"setting changed: sip.trusted [127.0.0.0/8, ::1]→[10.0.0.9, fd00::/8]; needs a restart",
			"setting changed: sip.codecs [opus, G722, PCMU, PCMA, L16]→[PCMA]; needs a restart",
			"profile default changed: language en→de",
			"profile gone changed: language en→de",
		}},
		{"a menu", "switches:", "controls: [{name: default, keys: [{digits: '1', action: mute}]}, {name: m, keys: []}]\nswitches:", []string{
			"controls default changed: keys …→[{digits 1 action mute}]",
			"controls m added",
			"profile default changed: member.controls",
			"profile gone changed: member.controls",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := load(t, "parley.yaml", base)
			after := load(t, "parley.yaml", strings.Replace(base, tt.old, tt.new, 1))
			var got []string
			for _, c := range Diff(before, after) {
				got = append(got, c.String())
			}
			for i := range got { // the built-in menu is long
				if head, tail, ok := strings.Cut(got[i], "keys ["); ok {
					_, tail, _ = strings.Cut(tail, "→")
					got[i] = head + "keys …→" + tail
				}
			}
			compare(t, "changes", got, tt.want)
		})
	}
}

func TestDumpLoadsAgain(t *testing.T) {
	c := load(t, "parley.yaml", `
sounds_dir: "~"
tts_command: ["a b", "null", "#x"]
log: {level: debug}
controls: [{name: m, keys: [{digits: "#", action: leave}]}]
profiles:
- {name: p, member: {controls: m, terminator: "#", enter_sound: none}, wait_sound: none, enter_sound: "'x' \"y\": z", play_entry_tone: false, wait_timeout_s: 2.25}
rooms:
- {name: "010", title: "null", profile: p, controls: [{digits: "*", action: hangup}], end_on_exit: last, enter_sound: x}
`)
	again := load(t, "parley.yaml", c.Dump())
	if changes := Diff(c, again); len(changes) > 0 {
		t.Errorf("changes %v in\n%s", changes, c.Dump())
	}
	was, _, _ := c.Directory().Lookup("010", "")
	is, _, _ := again.Directory().Lookup("010", "")
	if !reflect.DeepEqual(was, is) {
		t.Errorf("the room is another one in\n%s", c.Dump())
	}
}

func TestSecretsAreNowhere(t *testing.T) {
	secrets := []string{"pa55word", "t0ken-t0ken-t0ken", "f1le-secret", "70707"}
	text := `
sip: {users: [{name: u, password: pa55word}, {name: v, password_file: s}]}
auth: {tokens: [{name: t, token: t0ken-t0ken-t0ken}]}
switches: [{name: s, kind: freeswitch, esl: "127.0.0.1:1", password: pa55word}]
profiles: [{name: default, member: {pins: ["70707", {pin: "707070", label: Ann}]}}]
rooms: [{name: r, moderator: {pins: [70707070]}, pin_terminator: none}]
`
	write(t, "s", "f1le-secret\n", "parley.yaml", text)
	c, warnings, err := Load(Source{})
	if err != nil || len(warnings) != 2 {
		t.Fatalf("warnings %v, error %v", warnings, err)
	}
	shown := []string{
		c.Dump(), fmt.Sprint(warnings), fmt.Sprint(Diff(Defaults(), c), Diff(c, Defaults())),
		fmt.Sprintf("%v %+v %s %q", c.SIP, c.Auth, c.Switches, c.SIP.Users), fmt.Sprintf("%#v", c.Auth), fmt.Sprintf("%v", c.Profiles),
	}
	for _, broken := range []string{"x: [*70707]\n", "rooms: [{name: r, member: {pins: [70707]}}]\n"} {
		write(t, "s", "f1le-secret\nmore", "parley.yaml", text+broken)
		_, _, err := Load(Source{})
		if err == nil {
			t.Fatal("no error")
		}
		shown = append(shown, err.Error())
	}
	for _, s := range shown {
		for _, secret := range secrets {
			if strings.Contains(s, secret) {
				t.Errorf("%s shows in:\n%s", secret, s)
			}
		}
	}
	if c.SIP.Users[1].Password.Reveal() != "f1le-secret" {
		t.Error("the password file was not read")
	}
}
