package eventsocket

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"parley/esl"
)

// TestMyEventsEndWithTheirCall: the client hears of one call, and is sent away in
// the switch's words when that is over.
func TestMyEventsEndWithTheirCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		c := enter(t, s)
		c.says("myevents u-1", "+OK Events Enabled")
		for _, fired := range []struct{ name, call string }{
			{"CHANNEL_ANSWER", "u-2"}, {"CHANNEL_HANGUP_COMPLETE", "u-2"}, {"CHANNEL_ANSWER", "u-1"}, {"CHANNEL_HANGUP_COMPLETE", "u-1"}, {"CHANNEL_DESTROY", "u-1"},
		} {
			s.Fire(fired.name, "", esl.Headers{{Name: "Unique-ID", Value: fired.call}}, nil)
		}
		for _, want := range []string{"CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"} {
			if e := c.event(); e.Name() != want || e.Value("Unique-ID") != "u-1" {
				t.Errorf("%v, want %s of u-1", e.Headers, want)
			}
		}
		m := c.read()
		if m.Type() != "text/disconnect-notice" || m.Value("Controlled-Session-UUID") != "u-1" || m.Value("Content-Disposition") != "disconnect" || string(m.Body) != goodbye {
			t.Errorf("left with %v %q", m.Headers, m.Body)
		}
		if _, err := c.nc.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("then %v", err)
		}
	})
}

// TestACommandsEventsComeBeforeAPI is the switch's order.
func TestACommandsEventsComeBeforeAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *Server
		s = New(Options{Password: "secret", API: func(context.Context, string, string) (string, bool) {
			s.Fire("CUSTOM", "conference::maintenance", nil, nil)
			return "+OK\n", true
		}})
		c := enter(t, s)
		c.says("event plain API CUSTOM conference::maintenance", "+OK event listener enabled plain")
		c.ask("api conference 3001 lock")
		for _, want := range []string{"CUSTOM", "API"} {
			if e := c.event(); e.Name() != want {
				t.Errorf("%s, want %s", e.Name(), want)
			}
		}
	})
}
