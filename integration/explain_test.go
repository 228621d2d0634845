//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// command runs one of Parley's commands on a configuration.
func command(t *testing.T, config string, args ...string) (code int, out string) {
	t.Helper()
	b, err := exec.Command(parleyBinary, append(args, "--config", config)...).CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if failed != nil {
		code = failed.ExitCode()
	}
	return code, string(b)
}

// TestCheckAndExplainOnFreeSWITCH has what an admin sees of a real switch: that
// it is as it has to be, what is wrong if not, and where the settings of a call
// come from whose dialplan was written for mod_conference.
func TestCheckAndExplainOnFreeSWITCH(t *testing.T) {
	t.Parallel()
	at := newPlace()
	fs := startFreeSWITCH(t, at)
	pbx := func(esl, password string) string {
		return fmt.Sprintf("switches: [{name: pbx1, kind: freeswitch, esl: %q, password: %s}]\n", esl, password)
	}
	for _, tt := range []struct {
		name, config string
		code         int
		want         string
	}{
		{"right", pbx(at.fsESL, "parley-test"), 0, "at " + at.fsESL + ", 1 sip profile, mod_conference loaded\n"},
		{
			"wrong password", pbx(at.fsESL, "wrong"), 1, `pbx1      BAD  esl pbx1 ` + at.fsESL + `: password refused ("-ERR invalid"). ` +
				"Set password_file of switch pbx1 to the password in event_socket.conf.xml. [esl_auth]\n",
		},
		{
			"a sound that it lacks", pbx(at.fsESL, "parley-test") + "profiles: [{name: default, mixer: switch, enter_sound: /nowhere/bing.wav}]\n", 1,
			`profile default: enter_sound "/nowhere/bing.wav" not found, nor on pbx1 in /nowhere/8000, …/16000, …/32000, …/48000, /nowhere. ` +
				"Callers will hear the default tone, and nothing where a switch mixes. [media_missing]\n",
		},
		{"nobody there", pbx("127.0.0.1:1", "x"), 1, "pbx1      BAD  esl pbx1 127.0.0.1:1: connection refused. Is mod_event_socket loaded and listening on this address? [esl_refused]\n"},
	} {
		path := filepath.Join(t.TempDir(), "parley.yaml")
		if err := os.WriteFile(path, []byte(at.base(false)+tt.config), 0o600); err != nil {
			t.Fatal(err)
		}
		took := time.Hour
		for tries := 0; tries < 4 && took > 2*time.Second; tries++ { // others test on this machine
			began := time.Now()
			if code, out := command(t, path, "check"); code != tt.code || !strings.Contains(out, tt.want) {
				t.Errorf("%s: exit code %d, no %q in\n%s", tt.name, code, tt.want, out)
			}
			took = time.Since(began)
		}
		if took > 2*time.Second {
			t.Errorf("%s: took %v", tt.name, took)
		}
	}

	p := run(t, at, at.base(false)+pbx(at.fsESL, "parley-test")+"profiles:\n  - name: default\n    max_participants: 20\n    alone_sound: none\n    moh_sound: none\n")
	const id = "11111111-2222-4333-8444-555555555555"
	made := fs.fsCLI("originate {origination_uuid=" + id + ",parley_room=3001,conference_member_flags=mute|moderator,parley_mutted=true,parley_max_participants=7}" +
		"sofia/internal/9999@" + at.sip + ` '\''&socket(` + at.esl + ` async full)'\''`) // quotes within those of the shell
	if !strings.Contains(made, "+OK") {
		t.Fatalf("originate: %s", made)
	}
	p.members("3001", 1)
	line := fmt.Sprintf("%d", 1+strings.Count(strings.Split(at.base(false)+pbx("", "")+"profiles:\n  - name: default\n    max_p", "max_p")[0], "\n"))
	explained(t, p, id, map[string]string{
		"role moderator":      "from conference_member_flags",
		"muted true":          "from conference_member_flags",
		"max_participants 7":  "variable parley_max_participants of call " + id,
		"max_participants 20": p.config + ":" + line + ": overridden by variable parley_max_participants of call " + id,
		"mutted true":         "variable parley_mutted: unknown variable parley_mutted, did you mean parley_muted?",
	})
	if code, out := command(t, p.config, "room", "3001", "unmute", "1"); code != 0 {
		t.Fatalf("unmute: %s", out)
	}
	if code, out := command(t, p.config, "explain", "call", id); code != 0 || !strings.Contains(out, "by command, ") {
		t.Errorf("%d\n%s", code, out)
	}
	fs.fsCLI("uuid_kill " + id)
	p.gone("3001")
	if _, out := command(t, p.config, "explain", "call", id); !strings.Contains(out, " ago: joined hangup\n") {
		t.Errorf("of a call that has left:\n%s", out)
	}
}

// explained compares "NAME VALUE" with "SOURCE", or "SOURCE: WHY IT LOST".
func explained(t *testing.T, p *parley, id string, want map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	e, err := p.api.ExplainCall(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]engine.Setting{}
	for _, s := range e.Settings {
		got[s.Name+" "+s.Value] = s
	}
	for key, source := range want {
		s, ok := got[key]
		text := s.Source
		if s.Lost != "" {
			text += ": " + s.Lost
		}
		if !ok || text != source {
			t.Errorf("%s is %q, want %q", key, text, source)
		}
	}
}
