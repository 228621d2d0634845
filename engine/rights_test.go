package engine

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// keeper is a phone whose switch keeps what the room lets it remember.
type keeper struct {
	*phone

	keep   sync.Mutex
	rights Rights // guarded by keep
	times  int    // guarded by keep: how often it was told
}

func (k *keeper) Remember(now Rights) {
	k.keep.Lock()
	defer k.keep.Unlock()
	k.rights = now
	k.times++
}

func (k *keeper) kept() Rights {
	k.keep.Lock()
	defer k.keep.Unlock()
	return k.rights
}

// comes lets a call that remembers arrive.
func (th *theatre) comes(id, room string, vars map[string]string) *keeper {
	k := &keeper{phone: newPhone(id)}
	k.sink = th.Arrive(k, Invite{Room: room, Variables: vars, Source: id, Dialplan: true})
	k.sink.Post(MediaUp{k.id})
	synctest.Wait()
	return k
}

// returns lets the same call arrive again, with what it was.
func (th *theatre) returns(old *keeper, back Rights, lost time.Time) *keeper {
	k := &keeper{phone: newPhone(string(old.id))}
	k.sink = th.Arrive(k, Invite{Room: "elsewhere", Source: "x", Dialplan: true, Restore: &back, Lost: lost})
	k.sink.Post(MediaUp{k.id})
	synctest.Wait()
	return k
}

// restarted is another process with the same configuration.
func (th *theatre) restarted(t *testing.T) *theatre {
	t.Helper()
	return newTheatre(t, th.dir.Load())
}

func (th *theatre) end(t *testing.T) {
	t.Helper()
	if err := th.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

func (th *theatre) view(name RoomName) RoomView {
	th.t.Helper()
	v, err := th.Room(th.t.Context(), name)
	if err != nil {
		th.t.Error(err)
	}
	return v
}

// pinned asks members for 1234, moderators for 98765; one seat is too few, and
// everything that a joiner or his room can hear is on.
func pinned(p *Profile) {
	p.Member.PINs, p.Moderator.PINs = []PIN{NewPIN("1234")}, []PIN{NewPIN("98765")}
	p.WelcomeSound, p.AnnounceCount, p.AnnounceCountTo = "welcome", 2, ToAll
	p.Member.PlayEntryPrompt, p.Moderator.PlayEntryPrompt = true, true
}

func TestMembersComeBackAsTheyWere(t *testing.T) {
	bubble(t, pinned, func(t *testing.T, th *theatre) {
		a := th.comes("a", "3001", map[string]string{"pin": "98765"})
		b := th.comes("b", "3001", map[string]string{"pin": "1234", "muted": "true"})
		gone := th.comes("gone", "3001", map[string]string{"pin": "1234"})
		c := th.comes("c", "3001", map[string]string{"pin": "1234"})
		gone.sink.Post(LegGone{Leg: gone.id, Reason: ReasonHangup})
		c.press("*3*9")
		if err := th.Do(t.Context(), "3001", Deafen{Member: 4, On: true}); err != nil {
			t.Fatal(err)
		}
		if err := th.Do(t.Context(), "3001", Lock{On: true}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := th.view("3001")
		time.Sleep(time.Minute)

		next := th.restarted(t)
		defer next.end(t)
		lost := time.Now().Add(-2 * time.Second)
		back := []*keeper{next.returns(c, c.kept(), lost), next.returns(a, a.kept(), lost), next.returns(b, b.kept(), lost)}
		after := next.view("3001")
		slices.SortFunc(after.Members, func(x, y MemberView) int { return int(x.ID) - int(y.ID) })
		if after.Instance != before.Instance || !after.StartedAt.Equal(before.StartedAt) || !after.Locked || after.Seq < before.Seq+seqGap {
			t.Errorf("room %+v, was %+v", after, before)
		}
		if len(after.Members) != 3 {
			t.Fatalf("members %+v", after.Members)
		}
		for i, m := range after.Members {
			if m != before.Members[i] {
				t.Errorf("member %+v, was %+v", m, before.Members[i])
			}
			if got, was := next.stage("3001").state(m.ID), th.stage("3001").state(m.ID); got != was {
				t.Errorf("member %s is %+v at the bridge, was %+v", m.ID, got, was)
			}
		}
		for _, k := range back {
			want(t, string(k.id)+" heard", k.sounds(), "")
			if k.kept().Member == 0 {
				t.Errorf("%s could not come back once more", k.id)
			}
		}
		want(t, "the room heard", next.stage("3001").sounds(), "")
		gaps := 0
		for _, e := range next.events {
			if e.Type == EventRestored && e.Gap == 2*time.Second {
				gaps++
			}
		}
		if gaps != 3 {
			t.Errorf("%d events with the gap", gaps)
		}
		want(t, "events", next.types(), "room.locked participant.restored participant.restored participant.restored")
		want(t, "a newcomer", line1(outcome(t, next.call("d", "3001", map[string]string{"pin": "1234"}))), "rejected locked")
	})
}

func TestANewcomerNeverGetsANumberThatIsStillAway(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a, b := th.comes("a", "3001", nil), th.comes("b", "3001", nil)
		a.press("*3") // he remembers that there is a second member
		synctest.Wait()
		next := th.restarted(t)
		defer next.end(t)
		next.returns(a, a.kept(), time.Time{})
		next.call("new", "3001", nil)
		synctest.Wait()
		next.returns(b, b.kept(), time.Time{})
		var ids []string
		for _, m := range next.view("3001").Members {
			ids = append(ids, m.Number+string(m.CallID)+m.ID.String())
		}
		want(t, "members", strings.Join(ids, " "), "a1 b2 new3")
	})
}

