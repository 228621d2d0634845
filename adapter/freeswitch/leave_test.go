package freeswitch_test

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/esl/esltest"
)

// stages are how far a call has come when something befalls it.
func stages() []stage {
	return []stage{
		{name: "while its audio is awaited", room: "3000"},
		{name: "asked for the PIN", room: "3101", audio: true, event: engine.EventRejected},
		{name: "in the room", room: "3000", audio: true, joined: true, event: engine.EventLeft},
	}
}

type stage struct {
	name, room    string
	audio, joined bool
	event         engine.EventType // of its end; "": no room knows of it
}

// reach brings a call there.
func (r *rig) reach(s stage, o esltest.CallOptions) (*esltest.Call, *media) {
	r.Helper()
	c := r.call(o)
	if !s.audio {
		r.bridge(c)
		return c, nil
	}
	m := r.answer(c)
	if s.joined {
		r.await(engine.EventJoined)
	}
	time.Sleep(time.Second)
	return c, m
}

// over checks that the call's end came, by a reason, at once.
func (r *rig) over(s stage, why engine.Reason, since time.Time) {
	r.Helper()
	if s.event != "" {
		if e := r.await(s.event); e.Reason != why {
			r.Errorf("left by %q, want %q", e.Reason, why)
		}
	}
	if d := time.Since(since); d > 200*time.Millisecond {
		r.Errorf("it took %v", d)
	}
	synctest.Wait()
	if n := r.tickets.open(); n != 0 {
		r.Errorf("%d tokens are still good", n)
	}
	if s := r.log.String(); strings.Contains(s, "level=WARN") || strings.Contains(s, "level=ERROR") {
		r.Error("that is no trouble")
	}
}

func TestTheCallerHangsUp(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				c, m := r.reach(s, esltest.CallOptions{Vars: vars(s.room)})
				began := time.Now()
				if m != nil {
					m.hangUp()
				} else {
					c.Hangup("ORIGINATOR_CANCEL")
				}
				r.over(s, engine.ReasonHangup, began)
				e := r.ended(c)
				if !e.HungUp || e.Vars["parley_result"] != "" {
					t.Errorf("the call left with %+v", e)
				}
				if s.joined && (e.Vars["parley_reason"] != "hangup" || e.Vars["parley_exit"] != "hangup" || e.Vars["parley_member_id"] != "1") {
					t.Errorf("a CDR would say %v", e.Vars)
				}
			})
		})
	}
}

// TestTheCallerHangsUpAsHeIsGivenBack: the switch refuses what comes too late.
func TestTheCallerHangsUpAsHeIsGivenBack(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, m := r.join(esltest.CallOptions{Vars: vars("3000")})
		m.press("#")
		<-m.Done() // we have hung up, the bridge is not over yet
		c.Hangup("NORMAL_CLEARING")
		if e := r.ended(c); !e.HungUp {
			t.Errorf("the call left with %+v", e)
		}
	})
}

// TestTheSwitchTransfersTheCall: it is not ours any more. It has its own
// variables back, and the end of our socket does not break what it does now.
func TestTheSwitchTransfersTheCall(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				before := vars(s.room, "hangup_after_bridge", "true")
				c, m := r.reach(s, esltest.CallOptions{Vars: before})
				began := time.Now()
				c.Transfer()
				if m != nil {
					m.end()
				}
				r.over(s, engine.ReasonTransferred, began)
				e := r.ended(c)
				if e.HungUp || !e.Moved || e.Broken != "" || e.Stuck != "" {
					t.Errorf("the call left with %+v", e)
				}
				r.variables(e, before, nil)
				for _, q := range c.Requests() {
					if q == "exit" || strings.HasPrefix(q, "api uuid_kill") {
						t.Errorf("a call that is elsewhere was sent %q", q)
					}
				}
			})
		})
	}
}

