package importer

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/engine"
)

func TestConfBridgeReportAndYAML(t *testing.T) {
	r, err := ConfBridge("confbridge.conf", []byte(testdata(t, "confbridge.conf")))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "confbridge.yaml", string(r.YAML()))
	same(t, "confbridge.report", report(r))
	for _, secret := range []string{"0123 ", "9876", "555"} {
		if strings.Contains(report(r), secret) {
			t.Errorf("the report has %s in it", secret)
		}
	}
}

func TestConfBridgeComesBackFromTheLoader(t *testing.T) {
	r, err := ConfBridge("confbridge.conf", []byte(testdata(t, "confbridge.conf")))
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, r)
	p := profileOf(t, c, "default_bridge")
	for what, ok := range map[string]bool{
		"seats":          p.MaxParticipants == 20 && p.ReserveModeratorSeats == 100_000 && p.LockExempts == engine.ExemptModerators,
		"member PIN":     len(p.Member.PINs) == 1 && p.Member.PINs[0].Matches(engine.NewPIN("0123")),
		"moderator PIN":  len(p.Moderator.PINs) == 1 && p.Moderator.PINs[0].Matches(engine.NewPIN("9876")),
		"refusals":       p.OnFull == engine.RefusalHangup && p.OnPINFailure == engine.RefusalHangup && p.PINFailedSound == "" && p.PINAttempts == 3,
		"wait":           p.WaitForModerator && p.RewaitOnModeratorExit && p.WaitPrompt == "wait-for-moderator",
		"end":            p.Moderator.EndOnExit == engine.EndLast && p.Member.EndOnExit == engine.EndNever,
		"mute":           p.Member.JoinMuted && !p.Moderator.JoinMuted,
		"music":          p.MOHSound == "local_stream://jazz" && p.AloneSound == "",
		"count":          p.AnnounceCount == 6 && p.AnnounceCountTo == engine.ToAll,
		"language":       p.Language == "de-AT",
		"sounds":         p.EnterSound == "tone:join" && p.ExitSound == "file_string://custom/bye!custom/again" && p.MaxMembersSound == "/srv/sounds/locked",
		"quiet boss":     p.Moderator.EnterSound == "silence:1" && p.Member.EnterSound == "" && p.KickedSound == "kicked",
		"boss announced": p.Moderator.PlayEntryPrompt && !p.Member.PlayEntryPrompt,
		"by PIN":         p.JoinAs == engine.RoleUnset,
		"no keys":        p.Member.Controls.Name == "none" && p.Moderator.Controls.Name == "none",
	} {
		if !ok {
			t.Errorf("%s: %+v", what, p)
		}
	}
	if p := profileOf(t, c, "boss"); p.EntryPrompt != "custom/welcome" || p.JoinAs != engine.RoleModerator || p.KickedSound != "" || p.WaitPrompt != "" || !p.Member.JoinMuted {
		t.Errorf("boss: %+v", p)
	}
	if p := profileOf(t, c, "guest"); p.JoinAs != engine.RoleMember || !p.AnnounceName || p.WaitForModerator || p.MOHSound != "" || !p.Member.PINs[0].Matches(engine.NewPIN("555")) {
		t.Errorf("guest: %+v", p)
	}
	if p := profileOf(t, c, "small.clerk"); p.MaxParticipants != 3 || p.EntryTone != "" || p.LockedNowSound != "" || p.JoinAs != engine.RoleModerator || !p.Moderator.PINs[0].Matches(p.Member.PINs[0]) {
		t.Errorf("small.clerk: %+v", p)
	}
	i := slices.IndexFunc(c.Controls, func(m engine.Controls) bool { return m.Name == "keys" })
	want := []engine.Control{
		{Digits: "*1", Action: engine.ActionMute},
		{Digits: "#1", Action: engine.ActionMute},
		{Digits: "*4", Action: engine.ActionListenDown},
		{Digits: "*5", Action: engine.ActionTalkUp},
		{Digits: "*2", Action: engine.ActionLock},
	}
	if i < 0 || !slices.Equal(c.Controls[i].Keys, want) {
		t.Errorf("controls %+v", c.Controls)
	}
}

// TestConfBridgeItsOwnSample imports the sample of Asterisk itself, which is
// not part of this repository; the report was read by a person, line by line.
func TestConfBridgeItsOwnSample(t *testing.T) {
	data := sample(t, "asterisk-confbridge.conf")
	r, err := ConfBridge("confbridge.conf", data)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "confbridge-sample.report", report(r))
	c := load(t, r)
	i := slices.IndexFunc(c.Controls, func(m engine.Controls) bool { return m.Name == "sample_admin_menu" })
	if i < 0 || len(c.Controls[i].Keys) != 12 || c.Controls[i].Keys[2] != (engine.Control{Digits: "*2", Action: engine.ActionLock}) {
		t.Errorf("controls %+v", c.Controls)
	}
	if p := profileOf(t, c, "default_bridge"); p.MOHSound != "" || p.EntryTone != engine.DefaultEntryTone || p.NeedsPIN() {
		t.Errorf("default_bridge: %+v", p)
	}
	// The examples in its comments are options, too.
	loud := regexp.MustCompile(`(?m)^;([a-z_]+ ?= ?[^;\n<]*[^;\n< ])`).ReplaceAll(data, []byte("$1"))
	if r, err = ConfBridge("confbridge.conf", loud); err != nil || len(r.Lines) < 35 {
		t.Fatalf("%v, %d lines", err, len(r.Lines))
	}
	if p := profileOf(t, load(t, r), "default_bridge"); p.MaxParticipants != 50 || p.AnnounceCountTo != engine.ToAll || !p.Moderator.JoinMuted {
		t.Errorf("with its comments: %+v", p)
	}
}

