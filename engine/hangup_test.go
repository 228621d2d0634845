package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// onTheWay are the places where a call can be when somebody hangs it up.
func onTheWay() []struct {
	name string
	edit func(*Profile)
	call func(*testing.T, *theatre) *phone
	want string
} {
	return []struct {
		name string
		edit func(*Profile)
		call func(*testing.T, *theatre) *phone
		want string
	}{
		{"before its audio is up", nil, func(_ *testing.T, th *theatre) *phone {
			p := newPhone("a")
			p.sink = th.Arrive(p, Invite{Room: "1", Kind: "sip", Dialplan: true})
			return p
		}, "rejected kicked"},
		{"asked for the number", nil, func(_ *testing.T, th *theatre) *phone { return th.call("a", "", nil) }, "rejected kicked"},
		{"while it hears the welcome", func(p *Profile) { p.WelcomeSound = "welcome" }, func(_ *testing.T, th *theatre) *phone {
			p := newPhone("a")
			p.listen()
			th.arrive(p, Invite{Room: "1", Kind: "sip"})
			return p
		}, "rejected kicked"},
		{"at the PIN", func(p *Profile) { p.Member.PINs = []PIN{NewPIN("1")} }, func(_ *testing.T, th *theatre) *phone {
			return th.call("a", "1", nil)
		}, "rejected kicked"},
		{"while the bridge takes it", nil, func(t *testing.T, th *theatre) *phone {
			first := th.call("first", "1", nil)
			synctest.Wait()
			th.stage("1").hold()
			p := th.call("a", "1", nil)
			synctest.Wait()
			go func() {
				time.Sleep(time.Second)
				th.stage("1").letGo()
				first.sink.Post(LegGone{Leg: "first", Reason: ReasonHangup})
			}()
			return p
		}, "rejected kicked"},
		{"a member", nil, func(_ *testing.T, th *theatre) *phone { return th.call("a", "1", nil) }, "joined kicked kicked"},
		{"who waits", func(p *Profile) { p.WaitForModerator = true }, func(_ *testing.T, th *theatre) *phone { return th.call("a", "1", nil) }, "joined kicked kicked"},
	}
}

func TestACallIsHungUpWhereverItIs(t *testing.T) {
	for _, tt := range onTheWay() {
		for _, soon := range []bool{true, false} {
			t.Run(tt.name, func(t *testing.T) {
				bubble(t, tt.edit, func(t *testing.T, th *theatre) {
					p := tt.call(t, th)
					if !soon { // else it may be in a mailbox, or anywhere before
						synctest.Wait()
					}
					if err := th.HangUp(t.Context(), "a", CauseBusy); err != nil {
						t.Fatal(err)
					}
					o := outcome(t, p)
					if !soon {
						want(t, "outcome", line1(o), tt.want)
					}
					if !o.Hangup || o.Cause != CauseBusy {
						t.Errorf("%+v", o)
					}
					if err := th.HangUp(t.Context(), "a", CauseBusy); !errors.Is(err, ErrNoCall) {
						t.Errorf("again: %v", err)
					}
				})
			})
		}
	}
}

func TestACallIsHungUpInItsLastPrompt(t *testing.T) {
	bubble(t, func(p *Profile) { p.KickedSound = "kicked" }, func(t *testing.T, th *theatre) {
		p := th.call("a", "1", nil)
		synctest.Wait()
		p.listen()
		if err := th.Do(t.Context(), "1", Kick{}); err != nil {
			t.Error(err)
		}
		if err := th.HangUp(t.Context(), "a", ""); err != nil {
			t.Error(err)
		}
		want(t, "outcome", line1(outcome(t, p)), "joined kicked kicked")
	})
}

// between is a call that leaves room 1 for room 2, while its bridge holds it.
func (th *theatre) between(t *testing.T) (p *phone, there *stage, moved chan error) {
	p = th.call("a", "1", nil)
	synctest.Wait()
	there = th.stage("1")
	there.hold()
	moved = make(chan error, 1)
	go func() { moved <- th.Do(t.Context(), "1", Transfer{Member: 1, To: "2"}) }()
	synctest.Wait()
	return p, there, moved
}

