package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// abroad makes calls that do what the test says: answer, ring or fail.
type abroad struct {
	th *theatre

	mu    sync.Mutex
	calls map[LegID]*far // guarded by mu
}

// far is one such call.
type far struct {
	OutCall
	*phone
	answer chan error // nil = it answers
}

func newAbroad(th *theatre) *abroad {
	a := &abroad{th: th, calls: map[LegID]*far{}}
	th.way = a.call
	return a
}

func (a *abroad) call(ctx context.Context, c OutCall) error {
	f := &far{OutCall: c, phone: newPhone(string(c.Leg)), answer: make(chan error, 1)}
	a.mu.Lock()
	a.calls[c.Leg] = f
	a.mu.Unlock()
	select {
	case err := <-f.answer:
		if err == nil {
			in := c.Invite
			in.Kind = "sip"
			a.th.arrive(f.phone, in)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// to is the call with an id, which must have begun.
func (a *abroad) to(t *testing.T, id string) *far {
	t.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.calls[LegID(id)]
	if f == nil {
		t.Fatalf("%s was not called", id)
	}
	return f
}

// calling is a call into room 1 with ids of the test's choice.
func calling(id string, vars map[string]string) Dial {
	return Dial{Room: "1", Address: "sip:" + id + "@there", Leg: LegID(id), Job: JobID("job-" + id), Variables: vars}
}

func (th *theatre) bgdial(t *testing.T, d Dial) {
	t.Helper()
	if _, err := th.BgDial(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func result(t *testing.T, th *theatre, id string) string {
	t.Helper()
	synctest.Wait()
	j, err := th.Job(t.Context(), JobID("job-"+id), false)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %d %s", j.State, j.Cause, j.SIP, j.Text))
}

func TestWhoIsCalledBecomesAMember(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		away := newAbroad(th)
		d := calling("a", map[string]string{"role": "moderator"})
		d.Party, d.Caller = Caller{"1002", "Bob"}, Caller{Number: "5"}
		th.bgdial(t, d)
		bob := away.to(t, "a")
		want(t, "caller", fmt.Sprint(bob.Caller), "{5 1}")
		view, err := th.Room(t.Context(), "1")
		if err != nil || view.State != "dialing" || len(view.Dialing) != 1 {
			t.Fatalf("room: %+v, %v", view, err)
		}
		bob.Ringing(180)
		want(t, "state", result(t, th, "a"), "ringing  180")
		bob.answer <- nil
		want(t, "result", result(t, th, "a"), "success SUCCESS 0")
		view, _ = th.Room(t.Context(), "1")
		if len(view.Members) != 1 || view.Members[0].Role != "moderator" || view.Members[0].Name != "Bob" || view.Members[0].CallID != "a" {
			t.Errorf("members: %+v", view.Members)
		}
		want(t, "events", th.types(), "dial.started dial.ringing dial.result room.started participant.joined")
		bob.press("#")
		bob.sink.Post(LegGone{Leg: "a", Reason: ReasonHangup})
		want(t, "outcome", line1(outcome(t, bob.phone)), "joined hangup hangup")
	})
}

func TestDialWaitsForTheAnswer(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		away := newAbroad(th)
		for _, tt := range []struct {
			id   string
			err  error
			want string
		}{
			{"yes", nil, "success SUCCESS 0"},
			{"busy", &CallError{CauseBusy, 486, "Busy Here"}, "error USER_BUSY 17 486 Busy Here"},
			{"full", &RefusalError{Reason: ReasonNodeBusy}, "error SWITCH_CONGESTION 42 0 node_busy"},
			{"odd", errors.New("wire cut"), "error NORMAL_TEMPORARY_FAILURE 41 0 wire cut"},
		} {
			go func() { away.to(t, tt.id).answer <- tt.err }()
			j, err := th.Dial(t.Context(), calling(tt.id, nil))
			got := strings.TrimSpace(fmt.Sprintf("%s %s %d %d %s", j.State, j.Cause, j.Q850, j.SIP, j.Text))
			if err != nil || got != strings.Replace(tt.want, "SUCCESS 0", "SUCCESS 0 0", 1) {
				t.Errorf("%s: got %q, %v; want %q", tt.id, got, err, tt.want)
			}
		}
	})
}

func TestACallOutIsGivenUp(t *testing.T) {
	cases := []struct {
		name string
		do   func(*testing.T, *theatre)
		want string
	}{
		{"when nobody answers", func(*testing.T, *theatre) { time.Sleep(31 * time.Second) }, "error NO_ANSWER 0 not answered in time"},
		{"when it is not wanted any more", func(_ *testing.T, th *theatre) { th.CancelDial("job-a") }, "error ORIGINATOR_CANCEL 0 given up"},
		{"with its room", func(t *testing.T, th *theatre) {
			if err := th.Do(t.Context(), "1", End{}); err != nil {
				t.Error(err)
			}
		}, "error ORIGINATOR_CANCEL 0 given up"},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, th *theatre) {
				away := newAbroad(th)
				d := calling("a", nil)
				d.Timeout = 30 * time.Second
				th.bgdial(t, d)
				away.to(t, "a")
				tt.do(t, th)
				want(t, "result", result(t, th, "a"), tt.want)
				if _, err := th.Room(t.Context(), "1"); !errors.Is(err, ErrNoRoom) {
					t.Errorf("the room still runs: %v", err)
				}
			})
		})
	}
}