// TestConfBridgeSmallCases: options of one bridge, or of default_user and an
// admin, their YAML or their report.
func TestConfBridgeSmallCases(t *testing.T) {
	for _, tt := range []struct{ name, bridge, user, admin, want string }{
		{"no limit", "max_members=0", "", "", "max_participants: 0"},
		{"a limit of letters", "max_members=x", "", "", "max_members: It is not a whole number; Parley's default stays. [lost]"},
		{"no language", "language=1x", "", "", "language: It is not a language"},
		{"silence is no music", "", "music_on_hold_class=jazz", "", "music_on_hold_class: It is only for music_on_hold_when_empty. [unneeded]"},
		{"music", "", "music_on_hold_when_empty=1", "", "moh_sound: local_stream://moh"},
		{"music that is not there", "", "music_on_hold_when_empty=yes\nmusic_on_hold_class=x.mp3", "", "moh_sound: local_stream://moh"},
		{"the number for all", "", "announce_user_count_all=no", "", "0 differ, 0 unneeded, 0 lost"},
		{"the number for one", "", "announce_user_count=yes", "", "announce_count: 2"},
		{"quiet has no name", "", "quiet=yes\nannounce_join_leave=yes", "", "1 differ, 0 unneeded, 0 lost"},
		{"no announcements", "announcements=no", "", "", "play_exit_tone: false"},
		{"announcements", "announcements=yes", "", "", "0 differ, 0 unneeded, 0 lost"},
		{"any leader ends it", "", "end_marked_any=yes", "", "end_on_exit: any"},
		{"a leader ends nothing", "", "", "admin=yes\nmarked=yes\nend_marked=yes", "end_marked: A moderator waits for nobody and is sent out by nobody. [lost]"},
		{"only marked", "", "", "marked=yes", "marked: A moderator is marked and admin in one here. [differs]"},
		{"only admin", "", "", "admin=yes", "admin: A moderator is admin and marked in one here. [differs]"},
		{"only marked leads, too", "", "", "marked=yes", "join_as: moderator # line 9: marked"},
		{"one PIN for both", "", "pin=1", "admin=yes\npin=1", "user default_user has the same, which makes members where the call names no user."},
		{"both", "", "", "admin=yes\nmarked=yes", "0 differ, 0 unneeded, 0 lost"},
		{"an empty PIN is none", "", "pin=", "", "0 differ, 0 unneeded, 0 lost"},
		{"a default that is written", "", "timeout=0\ndenoise=no\ntext_messaging=no\nanswer_channel=yes\nhear_own_join_sound=yes", "", "0 differ, 0 unneeded, 0 lost"},
		{"not answered", "", "answer_channel=no", "", "Parley answers every call. [differs]"},
		{"a sound without a name", "sound_join=", "", "", "sound_join: Parley cannot play it"},
	} {
		r, err := ConfBridge("f.conf", []byte("[default_bridge]\ntype=bridge\n"+tt.bridge+"\n[default_user]\ntype=user\n"+tt.user+"\n[chief]\ntype=user\n"+tt.admin+"\n"))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if all := string(r.YAML()) + report(r); !strings.Contains(all, tt.want) {
			t.Errorf("%s: no %q in\n%s", tt.name, tt.want, all)
		}
		load(t, r)
	}
}

func TestConfBridgeMenus(t *testing.T) {
	r, err := ConfBridge("f.conf", []byte("[Default_Menu]\ntype=menu\n1=dialplan_exec(a(b),c,1),toggle_mute\n2 = leave_conference \n[none]\ntype=menu\n3=toggle_mute\ntemplate=x\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, r)
	want := []engine.Control{{Digits: "1", Action: engine.ActionMute}, {Digits: "2", Action: engine.ActionLeave}}
	if p := profileOf(t, c, "default_bridge"); !slices.Equal(p.Member.Controls.Keys, want) || !slices.Equal(p.Moderator.Controls.Keys, want) {
		t.Errorf("default_menu is for all: %+v", p)
	}
	got := report(r)
	for _, line := range []string{
		"f.conf:3: menu Default_Menu: 1 dialplan_exec(a(b),c,1): A key runs no dialplan; leave, and let the dialplan go on. [lost]\n",
		"f.conf:5: menu none: name: A call has these controls with parley_controls=controls-none. [differs]\n",
		"f.conf:8: menu none: template: It is only for the function CONFBRIDGE. [unneeded]\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no %s in\n%s", line, got)
		}
	}
}
