package asterisk_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/adapter/asterisk"
	"parley/ari/aritest"
	"parley/engine"
)

// TestWhatIsWrongIsSaidOnce has the lines that admins read: in the log once,
// however often it is tried, and the same in the status.
func TestWhatIsWrongIsSaidOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*setup)
		do   func(*rig)
		want string // %s is the URL
	}{
		{
			name: "wrong password", edit: func(s *setup) { s.password = "wrong" },
			want: `ari ast1: 401 "Authentication required" for user parley. Check [parley] in ari.conf and password_file of switch ast1. [ari_auth]`,
		},
		{
			name: "a user who may only read", edit: func(s *setup) { s.user = aritest.Reader },
			want: `ari ast1: user reader is read-only; conference control needs read_only=no. [ari_readonly]`,
		},
		{
			name: "no ARI there", edit: func(s *setup) { s.path = "/asterisk/ari" },
			want: `ari ast1 %s: 404. Is enabled=yes in ari.conf and http.conf, and is the prefix right? [ari_not_found]`,
		},
		{
			name: "another client with our name", do: func(r *rig) { go r.client().Run(r.Context()) },
			want: `ari ast1: another client replaced application "parley" (ApplicationReplaced). ` +
				`Two adapters with one app name? We do not fight; set app of switch ast1. [ari_replaced]`,
		},
		{
			name: "an Asterisk that does not connect to us", edit: func(s *setup) { s.outbound = true },
			want: `ari ast1: Asterisk has not connected to us. websocket_client.conf needs a section with connection_type = persistent, ` +
				`protocols = ari and uri = ws://parley/ari-in/ast1, and ari.conf an outbound_websocket of it. [ari_absent]`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.edit)
			if c.do != nil {
				r.ready()
				c.do(r)
			}
			want := c.want
			if strings.Contains(want, "%s") {
				want = fmt.Sprintf(want, r.url)
			}
			r.log.await(t, "level=ERROR msg="+fmt.Sprintf("%q", want)+" switch=ast1\n")
			if name, ready, text := r.link.Check(); name != "ast1" || ready || text != want {
				t.Errorf("Check: %s, %v, %s", name, ready, text)
			}
			for c.do == nil && len(r.front.requests()) < 3 { // it is tried again
				<-r.front.answered
			}
			if n := r.log.count("level=ERROR"); n != 1 {
				t.Errorf("%d errors in the log, want one:\n%s", n, r.log)
			}
		})
	}
}

