package adapter

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/adapter/config"
	"parley/ari/aritest"
	"parley/engine"
	"parley/esl/esltest"
)

// pbx serves the event socket of a FreeSWITCH; silent ones say nothing.
func pbx(t *testing.T, o *esltest.SwitchOptions) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for nc, err := ln.Accept(); err == nil; nc, err = ln.Accept() {
			if o != nil {
				esltest.NewSwitch(t, nc, *o)
			}
		}
	}()
	return ln.Addr().String()
}

// answers is a FreeSWITCH as `parley check` asks it.
func answers(sofia, conference string) *esltest.SwitchOptions {
	return &esltest.SwitchOptions{Password: "right", API: func(cmd, args string) string {
		return map[string]string{"version short": "1.10.12-release\n", "sofia status": sofia, "module_exists mod_conference": conference}[cmd+" "+args]
	}}
}

const twoProfiles = "internal\tprofile\tsip:a@b\tRUNNING (0)\nexternal\tprofile\tsip:a@c\tRUNNING (1)\n"

func short(found []Finding) (lines []string) {
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("%s %v %s", f.Part, f.OK, f.Text))
	}
	return lines
}

// TestSwitchesAreChecked looks at one switch of each kind and state.
func TestSwitchesAreChecked(t *testing.T) {
	ast := aritest.New(t)
	free := func(o *esltest.SwitchOptions) config.Switch {
		return config.Switch{Name: "pbx1", Kind: config.KindFreeSWITCH, ESL: pbx(t, o), Password: config.NewSecret("right")}
	}
	asterisk := func(url, user string) config.Switch {
		return config.Switch{Name: "ast1", Kind: config.KindAsterisk, ARI: url, User: user, App: "parley", Password: config.NewSecret(aritest.Password)}
	}
	closed := free(nil)
	closed.ESL = "127.0.0.1:1"
	for _, tt := range []struct {
		name  string
		is    config.Switch
		mixer string // of a room
		want  []string
		code  string // of the last line
	}{
		{"all is well", free(answers(twoProfiles, "true")), "native", []string{"pbx1 true FreeSWITCH 1.10.12 at ESL, 2 sip profiles, mod_conference loaded"}, ""},
		{"a module that is not needed", free(answers(twoProfiles, "false")), "native", []string{"pbx1 true FreeSWITCH 1.10.12 at ESL, 2 sip profiles, mod_conference not loaded"}, ""},
		{
			"a module that is needed", free(answers(twoProfiles, "false")), "switch",
			[]string{"pbx1 false FreeSWITCH 1.10.12 at ESL, 2 sip profiles, mod_conference not loaded. Load it: a profile says mixer: switch. [no_conference]"},
			"no_conference",
		},
		{
			"no SIP", free(answers("-ERR sofia Command not found!\n", "true")), "native",
			[]string{"pbx1 true FreeSWITCH 1.10.12 at ESL, 0 sip profiles, mod_conference loaded", "pbx1 false no sip profile runs, so no audio can come to us. Load mod_sofia and start a profile. [no_sofia]"},
			"no_sofia",
		},
		{
			"wrong password", free(&esltest.SwitchOptions{Password: "other"}), "native",
			[]string{`pbx1 false esl pbx1 ESL: password refused ("-ERR invalid"). Set password_file of switch pbx1 to the password in event_socket.conf.xml. [esl_auth]`},
			"esl_auth",
		},
		{"closed", closed, "native", []string{"pbx1 false esl pbx1 127.0.0.1:1: connection refused. Is mod_event_socket loaded and listening on this address? [esl_refused]"}, "esl_refused"},
		{"asterisk", asterisk(ast.URL, aritest.User), "native", []string{`ast1 true Asterisk ` + aritest.Version + `, ARI user may write, app "parley" will be registered at start`, "ast1 true media audiosocket: the switch has what it takes"}, ""},
		{"asterisk, read-only", asterisk(ast.URL, aritest.Reader), "native", []string{`ast1 false ari ast1: user reader is read-only; conference control needs read_only=no. [ari_readonly]`}, "ari_readonly"},
		{"asterisk, nobody", asterisk(ast.URL, "x"), "native", []string{`ast1 false ari ast1: 401 "Authentication required" for user x. Check [x] in ari.conf and password_file of switch ast1. [ari_auth]`}, "ari_auth"},
		{"asterisk, elsewhere", asterisk(strings.Replace(ast.URL, "/ari", "/asterisk/ari", 1), aritest.User), "native", nil, "ari_not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config.Defaults()
			c.Profiles[0].Mixer = "native"
			if tt.mixer == "switch" {
				c.Profiles[0].Mixer = "switch"
			}
			c.Switches = []config.Switch{tt.is}
			found := CheckSwitches(t.Context(), c, nil)
			for i := range tt.want {
				tt.want[i] = strings.ReplaceAll(tt.want[i], "ESL", tt.is.ESL)
			}
			if got := short(found); tt.want != nil && !slices.Equal(got, tt.want) {
				t.Errorf("%q\nwant %q", got, tt.want)
			}
			if last := found[len(found)-1]; last.Code != tt.code {
				t.Errorf("code %s, want %s", last.Code, tt.code)
			}
		})
	}
}

