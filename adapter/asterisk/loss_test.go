package asterisk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/ari"
	"parley/ari/aritest"
	"parley/ari/audiosocket"
	"parley/engine"
	"parley/internal/audiotest"
)

// clean waits until the call that was cleaned up last has left nothing but
// channels of the switch's own.
func (r *rig) clean(channels int) {
	r.Helper()
	r.front.await(r.T, "DELETE bridge")
	if c, b := r.ast.Count(); c != channels || b != 0 {
		r.Errorf("%d channels and %d bridges are left, want %d and none", c, b, channels)
	}
}

// TestTheCallerHangsUpAtAnyStage: nothing stays behind, and nobody is waited
// for.
func TestTheCallerHangsUpAtAnyStage(t *testing.T) {
	for _, stage := range []string{
		"POST answer", "POST bridge", "POST externalMedia", "POST addChannel", "GET variable", "POST TIMEOUT(absolute)",
	} {
		t.Run(stage, func(t *testing.T) {
			r := newRig(t, nil).ready()
			calls := make(chan *aritest.Call, 1)
			r.front.on(stage, func() { (<-calls).Hangup() })
			c := r.ast.Call("room=3000", "clear_timeout=yes")
			calls <- c
			w := newWatch(t)
			r.exit(c, aritest.Exit{How: aritest.HungUp})
			r.clean(0)
			if d := w.took(); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
			if strings.Contains(r.log.String(), "level=WARN msg=\"asterisk: call not given back") {
				t.Error("a caller who has hung up was given back")
			}
		})
	}
}

// TestTheCallerHangsUpUnseen before his media is here, which will not come any
// more.
func TestTheCallerHangsUpUnseen(t *testing.T) {
	r := newRig(t, nil).ready()
	calls := make(chan *aritest.Call, 1)
	r.front.on("POST externalMedia", func() {
		r.ast.DropEvents()
		(<-calls).Hangup()
	})
	calls <- r.ast.Call("room=3000")
	w := newWatch(t)
	r.clean(0)
	if d := w.took(); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestTheCallerHangsUpInTheRoom(t *testing.T) {
	for _, c := range []struct {
		name, room string
		event      engine.EventType
		enter      func(*rig, *aritest.Call)
	}{
		{name: "as a member", room: "3000", event: engine.EventLeft, enter: (*rig).joined},
		{name: "asked for the PIN", room: "3101", event: engine.EventRejected, enter: func(r *rig, _ *aritest.Call) {
			r.front.await(r.T, "POST addChannel")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil).ready()
			call := r.ast.Call("room=" + c.room)
			c.enter(r, call)
			call.Hangup()
			if e := r.await(c.event, call.ID()); e.Reason != engine.ReasonHangup {
				t.Errorf("left by %s", e.Reason)
			}
			r.clean(0)
			if slices.Contains(r.front.requests(), "POST continue") {
				t.Error("a caller who has hung up was given back")
			}
		})
	}
}

// TestTheCallerHangsUpWhileHeIsGivenBack has the results refused with 404.
func TestTheCallerHangsUpWhileHeIsGivenBack(t *testing.T) {
	r := newRig(t, nil).ready()
	c := r.ast.Call("room=3000")
	r.joined(c)
	r.front.on("POST PARLEY_EXIT_DIGITS", c.Hangup)
	c.Press("#")
	r.clean(0)
	if q := r.front.requests(); slices.Contains(q, "POST continue") || slices.Contains(q, "POST PARLEY_DURATION") {
		t.Errorf("requests go on: %v", q)
	}
	if strings.Contains(r.log.String(), "level=WARN") {
		t.Error("that is no trouble")
	}
}

// TestRedirectedAwayAndBack: the dialplan, or another program, takes the caller
// out of the room, and may send him in again before his first stay is cleaned
// up. Nothing of that stay may harm the second one.
func TestRedirectedAwayAndBack(t *testing.T) {
	r := newRig(t, nil).ready()
	c := r.ast.Call("room=3000")
	r.joined(c)
	r.front.on("DELETE channel", func() { c.Return("room=3102") })
	c.Redirect("elsewhere,1,1")
	r.exit(c, aritest.Exit{How: aritest.Redirected, Place: "elsewhere,1,1"})
	if e := r.await(engine.EventLeft, c.ID()); e.Reason != engine.ReasonTransferred || e.Room != "3000" {
		t.Errorf("left %s by %s", e.Room, e.Reason)
	}
	if slices.Contains(r.front.requests(), "POST continue") {
		t.Error("a caller who is elsewhere was given back")
	}
	if e := r.await(engine.EventJoined, c.ID()); e.Room != "3102" {
		t.Errorf("came back into %s", e.Room)
	}
	c.Press("#")
	r.exit(c, aritest.Exit{How: aritest.Continued})
	r.front.await(t, "DELETE bridge")
	r.clean(1)
}

