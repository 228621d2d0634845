//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/adapter/control"
	"parley/sip/siptest"
)

// plainRoom are files of a dialplan that knows nothing of Parley: extensions
// named like users lead to ConfBridge room 4001.
func plainRoom() map[string]string {
	plain := "\n[parley-rooms]\n"
	for _, user := range []string{"default_user", "boss", "dumb"} {
		plain += fmt.Sprintf(`exten => %s,1,Answer()
 same => n,ConfBridge(4001,default_bridge,%s)
 same => n,Verbose(0,behind ConfBridge: ${PARLEY_REASON} ${PARLEY_MEMBER_ID})
 same => n,Hangup()
`, user, user)
	}
	return map[string]string{
		"extensions.conf": plain,
		"confbridge.conf": "[boss]\ntype = user\nadmin = yes\nquiet = yes\n[dumb]\ntype = user\nstartmuted = yes\nquiet = yes\n",
		"manager.conf":    "[poor]\nsecret = parley-test\nread = reporting\nwrite = reporting\n",
	}
}

// withAMI is the usual configuration with a user of the manager interface.
func withAMI(at place, user string) string {
	return strings.Replace(at.base(true), "app: parley}",
		"app: parley, ami: \""+at.astAMI+"\", ami_user: "+user+", ami_password: parley-test}", 1)
}

