//go:build integration

package integration

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/percipia/eslgo"
	eslcommand "github.com/percipia/eslgo/command"
)

// Clients of FreeSWITCH, as they are, drive a live room of ours and come again
// after a break.

// liveRoom is a Parley with a caller in room 3001.
func liveRoom(t *testing.T) *parley {
	t.Helper()
	at := newPlace()
	p := run(t, at, at.base(false))
	call(t, at.sip, "3001", tone(500))
	p.members("3001", 1)
	return p
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// TestFSCLI is FreeSWITCH's own program.
func TestFSCLI(t *testing.T) {
	t.Parallel()
	box := start(t, freeswitchImage(), []string{"sleep"}, []string{"300"}, nil)
	p := liveRoom(t)
	cli := func(args string) string {
		return box.exec("sh", "-c", inPath("timeout", "8", "fs_cli", "-H", p.at.host, "-P", port(p.at.server), "-p", "ClueCon", args))
	}
	for _, row := range []struct{ args, want string }{
		{"-x 'conference 3001 count'", "1"},
		{"-x 'conference 3001 mute 1'", "+OK mute 1"},
		{"-x 'conference list'", "+OK Conference 3001 (1 member rate: "},
		{"-x 'status'", "is ready"},
		{"-x 'nonsense 1'", "-ERR nonsense 1 Command not found!"},
		{"-x 'conference 3001 unmute all'", "+OK unmute 1"},
	} {
		if have := cli(row.args); !strings.Contains(have, row.want) {
			t.Errorf("fs_cli %s:\n%q, want %q in it", row.args, have, row.want)
		}
	}
	t.Run("interactive, with events", func(t *testing.T) {
		have := box.exec("sh", "-c", inPath("(sleep 1; echo '/event plain CUSTOM conference::maintenance'; sleep 1; echo 'conference 3001 mute 1'; sleep 1;",
			"echo 'conference 3001 kick all'; sleep 1; echo /exit) | timeout 12 fs_cli -p ClueCon -H", p.at.host, "-P", port(p.at.server)))
		for _, want := range []string{"+OK log level", "+OK mute 1", "mute-member", "+OK kicked 1", "del-member"} {
			if !strings.Contains(have, want) {
				t.Errorf("no %q in\n%s", want, have)
			}
		}
	})
	p.gone("3001")
}

// TestESLGo is the library that Go programs use.
func TestESLGo(t *testing.T) {
	t.Parallel()
	p := liveRoom(t)
	for round := range 2 {
		c, err := eslgo.Dial(p.at.server, "ClueCon", func() {})
		if err != nil {
			t.Fatal(err)
		}
		told := make(chan string, 100)
		c.RegisterEventListener(eslgo.EventListenAll, func(e *eslgo.Event) { told <- e.GetHeader("Action") })
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		for _, cmd := range []struct {
			command eslcommand.Command
			want    string
		}{
			{eslcommand.Event{Format: "plain", Listen: []string{"CUSTOM", "conference::maintenance"}}, ""},
			{eslcommand.API{Command: "conference", Arguments: "3001 mute 1"}, "+OK mute 1\n"},
		} {
			r, err := c.SendCommand(ctx, cmd.command)
			if err != nil || cmd.want != "" && string(r.Body) != cmd.want {
				t.Fatalf("%T: %v %v", cmd.command, r, err)
			}
		}
		select {
		case action := <-told:
			if action != "mute-member" {
				t.Errorf("told %q", action)
			}
		case <-ctx.Done():
			t.Error("told nothing")
		}
		cancel()
		c.ExitAndClose()
		if round == 0 { // it is there again
			p.stop()
			p.start()
			call(t, p.at.sip, "3001", tone(500))
			p.members("3001", 1)
		}
	}
}

// npm has a test skipped unless an npm package is in clients/node_modules.
func npm(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		skip(t, "no node on this machine")
	}
	if _, err := os.Stat(filepath.Join("clients", "node_modules", name)); err != nil {
		skip(t, "no npm "+name+": make clients")
	}
}

// skip skips a test, and the run's last lines say so.
func skip(t *testing.T, why string) {
	t.Helper()
	dock.mu.Lock()
	dock.skipped[t.Name()] = why
	dock.mu.Unlock()
	t.Skip(why)
}

// nodeClient runs a script of clients; during, if set, happens meanwhile.
func nodeClient(t *testing.T, p *parley, name string, during func(said func() string)) string {
	t.Helper()
	npm(t, name)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	var out page
	cmd := exec.CommandContext(ctx, "node", "clients/"+name+".js", p.at.host, port(p.at.server), "3001")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if during != nil {
		during(out.String)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	return out.String()
}

// page is output that is read while it is written.
type page struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

func said(t *testing.T, have string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(have, w) {
			t.Errorf("no %q in\n%s", w, have)
		}
	}
}

// TestModesl is the library that most programs in JavaScript use.
func TestModesl(t *testing.T) {
	t.Parallel()
	npm(t, "modesl")
	said(t, nodeClient(t, liveRoom(t), "modesl", nil), "count 1", "job +OK mute 1", "told 1 false", "again +OK unmute 1", "channels 1")
}

// TestNodeESL is the other one, which connects again by itself.
func TestNodeESL(t *testing.T) {
	t.Parallel()
	npm(t, "esl")
	p := liveRoom(t)
	have := nodeClient(t, p, "esl", func(have func() string) {
		eventually(t, 15*time.Second, "the first round", func() (string, bool) { return have(), strings.Contains(have(), "job ") })
		time.Sleep(300 * time.Millisecond)
		p.stop()
		p.start()
	})
	said(t, have, "connected 1", "count 1", "job +OK mute 1", "told 1 false", "connected 2", "again true")
}
