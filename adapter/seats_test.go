package adapter_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapter/config"
	"parley/adapter/control"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/sip"
	"parley/sip/siptest"
)

// client talks to the API of a Parley.
func (p parley) client() *control.Client {
	return &control.Client{Base: "http://" + p.config.HTTP.Listen, HTTP: &http.Client{Timeout: 20 * time.Second}}
}

// until waits for a room to be as a test wants it.
func (p parley) until(t *testing.T, room, what string, is func(engine.RoomView) bool) engine.RoomView {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		v, err := p.client().Room(ctx, room)
		if err == nil && is(v) {
			return v
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("room %s never was %s: %+v %v", room, what, v, err)
		}
	}
}

// metrics are the lines of /metrics by what stands before the value.
func (p parley) metrics(t *testing.T) map[string]string {
	t.Helper()
	res, err := http.Get("http://" + p.config.HTTP.Listen + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res.Status, err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			all[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return all
}

// members says, for until, that a room has so many.
func members(n int) func(engine.RoomView) bool {
	return func(v engine.RoomView) bool {
		return len(v.Members) == n && !slices.ContainsFunc(v.Members, func(m engine.MemberView) bool { return m.State != "joined" })
	}
}

// gone waits for the end of a call.
func gone(t *testing.T, c *siptest.Call) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the call does not end")
	}
}

// TestTheLastSeatIsOneCallers lets two call at the same moment for one seat.
// The engine's own test does so a thousand times; here the loser is heard.
func TestTheLastSeatIsOneCallers(t *testing.T) {
	const full = 1000
	p := start(t, func(c *config.Config) {
		quiet(c)
		d := &c.Profiles[0]
		d.MaxParticipants, d.ReserveModeratorSeats = 2, 1
		d.MaxMembersSound = fmt.Sprintf("tone_stream://%%(600,0,%d)", full)
	})
	const rounds = 4
	t.Run("rounds", func(t *testing.T) {
		for round := range rounds {
			t.Run(fmt.Sprint(round), func(t *testing.T) {
				t.Parallel()
				lastSeat(t, p, round, full)
			})
		}
	})
	got := p.metrics(t)
	for name, want := range map[string]int{
		`parley_admissions_total{reason="",result="joined"}`:       3 * rounds,
		`parley_admissions_total{reason="full",result="rejected"}`: 2 * rounds,
	} {
		if got[name] != fmt.Sprint(want) {
			t.Errorf("%s is %s, want %d", name, got[name], want)
		}
	}
}

// lastSeat is one round: who loses hears a tone of so many Hz.
func lastSeat(t *testing.T, p parley, round int, full float64) {
	t.Helper()
	moderator := []sip.Header{{Name: "X-Parley-Role", Value: "moderator"}}
	room := fmt.Sprintf("seats-%d", round)
	p.dial(t, room, siptest.Tone{Hz: 400, DBFS: -26})
	p.until(t, room, "open", members(1))
	var calls [2]*siptest.Call
	var both sync.WaitGroup
	for i := range calls {
		both.Go(func() {
			var err error
			if calls[i], err = p.try(t, room, siptest.Options{}, siptest.CallOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	var lost *siptest.Call
	select {
	case <-calls[0].Done():
		lost = calls[0]
	case <-calls[1].Done():
		lost = calls[1]
	case <-time.After(20 * time.Second):
		t.Fatal("both are in")
	}
	loudest := audiotest.Floor
	for piece := range slices.Chunk(lost.Record(), int(lost.Rate())/10) {
		loudest = max(loudest, audiotest.Power(piece, int(lost.Rate()), full))
	}
	if loudest < -40 {
		t.Errorf("the loser heard %v Hz at %.1f dBFS in %d samples", full, loudest, len(lost.Record()))
	}
	p.until(t, room, "full", members(2))
	boss := p.dialWith(t, room, siptest.Options{}, siptest.CallOptions{Headers: moderator})
	v := p.until(t, room, "with its moderator", members(3))
	if v.Members[2].Role != "moderator" {
		t.Errorf("%+v", v.Members)
	}
	second := p.dialWith(t, room, siptest.Options{}, siptest.CallOptions{Headers: moderator})
	gone(t, second) // his seat was the only one
	select {
	case <-boss.Done():
		t.Error("the moderator is out")
	default:
	}
}
