package asterisk_test

import (
	"strings"
	"testing"
	"time"

	"parley/adapter/seal"
	"parley/ari/aritest"
	"parley/engine"
)

// returning is a rig whose calls may come back.
func returning(t *testing.T, edit func(*setup)) (*rig, *seal.Key) {
	t.Helper()
	key, err := seal.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return newRig(t, func(s *setup) {
		s.key = key
		if edit != nil {
			edit(s)
		}
	}).ready(), key
}

// token seals rights for a channel of ast1.
func token(t *testing.T, key *seal.Key, channel string, r engine.Rights) string {
	t.Helper()
	text, err := key.Seal(engine.LegID("ast1/"+channel), r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func moderator() engine.Rights {
	return engine.Rights{
		Room: "3101", Instance: "earlierrun", Seq: 40, Opened: true, LastID: 9, Member: 7, Role: engine.RoleModerator,
		State: engine.MemberState{Muted: true}, JoinedAt: time.Now().Add(-time.Hour),
	}
}

// TestACallComesBackAfterARestart as what it was, without a PIN.
func TestACallComesBackAfterARestart(t *testing.T) {
	r, key := returning(t, nil)
	c := r.ast.CallWith(map[string]string{
		"PARLEY_REATTACH": token(t, key, "1795000000.1", moderator()), "PARLEY_LOST": "1795000000123",
	}, "room=3101", "retry=yes")
	e := r.await(engine.EventRestored, c.ID())
	if e.Member.ID != 7 || e.Member.Role != "moderator" || !e.Member.Muted || e.Instance != "earlierrun" || e.Gap <= 0 {
		t.Errorf("event %+v", e)
	}
	r.until("new rights on the channel", func() bool {
		now, err := key.Open(engine.LegID("ast1/"+c.ID()), c.Variables()["PARLEY_REATTACH"])
		return err == nil && now.Member == 7 && now.Seq > 40 && c.Variables()["PARLEY_LOST"] == ""
	})
	r.command("3101", engine.Kick{Member: 7})
	r.continued(c, map[string]string{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "7"})
	if left := c.Variables()["PARLEY_REATTACH"]; left != "" {
		t.Error("who was kicked could come back")
	}
}

// TestATokenOfAnotherCallIsNone: its caller is asked for the PIN.
func TestATokenOfAnotherCallIsNone(t *testing.T) {
	r, key := returning(t, nil)
	c := r.ast.CallWith(map[string]string{"PARLEY_REATTACH": token(t, key, "1795000000.99", moderator())}, "room=3101", "retry=yes")
	r.continued(c, map[string]string{"result": "rejected", "reason": "pin_failed"})
	if c.Variables()["PARLEY_REATTACH"] != "" {
		t.Error("a token that is no good stays on the channel")
	}
	if !strings.Contains(r.log.String(), "PARLEY_REATTACH is ignored: seal: not a token of ours for this call: wrong seal. The call comes in as any other. [reattach]") {
		t.Errorf("log:\n%s", r.log)
	}
}

// TestAShutdownLeavesACallThatComesBackWithoutResult, and turns it away until
// we are gone.
func TestAShutdownLeavesACallThatComesBackWithoutResult(t *testing.T) {
	r, _ := returning(t, nil)
	again := r.ast.Call("room=3000", "retry=yes")
	r.joined(again)
	once := r.ast.Call("room=3000")
	r.joined(once)
	r.until("rights on the channel", func() bool { return again.Variables()["PARLEY_REATTACH"] != "" })
	r.link.Retreat()
	if err := r.exchange.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.exit(again, aritest.Exit{How: aritest.Continued})
	r.continued(once, map[string]string{"result": "joined", "reason": "ended", "exit": "ended", "member_id": "2"})
	again.Return("room=3000", "retry=yes")
	r.exit(again, aritest.Exit{How: aritest.Continued})
	if v := again.Variables(); v["PARLEY_RESULT"] != "" || v["PARLEY_REATTACH"] == "" {
		t.Errorf("it has %v", v)
	}
}

// TestACallWhoseAudioBreaksComesBack into the room that it was in.
func TestACallWhoseAudioBreaksComesBack(t *testing.T) {
	r, _ := returning(t, nil)
	c := r.ast.Call("room=3000", "retry=yes")
	r.joined(c)
	r.until("rights on the channel", func() bool { return c.Variables()["PARLEY_REATTACH"] != "" })
	r.hangUpMedia()
	if e := <-c.Left(); e.How != aritest.Redirected {
		t.Errorf("it left as %+v", e)
	}
	if e := r.await(engine.EventLeft, c.ID()); e.Reason != engine.ReasonMediaLost {
		t.Errorf("it left by %s", e.Reason)
	}
	c.Return("room=3000", "retry=yes")
	if e := r.await(engine.EventRestored, c.ID()); e.Member.ID != 1 || e.Gap <= 0 {
		t.Errorf("event %+v", e)
	}
}
