package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhereARoomIsMixed(t *testing.T) {
	for _, c := range []struct {
		name   string
		native bool // profile
		first  Leg
		want   string
		moves  int
	}{
		{"a switch's call, mixer switch", false, newMover("a", Place{}, pbx1), "switch pbx1", 1},
		{"its audio is there already", false, newMover("a", pbx1, pbx1), "switch pbx1", 0},
		{"its audio is there, mixer native: it is in a live conference", true, newMover("a", pbx1, pbx1), "switch pbx1", 0},
		{"a switch's call, mixer native", true, newMover("a", Place{}, pbx1), "native", 0},
		{"a phone, mixer switch", false, newPhone("a"), "native", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			switched(t, func(p *Profile) {
				if c.native {
					p.Mixer = MixerNative
				}
			}, func(t *testing.T, th *theatre) {
				p, ok := c.first.(*phone)
				m, _ := c.first.(*mover)
				if !ok {
					p = m.phone
				}
				p.released = make(chan Outcome, 4) // of this bubble
				p.sink = th.Arrive(c.first, Invite{Room: "1", Kind: "sip"})
				p.sink.Post(MediaUp{p.id})
				synctest.Wait()
				want(t, "mixer", th.mixer("1"), c.want)
				if m != nil && m.moves != c.moves {
					t.Errorf("%d moves, want %d", m.moves, c.moves)
				}
				th.agree("1")
			})
		})
	}
}

// TestACallerWhoCannotGoToTheSwitch brings the room to our mixer.
func TestACallerWhoCannotGoToTheSwitch(t *testing.T) {
	switched(t, nil, func(t *testing.T, th *theatre) {
		a := th.dial("a", "1", pbx1, pbx1, nil)
		b := th.dial("b", "1", Place{}, pbx1, nil)
		synctest.Wait()
		want(t, "mixer", th.mixer("1"), "switch pbx1")
		want(t, "events", th.types(), "room.started participant.joined participant.joined")
		sip := newPhone("s")
		th.arrive(sip, Invite{Room: "1", Kind: "sip"})
		synctest.Wait()
		want(t, "mixer", th.mixer("1"), "native")
		if got := th.lines(EventRoomMoved); len(got) != 3 || got[0] != "mixer switch pbx1→native: a caller from sip came" {
			t.Errorf("changes %q", got)
		}
		want(t, "events", th.types(), "room.moved participant.joined")
		th.agree("1")
		other := th.dial("o", "1", pbx2, pbx2, nil)
		synctest.Wait()
		th.agree("1")
		for _, m := range []*mover{a, b, other} {
			if m.At() != (Place{}) {
				t.Errorf("%s is at %s", m.id, m.At())
			}
		}
	})
}

func TestAMoveOnTheWayInThatFails(t *testing.T) {
	switched(t, nil, func(t *testing.T, th *theatre) {
		th.dial("a", "1", pbx1, pbx1, nil)
		p := newMover("b", Place{}, pbx1)
		p.fail(1)
		p.sink = th.Arrive(p, Invite{Room: "1"})
		p.sink.Post(MediaUp{p.id})
		want(t, "outcome", line1(outcome(t, p.phone)), "failed media_lost")
		th.agree("1")
		th.dial("c", "1", pbx1, pbx1, nil)
		synctest.Wait()
		c := newPhone("s") // and the room cannot be moved for this one's sake
		th.mu.Lock()
		th.broken = true
		th.mu.Unlock()
		th.arrive(c, Invite{Room: "1"})
		want(t, "outcome", line1(outcome(t, c)), "failed node_busy")
		th.agree("1")
	})
}

