package engine

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func pins(p *Profile) {
	p.Member.PINs = []PIN{NewPIN("1234")}
	p.Moderator.PINs = []PIN{NewPIN("98765")}
}

func TestAdmission(t *testing.T) {
	for _, c := range []struct {
		name   string
		edit   func(*Profile)
		room   string
		vars   map[string]string
		digits string
		wait   time.Duration
		heard  string // in order
		want   string // outcome after the wait; "" = in the room
		role   string
	}{
		{name: "open room", room: "3001", heard: "you-are-alone *local_stream://moh", role: "member"},
		{name: "bad name", room: "../x", heard: "invalid-room", want: "rejected bad_room_name"},
		{name: "number asked", digits: "3001#", heard: "enter-conference-number you-are-alone *local_stream://moh", role: "member"},
		{
			name: "number never typed", wait: time.Minute,
			heard: "enter-conference-number bad-conference-number enter-conference-number bad-conference-number " +
				"enter-conference-number invalid-room", want: "rejected bad_room_name",
		},
		{
			name: "member by PIN", edit: pins, room: "1", digits: "1234#",
			heard: "enter-pin you-are-alone *local_stream://moh", role: "member",
		},
		{
			name: "moderator by PIN, complete without terminator", edit: pins, room: "1", digits: "98765",
			heard: "enter-pin you-are-alone *local_stream://moh", role: "moderator",
		},
		{
			name: "PIN by time-out", edit: pins, room: "1", digits: "1234", wait: 6 * time.Second,
			heard: "enter-pin you-are-alone *local_stream://moh", role: "member",
		},
		{
			name: "PIN on the third try", edit: pins, room: "1", digits: "1#2#1234#",
			heard: "enter-pin bad-pin enter-pin bad-pin enter-pin you-are-alone *local_stream://moh", role: "member",
		},
		{
			name: "three wrong PINs", edit: pins, room: "1", digits: "1#2#3#",
			heard: "enter-pin bad-pin enter-pin bad-pin enter-pin too-many-attempts", want: "rejected pin_failed",
		},
		{
			name: "no digits at all", edit: pins, room: "1", wait: time.Minute,
			heard: "enter-pin bad-pin enter-pin bad-pin enter-pin too-many-attempts", want: "rejected pin_failed",
		},
		{
			name: "supplied PIN", edit: pins, room: "1", vars: map[string]string{"pin": "98765"},
			heard: "you-are-alone *local_stream://moh", role: "moderator",
		},
		{
			name: "wrong supplied PIN asks", edit: pins, room: "1", vars: map[string]string{"pin": "4"}, digits: "1234#",
			heard: "enter-pin you-are-alone *local_stream://moh", role: "member",
		},
		{
			name: "flagged moderator needs none", edit: pins, room: "1", vars: map[string]string{"role": "moderator"},
			heard: "you-are-alone *local_stream://moh", role: "moderator",
		},
		{
			name: "flagged member is not promoted", edit: pins, room: "1", vars: map[string]string{"role": "member"}, digits: "98765",
			heard: "enter-pin bad-pin enter-pin", want: "-",
		},
		{
			name: "only moderators have a PIN: pound makes a member", room: "1", digits: "#",
			edit:  func(p *Profile) { p.Moderator.PINs = []PIN{NewPIN("98765")} },
			heard: "enter-pin you-are-alone *local_stream://moh", role: "member",
		},
		{
			name: "running only", edit: func(p *Profile) { p.Create = CreateRunning }, room: "1",
			heard: "not-running", want: "rejected not_running",
		},
		{
			name: "existing only", edit: func(p *Profile) { p.Create = CreateExisting }, room: "1",
			heard: "not-running", want: "rejected not_running",
		},
		{
			name: "join-only flag", room: "1", vars: map[string]string{"flags": "join-only"},
			heard: "not-running", want: "rejected not_running",
		},
		{
			name: "entry prompt", edit: func(p *Profile) { p.Member.PlayEntryPrompt = true }, room: "1",
			heard: "you-are-joining you-are-alone *local_stream://moh", role: "member",
		},
		{
			name: "nobody comes", edit: func(p *Profile) { p.WaitForModerator, p.WaitTimeout = true, time.Minute }, room: "1",
			wait: 2 * time.Minute, heard: "wait-for-moderator *local_stream://moh no-moderator", want: "rejected no_moderator",
		},
		{
			name: "nobody comes, opened", room: "1", wait: 2 * time.Minute,
			edit:  func(p *Profile) { p.WaitForModerator, p.WaitTimeout, p.OnWaitTimeout = true, time.Minute, WaitOpen },
			heard: "wait-for-moderator *local_stream://moh you-are-alone *local_stream://moh", role: "member",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.edit, func(t *testing.T, th *theatre) {
				p := th.call("a", c.room, c.vars)
				for i := range len(c.digits) {
					synctest.Wait()
					p.press(c.digits[i : i+1])
				}
				time.Sleep(c.wait)
				synctest.Wait()
				want(t, "heard", p.sounds(), c.heard)
				switch c.want {
				case "-": // still asked
					p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
				case "":
					room := c.room
					if room == "" {
						room = "3001"
					}
					v, err := th.Room(t.Context(), RoomName(room))
					if err != nil || len(v.Members) != 1 {
						t.Fatalf("room %+v, %v", v, err)
					}
					want(t, "role", v.Members[0].Role, c.role)
				default:
					want(t, "outcome", line1(outcome(t, p)), c.want)
				}
			})
		})
	}
}

