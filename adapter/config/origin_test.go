package config

import (
	"strings"
	"testing"

	"parley/engine"
)

// TestEverySettingHasItsSource lists what wins and what loses for some keys of a
// room, through all layers.
func TestEverySettingHasItsSource(t *testing.T) {
	c := load(t, "parley.yaml", `language: de
profiles:
  - name: default
    max_participants: 20
    join-muted: true
    member:
      pins:
        - "1234"
        - {pin: "2345", label: Ann}
    moderator: {pins: ["9876"], end_on_exit: last}
`, "profiles.d/gold.yaml", `profiles:
  - name: gold
    max_members: 30
    enter_sound: bing
    moderator: {enter_sound: bong}
    pin_attempts: 3
    end_on_exit: never
    join_deaf: false
    caller_controls: default
    moderator_controls: moderator
`, "rooms.d/sales.yaml", `rooms:
  - name: sales
    profile: gold
    enter_sound: none
    max_participants: 5
    member.terminator: "*"
  - {name: "3001", member: {join_muted: false}}
`)
	for _, tt := range []struct {
		name, room, profile, key string
		want                     []string // "VALUE | SOURCE | LOST", the one in force first
	}{
		{"nobody has set it", "3001", "default", "pin_attempts", []string{"3 | built-in default |"}},
		{"profile", "3001", "default", "max_participants", []string{"20 | parley.yaml:4 |"}},
		{"a room nobody has written down", "x", "default", "max_participants", []string{"20 | parley.yaml:4 |"}},
		{"PINs are counted", "3001", "default", "member.pins", []string{"*** (2) | parley.yaml:7 |"}},
		{"the default, written down", "x", "gold", "pin_attempts", []string{"3 | profiles.d/gold.yaml:6 |"}},
		{"of moderators", "x", "gold", "moderator.end_on_exit", []string{"never | profiles.d/gold.yaml:7 |"}},
		{"not of members", "x", "gold", "member.end_on_exit", []string{"never | built-in default |"}},
		{"both roles", "x", "gold", "member.join_deaf", []string{"false | profiles.d/gold.yaml:8 |"}},
		{"controls of callers", "x", "gold", "member.controls", []string{"default | profiles.d/gold.yaml:9 |"}},
		{"controls of moderators", "x", "gold", "moderator.controls", []string{"moderator | profiles.d/gold.yaml:10 |"}},
		{"no PINs", "sales", "gold", "member.pins", []string{"none | built-in default |"}},
		{"both roles by one key", "3001", "default", "moderator.join_muted", []string{"true | parley.yaml:5 |"}},
		{"the room's role section", "3001", "default", "member.join_muted", []string{
			"false | rooms.d/sales.yaml:7 |", "true | parley.yaml:5 | overridden by rooms.d/sales.yaml:7",
		}},
		{"another spelling, then the room", "sales", "gold", "max_participants", []string{
			"5 | rooms.d/sales.yaml:5 |", "30 | profiles.d/gold.yaml:3 | overridden by rooms.d/sales.yaml:5",
		}},
		{"a sound that replaces that of the role", "sales", "gold", "moderator.enter_sound", []string{
			"default | rooms.d/sales.yaml:4 |", "bong | profiles.d/gold.yaml:5 | overridden by rooms.d/sales.yaml:4",
		}},
		{"a key of a section in one word", "sales", "gold", "member.terminator", []string{"* | rooms.d/sales.yaml:6 |"}},
		{"the room's profile", "sales", "gold", "profile", []string{"gold | rooms.d/sales.yaml:3 |"}},
		{"no profile", "3001", "default", "profile", []string{"default | built-in default |"}},
		{"language of the process", "3001", "default", "language", []string{"de | parley.yaml:1 |"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range c.Directory().Settings(engine.RoomName(tt.room), tt.profile) {
				if s.Name == tt.key {
					got = append(got, strings.TrimSpace(s.Value+" | "+s.Source+" | "+s.Lost))
				}
			}
			compare(t, tt.key, got, tt.want)
		})
	}
}

// TestSettingsAreThoseOfTheProfile compares every value in force with the
// profile that the engine runs on.
func TestSettingsAreThoseOfTheProfile(t *testing.T) {
	c := load(t, "parley.yaml", `profiles: [{name: default, join_deaf: true, controls: none, end_on_exit: any}]
rooms: [{name: a, announce_name: true, play_entry_tone: false, caller_controls: moderator}]
`)
	d := c.Directory()
	p, _, _ := d.Lookup("a", "")
	inForce := map[string]string{}
	for _, s := range d.Settings("a", "default") {
		if s.Lost == "" {
			if _, twice := inForce[s.Name]; twice {
				t.Errorf("%s is in force twice", s.Name)
			}
			inForce[s.Name] = s.Value
		}
	}
	for _, f := range printed(p, profileFields) {
		if inForce[f.name] != setting(f) {
			t.Errorf("%s is %q, want %q", f.name, inForce[f.name], setting(f))
		}
	}
}

func TestASettingOfTheEnvironmentSaysSo(t *testing.T) {
	t.Setenv("PARLEY_LANGUAGE", "fr")
	c := load(t, "parley.yaml", "language: de\n")
	for _, s := range c.Directory().Settings("x", "default") {
		if s.Name == "language" && (s.Value != "fr" || s.Source != "environment variable PARLEY_LANGUAGE") {
			t.Errorf("%+v", s)
		}
	}
}
