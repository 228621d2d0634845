//go:build integration

package integration

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/adapter/control"
	"parley/engine"
	"parley/sip/siptest"
)

var parleyBinary string //nolint:gochecknoglobals // built once in TestMain

func buildParley() error {
	dir, err := os.MkdirTemp("", "parley-integration-")
	if err != nil {
		return err
	}
	parleyBinary = filepath.Join(dir, "parley")
	cmd := exec.Command("go", "build", "-o", parleyBinary, "./cmd/parley")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// parley is a running process.
type parley struct {
	t      *testing.T
	at     place
	cmd    *exec.Cmd
	config string
	done   chan struct{}
	api    *control.Client

	mu  sync.Mutex
	out bytes.Buffer // guarded by mu
}

func (p *parley) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *parley) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// run starts Parley at a place and waits until it is ready.
func run(t *testing.T, at place, config string) *parley {
	t.Helper()
	dir := t.TempDir()
	p := &parley{t: t, at: at, config: filepath.Join(dir, "parley.yaml"), done: make(chan struct{})}
	if err := os.WriteFile(p.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p.api = &control.Client{Base: "http://" + at.http, HTTP: &http.Client{Timeout: control.ClientTimeout}}
	p.start()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("parley log:\n%s", p.log())
		}
	})
	return p
}

func (p *parley) start() {
	p.t.Helper()
	p.cmd = exec.Command(parleyBinary, "serve", "--config", p.config)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.Dir = filepath.Dir(p.config)
	p.done = make(chan struct{})
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	done, cmd := p.done, p.cmd
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	eventually(p.t, startTime, "parley getting ready", func() (string, bool) {
		select {
		case <-done:
			p.t.Fatalf("parley ended:\n%s", p.log())
		default:
		}
		resp, err := http.Get("http://" + p.at.http + "/readyz")
		if err != nil {
			return err.Error(), false
		}
		defer resp.Body.Close()
		select {
		case <-done:
			p.t.Fatalf("parley ended, and another one answers in its place:\n%s", p.log())
		case <-time.After(100 * time.Millisecond): // one whose port is taken ends at once
		}
		return resp.Status + "\n" + p.log(), resp.StatusCode == http.StatusOK
	})
}

// stop ends the process as an admin would, and waits.
func (p *parley) stop() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.t.Errorf("parley did not stop")
		p.kill()
	}
}

// kill is kill -9.
func (p *parley) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// members waits until a room has n joined or waiting members.
func (p *parley) members(room string, n int) []engine.MemberView {
	p.t.Helper()
	var view engine.RoomView
	eventually(p.t, 15*time.Second, fmt.Sprintf("room %s having %d members", room, n), func() (string, bool) {
		have, err := p.present(room, &view)
		if err != nil {
			return err.Error(), false
		}
		return fmt.Sprintf("%+v", view), have == n
	})
	return view.Members
}

// present is how many are in a room, which it looks at.
func (p *parley) present(room string, view *engine.RoomView) (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if *view, err = p.api.Room(ctx, room); err != nil {
		return 0, err
	}
	for _, m := range view.Members {
		if m.State == "joined" || m.State == "waiting" {
			n++
		}
	}
	return n, nil
}

// letIn has a caller type a PIN and waits until the room has n members. He types it
// again, as he may twice: a switch on a busy machine does not hear all he types.
func (p *parley) letIn(c *siptest.Call, pin, room string, n int) {
	p.t.Helper()
	for range 2 {
		digits(p.t, c, pin)
		for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			var view engine.RoomView
			if have, err := p.present(room, &view); err == nil && have == n {
				return
			}
		}
	}
	digits(p.t, c, pin)
	p.members(room, n)
}

// gone waits until a room does not run any more.
func (p *parley) gone(room string) {
	p.t.Helper()
	eventually(p.t, 15*time.Second, "the end of room "+room, func() (string, bool) {
		_, err := p.api.Room(context.Background(), room)
		return fmt.Sprint(err), err != nil && strings.Contains(err.Error(), "room_not_running")
	})
}

// listening waits until something accepts TCP connections at an address.
func listening(t *testing.T, address string) {
	t.Helper()
	eventually(t, startTime, "somebody listening on "+address, func() (string, bool) {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return err.Error(), false
		}
		_ = c.Close()
		return "", true
	})
}