func TestADigitEndsThePromptAndCounts(t *testing.T) {
	bubble(t, pins, func(t *testing.T, th *theatre) {
		p := newPhone("a")
		p.listen()
		th.arrive(p, Invite{Room: "1", Dialplan: true})
		synctest.Wait()
		p.press("1234#") // while enter-pin plays
		synctest.Wait()
		if v, _ := th.Room(t.Context(), "1"); len(v.Members) != 1 {
			t.Errorf("not admitted: %+v", v)
		}
	})
}

// TestTheKeyAfterACompletePINEndsNothing: everybody types the pound that he was
// asked for, also where the PIN was complete without.
func TestTheKeyAfterACompletePINEndsNothing(t *testing.T) {
	bubble(t, func(p *Profile) {
		p.Member.PINs, p.Member.Terminator = []PIN{NewPIN("1234")}, "#"
	}, func(t *testing.T, th *theatre) {
		a, b := th.call("a", "1", nil), th.call("b", "1", nil)
		a.press("1234#")
		synctest.Wait()
		b.press("0000#1111#1234#") // three tries, not six
		synctest.Wait()
		if v, _ := th.Room(t.Context(), "1"); len(v.Members) != 2 {
			t.Fatalf("members: %+v", v.Members)
		}
		a.press("#") // this one is meant
		want(t, "terminator", line1(outcome(t, a)), "joined terminator terminator")
		late := th.call("c", "1", nil)
		late.press("1234")
		time.Sleep(surplusTime)
		late.press("#")
		want(t, "a pound much later", line1(outcome(t, late)), "joined terminator terminator")
	})
}

func TestTypedAheadDigitsAnswerNumberAndPIN(t *testing.T) {
	bubble(t, pins, func(t *testing.T, th *theatre) {
		p := newPhone("a")
		p.sink = th.Arrive(p, Invite{})
		p.press("3001#1234#")
		p.sink.Post(MediaUp{p.id})
		synctest.Wait()
		if v, err := th.Room(t.Context(), "3001"); err != nil || len(v.Members) != 1 {
			t.Errorf("not admitted: %+v %v; heard %q", v, err, p.sounds())
		}
	})
}

func TestKeysWhileTheBridgeTakesHimAreHis(t *testing.T) {
	bubble(t, func(p *Profile) { pins(p); p.Member.Terminator = "#" }, func(t *testing.T, th *theatre) {
		th.slow = &Place{}
		p := th.call("a", "1", nil)
		p.press("1234#")
		synctest.Wait()
		p.press("#")
		synctest.Wait()
		th.stage("1").letGo()
		want(t, "outcome", line1(outcome(t, p)), "joined terminator terminator")
	})
}

func TestWaitForModerator(t *testing.T) {
	bubble(t, func(p *Profile) {
		pins(p)
		p.WaitForModerator = true
		p.Moderator.EndOnExit = EndLast
	}, func(t *testing.T, th *theatre) {
		a, b := th.call("a", "1", nil), th.call("b", "1", nil)
		a.press("1234#")
		b.press("1234#")
		synctest.Wait()
		want(t, "waiting member", a.sounds(), "enter-pin wait-for-moderator *local_stream://moh")
		for m := MemberID(1); m <= 2; m++ {
			if s := th.stage("1").state(m); !s.Waiting {
				t.Errorf("member %d is not held apart: %+v", m, s)
			}
		}
		want(t, "room heard", th.stage("1").sounds(), "")
		m := th.call("m", "1", nil)
		m.press("98765")
		synctest.Wait()
		for id := MemberID(1); id <= 3; id++ {
			if s := th.stage("1").state(id); s.Waiting {
				t.Errorf("member %d still waits", id)
			}
		}
		want(t, "events", th.types(), "room.started participant.waiting participant.waiting participant.joined "+
			"participant.joined participant.joined")
		m.sink.Post(LegGone{Leg: m.id, Reason: ReasonHangup})
		want(t, "moderator", line1(outcome(t, m)), "joined hangup hangup")
		for _, p := range []*phone{a, b} {
			o := outcome(t, p)
			want(t, "member", line1(o), "joined moderator_left ended")
			if o.Hangup {
				t.Error("a call with a dialplan was hung up")
			}
			if s := p.sounds(); !strings.HasSuffix(s, "moderator-left") {
				t.Errorf("heard %q", s)
			}
		}
	})
}

