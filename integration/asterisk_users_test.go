//go:build integration

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// imported is what `parley import confbridge` makes of a file.
func imported(t *testing.T, conf string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "confbridge.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	cmd := exec.Command(parleyBinary, "import", "confbridge", path)
	cmd.Stderr = &report
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, report.String())
	}
	return string(out)
}

// TestUserProfilesOfConfBridge: a dialplan that named a user profile by its
// place in ConfBridge() has the same callers lead the same room by Stasis().
func TestUserProfilesOfConfBridge(t *testing.T) {
	t.Parallel()
	dialplan := "\n[parley-rooms]\n"
	for number, users := range map[string]string{"5001": "default_bridge", "5002": "default_bridge,boss", "5003": ",leader", "5004": ",boss,keys", "5005": ",guest"} {
		dialplan += fmt.Sprintf("exten => %s,1,Stasis(parley,5000,%s)\n same => n,Verbose(0,%s: ${PARLEY_REASON})\n same => n,Hangup()\n", number, users, number)
	}
	at := newPlace()
	ast := asteriskAt(t, at, map[string]string{"extensions.conf": dialplan})
	p := run(t, at, at.base(true)+imported(t, `
[default_user]
type=user
wait_marked=yes
[boss]
type=user
admin=yes
marked=yes
[leader]
type=user
marked=yes
admin=yes
pin=4711
[guest]
type=user
wait_marked=yes
startmuted=yes
[keys]
type=menu
9=leave_conference
`))
	plain := call(t, at.astSIP, "5001", tone(500))
	if m := p.members("5000", 1)[0]; m.Role != "member" || m.State != "waiting" {
		t.Errorf("one of default_user: %+v", m)
	}
	boss := call(t, at.astSIP, "5002", tone(900))
	call(t, at.astSIP, "5005", tone(700))
	leader := call(t, at.astSIP, "5003", tone(1300))
	eventually(t, 10*time.Second, "the leader being asked for his PIN", func() (string, bool) {
		v := p.state("5000")
		return fmt.Sprintf("%+v", v), v.Prompting == 1
	})
	digits(t, leader, "4711#")
	second := call(t, at.astSIP, "5004", tone(1100))
	var roles []string
	for _, m := range p.members("5000", 5) {
		roles = append(roles, fmt.Sprintf("%s %s %t", m.Role, m.State, m.Muted))
	}
	slices.Sort(roles)
	if got := strings.Join(roles, ", "); got != "member joined false, member joined true, moderator joined false, moderator joined false, moderator joined false" {
		t.Errorf("roles %s", got)
	}
	if code, out := command(t, p.config, "explain", "room", "5000"); code != 0 {
		t.Errorf("%s", out)
	}
	digits(t, second, "9")
	ended(t, second)
	ast.logged("5004: terminator")
	boss.Hangup()
	leader.Hangup()
	eventually(t, 10*time.Second, "who waits for marked ones waiting again", func() (string, bool) {
		v := p.state("5000")
		return fmt.Sprintf("%+v", v), len(v.Members) == 2 && v.Members[0].State == "waiting"
	})
	plain.Hangup()
}
