package freeswitch

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

func TestOriginateSaysWhatWasOrderedAndNoMore(t *testing.T) {
	l := New(Options{Socket: "127.0.0.1:8084"}).NewLink(LinkOptions{Name: "pbx1"})
	c := engine.OutCall{
		Leg: "leg", Timeout: 20 * time.Second, Caller: engine.Caller{Number: "500", Name: `Bo'b} &park() "x"`},
		Invite: engine.Invite{Job: "job"}, Channel: map[string]string{"order": "77", "origination_uuid": "other"},
	}
	got, err := l.originate("sofia/gateway/gw/1", c)
	want := "{ignore_early_media='true',order='77',originate_timeout='20',origination_caller_id_name='Bob park() x'," +
		"origination_caller_id_number='500',origination_uuid='leg',parley_job='job'}sofia/gateway/gw/1 '&socket(127.0.0.1:8084 async full)'"
	if err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	for _, endpoint := range []string{"a b", "a &park()", "{x=y}a", "a,b", "a|b", "a'", "<a>b", "a\nb", "${x}"} {
		if got, err := l.originate(endpoint, c); !errors.Is(err, engine.ErrNoRoute) {
			t.Errorf("%q: %s %v", endpoint, got, err)
		}
	}
	for name, value := range map[string]string{"a b": "x", "a": "x'y", "b": "x,y", "": "x"} {
		c.Channel = map[string]string{name: value}
		if got, err := l.originate("user/1", c); !errors.Is(err, engine.ErrBadCommand) {
			t.Errorf("%q=%q: %s %v", name, value, got, err)
		}
	}
}

func TestASwitchsAnswerIsACause(t *testing.T) {
	for in, want := range map[string]engine.Cause{
		"USER_BUSY": engine.CauseBusy, "NO_ANSWER": engine.CauseNoAnswer, "SUBSCRIBER_ABSENT (x)": "SUBSCRIBER_ABSENT",
		"": engine.CauseUnspecified, "no such thing": engine.CauseUnspecified,
	} {
		if got := causeIn(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if strings.Contains(harmlessName("a\r\nb"), "\n") {
		t.Error("a line break goes to the switch")
	}
}
