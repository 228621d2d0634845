package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// line1 is an outcome in short.
func line1(o Outcome) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", o.Result, o.Reason, o.Exit))
}

func want(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// live runs a command that must work.
func live(t testing.TB, th *theatre, c Command) {
	t.Helper()
	if err := th.Do(t.Context(), "1", c); err != nil {
		t.Errorf("%T: %v", c, err)
	}
}

func TestAHeldMemberIsNotHeardAndNotMuted(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("a", "1", nil)
		th.call("b", "1", nil)
		time.Sleep(time.Minute)
		th.types()
		live(t, th, Hold{Member: 2, On: true})
		if !th.stage("1").state(2).Muted {
			t.Error("the bridge lets him be heard")
		}
		v, err := th.Room(t.Context(), "1")
		if err != nil || v.Members[1].Muted || !v.Members[1].Hold {
			t.Errorf("%+v %v", v.Members[1], err)
		}
		live(t, th, Mute{Member: 2, On: true})
		live(t, th, Hold{Member: 2})
		if !th.stage("1").state(2).Muted {
			t.Error("the end of the hold has unmuted him")
		}
		live(t, th, Mute{Member: 2})
		if th.stage("1").state(2).Muted {
			t.Error("he stays muted")
		}
		want(t, "told", th.types(), "participant.held participant.muted participant.unheld participant.unmuted")
	})
}

func TestWhatIsPlayedByCommand(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		th.call("b", "1", nil)
		time.Sleep(time.Minute)
		a.sounds()
		th.types()
		live(t, th, Play{Member: 1, ID: "x", What: Media{Items: []string{"one"}}})
		live(t, th, Play{Member: 1, ID: "y", What: Media{Items: []string{"two"}}})
		live(t, th, StopPlay{Member: 1})
		live(t, th, Play{What: Media{Items: []string{"three"}}})
		time.Sleep(time.Minute)
		if heard := a.sounds(); !strings.Contains(heard, "one") || !strings.Contains(heard, "two") {
			t.Errorf("heard %q", heard)
		}
		want(t, "told", th.types(), "play.started play.ended play.started play.ended play.started play.ended")
		err := th.Do(t.Context(), "1", Play{Member: 9, What: Media{Items: []string{"x"}}})
		if !errors.Is(err, ErrNoMember) {
			t.Error(err)
		}
		if err := th.Do(t.Context(), "1", Play{Member: 1}); !errors.Is(err, ErrBadCommand) {
			t.Error(err)
		}
	})
}

// TestAPlayThatWaitsBeginsInItsTurn: that it waits, and that it begins, are told.
func TestAPlayThatWaitsBeginsInItsTurn(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.playing()
		live(t, th, StopPlay{Member: 1})
		live(t, th, StopPlay{ID: "x"})
		live(t, th, StopPlay{ID: "y"})
		th.types()
		for _, id := range []string{"p", "q", "r"} {
			live(t, th, Play{ID: id, What: media("", id)})
		}
		want(t, "told", th.types(), "play.started play.queued play.queued")
		live(t, th, Play{ID: "beside", What: media("", "b"), Beside: true})
		want(t, "told", th.types(), "play.started")
		live(t, th, StopPlay{ID: "q"})
		want(t, "told", th.types(), "play.ended")
		live(t, th, StopPlay{ID: "p"})
		want(t, "told", th.types(), "play.ended play.started")
	})
}

func TestRulesByCommandWin(t *testing.T) {
	bubble(t, nil, func(t *testing.T, th *theatre) {
		th.call("a", "1", map[string]string{"max_participants": "7"})
		time.Sleep(time.Minute)
		live(t, th, Rule{Name: "max_participants", Value: "1"})
		live(t, th, Rule{Name: "pin", Value: "4711"})
		v, err := th.Room(t.Context(), "1")
		if err != nil || v.MaxParticipants != 1 {
			t.Errorf("%+v %v", v, err)
		}
		th.Reload(t.Context(), NewDirectory())
		if v, _ = th.Room(t.Context(), "1"); v.MaxParticipants != 1 {
			t.Error("a reload has undone the command")
		}
		e, err := th.ExplainRoom(t.Context(), "1")
		if err != nil || slices.ContainsFunc(e.Settings, func(s Setting) bool { return strings.Contains(s.Value, "4711") }) {
			t.Errorf("%v; the PIN may be shown", err)
		}
		for _, bad := range []Rule{
			{Name: "pin", Value: "x"}, {Name: "nonsense", Value: "1"}, {Name: "max_participants", Value: "many"}, {Name: "muted", Value: "true"},
		} {
			if err := th.Do(t.Context(), "1", bad); !errors.Is(err, ErrBadCommand) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

func TestAQuietMuteSaysNothing(t *testing.T) {
	bubble(t, func(p *Profile) { p.MutedSound = "muted" }, func(t *testing.T, th *theatre) {
		a := th.call("a", "1", nil)
		time.Sleep(time.Minute)
		a.sounds()
		live(t, th, Mute{Member: 1, On: true, Quiet: true})
		if heard := a.sounds(); strings.Contains(heard, "muted") {
			t.Errorf("heard %q", heard)
		}
		live(t, th, Mute{Member: 1})
		live(t, th, Mute{Member: 1, On: true})
		if heard := a.sounds(); !strings.Contains(heard, "muted") {
			t.Errorf("heard %q", heard)
		}
	})
}
