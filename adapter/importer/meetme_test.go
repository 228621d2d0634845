package importer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

func TestMeetMe(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		good          func(p *engine.Profile) bool
		lines         string
	}{
		{"none", "", func(p *engine.Profile) bool {
			return p.Create == engine.CreateExisting && p.MOHSound == "" && p.Member.Controls.Name == "none" && p.EntryTone != ""
		}, ""},
		{"opened by anybody, quiet", "dq", func(p *engine.Profile) bool {
			return p.Create == engine.CreateOnDemand && p.EntryTone == "" && p.ExitTone == ""
		}, ""},
		{"muted, count", "mc1", func(p *engine.Profile) bool {
			return p.Member.JoinMuted && p.Moderator.JoinMuted && p.AnnounceCount == 2 && p.AloneSound == ""
		}, "options: c: The joiner is in the number. [differs]\n"},
		{"wait", "w(90)x", func(p *engine.Profile) bool {
			return p.WaitForModerator && p.RewaitOnModeratorExit && p.WaitTimeout == 90*time.Second && p.OnWaitTimeout == engine.WaitContinue &&
				p.Moderator.EndOnExit == engine.EndLast && p.Member.EndOnExit == engine.EndNever
		}, ""},
		{"wait for ever", "w", func(p *engine.Profile) bool { return p.WaitForModerator && p.WaitTimeout == 0 }, ""},
		{
			"wait for nothing", "w(soon)", func(p *engine.Profile) bool { return p.WaitForModerator && p.WaitTimeout == 0 },
			"options: w: Its time is not a whole number of seconds up to 100000; there is no limit here. [lost]\n",
		},
		{"leave", "p", func(p *engine.Profile) bool { return p.Member.Terminator == "#" && p.Moderator.Terminator == "#" }, ""},
		{"leave by several", "p(*1)", func(p *engine.Profile) bool { return p.Member.Terminator == "*" }, "options: p: One key leaves here, *. [differs]\n"},
		{"leave by a letter", "p(x)", func(p *engine.Profile) bool { return p.Member.Terminator == "" }, "options: p: A key that leaves must be one of 0-9 * #. [lost]\n"},
		{"music", "M", func(p *engine.Profile) bool { return p.MOHSound == "local_stream://moh" }, ""},
		{
			"music of a class", "M(jazz)", func(p *engine.Profile) bool { return p.MOHSound == "local_stream://jazz" },
			"options: M: Parley looks for that WAV file in the folder music of sounds_dir; put it there. [differs]\n",
		},
		{
			"intro", "G(beep)", func(p *engine.Profile) bool { return p.EntryPrompt == "tone:beep" && p.Member.PlayEntryPrompt },
			"options: G: Parley's own tone:beep is played, not the recording. [differs]\n",
		},
		{"names", "I", func(p *engine.Profile) bool { return p.AnnounceName }, ""},
		{"menu", "s", func(p *engine.Profile) bool {
			return len(p.Member.Controls.Keys) == 5 && len(p.Moderator.Controls.Keys) == 6 && p.Moderator.Controls.Keys[5].Action == engine.ActionLock
		}, "options: s: The menu behind * is keys that begin with *: no voice reads it out, and of those of admins there is *2 alone. [differs]\n"},
		{"the last one counts", "M(a)M", func(p *engine.Profile) bool { return p.MOHSound == "local_stream://moh" }, ""},
		{
			"lost", "aS(60)Z", func(p *engine.Profile) bool { return p.Name == "meetme" },
			"options: a: A profile does not make everybody a moderator; set parley_role in the dialplan, or use the admin PIN. [lost]\n" +
				"options: S: A stay has no limit of time. [lost]\noptions: Z: MeetMe does not know it either. [unneeded]\n",
		},
	} {
		r, err := MeetMe("", nil, tt.options)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if p := profileOf(t, load(t, r), "meetme"); !tt.good(p) {
			t.Errorf("%s: %+v", tt.name, p)
		}
		if got, _, _ := strings.Cut(report(r), "0 menus"); got != tt.lines {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.lines)
		}
	}
	for options, want := range map[string]string{
		"c)":                      `options: ")" is no option of MeetMe`,
		"w(5":                     "options: option w has a ( without a )",
		"c\n":                     "options: they must be one line of at most 4096 bytes",
		"é":                       `options: "é" is no option of MeetMe`,
		strings.Repeat("c", 4097): "options: they must be one line of at most 4096 bytes",
	} {
		if _, err := MeetMe("", nil, options); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, want %s", options, err, want)
		}
	}
}

func TestMeetMeRooms(t *testing.T) {
	r, err := MeetMe("meetme.conf", []byte(testdata(t, "meetme.conf")), "d")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "meetme.report", report(r))
	d := load(t, r).Directory()
	pins := func(room string) string {
		p, configured, _ := d.Lookup(engine.RoomName(room), "")
		if !configured || p.Name != "meetme" {
			t.Errorf("room %s: %t, profile %s", room, configured, p.Name)
		}
		var has []string
		for _, pin := range []string{"9938", "12", "34", "77", "5", "1"} {
			if slices.Contains(p.Member.PINs, engine.NewPIN(pin)) {
				has = append(has, pin)
			}
			if slices.Contains(p.Moderator.PINs, engine.NewPIN(pin)) {
				has = append(has, "admin "+pin)
			}
		}
		return strings.Join(has, ",")
	}
	for room, want := range map[string]string{"1234": "", "2345": "9938", "3456": "12,admin 34", "40": "admin 77", "41": "5"} {
		if got := pins(room); got != want {
			t.Errorf("room %s: PINs %s, want %s", room, got, want)
		}
	}
	if _, err := MeetMe("meetme.conf", []byte("[rooms]\nconf => 7,12a"), ""); err == nil ||
		err.Error() != "meetme.conf:2: room 7: a PIN must be 1 to 16 digits; change it there first" {
		t.Errorf("a PIN of letters: %v", err)
	}
}
