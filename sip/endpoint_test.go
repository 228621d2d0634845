package sip

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestPanicsStayInTheirCall(t *testing.T) {
	o := Options{}
	bad, worse := &diary{panic: "digit"}, &diary{panic: "media"}
	o.Incoming = func(c *Call) Events {
		if c.Info().Target == "panic" {
			panic("incoming")
		}
		_ = c.Answer(ours())
		if c.Info().Target == "worse" {
			return worse
		}
		return bad
	}
	bubble(t, o, func(t *testing.T, r *rig) {
		fine := r.p.leg()
		fine.up(pcmuSDP)
		l := r.p.leg()
		l.uri = "sip:panic@10.0.0.1"
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		r.p.response(500)
		l = r.peer("10.0.0.4:5060").leg()
		l.uri = "sip:worse@10.0.0.1"
		l.send(l.invite(pcmuSDP))
		l.p.response(100)
		l.p.response(500)
		worse.is(t, "media PCMU/8000 sendrecv 10.0.0.2:4000", "ended failed 500")
		l = r.peer("10.0.0.3:5060").leg()
		l.up(pcmuSDP)
		l.send(l.request("INFO").with("application/dtmf", "5"))
		l.p.response(200)
		l.p.request("BYE")
		fine.send(fine.request("OPTIONS"))
		for m := r.p.next(time.Second); m.code() != 200; m = r.p.next(time.Second) {
		}
		if n := r.Stats().Panics.Load(); n != 3 {
			t.Errorf("%d panics counted", n)
		}
	})
}

func TestDrainBusyAndFull(t *testing.T) {
	busy := false
	var told bytes.Buffer
	log := slog.New(slog.NewTextHandler(&told, nil))
	bubble(t, Options{MaxCalls: 1, RetryAfter: 7 * time.Second, Busy: func() bool { return busy }, Log: log}, func(t *testing.T, r *rig) {
		refused := func() {
			t.Helper()
			for _, m := range []*text{r.p.leg().invite(pcmuSDP), r.p.leg().request("OPTIONS")} {
				r.p.send(m)
				if no := r.p.response(503); no.get("Retry-After") != "7" {
					t.Errorf("Retry-After %q", no.get("Retry-After"))
				}
			}
		}
		busy = true
		refused()
		busy = false
		l := r.p.leg()
		l.up(pcmuSDP)
		refused() // full
		r.p.send(r.p.leg().invite(pcmuSDP))
		r.p.response(503)
		if n := strings.Count(told.String(), "as many are up"); n != 1 {
			t.Errorf("told %d times that it is full:\n%s", n, told.String())
		}
		l.send(l.request("BYE"))
		r.p.response(200)
		r.Drain()
		refused()
		if n := r.Stats().Refused.Load(); n != 7 {
			t.Errorf("%d counted", n)
		}
	})
}

// TestACallThatIsRefusedAsBusyIsCounted, too, where the endpoint had let it in.
func TestACallThatIsRefusedAsBusyIsCounted(t *testing.T) {
	bubble(t, Options{Incoming: func(c *Call) Events { _ = c.Reject(503); return nil }}, func(t *testing.T, r *rig) {
		r.p.send(r.p.leg().invite(pcmuSDP))
		r.p.response(100)
		r.p.response(503)
		if n := r.Stats().Refused.Load(); n != 1 {
			t.Errorf("%d counted", n)
		}
	})
}

func TestCloseEndsWhatIsUp(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		c := <-r.last
		r.Close()
		r.p.request("BYE")
		<-c.Done()
		r.told.is(t, "media PCMU/8000 sendrecv 10.0.0.2:4000", "ended shutdown 0")
		if err := c.Answer(ours()); !errors.Is(err, ErrOver) {
			t.Error(err)
		}
		c.HangUp()
		r.Close()
	})
}

func TestCloseLetsTheLastWordsLeave(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		const calls = 50
		for range calls {
			r.p.leg().up(pcmuSDP)
		}
		for range calls {
			(<-r.last).HangUp(Header{Name: "X-Why", Value: "over"})
		}
		r.Close() // at once: most of them have not even been looked at
		for range calls {
			if bye := r.p.request("BYE"); bye.get("X-Why") != "over" {
				t.Errorf("%v", bye)
			}
		}
	})
}