// TestACallIsKilledByItsCause at the switch that has it, which tells its phone; until
// then it is told of, wherever it is.
func TestACallIsKilledByItsCause(t *testing.T) {
	for _, s := range stages()[1:] {
		t.Run(s.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				c, _ := r.reach(s, esltest.CallOptions{Vars: vars(s.room)})
				if err := r.exchange.HangUp(r.Context(), engine.LegID(c.UUID()), engine.CauseBusy); err != nil {
					t.Error(err)
				}
				if e := r.await(engine.EventEnded); string(e.Leg) != c.UUID() || e.Outcome.Cause != engine.CauseBusy {
					t.Errorf("%+v", e)
				}
				r.ended(c)
				if n := sent(c.Requests(), "api uuid_kill "+c.UUID()+" USER_BUSY"); n != 1 {
					t.Errorf("%q", c.Requests())
				}
			})
		})
	}
}

// TestTheSwitchTransfersTheCallToAnotherRoom at once: the second stay begins
// when the first is over, and gives the dialplan back what it had before both.
func TestTheSwitchTransfersTheCallToAnotherRoom(t *testing.T) {
	inBubble(t, func(r *rig) {
		before := vars("3000", "hangup_after_bridge", "true")
		first, m := r.join(esltest.CallOptions{Vars: before})
		seen := vars("3102") // by the second line, before the first has put anything back
		for _, name := range []string{"hangup_after_bridge", "socket_resume", "continue_on_fail", "park_after_bridge"} {
			seen[name] = first.Var(name)
		}
		seen["continue_on_fail"] = "set by the dialplan in between"
		second := r.call(esltest.CallOptions{Vars: seen})
		time.Sleep(time.Second)
		if len(second.Apps()) > 0 {
			t.Error("the second stay began before the end of the first")
		}
		first.Transfer()
		m.end()
		if e := r.await(engine.EventLeft); e.Room != "3000" {
			t.Errorf("left %s", e.Room)
		}
		if e := r.ended(first); !e.Moved || e.Broken != "" {
			t.Errorf("the first stay ended with %+v", e)
		}
		m = r.answer(second)
		if e := r.await(engine.EventJoined); e.Room != "3102" {
			t.Errorf("joined %s", e.Room)
		}
		m.press("#")
		want := maps.Clone(before)
		want["parley_room"], want["continue_on_fail"] = "3102", seen["continue_on_fail"]
		r.continued(second, want, map[string]string{
			"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1", "duration": "0",
		})
	})
}

// TestTheConnectionIsCut: socket_resume, which is still set, is the dialplan's
// way on.
func TestTheConnectionIsCut(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				nc := r.lines.connect()
				call := make(chan *esltest.Call, 1)
				call <- r.callOver(nc, esltest.CallOptions{Vars: vars(s.room)})
				c := <-call
				var m *media
				if s.audio {
					m = r.answer(c)
				} else {
					r.bridge(c)
				}
				if s.joined {
					r.await(engine.EventJoined)
				}
				time.Sleep(time.Second)
				began := time.Now()
				nc.Close()
				if m != nil {
					m.end()
				}
				r.over(s, engine.ReasonSwitchLost, began)
				if e := r.ended(c); e.Vars["socket_resume"] != "true" || e.Broken != "bridge" {
					t.Errorf("the call left with %+v", e)
				}
			})
		})
	}
}

// TestOurShutdownGivesTheCallsBack wherever they are.
func TestOurShutdownGivesTheCallsBack(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				before := vars(s.room, "hangup_after_bridge", "true")
				c, _ := r.reach(s, esltest.CallOptions{Vars: before})
				began := time.Now()
				r.stop()
				want := map[string]string{"result": "failed", "reason": "switch_lost", "duration": "0"}
				switch {
				case s.joined:
					want = map[string]string{"result": "joined", "reason": "switch_lost", "exit": "lost", "member_id": "1", "duration": "1"}
				case !s.audio:
					want["reason"] = "media_lost"
				}
				r.continued(c, before, want)
				if d := time.Since(began); d > 1200*time.Millisecond {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}
