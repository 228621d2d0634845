package freeswitch

import (
	"maps"
	"testing"
)

func TestTheConferenceOfARoomDoesNotHeedWhatTheRoomHas(t *testing.T) {
	got := masked(pairs("conference_member_flags", "ARRAY::mute|:moderator", "conference_member_flags_endconf", "true",
		"conference_flags_wait-mod", "true", "Conference_Silent_Entry", "true", "conference_enter_sound", "a b.wav",
		"conference_exit_sound", "${bye}", "conference_controls", "x", "hangup_after_conference", "false", "conference_auto_record", "a.wav",
		"conference_flags_a b", "true", "conference_join_energy_level", "3", "parley_flags", "mute", "sip_from_user", "1001"))
	want := pairs("conference_member_flags", "ARRAY::mute|:moderator", "conference_member_flags_endconf", "true",
		"conference_flags_wait-mod", "true", "Conference_Silent_Entry", "true", "conference_enter_sound", "a b.wav", "conference_auto_record", "a.wav")
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestWhatWasMaskedIsOwed: a Parley that died has masked it; the next one counts
// it, unless the dialplan has set it again.
func TestWhatWasMaskedIsOwed(t *testing.T) {
	channel := pairs(borrowedVariable, debt(pairs("conference_member_flags", "mute", "conference_enter_sound", "a.wav")),
		"conference_enter_sound", "b.wav")
	c := &call{original: pairs()}
	c.borrow(nil, func(name string) string { return channel[name] })
	if got := c.original["conference_member_flags"]; got != "mute" {
		t.Errorf("conference_member_flags %q", got)
	}
	if got, ok := c.original["conference_enter_sound"]; ok {
		t.Errorf("conference_enter_sound %q", got)
	}
}

// pairs makes a map of names and values.
func pairs(list ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}
