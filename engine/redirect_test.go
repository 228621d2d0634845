package engine

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// referred is a phone that can be sent elsewhere; the test says what it answers.
type referred struct {
	*phone
	asked chan Redirected // with what it was asked in Leg
}

func (p *referred) Redirect(op OpID, to string) { p.asked <- Redirected{Op: op, Leg: LegID(to)} }

// settles answers what it was asked.
func (p *referred) settles(t *testing.T, err error) {
	t.Helper()
	f := <-p.asked
	if f.Leg != "sip:bob@h" {
		t.Errorf("sent to %s", f.Leg)
	}
	p.sink.Post(Redirected{Leg: p.id, Op: f.Op, Err: err})
}

// inRoom is two in room 1: one who can be sent elsewhere, and one who cannot.
func (th *theatre) inRoom() *referred {
	th.call("b", "1", nil)
	p := &referred{newPhone("a"), make(chan Redirected, 4)}
	p.sink = th.Arrive(p, Invite{Room: "1", Source: "a", Dialplan: true})
	p.sink.Post(MediaUp{p.id})
	synctest.Wait()
	th.types()
	return p
}

// asks gives the order, and returns where the answer comes.
func (th *theatre) asks(c Redirect) chan error {
	answer := make(chan error, 1)
	go func() { answer <- th.Do(th.t.Context(), "1", c) }()
	synctest.Wait()
	return answer
}

func TestAMemberIsSentElsewhere(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		p := th.inRoom()
		for _, c := range []struct {
			do  Redirect
			err error
		}{
			{Redirect{Member: 1, To: "sip:bob@h"}, ErrCannot},
			{Redirect{Member: 7, To: "sip:bob@h"}, ErrNoMember},
			{Redirect{Member: 2, To: "bob"}, ErrBadCommand},
			{Redirect{Member: 2, To: "sip:"}, ErrBadCommand},
			{Redirect{Member: 2, To: "http://h"}, ErrBadCommand},
			{Redirect{Member: 2, To: "sip:b b@h"}, ErrBadCommand},
			{Redirect{Member: 2, To: "sip:b@h>\r\nX: y"}, ErrBadCommand},
			{Redirect{Member: 2, To: "sip:${x}@h"}, ErrBadCommand},
			{Redirect{Member: 2, To: "sip:" + strings.Repeat("b", maxURI)}, ErrBadCommand},
		} {
			if err := th.Do(t.Context(), "1", c.do); !errors.Is(err, c.err) {
				t.Errorf("%.60q: %v", c.do.To, err)
			}
		}
		order := Redirect{Member: 2, To: "sip:bob@h"}
		answer := th.asks(order)
		select {
		case err := <-answer:
			t.Fatalf("answered before the phone did: %v", err)
		default:
		}
		p.settles(t, ErrCannot)
		if err := <-answer; !errors.Is(err, ErrCannot) {
			t.Errorf("refused: %v", err)
		}
		answer = th.asks(order)
		p.settles(t, nil)
		if err := <-answer; err != nil {
			t.Error(err)
		}
		want(t, "told", th.types(), "")
		p.sink.Post(LegGone{Leg: p.id, Reason: ReasonTransferred})
		if o := outcome(t, p.phone); o.Reason != ReasonTransferred || o.Exit != ExitTransfer {
			t.Errorf("%+v", o)
		}
	})
}

// TestWhatBecameOfItIsWaitedFor by who asks for that: the phone's consent is no
// answer.
func TestWhatBecameOfItIsWaitedFor(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		p := th.inRoom()
		order := Redirect{Member: 2, To: "sip:bob@h", Wait: true}
		for _, then := range []Fact{
			Redirected{Leg: p.id, Err: &StaysError{486, "Busy Here"}},
			LegGone{Leg: p.id, Reason: ReasonTransferred, Cause: CauseBlindTransfer},
		} {
			answer := th.asks(order)
			f := <-p.asked
			p.sink.Post(Redirected{Leg: p.id, Op: f.Op})
			synctest.Wait()
			select {
			case err := <-answer:
				t.Fatalf("answered before it was told: %v", err)
			default:
			}
			stays, is := then.(Redirected)
			if is {
				stays.Op, then = f.Op, Redirected{Leg: p.id, Op: f.Op, Err: stays.Err}
			}
			p.sink.Post(then)
			if err := <-answer; !errors.Is(err, stays.Err) {
				t.Errorf("%T: %v", then, err)
			}
		}
		if o := outcome(t, p.phone); o.Reason != ReasonTransferred || o.Cause != CauseBlindTransfer {
			t.Errorf("%+v", o)
		}
	})
}

// Who leaves before his phone has said anything has answered by that, but has told
// nothing to who waits.
func TestWhoLeavesFirstAnswersARedirect(t *testing.T) {
	for _, tt := range []struct {
		why  Reason
		wait bool
		want error
	}{{ReasonTransferred, false, nil}, {ReasonTransferred, true, ErrNoMember}, {ReasonHangup, false, ErrNoMember}} {
		bubble(t, nil, func(t *testing.T, th *theatre) {
			p := th.inRoom()
			answer := th.asks(Redirect{Member: 2, To: "sip:bob@h", Wait: tt.wait})
			p.sink.Post(LegGone{Leg: p.id, Reason: tt.why})
			if err := <-answer; !errors.Is(err, tt.want) {
				t.Errorf("%+v: %v", tt, err)
			}
		})
	}
}

// TestOneRedirectAtATime: a second one is refused while the first has no answer, and
// the failure of neither settles the other.
func TestOneRedirectAtATime(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		p := th.inRoom()
		first := th.asks(Redirect{Member: 2, To: "sip:bob@h", Wait: true})
		for _, wait := range []bool{true, false} {
			second := <-th.asks(Redirect{Member: 2, To: "sip:eve@h", Wait: wait})
			if !errors.Is(second, ErrCannot) || !strings.HasSuffix(second.Error(), "member 2 is being sent elsewhere already") {
				t.Errorf("the second: %v", second)
			}
		}
		select {
		case err := <-first:
			t.Fatalf("the first: %v", err)
		default:
		}
		stays := &StaysError{486, "Busy Here"}
		p.settles(t, stays)
		if err := <-first; !errors.Is(err, stays) {
			t.Errorf("the first: %v", err)
		}
		again := th.asks(Redirect{Member: 2, To: "sip:bob@h"})
		p.settles(t, nil)
		if err := <-again; err != nil {
			t.Error(err)
		}
	})
}
