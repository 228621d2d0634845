package freeswitch_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapter/seal"
	"parley/engine"
	"parley/esl/esltest"
)

const (
	uuid1 = "11111111-1111-4111-8111-111111111111"
	uuid2 = "22222222-2222-4222-8222-222222222222"
)

// before are the rights of a moderator in the room that asks for PINs, from a
// Parley that was there before this one.
func before() engine.Rights {
	return engine.Rights{
		Room: "3101", Instance: "earlierrun", Seq: 40, Opened: true, LastID: 9, Member: 7, Role: engine.RoleModerator,
		State: engine.MemberState{Muted: true, Talk: 3}, JoinedAt: time.Now().Add(-time.Hour),
	}
}

func (r *rig) token(uuid string, rights engine.Rights) string {
	r.Helper()
	token, err := r.key.Seal(engine.LegID(uuid), rights)
	if err != nil {
		r.Fatal(err)
	}
	return token
}

func TestACallComesBackAfterARestart(t *testing.T) {
	inBubble(t, func(r *rig) {
		time.Sleep(reattachTime - time.Second)
		was := before()
		had := vars("3101", "parley_reattach", r.token(uuid1, was), "parley_retry", "+++",
			"parley_lost", fmt.Sprint(time.Now().Add(-1500*time.Millisecond).UnixMicro()))
		c := r.call(esltest.CallOptions{Vars: had})
		m := r.answer(c)
		e := r.await(engine.EventRestored)
		if e.Member.ID != 7 || e.Member.Role != "moderator" || !e.Member.Muted || e.Member.Talk != 3 || e.Instance != "earlierrun" ||
			e.Gap < 1500*time.Millisecond || e.Gap > 1700*time.Millisecond || !e.Member.JoinedAt.Equal(was.JoinedAt) {
			t.Errorf("event %+v", e)
		}
		synctest.Wait()
		if now, err := r.key.Open(uuid1, c.Var("parley_reattach")); err != nil || now.Member != 7 || c.Var("parley_lost") != "" || c.Var("parley_fallback") != "3101" {
			t.Errorf("it has %+v, %v; lost=%q fallback=%q", now, err, c.Var("parley_lost"), c.Var("parley_fallback"))
		}
		if strings.Contains(fmt.Sprint(e.Invite.Variables), had["parley_reattach"]) {
			t.Error("the token is among the variables that are shown")
		}
		m.press("#")
		want := maps.Clone(had)
		delete(want, "parley_reattach")
		delete(want, "parley_lost")
		r.continued(c, want, map[string]string{
			"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "7", "duration": "3600",
		})
	})
}

// asked checks that a call with a token comes in as any other: by PIN.
func (r *rig) asked(uuid, token, why string) {
	r.Helper()
	had := vars("3101", "parley_reattach", token)
	c := r.call(esltest.CallOptions{UUID: uuid, Vars: had})
	m := r.answer(c)
	if c.Var("parley_reattach") != "" {
		r.Error("a token that is no good stays on the channel")
	}
	m.press("1#2#3#")
	delete(had, "parley_reattach")
	r.continued(c, had, map[string]string{"result": "rejected", "reason": "pin_failed", "duration": "0"})
	if !strings.Contains(r.log.String(), "parley_reattach is ignored: "+why) {
		r.Errorf("log %s, want … %s", r.log, why)
	}
}