// client is another program that uses the interface.
func (r *rig) client() *ari.Client {
	r.Helper()
	c, err := ari.New(ari.Options{URL: r.ast.URL, User: aritest.User, Password: aritest.Password, App: aritest.App})
	if err != nil {
		r.Fatal(err)
	}
	return c
}

// hangUpMedia ends a call's media channel from outside.
func (r *rig) hangUpMedia() {
	r.Helper()
	c := r.client()
	channels, err := c.Channels(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	for _, ch := range channels {
		if strings.HasPrefix(ch.ID, "parley-media-") {
			if err := c.Hangup(r.Context(), ch.ID, ""); err != nil {
				r.Error(err)
			}
		}
	}
}

// TestTheMediaChannelEnds: the handler sends the caller on at once.
func TestTheMediaChannelEnds(t *testing.T) {
	r := newRig(t, nil).ready()
	c := r.ast.Call("room=3000")
	r.joined(c)
	w := newWatch(t)
	r.hangUpMedia()
	r.exit(c, aritest.Exit{How: aritest.Redirected, Place: "parley,3001,3"})
	e := r.await(engine.EventLeft, c.ID())
	if d := w.took(); e.Reason != engine.ReasonMediaLost || d > 2*time.Second {
		t.Errorf("left by %s after %v", e.Reason, d)
	}
	r.clean(1)
}

// TestTheMediaIsCutOff: the switch has noticed nothing, so the caller is given
// back by us.
func TestTheMediaIsCutOff(t *testing.T) {
	n := newRelay(t)
	r := newRig(t, func(s *setup) { s.advertise = n.Addr().String() }).ready()
	n.to <- r.sockets.Addr().String()
	c := r.ast.Call("room=3000")
	r.joined(c)
	w := newWatch(t)
	n.cut()
	e := r.await(engine.EventLeft, c.ID())
	if d := w.took(); e.Reason != engine.ReasonMediaLost || d > 2200*time.Millisecond {
		t.Errorf("left by %s after %v", e.Reason, d)
	}
	r.continued(c, map[string]string{"result": "joined", "reason": "media_lost", "exit": "lost", "member_id": "1"})
	r.clean(1)
}

// TestNobodyTakesOurAudio: the network has swallowed the other side, or it is
// frozen. No connection ends.
func TestNobodyTakesOurAudio(t *testing.T) {
	n := newRelay(t)
	r := newRig(t, func(s *setup) { s.advertise = n.Addr().String() }).ready()
	n.to <- r.sockets.Addr().String()
	c := r.ast.Call("room=3000")
	r.joined(c)
	close(n.still)
	r.continued(c, map[string]string{"result": "joined", "reason": "media_lost", "exit": "lost", "member_id": "1"})
}

// TestTheLinkIsLostAndComesBack: calls stay, and what has happened meanwhile is
// found.
func TestTheLinkIsLostAndComesBack(t *testing.T) {
	r := newRig(t, nil).ready()
	var calls []*aritest.Call
	for range 3 {
		calls = append(calls, r.ast.Call("room=3000"))
		r.joined(calls[len(calls)-1])
	}
	stays, hangs, moved := calls[0], calls[1], calls[2]
	back := make(chan struct{})
	r.front.on("GET asterisk", func() { <-back })
	r.ast.DropEvents()
	r.log.await(t, "ari ast1: link lost")
	hangs.Hangup()
	moved.Redirect("elsewhere,1,1")
	came := r.ast.Call("room=3000", "muted=true")
	if _, ready, text := r.link.Check(); ready || !strings.Contains(text, "link lost") || !strings.HasSuffix(text, "[ari_lost]") {
		t.Errorf("Check: %v, %s", ready, text)
	}
	close(back)
	for _, c := range []*aritest.Call{hangs, moved} {
		if e := r.await(engine.EventLeft, c.ID()); e.Reason != engine.ReasonHangup {
			t.Errorf("%s left by %s", c.ID(), e.Reason)
		}
	}
	if e := r.await(engine.EventJoined, came.ID()); e.Invite.Variables["muted"] != "true" {
		t.Errorf("served with %v", e.Invite.Variables)
	}
	r.log.awaitTimes(t, "compared with the switch", 2)
	r.log.await(t, "ended=2 waiting=1 removed=0")
	media := strings.Count(strings.Join(r.front.requests(), " "), "POST externalMedia")
	r.ast.Emit(map[string]any{"type": "StasisStart", "args": []string{"room=3000"}, "channel": map[string]any{ // late
		"id": came.ID(), "name": came.Name(), "state": "Up", "dialplan": map[string]any{"context": "parley", "exten": "3001", "priority": 2},
	}})
	stays.Press("#") // comes behind it
	r.continued(stays, map[string]string{
		"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1",
	})
	if n := strings.Count(strings.Join(r.front.requests(), " "), "POST externalMedia"); n != media {
		t.Error("a call was served twice")
	}
	for range 3 {
		r.front.await(t, "POST CHANNEL(hangup_handler_wipe)") // of calls that are not here any more
	}
	if _, ready, text := r.link.Check(); !ready || text != "Asterisk 22.10.1 at "+r.front.URL+"/ari, app parley, 1 calls" {
		t.Errorf("Check: %v, %s", ready, text)
	}
	if n := r.log.count("level=ERROR"); n != 1 {
		t.Errorf("%d errors in the log, want one", n)
	}
	came.Hangup()
}

// TestMediaThatComesWhileTheLinkIsLost is found by the comparison, too.
func TestMediaThatComesWhileTheLinkIsLost(t *testing.T) {
	r := newRig(t, nil).ready()
	r.front.on("POST externalMedia", r.ast.DropEvents)
	c := r.ast.Call("room=3000")
	r.joined(c)
	c.Hangup()
}

// TestACallThatComesDuringTheComparison is not in the list that was made before
// it, and is here all the same.
func TestACallThatComesDuringTheComparison(t *testing.T) {
	arrived := make(chan *aritest.Call, 1)
	r := newRig(t, func(s *setup) {
		s.before = func(r *rig) {
			r.front.then("GET channels", func() {
				c := r.ast.Call("room=3000")
				r.joined(c)
				arrived <- c
			})
		}
	}).ready()
	c := <-arrived
	c.Press("#")
	r.continued(c, map[string]string{
		"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1",
	})
}

// TestTheSwitchDies: its callers are lost, the others keep talking.
func TestTheSwitchDies(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*rig, *aritest.Call)
	}{
		{name: "all at once"},
		{name: "in order", do: func(r *rig, c *aritest.Call) {
			r.hangUpMedia()
			r.exit(c, aritest.Exit{How: aritest.Redirected, Place: "parley,3001,3"})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil).ready()
			r.phone("3000", "speaker", 500)
			listener := r.phone("3000", "listener", 0)
			call := r.ast.Call("room=3000")
			r.joined(call)
			r.front.await(t, "POST PARLEY_MEMBER_ID") // the last of what a CDR says
			w := newWatch(t)
			if c.do != nil {
				c.do(r, call)
				listener.listen(t, 200*time.Millisecond)
			}
			r.front.CloseClientConnections()
			r.ast.Close()
			e := r.await(engine.EventLeft, call.ID())
			if d := w.took(); e.Reason != engine.ReasonSwitchLost || d > 2500*time.Millisecond {
				t.Errorf("left by %s after %v", e.Reason, d)
			}
			if level := audiotest.Power(listener.listen(t, 300*time.Millisecond), 8000, 500); level < -23 || level > -17 {
				t.Errorf("the speaker is heard at %.1f dBFS", level)
			}
			if log := r.log.String(); strings.Contains(log, "level=WARN") || strings.Count(log, "level=ERROR") != 1 {
				t.Error("one line is enough")
			}
		})
	}
}

