package phone_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"parley/engine"
)

// answer answers a request by hand.
func (c *caller) answer(request string, code int) {
	c.t.Helper()
	lines := []string{fmt.Sprintf("SIP/2.0 %d Whatever", code)}
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		lines = append(lines, name+": "+line(request, name))
	}
	lines = append(lines, "Contact: <sip:hand@"+c.sip.LocalAddr().String()+">", "Content-Length: 0", "", "")
	if _, err := c.sip.Write([]byte(strings.Join(lines, "\r\n"))); err != nil {
		c.t.Fatal(err)
	}
}

// follow sends a request in the call.
func (c *caller) follow(method, body string, headers ...string) {
	c.t.Helper()
	c.seq++
	c.send(method, c.o.uri("parley"), body, headers...)
}

// tells is the NOTIFY of how its call elsewhere went.
func (c *caller) tells(status string) {
	c.t.Helper()
	state := "terminated;reason=noresource"
	if strings.HasPrefix(status, "1") {
		state = "active"
	}
	c.follow("NOTIFY", "SIP/2.0 "+status+"\r\n", "Event: refer", "Subscription-State: "+state, "Content-Type: message/sipfrag")
	c.await("SIP/2.0 200")
}

func TestACallerIsSentElsewhere(t *testing.T) {
	o := open(t, settings{})
	for _, tt := range []struct {
		name   string
		answer int
		then   func(*caller)
		err    error
		stays  bool
		reason engine.Reason
	}{
		{"refused", 603, func(*caller) {}, engine.ErrCannot, true, ""},
		{"hangs up", 202, func(c *caller) { c.follow("BYE", "") }, nil, false, engine.ReasonTransferred},
		{"tells that it has come about", 202, func(c *caller) { c.tells("200 OK"); c.await("BYE") }, nil, false, engine.ReasonTransferred},
		{"tells that it has not", 202, func(c *caller) { c.tells("603 Decline") }, nil, true, ""},
		{"hangs up after it has not", 202, func(c *caller) { c.tells("486 Busy Here"); c.follow("BYE", "") }, nil, false, engine.ReasonHangup},
	} {
		t.Run(tt.name, func(t *testing.T) {
			room := strings.ReplaceAll(tt.name, " ", "-")
			c := newCaller(t, o)
			c.ack(c.invite(room, c.describe("0 PCMU/8000")), "")
			o.until(t, room, "open", present(1))
			result := make(chan error, 1)
			go func() {
				result <- o.Do(limited(t), engine.RoomName(room), engine.Redirect{Member: 1, To: "sip:bob@127.0.0.9"})
			}()
			refer := c.await("REFER ")
			if to := line(refer, "Refer-To"); to != "<sip:bob@127.0.0.9>" {
				t.Errorf("Refer-To: %s", to)
			}
			c.answer(refer, tt.answer)
			if err := <-result; !errors.Is(err, tt.err) {
				t.Errorf("%v, want %v", err, tt.err)
			}
			tt.then(c)
			if tt.stays {
				o.until(t, room, "as it was", present(1))
				c.follow("BYE", "")
				tt.reason = engine.ReasonHangup
			}
			if e := o.event(t, room, engine.EventLeft); e.Reason != tt.reason {
				t.Errorf("left by %s, want %s", e.Reason, tt.reason)
			}
		})
	}
}

// TestWhatAPhoneWasAnsweredIsTold to who waits for it, and that it hangs up is no
// such answer.
func TestWhatAPhoneWasAnsweredIsTold(t *testing.T) {
	o := open(t, settings{})
	for _, status := range []string{"486 Busy Here", "200 OK", "100 Trying"} {
		room := "told-" + status[:3]
		c := newCaller(t, o)
		c.ack(c.invite(room, c.describe("0 PCMU/8000")), "")
		o.until(t, room, "open", present(1))
		result := make(chan error, 1)
		go func() {
			result <- o.Do(limited(t), engine.RoomName(room), engine.Redirect{Member: 1, To: "sip:bob@127.0.0.9", Wait: true})
		}()
		c.answer(c.await("REFER "), 202)
		c.tells(status)
		if status == "100 Trying" { // and no more
			c.follow("BYE", "")
			if err := <-result; !errors.Is(err, engine.ErrNoMember) {
				t.Errorf("hangs up: %v", err)
			}
			continue
		}
		err := <-result
		if status == "200 OK" {
			if bye := c.await("BYE"); err != nil || line(bye, "Reason") != `SIP;cause=800;text="BLIND_TRANSFER"` {
				t.Errorf("%v\n%s", err, bye)
			}
			continue
		}
		if stays, is := errors.AsType[*engine.StaysError](err); !is || *stays != (engine.StaysError{Code: 486, Text: "Busy Here"}) {
			t.Errorf("%s: %v", status, err)
		}
	}
}
