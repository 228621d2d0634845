package esltest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"

	"parley/esl"
	"parley/esl/conference"
	"parley/esl/esltest"
)

// recorded are the events of a real switch, the first of each action.
func recorded(t *testing.T) map[conference.Action]*esl.Event {
	t.Helper()
	b, err := os.ReadFile("../conference/testdata/events.txt")
	if err != nil {
		t.Fatal(err)
	}
	events := map[conference.Action]*esl.Event{}
	for r := esl.NewReader(bytes.NewReader(b)); ; {
		m, err := r.Message()
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := esl.ParseEvent(m)
		if err != nil {
			t.Fatal(err)
		}
		if ev, ok := conference.Parse(e); ok && events[ev.Action] == nil {
			events[ev.Action] = e
		}
	}
}

// watched runs a conference and returns what a connection to the switch saw.
func watched(t *testing.T, does func(*esltest.Core)) (events []*esl.Event, list []conference.Room) {
	core := esltest.NewCore(t)
	near, far := net.Pipe()
	core.Connect(far)
	c, err := esl.Dial(t.Context(), esl.ClientOptions{
		Password: "ClueCon", Dial: func(context.Context) (net.Conn, error) { return near, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Subscribe(t.Context(), "CUSTOM", conference.Subclass); err != nil {
		t.Fatal(err)
	}
	does(core)
	text, err := c.API(t.Context(), "conference", "json_list")
	if err != nil {
		t.Fatal(err)
	}
	if list, err = conference.ParseJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	for len(c.Events()) > 0 {
		events = append(events, <-c.Events())
	}
	return events, list
}

// weekly is what was done when the events of testdata were recorded, as far as
// the fake can do it.
func weekly(core *esltest.Core) {
	for _, who := range [][3]string{
		{"a", "Ann", "+flags{moderator}"}, {"b", "Bert", "+flags{mute}"}, {"c", "Carl", "+flags{deaf}"}, {"e", "Eve", ""},
	} {
		core.Enter(esltest.CallOptions{UUID: who[0], Headers: map[string]string{"Caller-Caller-ID-Name": who[1]}}, "weekly@default"+who[2])
	}
	for _, cmd := range []string{"volume_in 3 2", "volume_out 3 -3", "lock", "play tone.wav", "mute 1", "unmute 1 quiet", "deaf 1", "kick 4"} {
		core.API("conference", "weekly "+cmd)
	}
}

// TestTheConferencesEventsAreThoseOfARealSwitch: no header is one that it does
// not send with the same action, and what is parsed of each is of one form.
func TestTheConferencesEventsAreThoseOfARealSwitch(t *testing.T) {
	models := recorded(t)
	synctest.Test(t, func(t *testing.T) {
		events, _ := watched(t, weekly)
		seen := 0
		for _, e := range events {
			ev, ok := conference.Parse(e)
			if !ok {
				t.Errorf("not understood: %v", e.Headers)
			}
			model := models[ev.Action]
			if model == nil {
				continue // not recorded
			}
			seen++
			for _, h := range e.Headers {
				if _, ok := model.Lookup(h.Name); !ok {
					t.Errorf("%s with %s", ev.Action, h.Name)
				}
			}
			was, _ := conference.Parse(model)
			if (was.Member == 0) != (ev.Member == 0) || (was.UUID == "") != (ev.UUID == "") || ev.Room != "weekly" || (was.Cause == "") != (ev.Cause == "") {
				t.Errorf("%+v, at the switch %+v", ev, was)
			}
		}
		if seen < 6 {
			t.Errorf("%d events of actions that were recorded", seen)
		}
	})
}

// TestTheConferencesListIsAsTheCommandsMadeIt, newest member first.
func TestTheConferencesListIsAsTheCommandsMadeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, list := watched(t, weekly)
		if len(list) != 1 || list[0].Name != "weekly" || !list[0].Locked || len(list[0].Members) != 3 {
			t.Fatalf("%+v", list)
		}
		for i, want := range []conference.Member{ // newest first
			{ID: 3, UUID: "c", CallerName: "Carl", CallerNumber: "1001", Speak: true, VolumeIn: 2, VolumeOut: -3, Energy: 100},
			{ID: 2, UUID: "b", CallerName: "Bert", CallerNumber: "1001", Hear: true, Energy: 100},
			{ID: 1, UUID: "a", CallerName: "Ann", CallerNumber: "1001", Speak: true, Moderator: true, Energy: 100},
		} {
			if got := list[0].Members[i]; got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
	})
}
