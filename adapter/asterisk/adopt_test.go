package asterisk_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/adapter/asterisk"
	"parley/ami"
	"parley/ami/amitest"
	"parley/ari/aritest"
	"parley/engine"
)

// bridged is a rig with a ConfBridge room, whose calls come when they are sent.
type bridged struct {
	*rig
	ami   *amitest.Server
	calls []*aritest.Call // in the order in which they came
}

func newBridged(t *testing.T, edit func(*setup)) *bridged {
	t.Helper()
	b := &bridged{ami: amitest.New(t)}
	b.ami.Redirect = func(m ami.Member, _ ami.Place) string { b.comes(m); return "" }
	b.rig = newRig(t, func(s *setup) {
		s.ami = asterisk.AMI{Address: b.ami.Address, User: amitest.User, Password: amitest.Password}
		if edit != nil {
			edit(s)
		}
	}).ready()
	return b
}

// enter lets callers into the room, at the switch's own extension.
func (b *bridged) enter(room string, numbers ...string) {
	for _, number := range numbers {
		c := b.ast.Conference(room)
		b.calls = append(b.calls, c)
		b.ami.Enter(room, ami.Member{
			Channel: c.Name(), ID: c.ID(), Number: number, Name: "Bob", At: ami.Place{Context: "rooms", Extension: "4001", Priority: 2},
		})
	}
}

// comes is the call's coming into the application.
func (b *bridged) comes(m ami.Member) {
	for _, c := range b.calls {
		if c.ID() == m.ID {
			c.Return("room=4001", "clear_timeout=yes")
		}
	}
}

// back checks that a call has been sent into its ConfBridge() again.
func (b *bridged) back(c *aritest.Call) {
	b.Helper()
	b.exit(c, aritest.Exit{How: aritest.Continued, Place: "rooms,4001,2"})
	if got := c.Variables()["PARLEY_RESULT"]; got != "" {
		b.Errorf("result %q: his dialplan goes on behind ConfBridge", got)
	}
}

// refused takes the room over, which is to fail, and says how.
func (b *bridged) refused() *engine.NotTakenError {
	b.Helper()
	began := time.Now()
	moves, err := b.link.Adopt(b.Context(), "4001")
	no, ok := errors.AsType[*engine.NotTakenError](err)
	if !ok || moves != nil {
		b.Fatalf("moves %+v, %v", moves, err)
	}
	b.Logf("after %v: %v", time.Since(began), err)
	return no
}

func (b *bridged) numbers() (all []string) {
	v, err := b.exchange.Room(b.Context(), "4001")
	if err != nil && !errors.Is(err, engine.ErrNoRoom) {
		b.Fatal(err)
	}
	for _, m := range v.Members {
		all = append(all, fmt.Sprintf("%d=%s", m.ID, m.CallID[len(m.CallID)-1:]))
	}
	return all
}

// TestAConferenceIsTakenOverInItsOrder, whoever is here first; and later callers
// of its extension come to the same room with numbers of their own.
func TestAConferenceIsTakenOverInItsOrder(t *testing.T) {
	b := newBridged(t, nil)
	b.enter("4001", "1001", "1002", "1003")
	var late []ami.Member
	b.ami.Redirect = func(m ami.Member, _ ami.Place) string {
		if late = append(late, m); len(late)%3 == 0 {
			for _, m := range slices.Backward(late[len(late)-3:]) {
				b.comes(m)
			}
		}
		return ""
	}
	for _, want := range []string{"[1=1 2=2 3=3]", "[1=1 3=3 4=4 5=5 6=6]"} {
		moves, err := b.link.Adopt(t.Context(), "4001")
		if err != nil || len(moves) != 3 {
			t.Fatalf("%+v %v", moves, err)
		}
		if got := fmt.Sprint(b.numbers()); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if f := b.link.Foreign(); len(f) != 0 {
			t.Errorf("foreign %+v", f)
		}
		if len(b.calls) == 3 {
			b.calls[1].Hangup()
			b.await(engine.EventLeft, b.calls[1].ID())
			b.enter("4001", "1004", "1005", "1006")
		}
	}
	if _, err := b.link.Adopt(t.Context(), "4001"); !errors.Is(err, asterisk.ErrNoConference) {
		t.Errorf("%v", err)
	}
}

