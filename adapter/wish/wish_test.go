package wish

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// pairs makes a map of names and values.
func pairs(list ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

type wishCase struct {
	name     string
	vars     map[string]string
	outgoing bool
	own      map[string]string
	origins  map[string]string
	warnings []string
}

func wishCases() []wishCase {
	eleven := "moderator|a1|a2|a3|a4|a5|a6|a7|a8|a9|mute"
	return []wishCase{
		{name: "nothing", vars: pairs("sip_from_user", "1001"), own: pairs()},
		{name: "parley's own", vars: pairs("parley_room", "3001", "parley_muted", "true"), own: pairs("room", "3001", "muted", "true")},
		{
			name: "the whole grammar", vars: pairs("parley_conference", "3001@wideband+1234+flags{mute|moderator,wait-mod}"),
			own: pairs("room", "3001", "profile", "wideband", "member_pin", "1234", "flags", "mute|moderator", "wait_for_moderator", "true"),
			origins: pairs("room", "parley_conference", "profile", "parley_conference", "member_pin", "parley_conference",
				"flags", "parley_conference", "wait_for_moderator", "parley_conference"),
		},
		{
			name: "a domain in the name", vars: pairs("parley_conference", "3001@pbx.example@default"),
			own:     pairs("room", "3001-pbx.example", "profile", "default"),
			origins: pairs("room", "parley_conference", "profile", "parley_conference"),
		},
		{
			name: "parley_room wins", vars: pairs("parley_conference", "3001+99", "parley_room", "3002"),
			own: pairs("room", "3002", "member_pin", "99"), origins: pairs("member_pin", "parley_conference"),
			warnings: []string{"parley_conference: parley_room wins"},
		},
		{
			name: "the same twice is no quarrel", vars: pairs("parley_conference", "3001", "parley_room", "3001"), own: pairs("room", "3001"),
		},
		{
			name: "an empty parley_ variable is none", vars: pairs("conference_enter_sound", "a.wav", "parley_enter_sound", ""),
			own: pairs("enter_sound", "a.wav"), origins: pairs("enter_sound", "conference_enter_sound"),
		},
		{
			name: "an argument that is none keeps its PIN to itself", vars: pairs("parley_conference", "+4711"), own: pairs(),
			warnings: []string{"parley_conference: esl: argument not allowed in a command: no conference name"},
		},
		{
			name: "a bridge, and text behind the flags", vars: pairs("parley_conference", "bridge:3001:user/7+flags{deaf}x"),
			own: pairs("room", "3001", "flags", "deaf"), origins: pairs("room", "parley_conference", "flags", "parley_conference"),
			warnings: []string{"parley_conference: bridge: calls nobody here", "parley_conference: what stands behind the flags is not read"},
		},
		{
			name: "flags without their brace", vars: pairs("parley_conference", "3001+12+flags{mute|bogus"),
			own: pairs("room", "3001", "member_pin", "12", "flags", "mute"), origins: pairs("room", "parley_conference", "member_pin", "parley_conference", "flags", "parley_conference"),
			warnings: []string{"parley_conference: flags{ has no closing }", `parley_conference: unknown flag "bogus"`},
		},
		{
			name: "flags of every source add up", vars: pairs("parley_conference", "3001+flags{mute}",
				"conference_member_flags", "ARRAY::Deaf|:mute", "conference_member_flags_nomoh", "true", "conference_member_flags_endconf", "false"),
			own:     pairs("room", "3001", "flags", "mute|deaf|nomoh"),
			origins: pairs("room", "parley_conference", "flags", "parley_conference, conference_member_flags, conference_member_flags_nomoh"),
		},
		{
			name: "flags beyond the tenth", vars: pairs("conference_member_flags", eleven),
			own: pairs("flags", "moderator|mute"), origins: pairs("flags", "conference_member_flags"),
			warnings: slices.Collect(func(yield func(string) bool) {
				for f := range strings.SplitSeq("123456789", "") {
					yield(`conference_member_flags: unknown flag "a` + f + `"`)
				}
			}),
		},
		{
			name: "flags that do nothing", vars: pairs("conference_member_flags", "ghost|mutte", "conference_flags", "audio-always|breakable"), own: pairs(),
			warnings: []string{
				"conference_member_flags: ghost has no effect", `conference_member_flags: unknown flag "mutte", did you mean mute?`,
				"conference_flags: breakable has no effect",
			},
		},
		{
			name: "wait-mod as a variable of its own", vars: pairs("conference_flags_wait-mod", "yes"),
			own: pairs("wait_for_moderator", "true"), origins: pairs("wait_for_moderator", "conference_flags_wait-mod"),
		},
		{
			name: "parley_ variables win over flags", vars: pairs("conference_member_flags", "mute|deaf|moderator|endconf|nomoh",
				"conference_flags", "wait-mod", "parley_muted", "false", "parley_deaf", "true", "parley_role", "member",
				"parley_end_on_exit", "last", "parley_wait_for_moderator", "false"),
			own:     pairs("muted", "false", "deaf", "true", "role", "member", "end_on_exit", "last", "wait_for_moderator", "false", "flags", "nomoh"),
			origins: pairs("flags", "conference_member_flags"),
			warnings: []string{
				"conference_member_flags: parley_muted wins over mute", "conference_member_flags: parley_role wins over moderator",
				"conference_member_flags: parley_end_on_exit wins over endconf", "conference_flags: parley_wait_for_moderator wins",
			},
		},
		{
			name: "parley_flags wins over flags", vars: pairs("conference_member_flags", "mute", "parley_flags", "deaf"),
			own: pairs("flags", "deaf"), warnings: []string{"conference_member_flags: parley_flags wins"},
		},
		{
			name: "sounds, music, menu", vars: pairs("conference_enter_sound", "tone_stream://%(200,0,500)", "conference_exit_sound", "bye.wav",
				"conference_moh_sound", "silence", "conference_controls", "none", "conference_permanent_wait_mod_moh", "true"),
			own: pairs("enter_sound", "tone_stream://%(200,0,500)", "exit_sound", "bye.wav", "moh_sound", "silence:1000", "controls", "none"),
			origins: pairs("enter_sound", "conference_enter_sound", "exit_sound", "conference_exit_sound",
				"moh_sound", "conference_moh_sound", "controls", "conference_controls"),
		},
		{
			name: "numbers as the switch writes them", vars: pairs("conference_max_members", "0x10", "conference_endconference_grace_time", "30"),
			own:     pairs("max_participants", "16", "end_grace", "30"),
			origins: pairs("max_participants", "conference_max_members", "end_grace", "conference_endconference_grace_time"),
		},
		{
			name: "recorded from the start", vars: pairs("conference_auto_record", "x/${conference_name}.wav"),
			own:     pairs("record", "from_start", "record_file", "x/${conference_name}.wav"),
			origins: pairs("record", "conference_auto_record", "record_file", "conference_auto_record"),
		},
		{
			name: "recorded to who knows where", vars: pairs("conference_auto_record", "${uuid}.wav"), own: pairs(),
			warnings: []string{"conference_auto_record: ${uuid} is unknown; ${room}, ${instance}, ${date}, ${time} and ${strftime(%Y-%m-%d)} are filled in"},
		},
		{
			name: "numbers that are none", vars: pairs("conference_max_members", "-1", "conference_endconference_grace_time", "10s"), own: pairs(),
			warnings: []string{
				`conference_max_members: bad value "-1", want a whole number 0..100000`,
				`conference_endconference_grace_time: bad value "10s", want a whole number 0..100000`,
			},
		},
		{
			name: "a limit of one", vars: pairs("conference_max_members", "1"), own: pairs(),
			warnings: []string{"conference_max_members: 1 is no limit for mod_conference; set parley_max_participants=1 to mean it"},
		},
		{
			name: "PINs", vars: pairs("conference_moderator_pin", "98765", "supplied_pin", "sip:x;x-confpin=1234;user=phone"),
			own: pairs("moderator_pin", "98765", "pin", "1234"), origins: pairs("moderator_pin", "conference_moderator_pin", "pin", "supplied_pin"),
		},
		{
			name: "a PIN that loses is not shown", vars: pairs("supplied_pin", "1234;x", "parley_pin", "5678"), own: pairs("pin", "5678"),
			warnings: []string{"supplied_pin: parley_pin wins"},
		},
		{name: "no PIN in it", vars: pairs("supplied_pin", ";x"), own: pairs(), warnings: []string{"supplied_pin: there is no PIN in it"}},
		{
			name: "volumes in steps", vars: pairs("conference_join_volume_in", "2", "conference_join_volume_out", "-4"),
			own:     pairs("talk_gain_db", "7.23", "listen_gain_db", "-13.98"),
			origins: pairs("talk_gain_db", "conference_join_volume_in", "listen_gain_db", "conference_join_volume_out"),
		},
		{
			name: "a step too far", vars: pairs("conference_join_volume_in", "5"), own: pairs(),
			warnings: []string{`conference_join_volume_in: bad value "5", want -4 to 4`},
		},
		{
			name: "a gate", vars: pairs("conference_join_energy_level", "300"), own: pairs(),
			warnings: []string{"conference_join_energy_level: it has no effect"},
		},
		{name: "no gate", vars: pairs("conference_join_energy_level", "-1"), own: pairs()},
		{
			name: "a rate", vars: pairs("conference_force_rate", "auto", "conference_force_interval", "20"), own: pairs(),
			warnings: []string{"conference_force_interval: it has no effect"},
		},
		{
			name: "yes and no", vars: pairs("conference_enforce_security", "no", "conference_silent_entry", "ON", "hangup_after_conference", "maybe"),
			own: pairs("enforce_security", "false", "silent_entry", "true", "hangup_after_end", "true"),
			origins: pairs("enforce_security", "conference_enforce_security", "silent_entry", "conference_silent_entry",
				"hangup_after_end", "hangup_after_conference"),
		},
		{
			name: "the call goes on", vars: pairs("hangup_after_conference", "false"),
			own: pairs("hangup_after_end", "false"), origins: pairs("hangup_after_end", "hangup_after_conference"),
		},
		{
			name: "an outgoing call is trusted", vars: pairs("parley_conference", "3001"), outgoing: true,
			own:     pairs("room", "3001", "enforce_security", "false"),
			origins: pairs("room", "parley_conference", "enforce_security", "parley_conference of an outgoing call"),
		},
		{
			name: "unless it is said that it is not", vars: pairs("parley_conference", "3001", "conference_enforce_security", "true"), outgoing: true,
			own: pairs("room", "3001", "enforce_security", "true"), origins: pairs("room", "parley_conference", "enforce_security", "conference_enforce_security"),
		},
		{name: "nor one that names only a room", vars: pairs("parley_room", "3001"), outgoing: true, own: pairs("room", "3001")},
		{
			name: "what does nothing is told", own: pairs(),
			vars: pairs("conference_perpetual_sound", "/a.wav", "confvar_x", "1", "api_on_conference_create", "status", "conference_position", ""),
			warnings: []string{
				"no effect: api_on_conference_create, conference_perpetual_sound, confvar_x",
			},
		},
		{
			name: "a slip of the pen", vars: pairs("conference_max_member", "5"), own: pairs(),
			warnings: []string{`unknown variable "conference_max_member", did you mean conference_max_members?`},
		},
		{name: "what an earlier conference left", vars: pairs("conference_name", "3001", "conference_member_id", "7", "conference_uuid", "x"), own: pairs()},
		{
			name: "case does not count at the switch", vars: pairs("Conference_Controls", "none"),
			own: pairs("controls", "none"), origins: pairs("controls", "conference_controls"),
		},
	}
}

func TestWhatWasSetForModConferenceCounts(t *testing.T) {
	for _, tc := range wishCases() {
		w := Read(tc.vars, tc.outgoing)
		if tc.origins == nil {
			tc.origins = pairs()
		}
		if !maps.Equal(w.Own, tc.own) {
			t.Errorf("%s: %v, want %v", tc.name, w.Own, tc.own)
		}
		if !maps.Equal(w.Origins, tc.origins) {
			t.Errorf("%s: origins %v, want %v", tc.name, w.Origins, tc.origins)
		}
		if !slices.Equal(w.Warnings, tc.warnings) {
			t.Errorf("%s: warnings\n %s\nwant\n %s", tc.name, strings.Join(w.Warnings, "\n "), strings.Join(tc.warnings, "\n "))
		}
	}
}

// No dialplan can make it panic, show a PIN, or drop what the dialplan set
// without a word.
func FuzzWishes(f *testing.F) {
	for _, tc := range wishCases() {
		for name, value := range tc.vars {
			f.Add(name, value)
		}
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		const pin = "8472659"
		w := Read(pairs(name, value, "parley_conference", "3001+"+pin, "supplied_pin", pin, "parley_pin", "1"), false)
		if all := strings.Join(w.Warnings, "\n"); strings.Contains(all, pin) && !strings.Contains(name+value, pin) {
			t.Fatalf("a PIN in %q", all)
		}
		for own, from := range w.Origins {
			if w.Own[own] == "" || from == "" {
				t.Fatalf("%s=%q from %q", own, w.Own[own], from)
			}
		}
		if strings.HasPrefix(name, "conference_") && value != "" && len(w.Warnings) == 1 && len(w.Origins) == 2 && !quiet(name, value) && utf8.ValidString(name) {
			t.Fatalf("nothing came of %s=%q", name, value)
		}
	})
}

// quiet are the variables that need nothing, and say so in the list.
func quiet(name, value string) bool {
	return slices.Contains(leftovers(), strings.ToLower(name)) || strings.Contains(name, "flags") ||
		strings.Contains(name, "_force_") || strings.Contains(name, "energy") || strings.Contains(name, "permanent")
}
