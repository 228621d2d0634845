//go:build integration

package integration

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/sip"
	"parley/sip/siptest"
)

// startFreeSWITCH runs the switch with the dialplan that users paste.
func startFreeSWITCH(t *testing.T, at place) *container {
	t.Helper()
	c := freeswitchAt(t, at)
	eventually(t, startTime, "FreeSWITCH getting ready", func() (string, bool) {
		out := c.fsCLI("status")
		return out, strings.Contains(out, "is ready")
	})
	return c
}

// freeswitchAt starts the switch, env being more of its environment (NAME=VALUE).
func freeswitchAt(t *testing.T, at place, env ...string) *container {
	t.Helper()
	pasted := pasteable(t, "freeswitch/parley.xml", "127.0.0.1:8084", at.esl)
	conf, err := filepath.Abs("freeswitch/conf")
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, freeswitchImage(), []string{"sh", "-c"}, []string{inPath("export", "FS_HOST="+at.host, "FS_PARLEY_SOCKET="+at.esl, strings.Join(env, " ")+"; exec freeswitch", "-nf", "-c", "-nonat", "-nonatmap",
		"-nocal", "-np", "-conf", "/conf", "-log", "/tmp", "-db", "/tmp", "-run", "/tmp")}, []string{
		conf + "/freeswitch.xml:/conf/freeswitch.xml:ro",
		conf + "/dialplan/00-plain.xml:/conf/dialplan/00-plain.xml:ro",
		conf + "/dialplan/20-contract.xml:/conf/dialplan/20-contract.xml:ro",
		conf + "/dialplan/30-reattach.xml:/conf/dialplan/30-reattach.xml:ro",
		conf + "/dialplan/40-conformance.xml:/conf/dialplan/40-conformance.xml:ro",
		pasted + ":/conf/dialplan/10-parley.xml:ro",
	})
	c.at, c.front = at, at.fsESL
	return c
}

// inPath is a shell line that finds FreeSWITCH's programs where images have
// them.
func inPath(words ...string) string {
	return "PATH=$PATH:/opt/freeswitch/bin:/usr/local/freeswitch/bin; " + strings.Join(words, " ")
}

// fsCLI asks the switch.
func (c *container) fsCLI(line string) string {
	c.t.Helper()
	return c.exec("sh", "-c", inPath("fs_cli", "-H", c.at.host, "-p", "parley-test", "-x", "'"+line+"'"))
}

// pasteable copies a file of configs/ and replaces the default address by the
// tests'.
func pasteable(t *testing.T, name string, replace ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "configs", name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(path, []byte(strings.NewReplacer(replace...).Replace(string(data))), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// logged waits for a line of a switch's log that holds all words.
func (c *container) logged(words ...string) string {
	c.t.Helper()
	return eventually(c.t, 15*time.Second, "a log line with "+strings.Join(words, ", "), func() (string, bool) {
		for line := range strings.Lines(c.log(4000)) {
			found := true
			for _, w := range words {
				found = found && strings.Contains(line, w)
			}
			if found {
				return line, true
			}
		}
		return "no such line", false
	})
}

// inConference says whether so many are in a conference of the switch.
func (c *container) inConference(name string, n int) bool {
	c.t.Helper()
	return strings.TrimSpace(c.fsCLI("conference "+name+" count")) == strconv.Itoa(n)
}

func TestFreeSWITCH(t *testing.T) {
	t.Parallel()
	at := newPlace()
	fs := startFreeSWITCH(t, at)
	contract(t, contractOf{
		at: at, address: at.fsSIP,
		config:  at.base(false),
		patient: 6 * time.Second, // ten tries
		result: func(room, result, reason, exit string) {
			fs.logged("parley room="+room+" ", "result="+result+" ", "reason="+reason+" ", "exit="+exit+" ")
		},
		inFallback: func(room string) bool {
			return fs.inConference(room+"-fallback", 2)
		},
	})
	t.Run("who is refused before he was answered is told so", func(t *testing.T) {
		p, err := siptest.New(siptest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		for range 5 { // it depends on who is first, the answer or the refusal
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			c, err := p.Dial(ctx, "sip:3103@"+at.fsSIP, siptest.CallOptions{})
			cancel()
			if refused, ok := errors.AsType[*sip.StatusError](err); err == nil {
				ended(t, c)
			} else if !ok || refused.Code != 480 {
				t.Errorf("answered with %v", err)
			}
		}
	})
}

// TestFreeSWITCHWideband sends a tone that only wideband carries from a caller
// at the switch to a phone, and back.
func TestFreeSWITCHWideband(t *testing.T) {
	t.Parallel()
	at := newPlace()
	startFreeSWITCH(t, at)
	p := run(t, at, at.base(false)+contractProfiles)
	wide := []codec.Format{codec.L16(16000)}
	calls := []*siptest.Call{
		callWith(t, wide, at.fsSIP, "3001", tone(5000)), callWith(t, wide, at.sip, "3001", tone(4500)),
	}
	for _, m := range p.members("3001", 2) {
		if m.Codec != "L16/16000" {
			t.Errorf("member %d has %s", m.ID, m.Codec)
		}
	}
	calls[0].Listen(3 * time.Second) // until the delay is found: by samples more or less, which moves so high a tone by 30 Hz
	hears(t, calls, []float64{5000, 4500})
}

func call(t *testing.T, address, room string, o siptest.CallOptions) *siptest.Call {
	t.Helper()
	return callWith(t, nil, address, room, o)
}

func callWith(t *testing.T, codecs []codec.Format, address, room string, o siptest.CallOptions) *siptest.Call {
	t.Helper()
	p, err := siptest.New(siptest.Options{User: "1001", Codecs: codecs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	c, err := p.Dial(ctx, "sip:"+room+"@"+address, o)
	if err != nil {
		t.Fatalf("calling %s at %s: %v", room, address, err)
	}
	return c
}
