//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"parley/sip/siptest"
)

// TestAConfBridgeRoomIsTakenOver: it is shown as not ours, and comes to our
// mixer with roles, if there is a user of the manager interface.
func TestAConfBridgeRoomIsTakenOver(t *testing.T) {
	plain := "\n[parley-rooms]\n"
	for _, user := range []string{"default_user", "boss", "dumb"} {
		plain += fmt.Sprintf(`exten => %s,1,Answer()
 same => n,ConfBridge(4001,default_bridge,%s)
 same => n,Verbose(0,behind ConfBridge: ${PARLEY_REASON} ${PARLEY_MEMBER_ID})
 same => n,Hangup()
`, user, user)
	}
	ast := asteriskAt(t, 0, map[string]string{
		"extensions.conf": plain,
		"confbridge.conf": "[boss]\ntype = user\nadmin = yes\nquiet = yes\n[dumb]\ntype = user\nstartmuted = yes\nquiet = yes\n",
	})
	profiles := "profiles:\n  - {name: default, unmuted_sound: none, play_entry_tone: false, play_exit_tone: false}\n"
	p := run(t, base(true)+profiles)
	tones := []float64{500, 900, 1300}
	calls := []*siptest.Call{
		call(t, asteriskSIP, "default_user", tone(500)), call(t, asteriskSIP, "boss", tone(900)), call(t, asteriskSIP, "dumb", tone(1300)),
	}
	ctx := context.Background()
	eventually(t, 15*time.Second, "the room being shown as not ours", func() (string, bool) {
		rooms, err := p.api.Rooms(ctx)
		if err != nil || len(rooms) != 1 {
			return "", false
		}
		r := rooms[0]
		return r.Mixer, r.Name == "4001" && r.Mixer == "switch ast1 (not ours)" && len(r.Members) == 3 && r.Members[0].Number == "1001"
	})
	if _, err := p.api.TakeOver(ctx, "4001"); err == nil || !strings.Contains(err.Error(), "Set ami, ami_user and ami_password_file of switch ast1") {
		t.Errorf("without a manager user: %v", err)
	}
	p.stop()
	if err := os.WriteFile(p.config, []byte(strings.Replace(base(true), "app: parley}",
		"app: parley, ami: \""+astAMI(0)+"\", ami_user: parley, ami_password: parley-test}", 1)+profiles), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
	if _, err := p.api.TakeOver(ctx, "4002"); err == nil || !strings.Contains(err.Error(), "no_such_room") && !strings.Contains(err.Error(), "not_running") {
		t.Errorf("a room that nobody has: %v", err)
	}
	began := time.Now()
	if _, err := p.api.TakeOver(ctx, "4001"); err != nil {
		t.Fatal(err)
	}
	t.Logf("three calls were taken over in %v", time.Since(began).Round(10*time.Millisecond))
	roles := map[string]int{}
	for _, m := range p.state("4001").Members {
		roles[m.Role]++
		if m.Muted {
			roles["muted"]++
			if err := p.api.Set(ctx, "4001", m.ID.String(), "muted", false); err != nil {
				t.Error(err)
			}
		}
	}
	if roles["moderator"] != 1 || roles["member"] != 2 || roles["muted"] != 1 {
		t.Errorf("roles %v", roles)
	}
	hears(t, calls, tones)
	if n := ast.callers("4001"); n != 0 {
		t.Errorf("%d are in ConfBridge still", n)
	}
	if err := p.api.Kick(ctx, "4001", "2"); err != nil {
		t.Fatal(err)
	}
	ast.logged("behind ConfBridge: kicked 2")
}
