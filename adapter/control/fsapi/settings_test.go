package fsapi

import (
	"strings"
	"testing"
	"time"

	"parley/engine"
	"parley/esl"
)

func TestEnergies(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		r.call("3001", "1002", nil)
		r.events()
		for _, row := range []struct {
			line, want, told string
			gate             engine.Gate
			agc              bool
		}{
			{"energy 2", "Energy 2 = 0\n", "", engine.GateAuto, false},
			{"energy 2 300", "Energy 2 = 300\n", "energy-level-member 2", -37, false},
			{"energy 2 up", "Energy 2 = 500\n", "energy-level-member 2", -33, false},
			{"auto-energy 2 600", "2 = Auto-Energy: 600 Energy: 500\n", "auto-energy-level-member 2", engine.GateAuto, false},
			{"energy 2 700", "Energy 2 = 700\nAuto-Energy level exceeded, Auto-Energy mode disabled\n", "energy-level-member 2", -30, false},
			{"agc 2 900:100", "Agc 2 = 900\n", "agc-level-member 2", -30, true},
			{"agc 2 0", "Agc 2 = 900\n", "agc-level-member 2", -30, true},
			{"agc 2 off", "Agc 2 = 900\n", "agc-level-member 2", -30, true},
			{"agc 2 150", "Agc 2 = 150\n", "agc-level-member 2", -30, true},
			{"agc 2 down", "Agc 2 = 0\n", "agc-level-member 2", -30, false},
			{"agc 2 900", "Agc 2 = 900\n", "agc-level-member 2", -30, true},
			{"energy 2 0", "Energy 2 = 0\n", "energy-level-member 2", engine.GateOff, true},
			{"auto-energy 2 400", "2 = Auto-Energy: 400 Energy: 0\n", "auto-energy-level-member 2", engine.GateAuto, true},
			{"auto-energy 2", "2 = Auto-Energy: 400 Energy: 200\n", "", engine.GateAuto, true},
			{"max-energy 2 400", "2 = Max-Energy: 200 Energy: 400 Max-Energy-Mute: 0ms Max-Energy-Hit-Trigger 5\n", "max-energy-level-member 2", engine.GateAuto, true},
			{
				"max-energy 2 100:500", "-ERR 2 Max-Energy cannot exceed energy level.\n2 = Max-Energy: 200 Energy: 0 Max-Energy-Mute: 0ms Max-Energy-Hit-Trigger 5\n",
				"max-energy-level-member 2", engine.GateAuto, true,
			},
			{"max-energy 2 400:210:3", "2 = Max-Energy: 200 Energy: 400 Max-Energy-Mute: 200ms Max-Energy-Hit-Trigger 3\n", "max-energy-level-member 2", engine.GateAuto, true},
		} {
			r.says("conference 3001 "+row.line, row.want)
			if told := strings.Join(r.events(), ","); told != row.told {
				t.Errorf("%s: told %q, want %q", row.line, told, row.told)
			}
			p := r.places["3001"]
			p.mu.Lock()
			if got := p.treated[2]; got.Gate != row.gate || got.AGC != row.agc {
				t.Errorf("%s: treated %+v", row.line, got)
			}
			p.mu.Unlock()
		}
		if got := r.places["3001"].treated[2].Ceiling; got != (engine.Ceiling{Level: -35, Hits: 3, Mute: 200 * time.Millisecond}) {
			t.Errorf("the ceiling is %+v", got)
		}
		if list := r.api("conference 3001 list"); !strings.Contains(list, ";0;0;200\n") {
			t.Errorf("listed %q", list)
		}
		r.says("conference 3001 energy all down", "Energy 2 = 0\nEnergy 1 = 0\n")
	})
}

func TestKeysAreSentToAMember(t *testing.T) {
	bubble(t, func(r *rig) {
		p := r.call("3001", "1001", nil)
		r.events()
		r.says("conference 3001 dtmf 1 12#", "+OK sent 12# to 1\n")
		r.tells("dtmf-member 1")
		r.says("conference 3001 dtmf 1", "-ERR Invalid input!\n")
		if out := r.api("conference 3001 dtmf 1 1x"); !strings.HasPrefix(out, "-ERR keys") {
			t.Errorf("%q", out)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.keys != "12#" {
			t.Errorf("his phone got %q", p.keys)
		}
	})
}

func TestVariablesAreInEventsAndLists(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		r.says("conference 3001 getvar color", "")
		r.says("conference 3001 setvar color blue", "+OK\n")
		r.says("conference 3001 setvar a<b x&y", "+OK\n")
		r.says("conference 3001 getvar color", "blue")
		r.says("conference 3001 mute 1", "+OK mute 1\n")
		r.mu.Lock()
		last := r.told[len(r.told)-1]
		r.mu.Unlock()
		if last.Value("color") != "blue" || last.Value("Action") != "mute-member" {
			t.Errorf("told %v", last.Headers)
		}
		if out := r.api("conference 3001 xml_list"); !strings.Contains(out, `<variable name="color" value="blue"></variable>`) || !strings.Contains(out, `name="a&lt;b" value="x&amp;y"`) {
			t.Error(out)
		}
		if out := r.api("conference 3001 json_list compact"); !strings.Contains(out, `"variables":{"color":"blue","a<b":"x&y"}`) {
			t.Error(out)
		}
		r.says("conference 3001 setvar color", "+OK\n")
		r.says("conference 3001 getvar color", "")
		if out := r.api("conference 3001 setvar long " + strings.Repeat("x", maxVariable)); !strings.HasPrefix(out, "-ERR") {
			t.Errorf("%q", out)
		}
	})
}

