package asterisk_test

import (
	"errors"
	"testing"
	"time"

	"parley/engine"
)

// control pauses what plays to a room; what waits behind it cannot be, and ends
// by itself.
func control(t *testing.T, place engine.Bridge, facts <-chan engine.Fact) {
	t.Helper()
	next := func() engine.Fact {
		select {
		case f := <-facts:
			return f
		case <-time.After(soon):
			t.Fatal("no fact comes")
			return nil
		}
	}
	place.Play(10, engine.Media{Items: []string{"hello"}, Loop: true}, engine.Audience{})
	player, on := place.(engine.Player), true
	player.ControlPlay(11, 12, engine.PlayControl{Pause: &on})
	if f, ok := next().(engine.PlayChanged); !ok || f.Op != 11 || !errors.Is(f.Err, engine.ErrCannot) {
		t.Errorf("%+v", f)
	}
	player.ControlPlay(13, 10, engine.PlayControl{Pause: &on})
	if f, ok := next().(engine.PlayChanged); !ok || f.Op != 13 || f.Err != nil || !f.At.Paused {
		t.Errorf("%+v", f)
	}
	if at, there := player.Playhead(10); !there || !at.Paused {
		t.Errorf("%+v %v", at, there)
	}
	place.(engine.Ender).EndPlay(10)
	place.Play(12, engine.Media{Items: []string{"hello"}}, engine.Audience{})
	for _, op := range []engine.OpID{10, 12} {
		if f, ok := next().(engine.Played); !ok || f.Op != op || f.Err != nil {
			t.Errorf("%+v, want the end of %d", f, op)
		}
	}
}