// Who gives an order may go while the room judges it. Then either nobody is called, or
// the order has been given.
func TestAnErrorSaysThatNobodyWasCalled(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		newAbroad(th)
		given := 0
		for i := range 2000 {
			d := calling(fmt.Sprint("p", i), nil)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for range i % 50 {
					runtime.Gosched()
				}
				cancel()
			}()
			_, err := th.BgDial(ctx, d)
			events := th.types()
			if told := strings.Contains(events, "dial.started"); told != (err == nil) || err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%d: %v, and %q was told", i, err, events)
				break // or the bubble cannot end
			}
			if err == nil {
				given++
				_ = th.HangUp(t.Context(), d.Leg, CauseNormal)
				synctest.Wait()
			}
			th.types()
		}
		t.Logf("%d of 2000 orders were given", given)
	})
}

func TestAnAnswerThatComesTooLateIsHungUp(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		late := newPhone("a")
		th.way = func(ctx context.Context, c OutCall) error {
			<-ctx.Done() // and yet:
			th.arrive(late, c.Invite)
			return nil
		}
		th.bgdial(t, calling("a", nil))
		other := th.call("b", "1", nil)
		th.CancelDial("job-a")
		want(t, "result", result(t, th, "a"), "success SUCCESS 0") // the answer was faster: he is in
		late.sink.Post(LegGone{Leg: "a", Reason: ReasonHangup})
		want(t, "outcome", line1(outcome(t, late)), "joined hangup hangup")

		th.bgdial(t, calling("c", nil))
		late = newPhone("c")
		if err := th.Do(t.Context(), "1", End{}); err != nil {
			t.Error(err)
		}
		want(t, "outcome", line1(outcome(t, late)), "rejected ended")
		want(t, "result", result(t, th, "c"), "error ORIGINATOR_CANCEL 0 answered too late")
		outcome(t, other)
	})
}

func TestASeatIsKeptForWhoIsCalled(t *testing.T) {
	bubble(t, func(p *Profile) { p.MaxParticipants, p.WelcomeSound = 2, "welcome" }, func(t *testing.T, th *theatre) {
		away := newAbroad(th)
		first := th.call("a", "1", nil)
		th.bgdial(t, calling("b", nil))
		want(t, "the third", line1(outcome(t, th.call("c", "1", nil))), "rejected full")
		_, err := th.BgDial(t.Context(), calling("d", nil))
		if r, ok := errors.AsType[*RefusalError](err); !ok || r.Reason != ReasonFull {
			t.Errorf("another order: %v", err)
		}
		second := away.to(t, "b")
		second.listen()
		second.answer <- nil
		synctest.Wait() // he hears the welcome: the seat is his all the same
		want(t, "the third", line1(outcome(t, th.call("e", "1", nil))), "rejected full")
		second.press("1")
		synctest.Wait()
		if v, _ := th.Room(t.Context(), "1"); len(v.Members) != 2 {
			t.Errorf("members: %+v", v.Members)
		}
		for _, p := range []*phone{first, second.phone} {
			p.sink.Post(LegGone{Leg: p.id, Reason: ReasonHangup})
			outcome(t, p)
		}
	})
}

