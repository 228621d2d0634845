package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// signalled sends a signal and shows the answer in a line.
func (th *theatre) signalled(t *testing.T, leg, name string) string {
	t.Helper()
	a, err := th.Signal(t.Context(), LegID(leg), name)
	if err != nil {
		t.Errorf("signal %s for %s: %v", name, leg, err)
	}
	return strings.TrimSpace(string(a.Signal) + " " + a.Why)
}

func TestASignalInterruptsACallWhereverItIs(t *testing.T) {
	edit := func(p *Profile) { p.WaitForModerator, p.Moderator.PINs = true, []PIN{NewPIN("98765")} }
	for _, tt := range []struct {
		name, room string
		vars       map[string]string
		state      string
		want       string
	}{
		{"asked for the room", "", nil, "number", "rejected signal signal"},
		{"asked for the PIN", "1", nil, "pin", "rejected signal signal"},
		{"waiting", "1", map[string]string{"role": "member"}, "waiting", "joined signal signal"},
		{"in the room", "1", map[string]string{"role": "moderator"}, "joined", "joined signal signal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, edit, func(t *testing.T, th *theatre) {
				p := th.call("a", tt.room, tt.vars)
				synctest.Wait()
				want(t, "state", th.explained(t, "a").State, tt.state)
				p.sounds()
				want(t, "answer", th.signalled(t, "a", "agent.free"), "delivered")
				o := outcome(t, p)
				want(t, "outcome", line1(o)+" "+o.Signal, tt.want+" agent.free")
				want(t, "heard while leaving", p.sounds(), "")
				if o.Hangup {
					t.Error("the dialplan does not go on")
				}
				want(t, "afterwards", th.signalled(t, "a", "agent.free"), "ignored the call has left")
			})
		})
	}
}

func TestASignalThatComesTooEarlyWaitsForItsCall(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		for _, leg := range []string{"a", "b", "late", "deaf"} {
			want(t, leg, th.signalled(t, leg, "go"), "queued")
		}
		want(t, "a second one", th.signalled(t, "a", "again"), "queued")
		other := th.call("other", "1", nil)
		for leg, room := range map[string]string{"a": "1", "b": ""} {
			o := outcome(t, th.call(leg, room, nil))
			want(t, leg, line1(o)+" "+o.Signal, "rejected signal signal go")
		}
		deaf := th.call("deaf", "1", map[string]string{"allow_signals": "stop"})
		synctest.Wait()
		want(t, "one who does not allow it", th.explained(t, "deaf").State, "joined")
		want(t, "one who does not allow it", th.signalled(t, "deaf", "stop"), "delivered")
		want(t, "one who does not allow it", outcome(t, deaf).Signal, "stop")
		time.Sleep(signalTime)
		late := th.call("late", "1", nil)
		synctest.Wait()
		for _, p := range []*phone{late, other} {
			want(t, string(p.id), th.explained(t, string(p.id)).State, "joined")
		}
	})
}

func TestACallSaysWhichSignalsMayInterruptIt(t *testing.T) {
	const no = "ignored the call does not allow it (parley_allow_signals="
	many := strings.TrimSuffix(strings.Repeat("x,", maxSignals), ",")
	for _, tt := range []struct {
		name string
		vars map[string]string
		want string
		warn string
	}{
		{"not set", nil, "delivered", ""},
		{"all", map[string]string{"allow_signals": "*"}, "delivered", ""},
		{"none", map[string]string{"allow_signals": "none"}, no + "none)", ""},
		{"empty", map[string]string{"allow_signals": ""}, no + "none)", ""},
		{"listed", map[string]string{"allow_signals": "stop, go"}, "delivered", ""},
		{"not listed", map[string]string{"allow_signals": "stop,GO"}, no + "stop,GO)", ""},
		{"none among others is a name", map[string]string{"allow_signals": "none,go"}, "delivered", ""},
		{
			"no name",
			map[string]string{"allow_signals": "stop,g*"},
			no + "stop)",
			"parley_allow_signals: bad value, left out: g*; want *, none, or up to 64 names of A-Z a-z 0-9 . _ -",
		},
		{
			"too many",
			map[string]string{"allow_signals": many + ",go"},
			no + many + ")",
			"parley_allow_signals: bad value, left out: go; want *, none, or up to 64 names of A-Z a-z 0-9 . _ -",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, th *theatre) {
				th.call("a", "1", tt.vars)
				synctest.Wait()
				want(t, "warnings", strings.Join(th.explained(t, "a").Warnings, "|"), tt.warn)
				want(t, "answer", th.signalled(t, "a", "go"), tt.want)
				state := "joined"
				if tt.want == "delivered" {
					state = "left"
				}
				want(t, "state", th.explained(t, "a").State, state)
			})
		})
	}
}