func TestWhoeverCameFirstKeepsTheNumber(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.comes("a", "3001", nil)
		next := th.restarted(t)
		defer next.end(t)
		first := next.call("new", "3001", nil)
		next.call("other", "3001", nil)
		synctest.Wait()
		first.sink.Post(LegGone{Leg: "new", Reason: ReasonHangup})
		synctest.Wait()
		next.returns(a, a.kept(), time.Time{})
		v := next.view("3001")
		if len(v.Members) != 2 || v.Members[1].ID != 3 || v.Instance == a.kept().Instance {
			t.Errorf("room %+v", v)
		}
	})
}

func TestTheRulesOfTheRoomComeBackWithTheFirst(t *testing.T) {
	bubble(t, func(p *Profile) { p.WaitForModerator = false }, func(t *testing.T, th *theatre) {
		a := th.comes("a", "3001", map[string]string{"max_participants": "2", "profile": "nosuch"})
		b := th.comes("b", "3001", nil)
		next := th.restarted(t)
		defer next.end(t)
		next.returns(b, b.kept(), time.Time{})
		next.returns(a, a.kept(), time.Time{})
		if v := next.view("3001"); v.MaxParticipants != 2 {
			t.Errorf("room %+v", v)
		}
		e, err := next.ExplainRoom(t.Context(), "3001")
		if err != nil {
			t.Fatal(err)
		}
		i := settings(e.Settings).find("max_participants")
		if i < 0 || e.Settings[i].Source != "variable parley_max_participants of call a" {
			t.Errorf("settings %+v", e.Settings)
		}
		want(t, "a newcomer", line1(outcome(t, next.call("c", "3001", nil))), "rejected full")
	})
}

// TestRestoredRoomsThatWaitForAModerator: nobody who had been let in waits because his moderator's call
// comes back a moment later, and nobody who waited gets in by a crash.
func TestRestoredRoomsThatWaitForAModerator(t *testing.T) {
	for _, c := range []struct {
		name      string
		rule      func(*Profile)
		moderator bool // was there
		returns   bool // he comes back
		at, later string
	}{
		{name: "opened once", rule: func(p *Profile) { p.WaitForModerator = true }, moderator: true, at: "joined", later: "joined"},
		{name: "never opened", rule: func(p *Profile) { p.WaitForModerator = true }, at: "waiting", later: "waiting"},
		{name: "required and back", rule: func(p *Profile) { p.RequireModerator = true }, moderator: true, returns: true, at: "joined", later: "joined"},
		{name: "required and not back", rule: func(p *Profile) { p.RequireModerator = true }, moderator: true, at: "joined", later: "waiting"},
		{name: "waits again", rule: func(p *Profile) { p.WaitForModerator, p.RewaitOnModeratorExit = true, true }, moderator: true, at: "joined", later: "waiting"},
		{name: "required, never opened", rule: func(p *Profile) { p.RequireModerator = true }, at: "waiting", later: "waiting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.rule, func(t *testing.T, th *theatre) {
				member := th.comes("member", "3001", nil)
				var moderator *keeper
				if c.moderator {
					moderator = th.comes("moderator", "3001", map[string]string{"role": "moderator"})
				}
				synctest.Wait()
				next := th.restarted(t)
				defer next.end(t)
				state := func() string { return next.view("3001").Members[0].State }
				next.returns(member, member.kept(), time.Time{})
				want(t, "back", state(), c.at)
				if c.returns {
					next.returns(moderator, moderator.kept(), time.Time{})
				}
				time.Sleep(gathering + time.Second)
				want(t, "later", state(), c.later)
			})
		})
	}
}

