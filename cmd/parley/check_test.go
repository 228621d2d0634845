package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckOfADialplan has one that is right, one that is wrong in two ways,
// and one that is not there.
func TestCheckOfADialplan(t *testing.T) {
	nobody := file(t, "rtp: {ports: 18000-18003}\n")
	wrong := filepath.Join(t.TempDir(), "wrong.xml")
	if err := os.WriteFile(wrong, []byte(`<include><extension name="a">
<condition field="${parley_result}" expression="^$"/>
<condition><action application="socket" data="127.0.0.1:8084"/></condition>
</extension></include>`), 0o600); err != nil {
		t.Fatal(err)
	}
	const right = "../../configs/freeswitch/parley.xml"
	code, stdout, stderr := parley(t, "check", "--config", nobody, "--dialplan", right)
	for _, want := range []string{"config    ok   ", "\nsounds    ok   ", "\nrtp       ok   18000-18003/udp", "\ndialplan  ok   " + right + " (1 extension to Parley)\n"} {
		if code != 0 || stderr != "" || !strings.Contains(stdout, want) {
			t.Errorf("%d, no %q in\n%s%s", code, want, stdout, stderr)
		}
	}
	code, stdout, _ = parley(t, "check", "--config", nobody, "--dialplan", right, "--dialplan", wrong, "--dialplan", "/nowhere.xml")
	for _, want := range []string{
		"dialplan  ok   " + right, "dialplan  BAD  " + wrong + ":2: condition on ${parley_result}", "dialplan  BAD  " + wrong + ":3: socket is \"single-channel, static\"",
		"dialplan  BAD  open /nowhere.xml: no such file or directory. [unreadable]\n",
	} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("%d, no %q in\n%s", code, want, stdout)
		}
	}
	top := filepath.Join(t.TempDir(), "default.xml")
	for name, text := range map[string]string{
		top: `<include><context name="default"><X-PRE-PROCESS cmd="include" data="default/*.xml"/></context></include>`,
		filepath.Join(filepath.Dir(top), "default", "a.xml"): `<include><extension name="a"><condition>
<action application="set" data="parley_mutted=true"/><action application="set" data="parley_role=king"/>
<action application="set" data="parley_profile=nosuch"/><action application="set" data="parley_room=two words"/>
<action application="socket" data="127.0.0.1:9999 async full"/></condition></extension></include>`,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, _ = parley(t, "check", "--config", nobody, "--dialplan", top)
	for _, want := range []string{
		"default/a.xml:2: unknown variable parley_mutted, did you mean parley_muted?", `default/a.xml:2: parley_role: bad value "king"`,
		`default/a.xml:3: parley_profile: "nosuch" is not defined`, "default/a.xml:3: parley_room: engine: bad room name", "default/a.xml:4: socket goes to 127.0.0.1:9999",
	} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("%d, no %q in\n%s", code, want, stdout)
		}
	}
	code, stdout, _ = parley(t, "check", "--json", "--config", nobody, "--dialplan", wrong)
	if code != 1 || !strings.Contains(stdout, `"code": "dialplan_result"`) || !strings.Contains(stdout, `"code": "socket_mode"`) {
		t.Errorf("%d %s", code, stdout)
	}
}

// TestCheckOfUsersOfTheEventSocket knows the commands and events that there are.
func TestCheckOfUsersOfTheEventSocket(t *testing.T) {
	path := file(t, "rtp: {ports: 18000-18003}\nesl_server:\n  users:\n"+
		"    - {name: a@b, password: x, api: [confrence], events: [CHANEL_CREATE]}\n"+
		"    - {name: c@d, password: x, api: [conference, bgapi, uuid_kill, originate], events: [all, CUSTOM, channel_create, conference::cdr, parley::resync]}\n")
	code, stdout, _ := parley(t, "check", "--config", path)
	for _, want := range []string{`:4: ESL user a@b: there is no command "confrence", did you mean "conference"?`, `:4: ESL user a@b: there is no event "CHANEL_CREATE", did you mean "CHANNEL_CREATE"?`} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%d, no %q in\n%s", code, want, stdout)
		}
	}
	if strings.Contains(stdout, "c@d") {
		t.Errorf("more is told:\n%s", stdout)
	}
}
