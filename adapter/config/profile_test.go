package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// room loads a profile and a room, given as flow mappings without braces, and
// returns what a call to the room gets.
func room(t *testing.T, profile, own string) *engine.Profile {
	t.Helper()
	c := load(t, "parley.yaml", "profiles:\n- {name: p, "+profile+"}\nrooms:\n- {name: r, profile: p, "+own+"}\n")
	p, configured, known := c.Directory().Lookup("r", "")
	if !configured || !known {
		t.Fatal("the room is not in the directory")
	}
	return p
}

func TestEverySettingOfAProfileArrives(t *testing.T) {
	for _, tt := range []struct {
		text string
		want func(p *engine.Profile)
	}{
		{"mixer: native", func(*engine.Profile) {}},
		{"codecs: [g722, pcma]", func(p *engine.Profile) { p.Codecs = []string{"G722", "PCMA"} }},
		{"codecs: []", func(*engine.Profile) {}},
		{"max_rate: 16000", func(p *engine.Profile) { p.MaxRate = 16000 }},
		{"record: on_moderator, record_min_members: 2", func(p *engine.Profile) { p.Record, p.RecordMin = engine.RecordOnModerator, 2 }},
		{"record-conference: yes", func(p *engine.Profile) { p.Record = engine.RecordFromStart }},
		{"record: do-not-record, record_sound: true", func(p *engine.Profile) { p.RecordSound = "tone:beep" }},
		{"record_file: 'a/${strftime(%F)}.wav', record_rate: 16000", func(p *engine.Profile) { p.RecordFile, p.RecordRate = "a/${strftime(%F)}.wav", 16000 }},
		{"language: pt-BR", func(p *engine.Profile) { p.Language = "pt-BR" }},
		{"join_as: moderator", func(p *engine.Profile) { p.JoinAs = engine.RoleModerator }},
		{"create: running_only", func(p *engine.Profile) { p.Create = engine.CreateRunning }},
		{"max_participants: 2", func(p *engine.Profile) { p.MaxParticipants = 2 }},
		{"max-members: 100000", func(p *engine.Profile) { p.MaxParticipants = 100000 }},
		{"reserve_moderator_seats: 0", func(p *engine.Profile) { p.ReserveModeratorSeats = 0 }},
		{"lock_exempts: nobody", func(p *engine.Profile) { p.LockExempts = engine.ExemptNobody }},
		{"on_full: hangup", func(p *engine.Profile) { p.OnFull = engine.RefusalHangup }},
		{"wait_for_moderator: yes, wait_timeout_s: 1, on_wait_timeout: open", func(p *engine.Profile) {
			p.WaitForModerator, p.WaitTimeout, p.OnWaitTimeout = true, time.Second, engine.WaitOpen
		}},
		{"require_moderator: true, wait_timeout_s: 1, on_wait_timeout: open", func(p *engine.Profile) {
			p.RequireModerator, p.WaitTimeout, p.OnWaitTimeout = true, time.Second, engine.WaitOpen
		}},
		{"rewait_on_moderator_exit: on", func(p *engine.Profile) { p.RewaitOnModeratorExit = true }},
		{"moderator_grace_s: 1.5", func(p *engine.Profile) { p.ModeratorGrace = 1500 * time.Millisecond }},
		{"wait_timeout_s: 100000", func(p *engine.Profile) { p.WaitTimeout = 100000 * time.Second }},
		{"on_wait_timeout: open", func(p *engine.Profile) { p.OnWaitTimeout = engine.WaitOpen }},
		{"end_grace_s: 0.001", func(p *engine.Profile) { p.EndGrace = time.Millisecond }},
		{"pin_attempts: 1", func(p *engine.Profile) { p.PINAttempts = 1 }},
		{"pin_timeout_s: 2", func(p *engine.Profile) { p.PINTimeout = 2 * time.Second }},
		{"pin_terminator: '*#'", func(p *engine.Profile) { p.PINTerminator = "*#" }},
		{"pin_terminator: none", func(p *engine.Profile) { p.PINTerminator = "" }},
		{"on_pin_failure: hangup", func(p *engine.Profile) { p.OnPINFailure = engine.RefusalHangup }},
		{"announce_count: 3", func(p *engine.Profile) { p.AnnounceCount = 3 }},
		{"announce_count_to: all", func(p *engine.Profile) { p.AnnounceCountTo = engine.ToAll }},
		{"play-name: true", func(p *engine.Profile) { p.AnnounceName = true }},
		{"play_entry_tone: false", func(p *engine.Profile) { p.EntryTone = "" }},
		{"play_entry_tone: none", func(p *engine.Profile) { p.EntryTone = "" }},
		{"play_entry_tone: true", func(*engine.Profile) {}},
		{"play_exit_tone: 'tone_stream://%(1,0,2)'", func(p *engine.Profile) { p.ExitTone = "tone_stream://%(1,0,2)" }},
		{"enter_sound: bing.wav", func(p *engine.Profile) { p.EnterSound = "bing.wav" }},
		{"exit_sound: none", func(p *engine.Profile) { p.ExitSound = noSound }},
		{"wait_sound: false", func(p *engine.Profile) { p.WaitSound = noMusic }},
		{"wait_sound: default", func(*engine.Profile) {}},
		{"welcome_sound: true", func(p *engine.Profile) { p.WelcomeSound = "welcome" }},
		{"alone-sound: none", func(p *engine.Profile) { p.AloneSound = "" }},
		{"alone-sound: true", func(*engine.Profile) {}},
		{"max-members-sound: '${x}.wav'", func(p *engine.Profile) { p.MaxMembersSound = "${x}.wav" }},
		{"is-locked-sound: a", func(p *engine.Profile) { p.LockedNowSound = "a" }},
		{"join_muted: true", func(p *engine.Profile) { p.Member.JoinMuted, p.Moderator.JoinMuted = true, true }},
		{"join_deaf: true, moderator: {join_deaf: false}", func(p *engine.Profile) { p.Member.JoinDeaf = true }},
		{"moderator: {join_deaf: false}, join_deaf: true", func(p *engine.Profile) { p.Member.JoinDeaf = true }},
		{"moderator: {enter_sound: m}, enter_sound: a", func(p *engine.Profile) { p.EnterSound, p.Moderator.EnterSound = "a", "m" }},
		{"caller_controls: moderator, controls: none", func(p *engine.Profile) {
			p.Member.Controls = p.Moderator.Controls
			p.Moderator.Controls = engine.Controls{Name: "none"}
		}},
		{"moderator: {play_entry_prompt: true}", func(p *engine.Profile) { p.Moderator.PlayEntryPrompt = true }},
		{"terminator: '#'", func(p *engine.Profile) { p.Member.Terminator, p.Moderator.Terminator = "#", "#" }},
		{"member: {terminator: '*9'}", func(p *engine.Profile) { p.Member.Terminator = "*9" }},
		{"end_on_exit: last", func(p *engine.Profile) { p.Moderator.EndOnExit = engine.EndLast }},
		{"member: {end_on_exit: true}", func(p *engine.Profile) { p.Member.EndOnExit = engine.EndAny }},
		{"end_on_exit: any, moderator: {end_on_exit: never}", func(*engine.Profile) {}},
		{"caller-controls: moderator", func(p *engine.Profile) { p.Member.Controls = p.Moderator.Controls }},
		{"moderator_controls: none", func(p *engine.Profile) { p.Moderator.Controls = engine.Controls{Name: "none"} }},
		{"controls: none, moderator: {controls: default}", func(p *engine.Profile) {
			p.Moderator.Controls = p.Member.Controls
			p.Member.Controls = engine.Controls{Name: "none"}
		}},
		{"member: {controls: [{digits: '0', action: mute_on}, {digits: '1', action: vol talk dn}]}", func(p *engine.Profile) {
			p.Member.Controls = engine.Controls{Name: "inline", Keys: []engine.Control{{Digits: "0", Action: engine.ActionMuteOn}, {Digits: "1", Action: engine.ActionTalkDown}}}
		}},
		{"member: {pins: [0123, '9', {pin: 00, label: Ann}]}", func(p *engine.Profile) {
			p.Member.PINs = []engine.PIN{engine.NewPIN("0123"), engine.NewPIN("9"), engine.NewPIN("00")}
		}},
		{"member: {pins: []}", func(*engine.Profile) {}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			want := engine.DefaultProfile()
			want.Name = "p"
			tt.want(&want)
			if got := room(t, tt.text, "title: x"); !reflect.DeepEqual(*got, want) {
				t.Errorf("as a profile: %+v", *got)
			}
			if got := room(t, "language: en", tt.text); !reflect.DeepEqual(*got, want) {
				t.Errorf("as a room: %+v", *got)
			}
		})
	}
}

