package freeswitch_test

import (
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
