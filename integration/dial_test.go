//go:build integration

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/adapter/control"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/sip/siptest"
)

// TestFreeSWITCHCallsForUs: a switch calls somebody into a room.
func TestFreeSWITCHCallsForUs(t *testing.T) {
	t.Parallel()
	at := newPlace()
	fs := startFreeSWITCH(t, at)
	p := run(t, at, at.base(false)+at.pbx1())
	dialsThrough(t, p, func(phone *siptest.Phone) string {
		return "pbx1/sofia/internal/" + strings.TrimPrefix(phone.URI(), "sip:")
	})
	eventually(t, 10*time.Second, "no channel left at the switch", func() (string, bool) {
		out := fs.fsCLI("show channels count")
		return out, strings.Contains(out, "0 total")
	})
}

// TestAsteriskCallsForUs is the same by the other switch.
func TestAsteriskCallsForUs(t *testing.T) {
	t.Parallel()
	at := newPlace()
	ast := startAsterisk(t, at)
	p := run(t, at, at.base(true))
	dialsThrough(t, p, func(phone *siptest.Phone) string { return "ast1/PJSIP/anonymous/" + phone.URI() })
	eventually(t, 10*time.Second, "no channel left at the switch", func() (string, bool) {
		out := ast.exec("asterisk", "-rx", "core show channels count")
		return out, strings.Contains(out, "0 active channels")
	})
}

// dialsThrough has a switch call phones that answer, refuse, ring, and hang up.
func dialsThrough(t *testing.T, p *parley, address func(*siptest.Phone) string) {
	alice := dialled(t, p.at.sip, "3001", siptest.Tone{Hz: 440, DBFS: -20})
	bob, err := siptest.New(siptest.Options{User: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	id := p.orders(t, "3001", address(bob), 20)
	called, err := bob.Accept(ctx, siptest.CallOptions{Tone: siptest.Tone{Hz: 880, DBFS: -20}})
	if err != nil {
		t.Fatalf("%v\n%s", err, p.log())
	}
	if from := called.SIP().Info().From; from.User != "500" || from.Name != "Board" {
		t.Errorf("called by %+v", from)
	}
	j := p.result(t, id)
	if j.State != engine.DialAnswered || j.Cause != engine.CauseSuccess {
		t.Fatalf("%+v\n%s", j, p.log())
	}
	members := p.members("3001", 2)
	if m := members[1]; m.Number != "bob" || m.Name != "Bob" || m.Role != "moderator" || m.CallID != j.Leg {
		t.Errorf("member %+v", m)
	}
	for _, c := range []struct {
		who *siptest.Call
		hz  float64
	}{{alice, 880}, {called, 440}} {
		eventually(t, 15*time.Second, "the other being heard", func() (string, bool) {
			got := audiotest.Steady(c.who.Listen(500*time.Millisecond), int(c.who.Rate()), c.hz)
			return fmt.Sprintf("%v Hz at %.1f dBFS", c.hz, got), got > -30
		})
	}
	called.Hangup()
	p.members("3001", 1)

	id = p.orders(t, "3001", address(bob), 20)
	if _, err := bob.Reject(ctx, 486); err != nil {
		t.Fatal(err)
	}
	if j := p.result(t, id); j.Cause != engine.CauseBusy {
		t.Errorf("busy: %+v", j)
	}

	id = p.orders(t, "3001", address(bob), 2) // it rings, and nobody is there
	if j := p.result(t, id); j.Cause != engine.CauseNoAnswer {
		t.Errorf("nobody: %+v", j)
	}

	id = p.orders(t, "3001", address(bob), 30)
	eventually(t, 10*time.Second, "it ringing", func() (string, bool) {
		j, err := p.api.Job(ctx, id, 0)
		return fmt.Sprintf("%+v %v", j, err), err == nil && time.Since(j.StartedAt) > time.Second
	})
	if err := p.api.GiveUp(ctx, id); err != nil {
		t.Error(err)
	}
	if j := p.result(t, id); j.Cause != engine.CauseOriginatorCancel {
		t.Errorf("given up: %+v", j)
	}
	p.members("3001", 1)

	id = p.orders(t, "3001", address(bob), 20) // who is called leaves with the room
	var last *siptest.Call
	for last == nil { // the two that were not answered are over, and still in the queue
		c, err := bob.Accept(ctx, siptest.CallOptions{})
		if err != nil {
			continue
		}
		select {
		case <-c.Done():
		case <-time.After(500 * time.Millisecond):
			last = c
		}
	}
	p.result(t, id)
	p.members("3001", 2)
	if err := p.api.End(ctx, "3001"); err != nil {
		t.Fatal(err)
	}
	<-last.Done()
	p.gone("3001")
}

// dialled is a phone of its own in a room.
func dialled(t *testing.T, at, room string, tone siptest.Tone) *siptest.Call {
	t.Helper()
	phone, err := siptest.New(siptest.Options{User: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(phone.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := phone.Dial(ctx, "sip:"+room+"@"+at, siptest.CallOptions{Tone: tone})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// orders has somebody called; seconds is how long his phone may ring.
func (p *parley) orders(t *testing.T, room, address string, seconds float64) string {
	t.Helper()
	legs, err := p.api.Dial(t.Context(), room, control.Order{
		Endpoints:  []control.Endpoint{{Address: address, Name: "Bob", Role: "moderator"}},
		CallerName: "Board", CallerNumber: "500", Timeout: seconds,
	})
	if err != nil {
		t.Fatal(err)
	}
	return legs[0].Job
}

// result waits for the end of an order.
func (p *parley) result(t *testing.T, id string) (j engine.Job) {
	t.Helper()
	eventually(t, 40*time.Second, "the result of the order", func() (string, bool) {
		var err error
		j, err = p.api.Job(t.Context(), id, time.Second)
		return fmt.Sprintf("%+v %v", j, err), err == nil && !j.EndedAt.IsZero()
	})
	return j
}