// TestWhatADeadPredecessorLeftIsRemoved: the media channel and bridge of our
// application that nobody uses, and not those of an application whose name
// begins like ours. The caller is served again: the handler of the old media
// does not send him on.
func TestWhatADeadPredecessorLeftIsRemoved(t *testing.T) {
	const id = "0ecb9a1e-9d0f-4f4f-8d51-0f8a1b2c3d4e"
	uuid, err := audiosocket.ParseUUID(id)
	if err != nil {
		t.Fatal(err)
	}
	var c *ari.Client
	var orphan *aritest.Call
	r := newRig(t, func(s *setup) {
		s.before = func(r *rig) {
			c = r.client()
			go c.Run(t.Context())
			<-c.Events()
			orphan = r.ast.Call("room=3000")
			<-c.Events() // its arrival
			_, expected := r.sockets.Expect(uuid, audiosocket.KindSLIN8)
			_, made := c.ExternalMedia(t.Context(), ari.ExternalMedia{
				ID: "parley-media-parley-" + id, Host: r.sockets.Addr().String(), Encapsulation: "audiosocket", Transport: "tcp", Data: id, Format: "slin",
				Variables: map[string]string{"CHANNEL(hangup_handler_push)": "parley-lost,s,1(" + orphan.Name() + ",parley,3001,3)"},
			})
			<-c.Events() // it is in the application
			if err := errors.Join(expected, made, c.CreateBridge(t.Context(), "parley-bridge-parley-"+id, "parley"),
				c.CreateBridge(t.Context(), "parley-bridge-parley-two-"+id, "parley-two")); err != nil {
				t.Fatal(err)
			}
		}
	})
	r.log.await(t, "ended=0 waiting=1 removed=2")
	r.joined(orphan)
	if bridges, err := c.Bridges(t.Context()); err != nil || len(bridges) != 2 {
		t.Errorf("%d bridges, %v; want the other application's and the call's", len(bridges), err)
	}
	orphan.Hangup()
	r.exit(orphan, aritest.Exit{How: aritest.HungUp})
}