func TestRulesJudgeAnOrder(t *testing.T) {
	secure := map[string]string{"enforce_security": "true"}
	cases := []struct {
		name  string
		order Dial
		edit  func(*Profile)
		lock  bool
		want  string
	}{
		{"who orders vouches for the called", calling("a", nil), func(p *Profile) { p.Member.PINs = []PIN{NewPIN("1")} }, true, ""},
		{"unless he says otherwise", calling("a", secure), nil, true, "locked"},
		{"a room that must run does not", calling("a", nil), func(p *Profile) { p.Create = CreateRunning }, false, "not_running"},
		{"no way", Dial{Room: "1", Address: "nowhere"}, nil, false, ErrNoRoute.Error()},
		{"no room", Dial{Room: "/", Address: "x"}, nil, false, ErrBadRoomName.Error()},
		{"no address", Dial{Room: "1"}, nil, false, ErrBadCommand.Error()},
		{"two lines", Dial{Room: "1", Address: "a\r\nb"}, nil, false, ErrBadCommand.Error()},
		{"two lines in a name", Dial{Room: "1", Address: "a", Caller: Caller{Name: "a\nb"}}, nil, false, ErrBadCommand.Error()},
		{"too long", Dial{Room: "1", Address: "a", Timeout: time.Hour}, nil, false, ErrBadCommand.Error()},
		{"odd id", Dial{Room: "1", Address: "a", Leg: "a b"}, nil, false, ErrBadCommand.Error()},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.edit, func(t *testing.T, th *theatre) {
				newAbroad(th)
				if tt.lock {
					first := th.call("first", "1", map[string]string{"role": "moderator", "enforce_security": "false"})
					if err := th.Do(t.Context(), "1", Lock{true}); err != nil {
						t.Fatal(err)
					}
					defer outcome(t, first)
					defer func() { first.sink.Post(LegGone{Leg: first.id, Reason: ReasonHangup}) }()
				}
				_, err := th.BgDial(t.Context(), tt.order)
				got := ""
				if r, ok := errors.AsType[*RefusalError](err); ok {
					got = string(r.Reason)
				} else if err != nil {
					got = err.Error()
				}
				if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestARoomMakesSoManyCalls(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		newAbroad(th)
		for _, id := range []string{"a", "b", "c"} {
			th.bgdial(t, calling(id, nil))
		}
		if _, err := th.BgDial(t.Context(), calling("d", nil)); !errors.Is(err, ErrTooManyDials) {
			t.Errorf("the fourth: %v", err)
		}
		if _, err := th.BgDial(t.Context(), calling("c", nil)); !errors.Is(err, ErrInUse) {
			t.Errorf("the third again: %v", err)
		}
		if _, err := th.Job(t.Context(), "job-d", true); !errors.Is(err, ErrNoJob) {
			t.Errorf("its job: %v", err)
		}
		th.SetBusy(true)
		_, err := th.BgDial(t.Context(), calling("e", nil))
		if r, ok := errors.AsType[*RefusalError](err); !ok || r.Reason != ReasonNodeBusy {
			t.Errorf("when busy: %v", err)
		}
	})
}

func TestCausesHaveTheNumbersOfQ850(t *testing.T) {
	for _, tt := range []struct {
		name   Cause
		number int
	}{{CauseBusy, 17}, {CauseNoAnswer, 19}, {CauseRejected, 21}, {CauseInterworking, 127}, {CauseUnspecified, 31}} {
		if tt.name.Number() != tt.number || CauseOf(tt.number) != tt.name {
			t.Errorf("%s: %d, %s", tt.name, tt.name.Number(), CauseOf(tt.number))
		}
	}
	if c, ok := CauseNamed("user_Busy"); c != CauseBusy || !ok {
		t.Errorf("by name %s", c)
	}
	if c, ok := CauseNamed("ODD"); ok {
		t.Errorf("by a name that is none %s", c)
	}
	if CauseOf(99) != CauseUnspecified || Cause("ODD").Number() != 31 {
		t.Error("what has no name is not unspecified")
	}
}
