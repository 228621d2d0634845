package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// written is a configuration whose lines a test knows.
func written(edit func(*Profile)) *Directory {
	d := NewDirectory()
	p := d.Profiles["default"]
	p.MaxParticipants = 20
	if edit != nil {
		edit(p)
	}
	gold := *p
	gold.Name = "gold"
	d.Profiles["gold"] = &gold
	d.Settings = func(_ RoomName, profile string) []Setting {
		p := d.Profiles[profile]
		return []Setting{
			{Name: "profile", Value: "default", Source: BuiltIn},
			{Name: "mixer", Value: string(p.Mixer), Source: "p.yaml:2"},
			{Name: "max_participants", Value: fmt.Sprint(p.MaxParticipants), Source: "p.yaml:3"},
			{Name: "wait_timeout_s", Value: "0", Source: BuiltIn},
			{Name: "member.join_muted", Value: fmt.Sprint(p.Member.JoinMuted), Source: "p.yaml:5"},
			{Name: "member.terminator", Value: "none", Source: BuiltIn},
			{Name: "moderator.join_muted", Value: fmt.Sprint(p.Moderator.JoinMuted), Source: BuiltIn},
		}
	}
	return d
}

// about is what an explanation says of one name.
func about(e Explanation, name string) string {
	var all []string
	for _, s := range e.Settings {
		if s.Name == name {
			text := s.Value + " | " + s.Source
			if s.Lost != "" {
				text += " | " + s.Lost
			}
			all = append(all, text)
		}
	}
	return strings.Join(all, "\n")
}