// TestCallsSurviveAnotherClient: their audio is ours as before.
func TestCallsSurviveAnotherClient(t *testing.T) {
	r := newRig(t, nil).ready()
	c := r.ast.Call("room=3000")
	r.joined(c)
	other := r.client()
	go other.Run(t.Context())
	r.log.await(t, "[ari_replaced]")
	r.command("3000", engine.Kick{Member: 1})
	r.continued(c, map[string]string{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1"})
}

// TestACallerWhoLeavesWhileAnotherClientHasTheApplication is found by looking:
// no event tells us.
func TestACallerWhoLeavesWhileAnotherClientHasTheApplication(t *testing.T) {
	r := newRig(t, func(s *setup) { s.audit = 50 * time.Millisecond }).ready()
	stays, goes := r.ast.Call("room=3000"), r.ast.Call("room=3000")
	r.joined(stays)
	r.joined(goes)
	other := r.client()
	go other.Run(t.Context())
	r.log.await(t, "[ari_replaced]")
	r.ast.Call("room=3000") // is the other's
	goes.Hangup()
	r.await(engine.EventLeft, goes.ID())
	if v, err := r.exchange.Room(t.Context(), "3000"); err != nil || len(v.Members) != 1 || v.Members[0].CallID != engine.LegID(stays.ID()) {
		t.Errorf("%+v, %v", v, err)
	}
}

// open is where an Asterisk connects to us.
func (r *rig) open() {
	r.door = httptest.NewServer(http.HandlerFunc(r.link.Accept))
	r.Cleanup(r.door.Close)
}

func (r *rig) doorURL() string { return "ws" + strings.TrimPrefix(r.door.URL, "http") }

// TestAsteriskConnectsToUs: callers who came while nobody was connected are
// served, in the order of their coming.
func TestAsteriskConnectsToUs(t *testing.T) {
	r := newRig(t, func(s *setup) {
		s.outbound = true
		s.before = func(r *rig) { r.ast.ConnectTo("ws://127.0.0.1:1", "", "") } // it keeps calls from now on
	})
	gone, waits := r.ast.Call("room=3000"), r.ast.Call("room=3000")
	gone.Hangup()
	r.ast.ConnectTo(r.doorURL(), aritest.User, aritest.Password)
	r.joined(waits)
	later := r.ast.Call("room=3000")
	r.joined(later)
	if n := r.log.count("level=WARN"); n != 0 {
		t.Errorf("%d warnings:\n%s", n, r.log)
	}
}

// TestNobodyIsThere: each try fails in another way, told once.
func TestNobodyIsThere(t *testing.T) {
	r := newRig(t, func(s *setup) {
		s.before = func(r *rig) {
			r.front.CloseClientConnections()
			r.front.Listener.Close()
		}
	})
	want := "ari ast1 " + r.url + ": never connected: connection refused. Does Asterisk run, has its http.conf enabled=yes, " +
		"and is this its bindaddr and bindport? [ari_refused]"
	r.log.await(t, fmt.Sprintf("%q", want))
	if _, ready, text := r.link.Check(); ready || text != want {
		t.Errorf("Check: %v, %s", ready, text)
	}
}

// TestAnApplicationThatTheSwitchHasLost is no fault of its configuration.
func TestAnApplicationThatTheSwitchHasLost(t *testing.T) {
	r := newRig(t, func(s *setup) {
		s.outbound = true
		s.before = func(r *rig) { r.ast.Unregister(true) }
	})
	r.ast.ConnectTo(r.doorURL(), aritest.User, aritest.Password)
	r.log.await(t, `ari ast1: Asterisk is connected, but has lost application \"parley\", which a client that connected to it (websocket: inbound) `+
		`had taken. Its configuration is right: comment the outbound_websocket section of ari.conf out, \"module reload res_ari.so\", put it back, `+
		`\"module reload res_ari.so\" again. Calls go to the fallback until then. [ari_unregistered]"`)
	r.ast.Unregister(false)
	r.joined(r.ast.Call("room=3000"))
}

// TestAnApplicationThatTheSwitchDrops, as it does when ari.conf is reloaded
// without a section that had it, is taken anew: no event tells us.
func TestAnApplicationThatTheSwitchDrops(t *testing.T) {
	r := audited(t)
	r.ast.Unregister(true)
	r.log.await(t, `has ari.conf been reloaded? We connect again. [ari_unregistered]"`)
	r.until("the application is there again", func() bool {
		has, err := r.client().Registered(r.Context())
		return err == nil && has
	})
	r.joined(r.ast.Call("room=3000"))
}

func TestBadOptionsAreSaid(t *testing.T) {
	_, err := asterisk.New(asterisk.Options{Name: "ast1", URL: "127.0.0.1:8088", App: "parley"})
	if err == nil || !strings.HasPrefix(err.Error(), "switch ast1: ") || !strings.HasSuffix(err.Error(), "[bad_value]") {
		t.Errorf("%v", err)
	}
}

// TestOurShutdownGivesTheCallsBack, at once, in a room or on the way there.
func TestOurShutdownGivesTheCallsBack(t *testing.T) {
	r := newRig(t, nil).ready()
	member, asked := r.ast.Call("room=3000"), r.ast.Call("room=3101")
	r.joined(member)
	r.front.await(t, "POST addChannel")
	r.front.await(t, "POST addChannel")
	var late *aritest.Call
	r.front.on("POST PARLEY_RESULT", func() { late = r.ast.Call("room=3000") })
	w := newWatch(t)
	r.stop()
	err := <-r.stopped
	r.stopped <- err
	if d := w.took(); d > 4*time.Second {
		t.Errorf("it took %v", d)
	}
	r.continued(member, map[string]string{"result": "joined", "reason": "switch_lost", "exit": "lost", "member_id": "1"})
	r.continued(asked, map[string]string{"result": "failed", "reason": "switch_lost", "duration": "0"})
	r.exit(late, aritest.Exit{How: aritest.Continued}) // with no result: its dialplan falls back
	if got, ok := late.Variables()["PARLEY_RESULT"]; ok {
		t.Errorf("a call that came too late has the result %q", got)
	}
	if channels, bridges := r.ast.Count(); channels != 3 || bridges != 0 {
		t.Errorf("%d channels and %d bridges are left, want the callers'", channels, bridges)
	}
}