// returns has three callers of ConfBridge 4001 taken over by a Parley that has no
// room for them, and by one whose audio nobody reaches: they stay there, longer
// than the dialplan guards them.
func returns(t *testing.T, ast *container, p *parley) {
	t.Helper()
	was, err := os.ReadFile(p.config)
	if err != nil {
		t.Fatal(err)
	}
	with := func(config, want string) {
		t.Helper()
		p.stop()
		if err := os.WriteFile(p.config, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		p.start()
		if _, err := p.api.TakeOver(context.Background(), "4001"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	with(string(was)+"limits: {max_legs: 2}\n", "3 calls cannot come: 0 legs of 2 (max_legs)")
	if n := ast.callers("4001"); n != 3 {
		t.Errorf("%d callers are left", n)
	}
	with(strings.Replace(string(was), "audiosocket: {", `audiosocket: {advertise: "127.0.0.1:9", `, 1), "")
	time.Sleep(17 * time.Second)
	if n := ast.callers("4001"); n != 3 {
		t.Errorf("%d callers are left after the dialplan's guard", n)
	}
	p.stop()
	if err := os.WriteFile(p.config, was, 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
}

// TestWhoWasTakenOverGoesBackToConfBridge: into his own, with his user profile,
// if Parley dies or ends, and whether or not the dialplan has the context that it
// should have.
func TestWhoWasTakenOverGoesBackToConfBridge(t *testing.T) {
	t.Parallel()
	at := newPlace()
	ast := asteriskAt(t, at, plainRoom())
	p := run(t, at, withAMI(at, "parley"))
	calls := []*siptest.Call{call(t, at.astSIP, "default_user", tone(500)), call(t, at.astSIP, "boss", tone(900))}
	tones := []float64{500, 900}
	call(t, at.astSIP, "dumb", tone(1300))
	back := func(how string, end func()) {
		t.Helper()
		eventually(t, 15*time.Second, "all being in ConfBridge "+how, func() (string, bool) {
			return p.log(), ast.callers("4001") == 3
		})
		if _, err := p.api.TakeOver(context.Background(), "4001"); err != nil {
			t.Fatal(how, err)
		}
		hears(t, calls, tones)
		began := time.Now()
		end()
		eventually(t, 15*time.Second, "all being in ConfBridge again "+how, func() (string, bool) {
			out := ast.exec("asterisk", "-rx", "confbridge list 4001")
			return out, strings.Count(out, "PJSIP/") == 3
		})
		t.Logf("%s: all were in ConfBridge again after %v", how, time.Since(began).Round(10*time.Millisecond))
		hears(t, calls, tones)
		if out := ast.exec("asterisk", "-rx", "confbridge list 4001"); strings.Count(out, "boss") != 1 || strings.Count(out, "dumb") != 1 {
			t.Errorf("%s: user profiles\n%s", how, out)
		}
		p.start()
	}
	back("after kill -9", p.kill)
	back("after the end", p.stop)
	returns(t, ast, p)
	hears(t, calls, tones)
	code, out := command(t, p.config, "check")
	if code != 0 || !strings.Contains(out, "ami "+at.astAMI+", user parley may take ConfBridge rooms over\n") || strings.Contains(out, "_context]") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	ast.edit("extensions.conf", "pbx_config", "[parley-takeover]", "[other]")
	ast.exec("asterisk", "-rx", "dialplan reload")
	if _, out := command(t, p.config, "check"); !strings.Contains(out, "the dialplan has no context parley-takeover") || !strings.Contains(out, "[takeover_context]") {
		t.Errorf("%s", out)
	}
	back("after kill -9, without the context", p.kill)
	if !strings.Contains(p.log(), "[takeover_context]") {
		t.Error("the log does not say that the context is missing")
	}
	for user, want := range map[string]string{
		"poor":   "user poor may not Setvar, Redirect. It needs read = reporting,call and write = reporting,call in manager.conf",
		"nobody": "user nobody or its password is refused. Check [nobody] in manager.conf and ami_password_file of switch ast1. [ami_auth]",
	} {
		path := filepath.Join(t.TempDir(), "parley.yaml")
		if err := os.WriteFile(path, []byte(withAMI(at, user)), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out := command(t, path, "check"); code != 1 || !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d\n%s", user, code, out)
		}
	}
}

// TestAConfBridgeRoomIsTakenOver: it is shown as not ours, and comes to our
// mixer with roles, if there is a user of the manager interface.
func TestAConfBridgeRoomIsTakenOver(t *testing.T) {
	t.Parallel()
	at := newPlace()
	ast := asteriskAt(t, at, plainRoom())
	profiles := "profiles:\n  - {name: default, unmuted_sound: none, play_entry_tone: false, play_exit_tone: false}\n"
	p := run(t, at, at.base(true)+profiles)
	tones := []float64{500, 900, 1300}
	var calls []*siptest.Call
	for i, user := range []string{"default_user", "boss", "dumb"} { // in this order they get their numbers
		calls = append(calls, call(t, at.astSIP, user, tone(tones[i])))
		eventually(t, 15*time.Second, user+" being in ConfBridge", func() (string, bool) { return "", ast.callers("4001") == i+1 })
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
	if err := os.WriteFile(p.config, []byte(withAMI(at, "parley")+profiles), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
	if _, err := p.api.TakeOver(ctx, "4002"); err == nil || !strings.Contains(err.Error(), "no_such_room") && !strings.Contains(err.Error(), "not_running") {
		t.Errorf("a room that nobody has: %v", err)
	}
	began := time.Now()
	moved, err := p.api.TakeOver(ctx, "4001")
	if err != nil {
		t.Fatal(err)
	}
	if len(moved.Moves) != 3 || moved.Moves[0].Number != "1001" || moved.Moves[0].Gap <= 0 || moved.Moves[2].Member != 3 {
		t.Errorf("moves %+v", moved)
	}
	t.Logf("gaps %+v", moved.Moves)
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
	comesLate(t, ast, p, []*siptest.Call{calls[0], calls[2]}, []float64{tones[0], tones[2]})
}

// comesLate has one call the extension of a room that was taken over: he is alone
// in a ConfBridge, is shown, and comes by a second take-over.
func comesLate(t *testing.T, ast *container, p *parley, calls []*siptest.Call, tones []float64) {
	t.Helper()
	ctx := context.Background()
	calls, tones = append(calls, call(t, p.at.astSIP, "default_user", tone(1700))), append(tones, 1700)
	eventually(t, 20*time.Second, "his being shown beside the room", func() (string, bool) {
		v, err := p.api.Room(ctx, "4001")
		return fmt.Sprintf("%+v %v", v, err), err == nil && v.Mixer == "native" && len(v.Members) == 2 && len(v.Beside) == 1 && len(v.Beside[0].Members) == 1
	})
	if code, out := command(t, p.config, "room", "4001"); code != 0 || !strings.Contains(out, "1 more in ConfBridge 4001 at ast1, not ours") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if code, out := command(t, p.config, "audit"); code != 1 || !strings.Contains(out, "in a conference of that name, not on the roster") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	moved, err := p.api.TakeOver(ctx, "4001")
	if err != nil || len(moved.Moves) != 1 || moved.Moves[0].Member != 4 || moved.Moves[0].Gap <= 0 {
		t.Errorf("%+v %v", moved, err)
	}
	hears(t, calls, tones)
	if v := p.state("4001"); len(v.Members) != 3 || v.Members[2].ID != 4 || len(v.Beside) != 0 || ast.callers("4001") != 0 {
		t.Errorf("%+v", v)
	}
	if code, out := command(t, p.config, "audit"); code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// gate lets so many of the connections through to an address; further ones are
// closed.
func gate(t *testing.T, to string, through int) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 1; ; n++ {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil || n > through {
				_ = near.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					_, _ = io.Copy(pair[0], pair[1])
					_ = pair[0].Close()
				}()
			}
		}
	}()
	return l.Addr().String()
}

// TestATakeOverThatHalfFails leaves nobody behind: of three callers the audio of
// two can come.
func TestATakeOverThatHalfFails(t *testing.T) {
	t.Parallel()
	at := newPlace()
	ast := asteriskAt(t, at, plainRoom())
	config := strings.Replace(withAMI(at, "parley"), "audiosocket: {", fmt.Sprintf("audiosocket: {advertise: %q, ", gate(t, at.socket, 2)), 1)
	p := run(t, at, config)
	tones := []float64{500, 900, 1300}
	var calls []*siptest.Call
	for _, hz := range tones {
		calls = append(calls, call(t, at.astSIP, "default_user", tone(hz)))
	}
	eventually(t, 15*time.Second, "all being in ConfBridge", func() (string, bool) { return p.log(), ast.callers("4001") == 3 })
	began := time.Now()
	_, err := p.api.TakeOver(context.Background(), "4001")
	took := time.Since(began)
	no, ok := errors.AsType[*control.Problem](err)
	if !ok || no.Code != "switch_failed" || len(no.Calls) != 1 || no.Calls[0].Number != "1001" || no.Calls[0].Where != "conference" ||
		!strings.Contains(no.Message, "1 of 3 calls could not come: 1001: ") {
		t.Errorf("%+v", err)
	}
	t.Logf("after %v: %v", took.Round(10*time.Millisecond), err)
	eventually(t, 5*time.Second, "all being in ConfBridge again", func() (string, bool) { return p.log(), ast.callers("4001") == 3 })
	hears(t, calls, tones)
	eventually(t, 15*time.Second, "the room being shown as it is at the switch", func() (string, bool) {
		v, err := p.api.Room(context.Background(), "4001")
		return fmt.Sprintf("%+v %v", v, err), err == nil && v.State == "foreign" && len(v.Members) == 3
	})
}