func stagePlay(t *testing.T, d *Directory, test func(*testing.T, *theatre)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		th := newTheatre(t, d)
		test(t, th)
		if err := th.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// explained asks for a call that must be known.
func (th *theatre) explained(t *testing.T, leg string) Explanation {
	t.Helper()
	synctest.Wait()
	e, err := th.ExplainCall(t.Context(), LegID(leg))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestACallIsExplained looks at one name at a time, for the call that opens the
// room.
func TestACallIsExplained(t *testing.T) {
	for _, tt := range []struct {
		name    string
		edit    func(*Profile)
		vars    map[string]string
		origins map[string]string
		press   string
		about   string
		want    string
	}{
		{"room", nil, map[string]string{"room": "1"}, nil, "", "room", "1 | variable parley_room"},
		{"a dialled room", nil, nil, nil, "", "room", "1 | dialled"},
		{"no role", nil, nil, nil, "", "role", "member | no PIN was given, and none is needed"},
		{"role by variable", pins, map[string]string{"role": "moderator"}, nil, "", "role", "moderator | variable parley_role"},
		{"role by PIN", pins, nil, nil, "98765", "role", "moderator | by PIN"},
		{"role by a PIN that came along", pins, map[string]string{"pin": "1234"}, nil, "", "role", "member | by PIN"},
		{"a PIN is not shown", pins, map[string]string{"pin": "1234"}, nil, "", "pin", "*** | variable parley_pin"},
		{"another PIN is not shown", nil, map[string]string{"member_pin": "55"}, nil, "55", "member_pin", "*** | variable parley_member_pin"},
		{
			"a PIN under another name is not shown", nil,
			map[string]string{"pn": "1234"},
			nil, "", "pn",
			"*** | variable parley_pn | unknown variable parley_pn, did you mean parley_pin?",
		},
		{"a gain", nil, map[string]string{"talk_gain_db": "6"}, nil, "", "talk_gain_db", "6 | variable parley_talk_gain_db"},
		{
			"a menu", nil,
			map[string]string{"controls": "none"},
			map[string]string{"controls": "conference_controls"},
			"", "member.controls",
			"none | from conference_controls",
		},
		{"role is open", pins, nil, nil, "", "role", "unset | not settled: the PIN decides it"},
		{
			"role by the switch's own variable", pins,
			map[string]string{"flags": "mute|moderator"},
			map[string]string{"flags": "conference_member_flags"},
			"", "role", "moderator | from conference_member_flags",
		},
		{
			"role by several", nil,
			map[string]string{"flags": "moderator"},
			map[string]string{"flags": "parley_conference, conference_member_flags, conference_member_flags_mute"},
			"", "role",
			"moderator | from parley_conference, conference_member_flags, conference_member_flags_mute",
		},
		{"muted by the role", nil, nil, nil, "", "muted", "false | member.join_muted, p.yaml:5"},
		{
			"muted by variable", nil,
			map[string]string{"muted": "true"},
			nil, "", "muted",
			"true | variable parley_muted\nfalse | member.join_muted, p.yaml:5 | overridden by variable parley_muted",
		},
		{
			"muted by a flag", nil,
			map[string]string{"flags": "mute|ghost"},
			map[string]string{"flags": "conference_member_flags"},
			"", "muted",
			"true | from conference_member_flags\nfalse | member.join_muted, p.yaml:5 | overridden by conference_member_flags",
		},
		{
			"a flag without effect", nil,
			map[string]string{"flags": "mute|ghost"},
			nil, "", "flags",
			"mute|ghost | variable parley_flags | parley_flags: flags without effect: ghost",
		},
		{"the other role is left out", nil, nil, nil, "", "moderator.join_muted", ""},
		{
			"unknown variable", nil,
			map[string]string{"mutted": "true"},
			nil, "", "mutted",
			"true | variable parley_mutted | unknown variable parley_mutted, did you mean parley_muted?",
		},
		{
			"bad value", nil,
			map[string]string{"muted": "loud"},
			nil, "", "muted",
			"false | member.join_muted, p.yaml:5\n" +
				"loud | variable parley_muted | parley_muted: bad value \"loud\", want true or false",
		},
		{
			"rule of the room by its opener", nil,
			map[string]string{"max_participants": "5"},
			nil, "", "max_participants",
			"5 | variable parley_max_participants of call a\n20 | p.yaml:3 | overridden by variable parley_max_participants of call a",
		},
		{
			"seconds have another key", nil,
			map[string]string{"wait_timeout": "60"},
			nil, "", "wait_timeout_s",
			"60 | variable parley_wait_timeout of call a",
		},
		{"setting of the role", nil, map[string]string{"terminator": "#"}, nil, "", "member.terminator", "# | variable parley_terminator"},
		{
			"setting of the role that is the same", nil,
			map[string]string{"end_on_exit": "false"},
			nil, "", "member.end_on_exit",
			"never | variable parley_end_on_exit",
		},
		{"what shows nowhere else", nil, map[string]string{"beep": "onEnter"}, nil, "", "beep", "onEnter | variable parley_beep"},
		{"another profile", nil, map[string]string{"profile": "gold"}, nil, "", "profile", "gold | variable parley_profile of call a"},
		{
			"a profile that is not there", nil,
			map[string]string{"profile": "glod"},
			nil, "", "profile",
			"default | built-in default\nglod | variable parley_profile of call a | unknown profile, using default",
		},
		{"muted by key", nil, nil, nil, "*1", "muted", "true | by key *1, 00:00:00\n" +
			"false | member.join_muted, p.yaml:5 | overridden by key *1, 00:00:00"},
		{"louder by key", nil, nil, nil, "*9", "talk_gain_db", "3 | by key *9, 00:00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stagePlay(t, written(tt.edit), func(t *testing.T, th *theatre) {
				p := newPhone("a")
				th.arrive(p, Invite{Room: "1", Variables: tt.vars, Origins: tt.origins})
				synctest.Wait()
				p.press(tt.press)
				want(t, tt.about, about(th.explained(t, "a"), tt.about), strings.ReplaceAll(tt.want, "00:00:00", time.Now().Format(time.TimeOnly)))
			})
		})
	}
}