// TestRoomBeforeRoleBeforeProfile: room > role section of profile > profile.
func TestRoomBeforeRoleBeforeProfile(t *testing.T) {
	profile := "enter_sound: a, join_muted: true, terminator: '1', end_on_exit: any, controls: none, " +
		"member: {pins: [1]}, moderator: {enter_sound: b, join_muted: false, end_on_exit: last, controls: moderator, pins: [2]}"
	p := room(t, profile, "title: x")
	if p.EnterSound != "a" || p.Member.EnterSound != "" || p.Moderator.EnterSound != "b" || !p.Member.JoinMuted ||
		p.Moderator.JoinMuted || p.Moderator.EndOnExit != engine.EndLast || p.Member.Controls.Name != "none" || p.Moderator.Controls.Name != "moderator" {
		t.Errorf("role over profile: %+v", p)
	}
	p = room(t, profile, "enter_sound: c, join_muted: true, end_on_exit: never, controls: default, moderator: {terminator: none}")
	if p.EnterSound != "c" || p.Moderator.EnterSound != "" || !p.Moderator.JoinMuted || p.Moderator.EndOnExit != engine.EndNever ||
		p.Member.Controls.Name != "default" || p.Moderator.Controls.Name != "default" || p.Member.Terminator != "1" || p.Moderator.Terminator != "" {
		t.Errorf("room over role: %+v", p)
	}
	if !slices.Equal(p.Member.PINs, []engine.PIN{engine.NewPIN("1")}) {
		t.Error("the room lost the PINs of its profile")
	}
}