// TestNothingElseChangesByAMove there and back: rights, roster, numbers and
// durations; nobody hears a tone, and the music goes on.
func TestNothingElseChangesByAMove(t *testing.T) {
	bubble(t, func(p *Profile) { p.WaitForModerator, p.RewaitOnModeratorExit = true, true }, func(t *testing.T, th *theatre) {
		mod := th.dial("m", "1", Place{}, pbx1, map[string]string{"role": "moderator"})
		a := th.dial("a", "1", Place{}, pbx1, map[string]string{"muted": "true"})
		b := th.dial("b", "1", Place{}, pbx1, map[string]string{"deaf": "true"})
		synctest.Wait()
		b.press("*9*6") // louder, both ways
		if err := th.Do(t.Context(), "1", Lock{true}); err != nil {
			t.Fatal(err)
		}
		mod.sink.Post(LegGone{Leg: mod.id, Reason: ReasonHangup})
		synctest.Wait() // the other two wait now
		before, _ := th.Room(t.Context(), "1")
		for i, to := range []Place{pbx1, {}, pbx1} {
			th.types()
			th.stageAt(Place{}).sounds()
			a.sounds()
			for _, p := range []*mover{a, b} {
				p.dawdle()
			}
			answer := th.relocate("1", to)
			time.Sleep(42 * time.Millisecond)
			a.arrive(false)
			time.Sleep(8 * time.Millisecond)
			b.arrive(false)
			got := <-answer
			gaps := []Move{{Member: 2, Gap: 42 * time.Millisecond}, {Member: 3, Gap: 50 * time.Millisecond}}
			if got.err != nil || !slices.Equal(got.moves, gaps) {
				t.Errorf("move %d: %v", i, got)
			}
			if m := th.lines(EventRoomMoved); !slices.Contains(m, "member 3 gap 50 ms") {
				t.Errorf("changes %q", m)
			}
			want(t, "events", th.types(), "room.moved")
			want(t, "room heard", th.stageAt(to).sounds(), "")
			synctest.Wait()
			want(t, "the one who waits heard", a.sounds(), "*local_stream://moh")
			th.agree("1")
			want(t, "locks", th.stageAt(to).locks, "+")
			after, _ := th.Room(t.Context(), "1")
			want(t, "mixer", after.Mixer, to.String())
			after.Mixer, after.Seq = before.Mixer, before.Seq
			if fmt.Sprintf("%+v", after) != fmt.Sprintf("%+v", before) {
				t.Errorf("before %+v\nafter  %+v", before, after)
			}
		}
	})
}

func TestRefusedMoves(t *testing.T) {
	bubble(t, pins, func(t *testing.T, th *theatre) {
		ctx := t.Context()
		a := th.dial("1001", "1", Place{}, pbx1, nil)
		synctest.Wait()
		if _, err := th.Relocate(ctx, "1", pbx1); !errors.Is(err, ErrNoMember) {
			t.Errorf("nobody in it: %v", err)
		}
		if _, err := th.Relocate(ctx, "2", pbx1); !errors.Is(err, ErrNoRoom) {
			t.Errorf("no room: %v", err)
		}
		a.press("1234#")
		lone := th.call("lone", "2", map[string]string{"pin": "1234"})
		synctest.Wait()
		if _, err := th.HandBack(ctx, "2"); !errors.Is(err, ErrCannotMove) || !strings.HasSuffix(err.Error(), "no member of room 2 is a call of a switch that can mix it") {
			t.Errorf("nobody has a home: %v", err)
		}
		lone.sink.Post(LegGone{Leg: lone.id, Reason: ReasonHangup})
		if moves, err := th.Relocate(ctx, "1", Place{}); err != nil || moves != nil {
			t.Errorf("to where it is: %v %v", moves, err)
		}
		if _, err := th.Relocate(ctx, "1", pbx2); !errors.Is(err, ErrCannotMove) ||
			!strings.Contains(err.Error(), "member 1 (freeswitch 1001) cannot be mixed at pbx2") {
			t.Errorf("another switch: %v", err)
		}
		s := newPhone("s")
		th.arrive(s, Invite{Room: "1", Kind: "sip", Caller: Caller{Number: "1003"}, Variables: map[string]string{"pin": "1234"}})
		synctest.Wait()
		if _, err := th.Relocate(ctx, "1", pbx1); err == nil || !strings.Contains(err.Error(), "member 2 (sip 1003) cannot be mixed at pbx1") {
			t.Errorf("a phone: %v", err)
		}
		if a.moves != 0 {
			t.Error("somebody was moved all the same")
		}
		s.sink.Post(LegGone{Leg: s.id, Reason: ReasonHangup})
		a.dawdle()
		answer := make(chan relocated, 1)
		go func() {
			moves, err := th.HandBack(ctx, "1")
			answer <- relocated{moves, err}
		}()
		synctest.Wait()
		if _, err := th.Relocate(ctx, "1", Place{}); !errors.Is(err, ErrMoving) || !strings.HasSuffix(err.Error(), "room 1, native→switch pbx1") {
			t.Errorf("a second one: %v", err)
		}
		a.arrive(false)
		if got := <-answer; got.err != nil || len(got.moves) != 1 {
			t.Errorf("%+v", got)
		}
		if moves, err := th.HandBack(ctx, "1"); err != nil || moves != nil {
			t.Errorf("it is at home: %v %v", moves, err)
		}
		th.mu.Lock()
		th.broken = true
		th.mu.Unlock()
		if _, err := th.Relocate(ctx, "1", Place{}); !errors.Is(err, ErrNotMoved) || !strings.Contains(err.Error(), "no place") {
			t.Errorf("no bridge there: %v", err)
		}
		th.agree("1")
	})
}

