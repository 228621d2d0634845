package freeswitch_test

import (
	"encoding/base64"
	"maps"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// TestADialplanForModConferenceIsHonoured joins a call as its dialplan would
// have joined it to mod_conference.
func TestADialplanForModConferenceIsHonoured(t *testing.T) {
	inBubble(t, func(r *rig) {
		before := map[string]string{
			"sofia_profile_name": "internal", "parley_conference": "3000@default+flags{moderator|ghost}",
			"conference_member_flags": "ARRAY::mute|:deaf", "conference_max_members": "7", "conference_controls": "none",
			"conference_join_volume_in": "-1", "parley_deaf": "false",
		}
		c := r.call(esltest.CallOptions{Vars: before})
		m := r.answer(c)
		e := r.await(engine.EventJoined)
		if v := e.Member; e.Room != "3000" || v.Role != "moderator" || !v.Muted || v.Deaf || v.Talk != -1.94 {
			t.Errorf("room %s, member %+v", e.Room, v)
		}
		if from := e.Invite.Origins["flags"]; from != "parley_conference, conference_member_flags" {
			t.Errorf("flags from %q", from)
		}
		room, err := r.exchange.Room(r.Context(), "3000")
		if err != nil || room.MaxParticipants != 7 {
			t.Errorf("%+v, %v", room, err)
		}
		time.Sleep(time.Second)
		m.press("*8") // no menu: nothing happens
		time.Sleep(5 * time.Second)
		m.press("#")
		r.continued(c, before, map[string]string{
			"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "6",
			"warnings": "parley_conference: ghost has no effect; conference_member_flags: parley_deaf wins over deaf",
		})
	})
}

// TestThePINOfAConferenceLineIsAskedFor: moderators too, as it is that line's.
func TestThePINOfAConferenceLineIsAskedFor(t *testing.T) {
	inBubble(t, func(r *rig) {
		before := map[string]string{"sofia_profile_name": "internal", "parley_conference": "3000@default+4711+flags{moderator}"}
		c := r.call(esltest.CallOptions{Vars: before})
		m := r.answer(c)
		time.Sleep(time.Second)
		m.press("4711")
		if e := r.await(engine.EventJoined); e.Member.Role != "moderator" {
			t.Errorf("%+v", e.Member)
		}
		c2 := r.call(esltest.CallOptions{UUID: "22222222-2222-4222-8222-222222222222", Vars: before})
		m2 := r.answer(c2)
		time.Sleep(time.Second)
		m2.press("1#2#3#")
		r.continued(c2, before, map[string]string{"result": "rejected", "reason": "pin_failed", "duration": "0"})
		if strings.Contains(r.log.String(), "4711") {
			t.Errorf("a PIN is in the log:\n%s", r.log)
		}
		time.Sleep(5 * time.Second)
		m.press("#")
		r.continued(c, before, map[string]string{
			"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "6",
		})
	})
}

// TestTheConferenceHeedsTheRoomOnly: what its dialplan set for mod_conference
// is with the room; the conference of a switch that mixes must not find it. It
// is back when the dialplan goes on.
func TestTheConferenceHeedsTheRoomOnly(t *testing.T) {
	set := map[string]string{
		"conference_member_flags": "ARRAY::mute|:endconf", "conference_silent_entry": "true",
		"conference_enforce_security": "true", "conference_controls": "default",
	}
	for _, room := range []string{"4000", "3000"} { // mixed by the switch, and by us
		onSwitch(t, func(p *pbx) {
			before := vars(room)
			maps.Copy(before, set)
			c := p.call(p.options(1, before))
			inside := map[string]string{
				"conference_member_flags": "", "conference_silent_entry": "", "conference_enforce_security": "false",
				"conference_controls": "none",
			}
			if room == "3000" {
				p.answer(c)
				inside = set
			}
			if e := p.awaitOf(engine.EventJoined, 1); !e.Member.Muted {
				t.Errorf("%+v", e.Member)
			}
			for name, want := range inside {
				if got := c.Var(name); got != want {
					t.Errorf("room %s: while he is there: %s=%q, want %q", room, name, got, want)
				}
			}
			owed, err := base64.RawURLEncoding.DecodeString(c.Var("parley_borrowed"))
			if has := strings.Contains(string(owed), `"conference_member_flags":"ARRAY::mute|:endconf"`); err != nil || has != (room == "4000") {
				t.Errorf("room %s: if we died now, only this would be put back: %s, %v", room, owed, err)
			}
			p.order(room, engine.Kick{Member: 1})
			p.continued(c, before, map[string]string{
				"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1", "duration": "0",
			})
		})
	}
}