func TestATokenIsNoTicket(t *testing.T) {
	const wrong, late = "seal: not a token of ours", "we have neither been started nor lost the call"
	for _, c := range []struct {
		name, why string
		token     func(*rig) string
		wait      time.Duration
	}{
		{"of another call", wrong, func(r *rig) string { return r.token(uuid2, before()) }, 0},
		{"cut short", wrong, func(r *rig) string { return r.token(uuid1, before())[:60] }, 0},
		{"by another key", wrong, func(r *rig) string {
			other, err := seal.Load(r.TempDir())
			if err != nil {
				r.Fatal(err)
			}
			token, err := other.Seal(uuid1, before())
			if err != nil {
				r.Fatal(err)
			}
			return token
		}, 0},
		{"too long", "seal: too long", func(*rig) string { return strings.Repeat("x", seal.MaxToken+1) }, 0},
		{"for another room", "it is for another room, 3000", func(r *rig) string {
			b := before()
			b.Room = "3000"
			return r.token(uuid1, b)
		}, 0},
		{"too late", late, func(r *rig) string { return r.token(uuid1, before()) }, reattachTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				time.Sleep(c.wait)
				r.asked(uuid1, c.token(r), c.why)
			})
		})
	}
}

// TestATokenIsGoodOnce: whatever a dialplan keeps of it.
func TestATokenIsGoodOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		stay func(r *rig, token string)
	}{
		{"the caller came back and left", func(r *rig, token string) {
			call := r.call(esltest.CallOptions{Vars: vars("3101", "parley_reattach", token)})
			m := r.answer(call)
			r.await(engine.EventRestored)
			m.press("#")
			r.ended(call)
		}},
		{"he was kicked", func(r *rig, token string) {
			call := r.call(esltest.CallOptions{Vars: vars("3101", "parley_reattach", token)})
			r.answer(call)
			r.await(engine.EventRestored)
			r.command("3101", engine.Kick{Member: 7})
			r.ended(call)
		}},
		{"he came in by PIN, and was kicked", func(r *rig, _ string) {
			call := r.call(esltest.CallOptions{Vars: vars("3101")})
			m := r.answer(call)
			m.press("4711#")
			r.await(engine.EventJoined)
			r.command("3101", engine.Kick{Member: 1})
			r.ended(call)
		}},
		{"he was sent elsewhere", func(r *rig, _ string) {
			call := r.call(esltest.CallOptions{Vars: vars("3101")})
			m := r.answer(call)
			m.press("4711#")
			r.await(engine.EventJoined)
			call.Transfer()
			m.end()
			if e := r.ended(call); e.Vars["parley_reattach"] != "" {
				r.Error("he took it with him")
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				token := r.token(uuid1, before())
				c.stay(r, token)
				r.asked(uuid1, token, "the call has come back before, or was given back")
			})
		})
	}
}

// TestTheTokenFollowsTheRights, also when they end: a crash during the goodbye
// lets nobody in again.
func TestTheTokenFollowsTheRights(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, _ := r.join(esltest.CallOptions{Vars: vars("3000")})
		rights := func() (now engine.Rights) {
			synctest.Wait()
			now, err := r.key.Open(uuid1, c.Var("parley_reattach"))
			if err != nil && c.Var("parley_reattach") != "" {
				t.Error(err)
			}
			return now
		}
		if now := rights(); now.Member != 1 || now.State.Muted || now.Locked || now.Room != "3000" {
			t.Errorf("joined: %+v", now)
		}
		r.command("3000", engine.Mute{Member: 1, On: true})
		if now := rights(); !now.State.Muted {
			t.Errorf("muted: %+v", now)
		}
		r.command("3000", engine.Lock{On: true})
		if now := rights(); !now.Locked {
			t.Errorf("locked: %+v", now)
		}
		r.command("3000", engine.Kick{Member: 1})
		time.Sleep(time.Millisecond)
		if now := rights(); now.Member != 0 {
			t.Errorf("while he hears that he is kicked: %+v", now)
		}
		r.ended(c)
	})
}

