package engine

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestASoundThatCannotBePlayedIsMarked where a room is explained: where we mix as
// we find it, at a switch as it was tried; and each is told once.
func TestASoundThatCannotBePlayedIsMarked(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mixer Mixer
		at    Place
		tried error
		fault string // of enter_sound
	}{
		{"here", MixerNative, Place{}, nil, "no bing.wav"},
		{"at a switch", MixerSwitch, pbx1, errors.New("FILE NOT FOUND: bing.wav"), "FILE NOT FOUND: bing.wav"},
		{"at a switch, not tried", MixerSwitch, pbx1, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := written(func(p *Profile) { p.Mixer = tt.mixer })
			base := d.Settings
			d.Settings = func(r RoomName, profile string) []Setting {
				return append(base(r, profile), Setting{Name: "enter_sound", Value: "bing.wav", Source: "p.yaml:9"}, Setting{Name: "exit_sound", Value: "good.wav", Source: "p.yaml:10"})
			}
			stagePlay(t, d, func(t *testing.T, th *theatre) {
				var told []string
				th.house.unplayed = func(_ RoomName, why string) { told = append(told, why) }
				th.playable = func(spec, _ string) error {
					if spec == "bing.wav" {
						return errors.New("no bing.wav")
					}
					return nil
				}
				th.dial("a", "1", tt.at, pbx1, nil)
				synctest.Wait()
				if tt.tried != nil {
					for range 2 {
						th.stageAt(tt.at).sink.Post(Played{Op: 99, Err: errors.Join(errors.New("nothing of it"), tt.tried)})
					}
					synctest.Wait()
				}
				e, err := th.ExplainRoom(t.Context(), "1")
				v, _ := th.Room(t.Context(), "1")
				if err != nil || len(v.Unplayed) != len(told) || tt.tried != nil && !slices.Equal(told, []string{"nothing of it; " + tt.tried.Error()}) {
					t.Errorf("told %q, shown %q, %v", told, v.Unplayed, err)
				}
				for _, s := range e.Settings {
					if want := map[string]string{"enter_sound": tt.fault}[s.Name]; !strings.HasSuffix(s.Fault, want) || (want == "") != (s.Fault == "") {
						t.Errorf("%s: fault %q, want %q", s.Name, s.Fault, want)
					}
				}
			})
		})
	}
}
