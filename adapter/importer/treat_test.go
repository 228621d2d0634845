package importer

import (
	"strings"
	"testing"

	"parley/engine"
)

// TestWhatIsDoneToVoices follows the parameters through Parley's own loader.
// 1400 is 65536/√12/1400 = 13.5 of 32768: -67.7 dBov, and half of it at 16 kHz.
func TestWhatIsDoneToVoices(t *testing.T) {
	for _, tt := range []struct {
		name, params string
		want         engine.Sound
		differ, lost int
	}{
		{"nothing", ``, engine.Sound{Gate: engine.GateOff}, 0, 0},
		{"the sample's level", `energy-level=100`, engine.Sound{Gate: -47}, 0, 0},
		{"an open gate", `energy-level=0`, engine.Sound{Gate: engine.GateOff}, 0, 0},
		{"no number", `energy-level=many`, engine.Sound{Gate: engine.GateOff}, 0, 0},
		{"deafening", `energy-level=9000`, engine.Sound{Gate: -20}, 1, 0},
		{"hardly any", `energy-level=1`, engine.Sound{Gate: -87}, 0, 0},
		{"by his noise", `energy-level=300 auto-energy-level=400`, engine.Sound{Gate: engine.GateAuto}, 2, 0},
		{"not by his noise", `auto-energy-level=0 energy-level=300`, engine.Sound{Gate: -38}, 0, 0},
		{"audio-always wins", `conference-flags=audio-always energy-level=300`, engine.Sound{Gate: engine.GateOff}, 0, 0},
		{"one loudness", `auto-gain-level=1100 auto-gain-margin=100`, engine.Sound{Gate: engine.GateOff, AGC: true}, 1, 0},
		{"not one loudness", `auto-gain-level=0`, engine.Sound{Gate: engine.GateOff}, 0, 0},
		{"noise", `comfort-noise=true`, engine.Sound{Gate: engine.GateOff, Noise: -68}, 1, 0},
		{"noise at 16 kHz", `comfort-noise=true rate=16000`, engine.Sound{Gate: engine.GateOff, Noise: -74}, 1, 0},
		{"less noise", `comfort-noise=5000`, engine.Sound{Gate: engine.GateOff, Noise: -79}, 1, 0},
		{"much noise", `comfort-noise=2`, engine.Sound{Gate: engine.GateOff, Noise: -40}, 1, 0},
		{"a number that only means true", `comfort-noise=10000`, engine.Sound{Gate: engine.GateOff, Noise: -68}, 1, 0},
		{"no noise", `comfort-noise=false`, engine.Sound{Gate: engine.GateOff}, 0, 0},
		{"who shouts", `max-energy-level=1000`, engine.Sound{Gate: engine.GateOff}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := FreeSWITCH("c.xml", []byte(`<configuration name="conference.conf"><profiles><profile name="p">`+
				paramList(tt.params)+`</profile></profiles></configuration>`), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := profileOf(t, load(t, r), "p").Sound; got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
			if r.Count(Differs) != tt.differ || r.Count(Lost) != tt.lost {
				t.Errorf("report:\n%s", report(r))
			}
		})
	}
}

func paramList(pairs string) string {
	var b strings.Builder
	for pair := range strings.FieldsSeq(pairs) {
		name, value, _ := strings.Cut(pair, "=")
		b.WriteString(`<param name="` + name + `" value="` + value + `"/>`)
	}
	return b.String()
}

// TestConfBridgeDropsSilence: a bridge mixes all that comes, unless a user says
// otherwise.
func TestConfBridgeDropsSilence(t *testing.T) {
	for drop, want := range map[string]engine.Gate{"yes": engine.GateAuto, "no": engine.GateOff} {
		r, err := ConfBridge("c.conf", []byte("[default_bridge]\ntype=bridge\n[default_user]\ntype=user\ndsp_drop_silence="+drop+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := profileOf(t, load(t, r), "default_bridge").Sound.Gate; got != want || r.Count(Lost) != 0 {
			t.Errorf("dsp_drop_silence=%s: gate %v, want %v\n%s", drop, got, want, report(r))
		}
	}
}
