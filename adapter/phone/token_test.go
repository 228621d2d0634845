package phone_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"parley/adapter/phone"
	"parley/engine"
	"parley/sip"
	"parley/sip/siptest"
)

// notFound dials a token that must not be good.
func notFound(t *testing.T, o *office, token string) {
	t.Helper()
	_, err := o.try(t, token, siptest.Options{}, siptest.CallOptions{})
	var refused *sip.StatusError
	if !errors.As(err, &refused) || refused.Code != 404 {
		t.Errorf("%s: %v", token, err)
	}
	rooms, err := o.Rooms(t.Context())
	for _, r := range rooms {
		if strings.HasPrefix(string(r.Name), phone.TokenPrefix) || err != nil {
			t.Errorf("room %s", r.Name)
		}
	}
}

// facts is an engine.Sink.
type facts chan engine.Fact

func (f facts) Post(fact engine.Fact) { f <- fact }

func (f facts) next(t *testing.T) engine.Fact {
	t.Helper()
	select {
	case got := <-f:
		return got
	case <-time.After(patience):
		t.Fatal("no fact")
		return nil
	}
}

func tokenOnce(t *testing.T, o *office) {
	ticket := o.Ticket("channel-1")
	if !strings.HasPrefix(ticket.Token(), phone.TokenPrefix) || len(ticket.Token()) < 20 {
		t.Errorf("token %q", ticket.Token())
	}
	if again := o.Ticket("channel-1"); again.Token() == ticket.Token() {
		t.Error("two tickets with one token")
	} else {
		again.Drop()
	}
	c := o.dial(t, ticket.Token(), low())
	m, err := ticket.Wait(limited(t))
	if err != nil || m.ID() != "channel-1" {
		t.Fatalf("%v %v", m, err)
	}
	notFound(t, o, ticket.Token())
	said := make(facts, 16)
	m.Attach(said)
	if err := c.InfoDigits(limited(t), "7"); err != nil {
		t.Fatal(err)
	}
	if got := said.next(t); got != (engine.Digit{Leg: "channel-1", Digit: '7'}) {
		t.Errorf("%#v", got)
	}
	if err := c.Digits(limited(t), "#"); err != nil {
		t.Fatal(err)
	}
	if got := said.next(t); got != (engine.Digit{Leg: "channel-1", Digit: '#', Held: 100 * time.Millisecond}) {
		t.Errorf("%#v", got)
	}
	m.Play(1, engine.Media{Items: []string{"tone_stream://%(20000,0,900)"}})
	heard(t, c, 900, isLoud)
	ticket.Drop() // too late to matter
	select {
	case <-m.Done():
		t.Error("dropping a ticket that was used ended the call")
	default:
	}
	m.HangUp()
	if end := over(t, c); end.Cause != sip.ByPeer {
		t.Errorf("%+v", end)
	}
	<-m.Done()
}

func tokenExpires(t *testing.T, o *office) {
	ticket := o.Ticket("channel-2")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if m, err := ticket.Wait(ctx); !errors.Is(err, phone.ErrUnclaimed) || m != nil {
		t.Errorf("%v %v", m, err)
	}
	notFound(t, o, ticket.Token())
}

// tokenDropped: the call is on its way when nobody waits for it any more.
func tokenDropped(t *testing.T, o *office) {
	t.Run("after it was answered", func(t *testing.T) {
		ticket := o.Ticket("channel-3")
		c := o.dial(t, ticket.Token(), low())
		ticket.Drop()
		if end := over(t, c); end.Cause != sip.ByPeer {
			t.Errorf("%+v", end)
		}
	})
	t.Run("before its audio is agreed on", func(t *testing.T) {
		ticket := o.Ticket("channel-4")
		c := newCaller(t, o)
		answer := c.invite(ticket.Token(), "")
		ticket.Drop()
		c.ack(answer, c.describe("0 PCMU/8000"))
		c.await("BYE")
	})
}

func tokensUnknown(t *testing.T, o *office) {
	ticket := o.Ticket("channel-5")
	token := ticket.Token()
	for _, guess := range []string{
		phone.TokenPrefix, phone.TokenPrefix + "x", token[:len(token)-1], token + "x", strings.ToUpper(token), "%7e" + token[1:] + "x",
	} {
		notFound(t, o, guess)
	}
	ticket.Drop()
	notFound(t, o, token)
	ticket.Drop() // once more, it does not matter
}

// TestWhoWaitsIsToldWhyHisCallIsRefused: the switch that brings it only hears 503.
func TestWhoWaitsIsToldWhyHisCallIsRefused(t *testing.T) {
	first := uint16(16000 + 2*rand.IntN(1900)) //nolint:gosec // others who test may have some of them
	o := open(t, settings{ports: [2]uint16{first, first + 1}})
	c := newCaller(t, o)
	c.ack(c.invite("a", c.describe("0 PCMU/8000")), "")
	o.until(t, "a", "open", present(1))
	ticket := o.Ticket("channel-6")
	if !o.Expects(ticket.Token()) || o.Expects(ticket.Token()+"x") || o.Expects("a") {
		t.Error("somebody else is expected")
	}
	second := newCaller(t, o)
	if got := second.invite(ticket.Token(), second.describe("0 PCMU/8000")); !strings.HasPrefix(got, "SIP/2.0 503") {
		t.Errorf("%s", got)
	}
	_, err := ticket.Wait(limited(t))
	if no, ok := errors.AsType[*engine.RefusalError](err); !ok || no.Reason != engine.ReasonNodeBusy || !strings.Contains(no.Why, "no free port") {
		t.Errorf("%v", err)
	}
	if o.Expects(ticket.Token()) {
		t.Error("it is expected again")
	}
}
