package fsapi

import (
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// wide is a phone with a better codec.
type wide struct{ *phone }

func (wide) Codec() string { return "L16/16000" }

// TestARoomTellsItsProfileAndRate: the profile is the one that the opening call
// asks for, and the rate the highest that a member had.
func TestARoomTellsItsProfileAndRate(t *testing.T) {
	bubble(t, func(r *rig) {
		d := engine.NewDirectory()
		board := engine.DefaultProfile()
		board.Name = "board"
		d.Profiles["board"] = &board
		r.x.Reload(t.Context(), d)
		r.call("3001", "1001", map[string]string{"profile": "board"})
		p := &phone{id: "call-wide", out: make(chan engine.Outcome, 1)}
		p.sink = r.x.Arrive(wide{p}, engine.Invite{Room: "3001", Kind: "sip", Caller: engine.Caller{Number: "1002"}})
		p.sink.Post(engine.MediaUp{Leg: p.id})
		time.Sleep(10 * time.Second)
		r.says("conference 3001 kick all", "+OK kicked 2\n+OK kicked 1\n")
		time.Sleep(time.Minute)
		r.mu.Lock()
		defer r.mu.Unlock()
		created, rated := 0, false
		for _, e := range r.told {
			if e.Value("Action") == "conference-create" {
				created++
				if got := e.Value("Conference-Profile-Name"); got != "board" {
					t.Errorf("it is told of profile %q", got)
				}
			}
			rated = rated || e.Value("Event-Subclass") == cdrSubclass && strings.Contains(string(e.Body), "<rate>16000</rate>")
		}
		if created != 1 || !rated {
			t.Errorf("created %d times, the record has the rate: %v", created, rated)
		}
	})
}