func TestAllowedSignalsAreExplained(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		th.call("b", "1", map[string]string{"allow_signals": "go|stop"})
		th.call("c", "1", map[string]string{"allow_signals": ""})
		synctest.Wait()
		want(t, "default", about(th.explained(t, "a"), "allow_signals"), "* | "+BuiltIn)
		want(t, "list", about(th.explained(t, "b"), "allow_signals"), "go,stop | variable parley_allow_signals")
		want(t, "empty", about(th.explained(t, "c"), "allow_signals"), "none | variable parley_allow_signals")
	})
}

// TestWhoIsLeavingIsNotInterrupted: his way out stays what it was.
func TestWhoIsLeavingIsNotInterrupted(t *testing.T) {
	bubble(t, func(p *Profile) { p.KickedSound = "bye" }, func(t *testing.T, th *theatre) {
		p := th.call("a", "1", nil)
		synctest.Wait()
		p.listen()
		if err := th.Do(t.Context(), "1", Kick{Member: 1}); err != nil {
			t.Fatal(err)
		}
		want(t, "answer", th.signalled(t, "a", "go"), "ignored the call is leaving")
		time.Sleep(partTimeout)
		o := outcome(t, p)
		want(t, "outcome", line1(o)+o.Signal, "joined kicked kicked")
	})
}

// TestWhoIsAboutToBeTakenIsInterrupted: the bridge was asked to take him.
func TestWhoIsAboutToBeTakenIsInterrupted(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.mu.Lock()
		th.slow = &Place{}
		th.mu.Unlock()
		p := th.call("a", "1", nil)
		synctest.Wait()
		want(t, "state", th.explained(t, "a").State, "admitting")
		want(t, "answer", th.signalled(t, "a", "go"), "delivered")
		want(t, "a second one", th.signalled(t, "a", "go"), "ignored the call is leaving")
		th.stage("1").letGo()
		o := outcome(t, p)
		want(t, "outcome", line1(o)+" "+o.Signal, "rejected signal signal go")
	})
}

func TestFewSignalsWait(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		for i := range keptSignals {
			want(t, "one of many", th.signalled(t, fmt.Sprint(i), "go"), "queued")
		}
		want(t, "one too many", th.signalled(t, "x", "go"), "ignored the call is not here, and 1000 signals wait for others already")
		th.call("a", "1", nil)
		synctest.Wait()
		want(t, "a call that is here", th.signalled(t, "a", "go"), "delivered")
		time.Sleep(signalTime)
		want(t, "a minute later", th.signalled(t, "x", "go"), "queued")
		if n := len(th.house.signals.list); n != 1 {
			t.Errorf("%d are kept", n)
		}
	})
}

func TestSignalsWithoutANameOrCall(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		for _, tt := range []struct{ leg, name string }{
			{"a", ""},
			{"a", "a b"},
			{"a", "é"},
			{"a", "ŋ"},
			{"a", "*"},
			{"a", "a\r\n"},
			{"a", strings.Repeat("x", 65)},
			{"", "go"},
			{strings.Repeat("x", 257), "go"},
		} {
			if _, err := th.Signal(t.Context(), LegID(tt.leg), tt.name); !errors.Is(err, ErrBadCommand) {
				t.Errorf("%.20q for %.20q: %v", tt.name, tt.leg, err)
			}
		}
		want(t, "the longest", th.signalled(t, strings.Repeat("x", 256), strings.Repeat("x", 64)), "queued")
	})
}