// TestAMoveThatFailsIsUndone: nobody is lost but him who cannot go back.
func TestAMoveThatFailsIsUndone(t *testing.T) {
	for _, c := range []struct {
		name        string
		spoil, mend func(th *theatre, b *mover)
		why         string
		lost        bool
	}{
		{name: "the audio does not come", spoil: func(_ *theatre, b *mover) { b.arrive(true) }, why: "no route"},
		{name: "the place refuses", spoil: func(th *theatre, _ *mover) { th.stageAt(pbx1).reject(true) }, why: "media_lost"},
		{name: "the place dies", spoil: func(th *theatre, _ *mover) { th.stageAt(pbx1).ends() }, why: "switch pbx1 failed"},
		{
			name: "the place refuses, and the way back is blocked", lost: true, why: "media_lost",
			spoil: func(th *theatre, b *mover) { th.stageAt(pbx1).reject(true); b.dawdle() },
			mend:  func(_ *theatre, b *mover) { b.arrive(true) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, th *theatre) {
				phones := []*mover{}
				for _, id := range []string{"a", "b", "c"} {
					phones = append(phones, th.dial(id, "1", Place{}, pbx1, nil))
				}
				synctest.Wait()
				th.types()
				b := phones[1]
				b.dawdle()
				answer := th.relocate("1", pbx1)
				synctest.Wait() // the other two are there
				c.spoil(th, b)
				b.arrive(false)
				if c.mend != nil {
					b.dawdle()
					synctest.Wait()
					c.mend(th, b)
				}
				got := <-answer
				if !errors.Is(got.err, ErrNotMoved) || !strings.Contains(got.err.Error(), c.why) {
					t.Errorf("%v", got.err)
				}
				synctest.Wait()
				want(t, "mixer", th.mixer("1"), "native")
				th.agree("1")
				v, _ := th.Room(t.Context(), "1")
				if c.lost {
					want(t, "lost", line1(outcome(t, b.phone)), "joined media_lost lost")
				} else if len(v.Members) != 3 {
					t.Errorf("%d members", len(v.Members))
				}
				if got := th.lines(EventRoomModified); len(got) != 1 || !strings.HasPrefix(got[0], "mixer native kept: ") {
					t.Errorf("changes %q", got)
				}
			})
		})
	}
}