// FuzzExplain has a dialplan set any two variables: there is one setting in
// force of each name, and no PIN is shown.
func FuzzExplain(f *testing.F) {
	f.Add("muted", "true", "flags", "mute|moderator|endconf")
	f.Add("pin", "secret-4711", "member_pin", "secret-1")
	f.Add("max_participants", "7", "mutted", "x")
	f.Add("profile", "glod", "controls", "nope")
	d := written(pins)
	f.Fuzz(func(t *testing.T, name, value, other, text string) {
		vars := map[string]string{name: value, other: text}
		q := readVariables(vars)
		for _, role := range []Role{RoleUnset, RoleMember, RoleModerator} {
			facts := callFacts{
				room: roomFacts{directory: d, name: "1", asked: vars["profile"], own: q.room, opener: "a"},
				role: role, invite: Invite{Room: "1"}, variables: keep(vars), opened: true,
			}
			if role != RoleUnset {
				facts.directory = d
			}
			seen := map[string]bool{}
			for _, s := range facts.explain().Settings {
				if s.Lost == "" && seen[s.Name] {
					t.Errorf("%s is in force twice", s.Name)
				}
				seen[s.Name] = seen[s.Name] || s.Lost == ""
				for _, secret := range secretVariables() {
					if s.Name == secret && s.Value != "***" && s.Lost == "" {
						t.Errorf("%s is shown: %s", secret, s.Value)
					}
				}
			}
		}
	})
}

// TestWhereARoomIsMixedIsExplained: as configured, with the switch's name; where
// its first caller is; and where it was moved to.
func TestWhereARoomIsMixedIsExplained(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mixer Mixer
		at    Place // audio of the first caller
		move  bool
		want  string
	}{
		{"native", MixerNative, Place{}, false, "native | p.yaml:2"},
		{"the switch of the first caller", MixerSwitch, pbx1, false, "switch pbx1 | p.yaml:2"},
		{"a live conference", MixerNative, pbx1, false, "switch pbx1 | where the call that opened the room is mixed\n" +
			"native | p.yaml:2 | overridden by where the call that opened the room is mixed"},
		{"taken over", MixerSwitch, pbx1, true, "native | by command, NOW\nswitch | p.yaml:2 | overridden by command, NOW"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stagePlay(t, written(func(p *Profile) { p.Mixer = tt.mixer }), func(t *testing.T, th *theatre) {
				th.dial("a", "1", tt.at, pbx1, nil)
				synctest.Wait()
				if tt.move {
					if _, err := th.Relocate(t.Context(), "1", Place{}); err != nil {
						t.Fatal(err)
					}
				}
				want(t, "mixer", about(th.explained(t, "a"), "mixer"), strings.ReplaceAll(tt.want, "NOW", time.Now().Format(time.TimeOnly)))
			})
		})
	}
}

// TestHowTheAudioCameIsExplained: as configured, otherwise and why, and not at
// all where there is no choice.
func TestHowTheAudioCameIsExplained(t *testing.T) {
	for _, tt := range []struct {
		name string
		used MediaPath
		why  string
		want string
	}{
		{"as configured", MediaRTP, "", "rtp | p.yaml:7"},
		{"another way", MediaAudioSocket, "media rtp cannot be had", "audiosocket | media rtp cannot be had\n" +
			"rtp | p.yaml:7 | overridden by media rtp cannot be had"},
		{"before there was a room", MediaAudioSocket, "", "audiosocket | chosen as the call arrived\n" +
			"rtp | p.yaml:7 | overridden by chosen as the call arrived"},
		{"no choice", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := written(nil)
			rest := d.Settings
			d.Settings = func(r RoomName, p string) []Setting {
				return append(rest(r, p), Setting{Name: "media", Value: "rtp", Source: "p.yaml:7"})
			}
			stagePlay(t, d, func(t *testing.T, th *theatre) {
				th.arrive(newPhone("a"), Invite{Room: "1", Media: tt.used, MediaWhy: tt.why})
				synctest.Wait()
				want(t, "media", about(th.explained(t, "a"), "media"), tt.want)
			})
		})
	}
}
