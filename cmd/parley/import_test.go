package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const conference = `<configuration name="conference.conf"><profiles>
<profile name="team"><param name="pin" value="73519"/>
<param name="max-members" value="$${seats}"/><param name="rate" value="8000"/>
</profile></profiles></configuration>
`

func source(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "conference.conf.xml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestImportCommandLines(t *testing.T) {
	for _, tt := range []struct {
		args   string
		code   int
		stderr string
	}{
		{"import", 0, ""},
		{"import meteor x", 2, `parley import: unknown source "meteor"`},
		{"import freeswitch", 2, "accepts 1 arg(s)"},
		{"import freeswitch x --set y", 2, `--set "y": must be NAME=VALUE`},
		{"import freeswitch x --loud", 2, "unknown flag: --loud"},
		{"import confbridge", 2, "accepts 1 arg(s)"},
		{"import confbridge a b", 2, "accepts 1 arg(s)"},
		{"import meetme", 2, "name a meetme.conf, or --options, or both"},
		{"import meetme a b", 2, "name a meetme.conf, or --options, or both"},
		{"import meetme --options w(", 1, "options: option w has a ( without a )"},
		{"import confbridge /nowhere.conf", 1, "/nowhere.conf: no such file"},
		{"import freeswitch /nowhere.xml", 1, "/nowhere.xml: no such file"},
	} {
		if code, _, stderr := parley(t, strings.Fields(tt.args)...); code != tt.code || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%s: %d\n%s", tt.args, code, stderr)
		}
	}
}

func TestImportPrintsYAMLAndReport(t *testing.T) {
	name := source(t, conference)
	code, stdout, stderr := parley(t, "import", "freeswitch", name)
	lost := name + ":3: profile team: max-members: $${seats} has no value"
	if code != 1 || !strings.Contains(stdout, `pins: ["73519"] # line 2: pin`) || !strings.HasPrefix(stderr, lost) {
		t.Errorf("%d\n%s\n%s", code, stdout, stderr)
	}
	if !strings.HasSuffix(stderr, "0 menus, 1 profile, 0 rooms; 0 differ, 1 unneeded, 1 lost\n") || strings.Contains(stderr, "73519") {
		t.Errorf("report:\n%s", stderr)
	}
	if code, _, _ = parley(t, "import", "freeswitch", name, "--allow-loss"); code != 0 {
		t.Errorf("with --allow-loss %d", code)
	}
	code, stdout, stderr = parley(t, "import", "freeswitch", name, "--set", "seats=12")
	if code != 0 || !strings.Contains(stdout, "max_participants: 12 # line 3: max-members") {
		t.Errorf("%d\n%s\n%s", code, stdout, stderr)
	}
}

// TestImportWritesFiles: nothing while something is lost, never over a file
// that is there, and what is written passes `parley check`.
func TestImportWritesFiles(t *testing.T) {
	main := file(t, "limits: {max_legs: 10}\n")
	dir := filepath.Dir(main)
	name := source(t, conference)
	made := filepath.Join(dir, "profiles.d", "freeswitch.yaml")
	code, stdout, stderr := parley(t, "import", "freeswitch", name, "--out", dir)
	if _, err := os.Stat(made); code != 1 || err == nil || !strings.Contains(stdout, "[lost]") || !strings.Contains(stderr, "nothing was written") {
		t.Errorf("%d %v\n%s\n%s", code, err, stdout, stderr)
	}
	code, stdout, stderr = parley(t, "import", "freeswitch", name, "--out", dir, "--allow-loss")
	if code != 0 || !strings.HasSuffix(stdout, "wrote "+made+"\n") || stderr != "" {
		t.Errorf("%d\n%s\n%s", code, stdout, stderr)
	}
	info, err := os.Stat(made)
	if err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("PINs for everybody to read: %v %v", info, err)
	}
	if code, stdout, _ = parley(t, "check", "--config", main); code != 0 || !strings.Contains(stdout, "(2 profiles, 0 rooms, 0 warnings)") {
		t.Errorf("%d\n%s", code, stdout)
	}
	code, _, stderr = parley(t, "import", "freeswitch", name, "--out", dir, "--allow-loss")
	if code != 1 || stderr != made+" is there already; move it away first\n" {
		t.Errorf("a second time: %d\n%s", code, stderr)
	}
}

func TestImportJSON(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := parley(t, "import", "freeswitch", source(t, conference), "--json", "--out", dir, "--set", "seats=3")
	var got struct {
		Profiles int
		Lines    []struct {
			Line             int
			Name, Kind, Text string
		}
		Wrote []string
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 || stderr != "" {
		t.Fatalf("%d %v\n%s\n%s", code, err, stdout, stderr)
	}
	if got.Profiles != 1 || len(got.Lines) != 1 || got.Lines[0].Name != "rate" || got.Lines[0].Kind != "unneeded" || len(got.Wrote) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestImportOfAsterisk: a file each, whose names do not meet.
func TestImportOfAsterisk(t *testing.T) {
	main := file(t, "")
	dir := filepath.Dir(main)
	bridge := source(t, "[default_bridge]\ntype=bridge\nmax_members=5\n[keys]\ntype=menu\n*1=toggle_mute\n")
	rooms := source(t, "[rooms]\nconf => 1234,73519\n")
	if code, stdout, stderr := parley(t, "import", "confbridge", bridge, "--out", dir); code != 0 || !strings.Contains(stdout, "1 menu, 1 profile, 0 rooms") {
		t.Errorf("confbridge: %d\n%s\n%s", code, stdout, stderr)
	}
	if code, stdout, stderr := parley(t, "import", "meetme", rooms, "--options", "cd", "--out", dir); code != 0 || !strings.Contains(stdout, "1 profile, 1 room;") {
		t.Errorf("meetme: %d\n%s\n%s", code, stdout, stderr)
	}
	if code, stdout, _ := parley(t, "import", "meetme", "--options", "d"); code != 0 || !strings.Contains(stdout, "create: on_demand # option d") {
		t.Errorf("options alone: %d\n%s", code, stdout)
	}
	if code, stdout, _ := parley(t, "check", "--config", main); code != 0 || !strings.Contains(stdout, "(3 profiles, 1 room, 0 warnings)") {
		t.Errorf("%d\n%s", code, stdout)
	}
}

func TestImportOfABrokenFile(t *testing.T) {
	name := source(t, "<configuration name=\"conference.conf\">\n<profiles>")
	code, stdout, stderr := parley(t, "import", "freeswitch", name)
	if code != 1 || stdout != "" || stderr != name+":2: XML: unexpected EOF\n" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
}