// TestAChangeAtTheSwitch is a fact like any other, and goes along with a move.
func TestAChangeAtTheSwitch(t *testing.T) {
	switched(t, nil, func(t *testing.T, th *theatre) {
		th.dial("a", "1", pbx1, pbx1, nil)
		b := th.dial("b", "1", pbx1, pbx1, nil)
		synctest.Wait()
		th.types()
		at := th.stageAt(pbx1)
		at.sink.Post(Applied{Member: 1, State: MemberState{Muted: true, Talk: -3}})
		at.sink.Post(Locked{On: true})
		synctest.Wait()
		want(t, "events", th.types(), "participant.muted participant.modified room.locked")
		want(t, "told again", at.locks, "")
		want(t, "late caller", line1(outcome(t, th.dial("l", "1", pbx1, pbx1, nil).phone)), "rejected locked")
		if _, err := th.Relocate(t.Context(), "1", Place{}); err != nil {
			t.Fatal(err)
		}
		if s := th.stageAt(Place{}).state(1); !s.Muted || s.Talk != -3 {
			t.Errorf("arrived as %+v", s)
		}
		at.sink.Post(Left{Member: 2}) // of a place that has no say any more
		synctest.Wait()
		th.agree("1")
		if _, err := th.Relocate(t.Context(), "1", pbx1); err != nil {
			t.Fatal(err)
		}
		if err := th.Do(t.Context(), "1", Lock{false}); err != nil {
			t.Fatal(err)
		}
		want(t, "locks", th.stageAt(pbx1).locks, "+-")
		for _, to := range []Place{{}, pbx1} { // where it was left locked, perhaps
			if _, err := th.Relocate(t.Context(), "1", to); err != nil {
				t.Fatal(err)
			}
		}
		want(t, "locks", th.stageAt(pbx1).locks, "-")
		if _, err := th.Relocate(t.Context(), "1", Place{}); err != nil {
			t.Fatal(err)
		}
		b.dawdle()
		th.slow = &pbx1
		answer := th.relocate("1", pbx1)
		synctest.Wait()
		th.stageAt(pbx1).sink.Post(Locked{On: true}) // as it finds itself
		synctest.Wait()
		th.stageAt(pbx1).letGo()
		b.arrive(false)
		<-answer
		if v, _ := th.Room(t.Context(), "1"); v.Locked || th.stageAt(pbx1).locks != "-" {
			t.Errorf("locked by what was left behind: %v %q", v.Locked, th.stageAt(pbx1).locks)
		}
		b.phone.sounds()
		th.stageAt(pbx1).sink.Post(Left{Member: 2, Reason: ReasonKicked})
		want(t, "kicked there", line1(outcome(t, b.phone)), "joined kicked kicked")
	})
}

// TestACommandWhosePlaceIsAway is refused and changes nothing; so is a lock that
// the place does not take.
func TestACommandWhosePlaceIsAway(t *testing.T) {
	switched(t, nil, func(t *testing.T, th *theatre) {
		th.dial("a", "1", pbx1, pbx1, nil)
		synctest.Wait()
		th.types()
		at := th.stageAt(pbx1)
		at.reachable(ErrAway)
		for _, c := range []Command{Lock{On: true}, Mute{Member: 1, On: true}, Deafen{Member: 1, On: true}, Kick{Member: 1}, End{}} {
			if err := th.Do(t.Context(), "1", c); !errors.Is(err, ErrAway) {
				t.Errorf("%T: %v", c, err)
			}
		}
		want(t, "told", th.types(), "")
		at.reachable(nil)
		at.mu.Lock()
		at.noLock = ErrCannot
		at.mu.Unlock()
		if err := th.Do(t.Context(), "1", Lock{On: true}); !errors.Is(err, ErrCannot) {
			t.Errorf("%v", err)
		}
		if v, err := th.Room(t.Context(), "1"); err != nil || v.Locked {
			t.Errorf("%+v, %v", v, err)
		}
		th.agree("1")
	})
}

func TestPlacement(t *testing.T) {
	switched(t, func(p *Profile) { p.Create = CreateOnDemand }, func(t *testing.T, th *theatre) {
		d := th.dir.Load()
		plain := DefaultProfile()
		plain.Name = "plain"
		d.Profiles["plain"] = &plain
		at := func(what, room, profile string, home, want Place) {
			t.Helper()
			if got := th.Placement(room, profile, home); got != want {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		at("new room", "1", "", pbx1, pbx1)
		at("new room, native profile", "1", "plain", pbx1, Place{})
		at("no number yet", "", "", pbx1, Place{})
		at("no name at all", "../x", "", pbx1, Place{})
		th.dial("a", "1", pbx1, pbx1, nil)
		synctest.Wait()
		at("runs at home", "1", "plain", pbx1, pbx1)
		at("runs at another switch", "1", "", pbx2, Place{})
		if _, err := th.Relocate(t.Context(), "1", Place{}); err != nil {
			t.Fatal(err)
		}
		at("was taken over", "1", "", pbx1, Place{})
	})
}