// TestSwitchesThatDoNotAnswerAreNotWaitedFor has three at a time.
func TestSwitchesThatDoNotAnswerAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	c := config.Defaults()
	at := pbx(t, nil)
	for _, name := range []string{"a", "b"} {
		c.Switches = append(c.Switches, config.Switch{Name: name, Kind: config.KindFreeSWITCH, ESL: at})
	}
	c.Switches = append(c.Switches, config.Switch{Name: "c", Kind: config.KindAsterisk, ARI: "http://" + at + "/ari", App: "parley"})
	good := pbx(t, answers(twoProfiles, "true"))
	c.Switches = append(c.Switches, config.Switch{Name: "d", Kind: config.KindFreeSWITCH, ESL: good, Password: config.NewSecret("right")})
	began := time.Now()
	found := CheckSwitches(t.Context(), c, nil)
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
	const hint = ": no answer in time. Is this the address, and does a firewall let us through? "
	want := []string{
		"a false esl a " + at + hint + "[esl_timeout]", "b false esl b " + at + hint + "[esl_timeout]", "c false ari c http://" + at + "/ari" + hint + "[ari_timeout]",
		"d true FreeSWITCH 1.10.12 at " + good + ", 2 sip profiles, mod_conference loaded",
	}
	if got := short(found); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestAddressesThatAnotherMachineCannotReach(t *testing.T) {
	c := config.Defaults()
	want := []string{
		"warning true switch pbx1 is on another machine: the socket of its dialplan cannot reach us at 127.0.0.1:8084. Set freeswitch.listen. [unreachable]",
		"warning true switch pbx1 is on another machine: the audio of its calls cannot reach us at 127.0.0.1:5070. Set sip.listen. [unreachable]",
	}
	if got := short(outOfReach(c, "pbx1")); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	c.FreeSWITCH.Listen, c.SIP.Advertise = "0.0.0.0:8084", "10.0.0.5"
	if got := outOfReach(c, "pbx1"); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestPortsOfAudioAreChecked(t *testing.T) {
	c := config.Defaults()
	c.RTP.Ports = config.Ports{First: 19300, Last: 19303}
	c.Media.Advertise = "10.0.0.5"
	look := func(want string) {
		t.Helper()
		if got := short([]Finding{CheckRTP(c)})[0]; got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	look("rtp true 19300-19303/udp free, advertised address 10.0.0.5")
	for i, want := range []string{
		"rtp true 19300-19303/udp, free for 1 calls of 2, advertised address 10.0.0.5",
		"rtp false 19300-19303/udp: none of these ports is free. Set rtp.ports. [port_in_use]",
	} {
		taken, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", 19300+3*i))
		if err != nil {
			t.Skip(err) // somebody else has it
		}
		defer taken.Close()
		look(want)
	}
	c.RTP.Bind = "192.0.2.1"
	if f := CheckRTP(c); f.OK || f.Code != "bad_address" || !strings.Contains(f.Text, "rtp 192.0.2.1: this machine does not have that address. Set rtp.bind.") {
		t.Errorf("%+v", f)
	}
}

// TestNamesOfRecordingsAreChecked: an absolute one has to lead into the folder.
func TestNamesOfRecordingsAreChecked(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		"/tmp/evil.wav":           "record_file",
		"x.mp3":                   "record_file",
		dir + "/r/${room}.wav":    "",
		"${room}/${date}-${time}": "",
	} {
		file := filepath.Join(dir, "parley.yaml")
		text := fmt.Sprintf("record_dir: %s/r\nprofiles:\n  - name: default\n    record_file: %q\n", dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load(config.Source{File: file})
		if err != nil {
			t.Fatal(err)
		}
		found := CheckRecordings(c)
		if len(found) != 1 || found[0].Code != want || want != "" && !strings.Contains(found[0].Text, "profile default: record_file: recording: ") {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// TestAnAsteriskThatCannotRecord is a problem where it is to, and a warning
// where it may have to.
func TestAnAsteriskThatCannotRecord(t *testing.T) {
	ast := aritest.New(t)
	for _, tt := range []struct {
		mixer  engine.Mixer
		record engine.RecordWhen
		part   string // of the line about it
		ok     bool
	}{
		{engine.MixerSwitch, engine.RecordFromStart, "ast1", false},
		{engine.MixerSwitch, engine.RecordOff, "warning", true},
		{engine.MixerNative, engine.RecordFromStart, "warning", true},
		{engine.MixerNative, engine.RecordOff, "", true},
	} {
		ast.Refuse("GET recordings/stored", 500)
		c := config.Defaults()
		c.Profiles[0].Mixer, c.Profiles[0].Record = tt.mixer, tt.record
		c.Switches = []config.Switch{{Name: "ast1", Kind: config.KindAsterisk, ARI: ast.URL, User: aritest.User, App: "parley", Password: config.NewSecret(aritest.Password)}}
		found := CheckSwitches(t.Context(), c, nil)
		i := slices.IndexFunc(found, func(f Finding) bool { return f.Code == "record_dir" })
		if (i >= 0) != (tt.part != "") || i >= 0 && (found[i].Part != tt.part || found[i].OK != tt.ok || !strings.HasPrefix(found[i].Text, "switch ast1 has no folder ")) {
			t.Errorf("%s, %s: %+v", tt.mixer, tt.record, found)
		}
	}
}

// TestWaysOfAnAsteriskAreChecked: each that a profile or a room has, in the
// switch's words.
func TestWaysOfAnAsteriskAreChecked(t *testing.T) {
	ast := aritest.New(t)
	ast.Unload("chan_websocket.so")
	ast.Unload("PJSIP/parley")
	c := config.Defaults()
	c.Switches = []config.Switch{{Name: "ast1", Kind: config.KindAsterisk, ARI: ast.URL, User: aritest.User, App: "parley", Password: config.NewSecret(aritest.Password)}}
	for _, media := range []engine.MediaPath{engine.MediaRTP, engine.MediaWebSocket, engine.MediaSIP} {
		p := c.Profiles[0]
		p.Name, p.Media = "by-"+string(media), media
		c.Profiles = append(c.Profiles, p)
	}
	want := []string{
		"ast1 false media websocket (profile by-websocket) cannot be had: chan_websocket.so: Module could not be found in running modules. [media_path]",
		"ast1 false media sip (profile by-sip) cannot be had: PJSIP/parley: Endpoint not found, which asterisk.dial_string names. [media_path]",
		"ast1 true media audiosocket, rtp: the switch has what it takes",
	}
	if got := short(CheckSwitches(t.Context(), c, nil))[1:]; !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