func TestRewaitAndRequire(t *testing.T) {
	bubble(t, func(p *Profile) {
		p.RequireModerator = true
		p.ModeratorGrace = time.Minute
	}, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		m := th.call("m", "1", map[string]string{"flags": "moderator"})
		synctest.Wait()
		m.sink.Post(LegGone{Leg: m.id, Reason: ReasonHangup})
		outcome(t, m)
		if !th.stage("1").state(1).Waiting {
			t.Error("the member does not wait again")
		}
		time.Sleep(30 * time.Second)
		m2 := th.call("m2", "1", map[string]string{"role": "moderator"})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if th.stage("1").state(1).Waiting {
			t.Error("the member waits although a moderator is back")
		}
		m2.sink.Post(LegGone{Leg: m2.id, Reason: ReasonHangup})
		time.Sleep(61 * time.Second)
		want(t, "member", line1(outcome(t, a)), "joined moderator_left ended")
	})
}

func TestEndGraceIsCancelledByAReturn(t *testing.T) {
	bubble(t, func(p *Profile) {
		p.Moderator.EndOnExit = EndAny
		p.EndGrace = 10 * time.Second
	}, func(t *testing.T, th *theatre) {
		mod := map[string]string{"role": "moderator"}
		a, m := th.call("a", "1", nil), th.call("m", "1", mod)
		synctest.Wait()
		m.sink.Post(LegGone{Leg: m.id, Reason: ReasonHangup})
		time.Sleep(9 * time.Second)
		m2 := th.call("m2", "1", mod)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if len(a.released) != 0 {
			t.Fatal("the room ended although the moderator was back in time")
		}
		m2.sink.Post(LegGone{Leg: m2.id, Reason: ReasonHangup})
		time.Sleep(11 * time.Second)
		want(t, "member", line1(outcome(t, a)), "joined moderator_left ended")
	})
}

func TestFullAndReservedSeats(t *testing.T) {
	bubble(t, func(p *Profile) { p.MaxParticipants = 2 }, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		th.call("b", "1", nil)
		c := th.call("c", "1", nil)
		o := outcome(t, c)
		want(t, "third member", line1(o), "rejected full")
		want(t, "heard", c.sounds(), "conference-full")
		mod := map[string]string{"role": "moderator"}
		th.call("m", "1", mod)
		synctest.Wait()
		if v, _ := th.Room(t.Context(), "1"); len(v.Members) != 3 {
			t.Errorf("the moderator's seat was not kept: %+v", v.Members)
		}
		want(t, "second moderator", line1(outcome(t, th.call("m2", "1", mod))), "rejected full")
	})
}

func TestLockMenuAndTerminator(t *testing.T) {
	bubble(t, func(p *Profile) { p.Member.Terminator = "#" }, func(t *testing.T, th *theatre) {
		m := th.call("m", "1", map[string]string{"role": "moderator"})
		a := th.call("a", "1", nil)
		synctest.Wait()
		m.press("*5")
		want(t, "refused", line1(outcome(t, th.call("b", "1", nil))), "rejected locked")
		if v, _ := th.Room(t.Context(), "1"); !v.Locked {
			t.Error("not locked")
		}
		a.press("*5") // not a moderator
		a.press("*1") // mutes himself
		synctest.Wait()
		if s := th.stage("1").state(2); !s.Muted {
			t.Errorf("%+v", s)
		}
		a.press("9*6*6*4") // 9 is unknown: silent
		synctest.Wait()
		if s := th.stage("1").state(2); s.Listen != 3 {
			t.Errorf("listen gain %v, want 3 dB", s.Listen)
		}
		a.press("#")
		o := outcome(t, a)
		want(t, "terminator", line1(o)+" "+o.ExitDigits, "joined terminator terminator #")
	})
}