// TestACallIsHungUpBetweenTwoRooms: the order is given while it leaves the first.
func TestACallIsHungUpBetweenTwoRooms(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		p, there, moved := th.between(t)
		hung := make(chan error, 1)
		go func() { hung <- th.HangUp(t.Context(), "a", "") }()
		synctest.Wait()
		there.letGo()
		if a, b := <-moved, <-hung; a != nil || b != nil {
			t.Errorf("%v, %v", a, b)
		}
		want(t, "outcome", line1(outcome(t, p)), "joined kicked kicked")
		if _, err := th.Room(t.Context(), "2"); !errors.Is(err, ErrNoRoom) {
			t.Errorf("it went on: %v", err)
		}
	})
}

// TestAHangUpIsNotLostWhileACallIsMade: nor when the answer is faster, nor when who
// has asked does not wait.
func TestAHangUpIsNotLostWhileACallIsMade(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		other := th.call("b", "1", nil)
		away := newAbroad(th)
		th.bgdial(t, calling("a", nil))
		away.to(t, "a")
		if err := th.HangUp(t.Context(), "a", CauseNormal); err != nil {
			t.Error(err)
		}
		want(t, "result", result(t, th, "a"), "error NORMAL_CLEARING 0 given up")

		late := newPhone("c")
		th.way = func(ctx context.Context, c OutCall) error {
			<-ctx.Done()
			time.Sleep(10 * time.Second)
			th.arrive(late, c.Invite)
			return nil
		}
		th.bgdial(t, calling("c", nil))
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := th.HangUp(brief, "c", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		want(t, "outcome", line1(outcome(t, late)), "rejected kicked")
		other.sink.Post(LegGone{Leg: "b", Reason: ReasonHangup})
		outcome(t, other)
	})
}

func TestWhoIsOnHisWayIsAwaited(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		other := th.call("b", "1", nil)
		synctest.Wait()
		there := th.stage("1")
		there.hold()
		p := th.call("a", "1", nil)
		answers := make(chan error, 2)
		await := func() { answers <- th.Await(t.Context(), "a") }
		go await()
		synctest.Wait()
		if len(answers) != 0 {
			t.Error("he is in before the bridge has him")
		}
		there.letGo()
		if err := <-answers; err != nil {
			t.Error(err)
		}
		go func() { _ = th.Do(t.Context(), "1", Transfer{Member: 2, To: "2"}) }()
		there.hold()
		synctest.Wait()
		go await()
		synctest.Wait()
		if len(answers) != 0 {
			t.Error("he is in before he is there")
		}
		there.letGo()
		if err := <-answers; err != nil {
			t.Error(err)
		}
		if v, err := th.Room(t.Context(), "2"); err != nil || len(v.Members) != 1 || v.Members[0].CallID != "a" {
			t.Errorf("%+v %v", v.Members, err)
		}
		for _, p := range []*phone{other, p} {
			p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
			outcome(t, p)
		}
		if err := th.Await(t.Context(), "a"); !errors.Is(err, ErrNoCall) {
			t.Errorf("gone: %v", err)
		}
	})
}

// TestWhoIsPromptedIsNotAwaited: he may take his time.
func TestWhoIsPromptedIsNotAwaited(t *testing.T) {
	bubble(t, func(p *Profile) { p.Member.PINs = []PIN{NewPIN("1")} }, func(t *testing.T, th *theatre) {
		for id, room := range map[string]string{"a": "1", "b": ""} {
			p := th.call(id, room, nil)
			if err := th.Await(t.Context(), LegID(id)); !errors.Is(err, ErrPrompted) {
				t.Errorf("%s: %v", id, err)
			}
			p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
			outcome(t, p)
		}
	})
}
