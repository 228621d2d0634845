package fsapi

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"parley/engine"
)

func (p *place) ControlPlay(op, _ engine.OpID, c engine.PlayControl) {
	p.mu.Lock()
	p.steered = append(p.steered, c)
	if c.Pause != nil {
		p.at.Paused = *c.Pause
	}
	at := p.at
	p.mu.Unlock()
	p.sink.Post(engine.PlayChanged{Op: op, At: at})
}

func (p *place) Playhead(engine.OpID) (engine.Playhead, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at, true
}

func (p *place) EndPlay(play engine.OpID) { p.sink.Post(engine.Played{Op: play}) }

// TestWhatPlaysIsSteered: the answers are those that a FreeSWITCH has given, but
// for its 0/0 of whatever plays.
func TestWhatPlaysIsSteered(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		p := r.places["3001"]
		p.mu.Lock()
		p.at = engine.Playhead{Position: 1500 * time.Millisecond, Duration: 5 * time.Second}
		p.mu.Unlock()
		r.says("conference 3001 set sound_prefix /snd", "")
		for _, row := range []struct{ line, want string }{
			{"play five.wav", "+OK (play) Playing file five.wav\n"},
			{"play tone_stream://%(3000,0,500) async", "+OK (play) Playing file tone_stream://%(3000,0,500)\n"},
			{"play_status", "+OK 12000/40000 /snd/five.wav\n"},
			{"play_status 1", "-ERR Nothing is playing\n"},
			{"play_status x", "-ERR Member: x not found.\nplay_status [<member_id>]"},
			{"pause_play", "+OK Pause\n"},
			{"pause_play", "+OK Resume\n"},
			{"pause_play 1", ""},
			{"file_seek 500", "+OK seek to position 4000\n"},
			{"file_seek -200", "+OK seek to position 10400\n"},
			{"file_seek -9000", "+OK seek to position 0\n"},
			{"file_seek +x", "+OK seek to position 20000\n"},
			{"file_seek x", "+OK seek to position 0\n"},
			{"file_seek 1 1", ""},
			{"file-vol 3", "+OK volume changed\n"},
			{"file-vol -60 async", "+OK volume changed\n"},
			{"file-vol -9 other", "+OK volume changed\n"},
			{"stop async", "+OK Stopped 1 files.\n"},
			{"stop async", "+OK Stopped 0 files.\n"},
			{"file-vol -9 other", "-ERR File not playing\nfile-vol <vol#>"},
			{"stop current", "+OK Stopped 1 files.\n"},
			{"stop current", "+OK Stopped 0 files.\n"},
			{"stop current 1", "+OK Stopped 0 files.\n"},
			{"stop", "+OK Stopped 0 files.\n"},
			{"stop last", "stop <[current|all|async|last]> [<member_id>]"},
			{"file-vol 1", "-ERR File not playing\nfile-vol <vol#>"},
		} {
			r.says("conference 3001 "+row.line, row.want)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		on, off := true, false
		seek := func(ms int, by bool) engine.PlayControl {
			return engine.PlayControl{Seek: &engine.Seek{To: time.Duration(ms) * time.Millisecond, By: by}}
		}
		gain := func(db engine.Decibels) engine.PlayControl { return engine.PlayControl{Gain: &db} }
		want := []engine.PlayControl{
			{Pause: &on}, {Pause: &off}, seek(500, false), seek(-200, true), seek(-9000, true), seek(1000, true), seek(0, false), gain(3), gain(-100), gain(-9),
		}
		if !reflect.DeepEqual(p.steered, want) {
			t.Errorf("steered %+v", p.steered)
		}
		if !slices.Equal(p.plays, []string{"/snd/five.wav", "tone_stream://%(3000,0,500)"}) {
			t.Errorf("played %q", p.plays)
		}
	})
}