func TestTheFirstOneBackIsNotToldThatHeIsAlone(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.comes("a", "3001", nil)
		next := th.restarted(t)
		defer next.end(t)
		back := next.returns(a, a.kept(), time.Time{})
		want(t, "at once", back.sounds(), "")
		time.Sleep(gathering)
		synctest.Wait()
		want(t, "when nobody follows", back.sounds(), "you-are-alone *local_stream://moh")
	})
}

// TestARunThatHasEndedIsNotContinued: its end was told.
func TestARunThatHasEndedIsNotContinued(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a, b := th.comes("a", "3001", nil), th.comes("b", "3001", nil)
		next := th.restarted(t)
		defer next.end(t)
		back := next.returns(a, a.kept(), time.Time{})
		instance := next.view("3001").Instance
		back.press("*8")
		want(t, "a", line1(outcome(t, back.phone)), "joined terminator terminator")
		next.returns(b, b.kept(), time.Time{})
		v := next.view("3001")
		if instance != b.kept().Instance || v.Instance == instance || v.Members[0].ID != 2 {
			t.Errorf("instance %s, then %s with %+v", instance, v.Instance, v.Members)
		}
		want(t, "events", next.types(), "participant.restored participant.digit participant.digit participant.left room.ended room.started participant.restored")
	})
}

func TestWhoIsSentAwayHasNothingToComeBackTo(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*theatre, *keeper) error
	}{
		{"kicked", func(th *theatre, k *keeper) error {
			return th.Do(th.t.Context(), "3001", Kick{Member: k.kept().Member})
		}},
		{"the room ended", func(th *theatre, _ *keeper) error { return th.Do(th.t.Context(), "3001", End{}) }},
		{"left by key", func(_ *theatre, k *keeper) error { k.press("*8"); return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, th *theatre) {
				k := th.comes("k", "3001", nil)
				if k.kept().Member != 1 {
					t.Fatalf("kept %+v", k.kept())
				}
				k.listen() // the goodbye lasts
				if err := c.do(th, k); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if r := k.kept(); r.Member != 0 {
					t.Errorf("kept %+v", r)
				}
			})
		})
	}
}

func TestExplainSaysWhatWasKept(t *testing.T) {
	bubble(t, pinned, func(t *testing.T, th *theatre) {
		a := th.comes("a", "3001", map[string]string{"pin": "98765"})
		if err := th.Do(t.Context(), "3001", Mute{Member: 1, On: true}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		next := th.restarted(t)
		defer next.end(t)
		next.returns(a, a.kept(), time.Time{})
		e, err := next.ExplainCall(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"role": "moderator", "muted": "true"} {
			i := settings(e.Settings).find(name)
			if i < 0 || e.Settings[i].Value != value || !strings.HasPrefix(e.Settings[i].Source, byRestore) {
				t.Errorf("%s: %+v", name, e.Settings)
			}
		}
	})
}

func TestRightsAreChecked(t *testing.T) {
	good := Rights{Room: "3001", Member: 1, Role: RoleMember}
	for _, c := range []struct {
		name string
		edit func(*Rights)
		ok   bool
	}{
		{"good", func(*Rights) {}, true},
		{"no room", func(r *Rights) { r.Room = "" }, false},
		{"no member", func(r *Rights) { r.Member = 0 }, false},
		{"the last number there is", func(r *Rights) { r.Member--; r.Member-- }, false},
		{"no role", func(r *Rights) { r.Role = RoleUnset }, false},
		{"a role that does not exist", func(r *Rights) { r.Role = 9 }, false},
		{"too loud", func(r *Rights) { r.State.Talk = 61 }, false},
	} {
		edited := good
		c.edit(&edited)
		if err := edited.Check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
