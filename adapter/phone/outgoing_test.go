package phone_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/sip"
	"parley/sip/siptest"
)

// extension is a phone that can be called.
func extension(t *testing.T) *siptest.Phone {
	t.Helper()
	p, err := siptest.New(siptest.Options{User: "1002"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// ring calls somebody into a room, without waiting.
func (o *office) ring(t *testing.T, d engine.Dial) engine.JobID {
	t.Helper()
	id, err := o.BgDial(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// result waits for the end of a job.
func (o *office) result(t *testing.T, id engine.JobID) engine.Job {
	t.Helper()
	j, err := o.Job(limited(t), id, true)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestWhoAnswersOurCallIsHeardInTheRoom(t *testing.T) {
	t.Parallel()
	o, bob := open(t, settings{}), extension(t)
	alice := o.dial(t, "out", low())
	o.until(t, "out", "with one", present(1))
	id := o.ring(t, engine.Dial{
		Room: "out", Address: bob.URI(), Caller: engine.Caller{Number: "500", Name: `The "Board" \ 1`}, Party: engine.Caller{Name: "Bob"},
		Channel: map[string]string{"X-Order": "77", "sound": "of a switch"},
	})
	called, err := bob.Accept(limited(t), siptest.CallOptions{Tone: high()})
	if err != nil {
		t.Fatal(err)
	}
	if from := called.SIP().Info().From; from.User != "500" || from.Name != `The "Board" \ 1` || called.SIP().Info().Header("X-Order") != "77" {
		t.Errorf("called by %+v", called.SIP().Info())
	}
	if j := o.result(t, id); j.State != engine.DialAnswered || j.Cause != engine.CauseSuccess {
		t.Fatalf("%+v", j)
	}
	v := o.until(t, "out", "with two", present(2))
	if m := v.Members[1]; m.Number != "1002" || m.Name != "Bob" || m.Kind != "sip" {
		t.Errorf("member %+v", m)
	}
	hears(t, alice, high())
	hears(t, called, low())
	called.Hangup()
	if e := o.event(t, "out", engine.EventLeft); e.Reason != engine.ReasonHangup || e.Invite.Job != id {
		t.Errorf("%+v", e)
	}
	o.until(t, "out", "with one", present(1))
}

func TestWhoWasCalledIsHungUpWithTheRoom(t *testing.T) {
	t.Parallel()
	o, bob := open(t, settings{}), extension(t)
	id := o.ring(t, engine.Dial{Room: "alone", Address: bob.URI()})
	called, err := bob.Accept(limited(t), siptest.CallOptions{Tone: high()})
	if err != nil {
		t.Fatal(err)
	}
	if from := called.SIP().Info().From; from.User != "alone" || from.Name != "alone" {
		t.Errorf("called by %+v", from)
	}
	o.result(t, id)
	o.until(t, "alone", "with one", present(1))
	if err := o.Do(limited(t), "alone", engine.End{}); err != nil {
		t.Fatal(err)
	}
	if end := over(t, called); end.Cause != sip.ByPeer {
		t.Errorf("%+v", end)
	}
}

func TestACallThatIsNotAnsweredSaysWhy(t *testing.T) {
	t.Parallel()
	o := open(t, settings{})
	for _, tt := range []struct {
		status int
		cause  engine.Cause
	}{{486, engine.CauseBusy}, {603, engine.CauseRejected}, {404, engine.CauseUnallocated}, {480, engine.CauseNoResponse}, {503, engine.CauseTemporary}} {
		bob := extension(t)
		id := o.ring(t, engine.Dial{Room: "no", Address: bob.URI()})
		if _, err := bob.Reject(limited(t), tt.status); err != nil {
			t.Fatal(err)
		}
		if j := o.result(t, id); j.Cause != tt.cause || j.SIP != tt.status || j.State != engine.DialFailed {
			t.Errorf("%d: %+v", tt.status, j)
		}
	}
}

func TestACallToWhereNobodyListensFailsAtOnce(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	o, gone := open(t, settings{}), extension(t)
	gone.Close()
	start := time.Now()
	j := o.result(t, o.ring(t, engine.Dial{Room: "nobody", Address: gone.URI()}))
	if j.Cause != engine.CauseTemporary || j.SIP != 503 || time.Since(start) > time.Second {
		t.Errorf("%+v after %v", j, time.Since(start))
	}
}

func TestACallThatRingsTooLongIsCancelled(t *testing.T) {
	t.Parallel()
	o := open(t, settings{})
	ended := make(chan sip.End, 1)
	bob, err := sip.New(sip.Options{UDP: []string{"127.0.0.1:0"}, Incoming: func(c *sip.Call) sip.Events {
		c.Ringing()
		return ending(ended)
	}})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, bob)
	id := o.ring(t, engine.Dial{Room: "long", Address: "sip:bob@" + bob.UDP()[0].String(), Timeout: 500 * time.Millisecond})
	o.event(t, "long", engine.EventRinging)
	if j := o.result(t, id); j.Cause != engine.CauseNoAnswer || j.Q850 != 19 {
		t.Errorf("%+v", j)
	}
	select {
	case end := <-ended:
		if end.Cause != sip.Cancelled || end.Reason != `Q.850;cause=19;text="NO_ANSWER"` {
			t.Errorf("%+v", end)
		}
	case <-time.After(patience):
		t.Error("the phone rings on")
	}
}

// ending is the Events of a call that is never answered.
type ending chan sip.End

func (ending) Media(sip.Session)   {}
func (ending) Digit(byte)          {}
func (e ending) Ended(end sip.End) { e <- end }

// serve runs an endpoint until the end of the test.
func serve(t *testing.T, e *sip.Endpoint) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = e.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
}

// The trunk wants a password, and then is busy.
func TestATrunkIsToldThePassword(t *testing.T) {
	t.Parallel()
	o := open(t, settings{})
	trunk, err := sip.New(sip.Options{
		UDP: []string{"127.0.0.1:0"}, Users: []sip.User{{Name: "parley", Password: "s3cret"}},
		Incoming: func(c *sip.Call) sip.Events {
			_ = c.Reject(486, sip.Header{Name: "X-User", Value: c.Info().User})
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, trunk)
	for _, tt := range []struct {
		auth *sip.Auth
		want string
	}{
		{&sip.Auth{User: "parley", Password: "s3cret"}, "USER_BUSY 486"},
		{&sip.Auth{User: "parley", Password: "wrong"}, "CALL_REJECTED 401"},
		{nil, "CALL_REJECTED 401"},
	} {
		o.auth = tt.auth
		j := o.result(t, o.ring(t, engine.Dial{Room: "trunk", Address: "sip:1@" + trunk.UDP()[0].String()}))
		if got := fmt.Sprintf("%s %d", j.Cause, j.SIP); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestACallThatComesBackByAnotherSwitchIsALoop(t *testing.T) {
	t.Parallel()
	o, bob := open(t, settings{}), extension(t)
	mark := func() string {
		id := o.ring(t, engine.Dial{Room: "away", Address: bob.URI()})
		info, err := bob.Reject(limited(t), 486)
		if err != nil {
			t.Fatal(err)
		}
		o.result(t, id)
		return info.Header("X-Parley-Origin")
	}
	first, second := mark(), mark()
	a, _, _ := strings.Cut(first, ".")
	_, b, _ := strings.Cut(second, ".")
	if first == second || strings.Contains(first, b) {
		t.Errorf("two calls can be known for ours: %s, %s", first, second)
	}
	for _, tt := range []struct {
		mark string
		loop bool
	}{{first, true}, {second, true}, {a + "." + b, false}, {b, false}, {"." + b, false}, {a + ".", false}, {".", false}, {"", false}} {
		_, err := o.try(t, "away", siptest.Options{}, siptest.CallOptions{Headers: heads([]string{"X-Parley-Origin", tt.mark})})
		refused, loop := errors.AsType[*sip.StatusError](err)
		if loop != tt.loop || loop && refused.Code != 482 || !loop && err != nil {
			t.Errorf("%q: %v", tt.mark, err)
		}
	}
}

func TestACallOfOursThatComesBackIsALoop(t *testing.T) {
	t.Parallel()
	o := open(t, settings{})
	o.dial(t, "self", low())
	j := o.result(t, o.ring(t, engine.Dial{Room: "self", Address: o.uri("self")}))
	if j.SIP != 482 || j.Cause != engine.CauseExchangeRouting {
		t.Errorf("%+v", j)
	}
	o.until(t, "self", "with one", present(1))
}