func TestMusic(t *testing.T) {
	bubble(t, func(r *rig) {
		p := r.call("3001", "1001", nil)
		heard := func() string {
			p.mu.Lock()
			defer p.mu.Unlock()
			text := strings.Join(p.heard, " ")
			p.heard = nil
			return text
		}
		heard()
		for _, row := range []struct{ line, want, heard string }{
			{"moh other.wav", "+OK moh\n", "other.wav"},
			{"moh off", "+OK moh\n", ""},
			{"moh toggle", "+OK moh\n", "other.wav"},
			{"moh reset", "+OK moh\n", "local_stream://moh"},
			{"moh", "-ERR invalid moh param\n", ""},
		} {
			r.says("conference 3001 "+row.line, row.want)
			time.Sleep(time.Second)
			if got := heard(); got != row.heard {
				t.Errorf("%s: he hears %q, want %q", row.line, got, row.heard)
			}
		}
	})
}

func TestSettingsThatOnlyGetKnows(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", nil)
		for _, row := range []struct{ line, want string }{
			{"get endconference_grace_time", "0"},
			{"set endconference_grace_time 9", "0"},
			{"set endconference_grace_time 7", "9"},
			{"get endconference_grace_time", "7"},
			{"set caller_id_name Weekly", ""},
			{"set caller_id_name Daily", "Weekly"},
			{"get caller_id_name", "Daily"},
			{"set sound_prefix /x", ""},
			{"set sound_prefix /y", "/x"},
			{"get sound_prefix", "/y"},
			{"set sound_prefix", "set <max_members|sound_prefix|caller_id_name|caller_id_number|endconference_grace_time> <value>"},
			{"pause_play 9", "-ERR Member: 9 not found.\npause [<member_id>]"},
			{"play_status 1", "-ERR Nothing is playing\n"},
			{"file_seek", "file_seek [+-]<val> [<member_id>]"},
			{"file_seek 100", ""},
		} {
			r.says("conference 3001 "+row.line, row.want)
		}
		if out := r.api("conference 3001 xml_list"); !strings.Contains(out, `endconference_grace_time="7"`) {
			t.Error(out)
		}
		if help := r.api("conference"); !strings.HasPrefix(help, "<conf name> count \n<conf name> list [delim <string>]|[count]\n") {
			t.Error(help)
		}
		if help := r.api("conference help"); strings.Contains(help, "vid-") || strings.Contains(help, "position") || !strings.Contains(help, "\t\ttransfer <conference_name>") {
			t.Error(help)
		}
	})
}

// TestTheRecordOfARoom is told when it has ended, and the lamps are told all the
// time.
func TestTheRecordOfARoom(t *testing.T) {
	bubble(t, func(r *rig) {
		r.call("3001", "1001", map[string]string{"role": "moderator", "end_on_exit": "any"})
		r.call("3001", "1002", nil)
		r.says("conference 3001 lock", "+OK 3001 locked\n")
		r.call("3001", "1003", nil)
		r.says("conference 3001 kick 2", "+OK kicked 2\n")
		r.says("conference 3001 hup 1", "+OK hup 1\n")
		time.Sleep(time.Minute)
		r.mu.Lock()
		defer r.mu.Unlock()
		var lamps []string
		var cdr *esl.Event
		for _, e := range r.told {
			switch {
			case e.Name() == "PRESENCE_IN":
				lamps = append(lamps, e.Value("login")+" "+e.Value("force-status")+" "+e.Value("answer-state"))
			case e.Value("Event-Subclass") == cdrSubclass:
				cdr = e
			}
		}
		want := "3001 Active (1 caller) early,3001 Active (2 callers) confirmed,3001 Active (1 caller) early,3001 Inactive terminated,3001 Inactive terminated"
		if got := strings.Join(lamps, ","); got != want {
			t.Errorf("lamps %q", got)
		}
		if cdr == nil {
			t.Fatal("no record")
		}
		flat := strings.Join(strings.Fields(string(cdr.Body)), " ")
		for _, part := range []string{
			"<name>3001</name> <hostname>here</hostname> <rate>8000</rate>", `<end_time endconference_forced="true" type="UNIX-epoch">`,
			"<was_kicked>true</was_kicked>", "<is_moderator>true</is_moderator> <end_conference>true</end_conference>",
			"<attempt> <reason>conference_locked</reason>", "<caller_id_number>1003</caller_id_number>", "</rejected> </conference> </cdr>",
		} {
			if !strings.Contains(flat, part) {
				t.Errorf("no %s in %s", part, flat)
			}
		}
		if strings.Index(flat, ">1002<") > strings.Index(flat, ">1001<") {
			t.Error("who joined last does not come first")
		}
	})
}