func TestARoomChangesNoProfile(t *testing.T) {
	c := load(t, "parley.yaml", "rooms:\n- {name: r, max_participants: 2, moderator: {pins: [1]}}\n- {name: R}\n")
	d := c.Directory()
	p, _, _ := d.Lookup("r", "")
	if p.MaxParticipants != 2 || p == d.Profiles["default"] {
		t.Error("the room's own settings are lost")
	}
	for _, name := range []engine.RoomName{"R", "other"} {
		if p, configured, _ := d.Lookup(name, ""); !reflect.DeepEqual(*p, engine.DefaultProfile()) || configured != (name == "R") {
			t.Errorf("room %s is configured %v, with %+v", name, configured, p)
		}
	}
}

func TestARoomsSettingsGoOverTheProfileTheCallNames(t *testing.T) {
	c := load(t, "parley.yaml", "profiles: [{name: gold, max_participants: 9, pin_attempts: 7}]\nrooms: [{name: r, max_participants: 2}]")
	p, _, known := c.Directory().Lookup("r", "gold")
	if !known || p.Name != "gold" || p.MaxParticipants != 2 || p.PINAttempts != 7 {
		t.Errorf("known %v, %+v", known, p)
	}
}

func TestTheDefaultsOfTheProfilesFollowTheFile(t *testing.T) {
	c := load(t, "parley.yaml", "language: de\nprofiles: [{name: fr, language: fr}, {name: x}]\ncontrols: [{name: default, keys: [{digits: '1', action: mute}]}]\n")
	d := c.Directory()
	for name, want := range map[string]string{"default": "de", "x": "de", "fr": "fr"} {
		if p := d.Profiles[name]; p.Language != want || len(p.Member.Controls.Keys) != 1 || len(p.Moderator.Controls.Keys) < 10 {
			t.Errorf("profile %s: %+v", name, p)
		}
	}
}

// TestNoFieldIsLeftOut changes every field of a profile through its key and
// sees that engine.Profile has no field without one.
func TestNoFieldIsLeftOut(t *testing.T) {
	var from, to engine.Profile
	fill(reflect.ValueOf(&from).Elem())
	source := profileFields(&from)
	for i, f := range profileFields(&to) {
		f.take(source[i].value)
	}
	from.Name = ""
	if !reflect.DeepEqual(from, to) {
		t.Errorf("not all of\n%+v\ncame over:\n%+v", from, to)
	}
}

// fill gives every field of a struct another value than zero.
func fill(v reflect.Value) {
	for _, field := range v.Fields() {
		switch f := field; f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int, reflect.Int64:
			f.SetInt(5)
		case reflect.Uint8:
			f.SetUint(2)
		case reflect.Struct:
			fill(f)
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		default:
			panic("a field of kind " + f.Kind().String())
		}
	}
}

func TestSoundsAreListedWithTheirOwner(t *testing.T) {
	c := load(t, "parley.yaml", "profiles: [{name: p, language: de, wait_sound: w.wav, moderator: {enter_sound: e.wav}}, {name: n, moh_sound: n.wav}, "+
		"{name: q, moh_sound: q.wav, mixer: switch, conference_profile: b}]\n"+
		"rooms: [{name: r, profile: p, moh_sound: m.wav, mixer: switch}, {name: s}, {name: u, profile: n, wait_sound: u.wav}, "+
		"{name: v, profile: q, conference_profile: a}, {name: x, profile: q, wait_sound: x.wav, mixer: native}]")
	var own []string
	for _, s := range c.Sounds() {
		if strings.HasSuffix(s.Spec, ".wav") {
			own = append(own, fmt.Sprint(s.Place(), " ", s.Key, " ", s.Language, " ", s.Spec, " ", s.Conferences))
		}
	}
	want := []string{
		"parley.yaml:1: profile p wait_sound de w.wav [parley]",
		"parley.yaml:1: profile p moderator.enter_sound de e.wav [parley]",
		"parley.yaml:1: profile n moh_sound en n.wav []",
		"parley.yaml:1: profile q moh_sound en q.wav [a b]",
		"parley.yaml:2: room r moh_sound de m.wav [parley]",
		"parley.yaml:2: room u wait_sound en u.wav []",
		"parley.yaml:2: room x wait_sound en x.wav []",
	}
	if !slices.Equal(own, want) {
		t.Errorf("got %s", strings.Join(own, "\n"))
	}
}