// TestALostLinkIsNoGoodbye, however long we have been here.
func TestALostLinkIsNoGoodbye(t *testing.T) {
	for _, c := range []struct {
		name string
		away time.Duration
		back bool
	}{{"soon", 5 * time.Second, true}, {"too late", reattachTime, false}} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				time.Sleep(time.Hour)
				nc := r.lines.connect()
				first := r.callOver(nc, esltest.CallOptions{Vars: vars("3101")})
				m := r.answer(first)
				m.press("4711#")
				run := r.await(engine.EventJoined).Instance
				time.Sleep(time.Second)
				nc.Close()
				m.end()
				if e := r.await(engine.EventLeft); e.Reason != engine.ReasonSwitchLost {
					t.Errorf("left by %s", e.Reason)
				}
				token := r.ended(first).Vars["parley_reattach"]
				time.Sleep(c.away)
				if !c.back {
					r.asked(uuid1, token, "we have neither been started nor lost the call")
					return
				}
				second := r.call(esltest.CallOptions{Vars: vars("3101", "parley_reattach", token)})
				m = r.answer(second)
				e := r.await(engine.EventRestored)
				if e.Member.ID != 1 || e.Instance == run || e.Gap < c.away || e.Gap > c.away+200*time.Millisecond {
					t.Errorf("event %+v, run was %s", e, run)
				}
				m.press("#")
				r.ended(second)
				r.asked(uuid1, token, "we have neither been started nor lost the call")
			})
		})
	}
}

// TestOurLeavingIsNoGoodbyeForWhoTriesAgain: his dialplan goes on without a
// result, with his rights, and at once.
func TestOurLeavingIsNoGoodbyeForWhoTriesAgain(t *testing.T) {
	inBubble(t, func(r *rig) {
		first, _ := r.join(esltest.CallOptions{Vars: vars("3000", "parley_retry", "++")})
		second, _ := r.join(esltest.CallOptions{UUID: uuid2, Vars: vars("3000")})
		synctest.Wait()
		r.adapter.Retreat()
		r.command("3000", engine.End{})
		e := r.ended(first)
		now, err := r.key.Open(uuid1, e.Vars["parley_reattach"])
		if err != nil || now.Member != 1 || e.HungUp || e.Vars["parley_result"] != "" || e.Vars["socket_resume"] != "" {
			t.Errorf("the call left with %+v: %+v, %v", e, now, err)
		}
		r.continued(second, vars("3000"), map[string]string{
			"result": "joined", "reason": "ended", "exit": "ended", "member_id": "2", "duration": "0",
		})
		third := r.call(esltest.CallOptions{Vars: e.Vars})
		if e := r.ended(third); e.HungUp || e.Vars["parley_reattach"] == "" || e.Vars["parley_result"] != "" || len(third.Apps()) > 0 {
			t.Errorf("the next try left with %+v", e)
		}
	})
}

// TestWhatWasBorrowedIsNoWish: a Parley that died has put nothing back. What it
// has left on the channel neither lets anybody in without a PIN nor stays there.
func TestWhatWasBorrowedIsNoWish(t *testing.T) {
	inBubble(t, func(r *rig) {
		own := vars("3101", "hangup_after_bridge", "true", "continue_on_fail", "true", "playback_terminators", "#")
		nc := r.lines.connect()
		first := r.callOver(nc, esltest.CallOptions{Vars: own})
		m := r.answer(first)
		m.press("4711#")
		r.await(engine.EventJoined)
		synctest.Wait()
		nc.Close()
		m.end()
		left := r.ended(first).Vars
		if left["hangup_after_bridge"] != "false" || left["parley_borrowed"] == "" {
			t.Fatalf("variables %+v", left)
		}
		if left["conference_enforce_security"] != "" {
			t.Error("the switch's own conference, to which he falls back, would not ask for a PIN")
		}
		left["conference_enforce_security"], left["conference_controls"] = "false", "none" // had he been in a conference of ours
		delete(left, "parley_reattach")
		time.Sleep(time.Second) // nobody here remembers the first stay
		second := r.call(esltest.CallOptions{Vars: left})
		m = r.answer(second)
		m.press("1#2#3#")
		r.continued(second, own, map[string]string{"result": "rejected", "reason": "pin_failed", "duration": "0"})
	})
}