// TestATakeOverIsAllOrNothing: one cannot come, and those who have go back.
func TestATakeOverIsAllOrNothing(t *testing.T) {
	t.Run("the switch does not send him", func(t *testing.T) {
		b := newBridged(t, nil)
		b.enter("4001", "1001", "1002", "1003")
		came := make(chan struct{})
		b.ami.Redirect = func(m ami.Member, _ ami.Place) string {
			if m.Number == "1002" {
				<-came
				return "Redirect failed"
			}
			b.comes(m)
			b.await(engine.EventRestored, b.calls[0].ID())
			close(came)
			return ""
		}
		no := b.refused()
		b.back(b.calls[0])
		if len(no.Absent) != 1 || no.Absent[0].Number != "1002" || !strings.Contains(no.Absent[0].Why, `"Redirect failed"`) || len(no.Stayed) != 0 {
			t.Errorf("%+v", no)
		}
		if left := b.ami.Members("4001"); len(left) != 2 {
			t.Errorf("%+v", left)
		}
		if got := b.numbers(); len(got) != 0 {
			t.Errorf("members %v", got)
		}
	})
	t.Run("his audio does not come", func(t *testing.T) {
		b := newBridged(t, nil)
		b.enter("4001", "1001", "1002", "1003")
		b.ami.Redirect = func(m ami.Member, _ ami.Place) string {
			if m.Number == "1003" {
				b.await(engine.EventRestored, b.calls[0].ID())
				b.await(engine.EventRestored, b.calls[1].ID())
				b.ast.Refuse("POST channels/externalMedia", 400) // 500 would have another format tried
			}
			b.comes(m)
			return ""
		}
		no := b.refused()
		for _, c := range b.calls {
			b.back(c)
		}
		if len(no.Absent) != 1 || no.Absent[0].Number != "1003" || no.Calls != 3 || len(no.Stayed) != 0 {
			t.Errorf("%+v", no)
		}
	})
	t.Run("he goes back when those behind him are out, too, and not all were sent for", func(t *testing.T) {
		b := newBridged(t, nil)
		b.enter("4001", "1001", "1002", "1003")
		var first ami.Member
		b.ami.Redirect = func(m ami.Member, _ ami.Place) string {
			if m.Number == "1001" {
				first = m
				return ""
			}
			b.ast.Refuse("POST channels/externalMedia", 400)
			b.comes(first)
			select {
			case e := <-b.calls[0].Left():
				t.Errorf("he went back before: %+v", e)
			case <-time.After(200 * time.Millisecond):
			}
			b.comes(m)
			return ""
		}
		no := b.refused()
		b.back(b.calls[0])
		b.back(b.calls[1])
		if left := b.ami.Members("4001"); len(left) != 1 || left[0].Number != "1003" || len(no.Stayed) != 0 {
			t.Errorf("%+v, %+v", left, no)
		}
	})
	t.Run("he comes when it is too late", func(t *testing.T) {
		b := newBridged(t, nil)
		b.enter("4001", "1001", "1002")
		var slow ami.Member
		b.ami.Redirect = func(m ami.Member, _ ami.Place) string {
			if m.Number == "1002" {
				slow = m
			} else {
				b.comes(m)
			}
			return ""
		}
		no := b.refused()
		b.back(b.calls[0])
		if len(no.Absent) != 1 || no.Absent[0].Number != "1002" {
			t.Errorf("%+v", no)
		}
		b.comes(slow)
		b.back(b.calls[1])
		if got := b.numbers(); len(got) != 0 {
			t.Errorf("members %v", got)
		}
	})
}

// TestWhoHangsUpOnHisWayKeepsNobodyFromComing, whether or not he has come.
func TestWhoHangsUpOnHisWayKeepsNobodyFromComing(t *testing.T) {
	b := newBridged(t, nil)
	b.enter("4001", "1001", "1002", "1003", "1004")
	b.ami.Redirect = func(m ami.Member, _ ami.Place) string {
		switch m.Number {
		case "1001":
			return "Channel does not exist: " + m.Channel
		case "1002":
			b.calls[1].Hangup()
			return ""
		}
		b.comes(m)
		if m.Number == "1003" {
			b.calls[2].Hangup()
		}
		return ""
	}
	moves, err := b.link.Adopt(t.Context(), "4001")
	if err != nil || len(moves) != 1 {
		t.Errorf("%+v %v", moves, err)
	}
	if got := fmt.Sprint(b.numbers()); got != "[4=4]" {
		t.Errorf("members %s", got)
	}
}
