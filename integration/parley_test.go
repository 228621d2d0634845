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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/adapter/control"
	"parley/engine"
)

// Where everything listens. Asterisk's own ports are in its conf folder, so that
// PARLEY_TEST_PORTS, a number that is added to the others, is for runs without it.
//
//nolint:gochecknoglobals // constants, but for the environment
var (
	shift         = testPorts()
	sipAddress    = at(19070)
	eslAddress    = at(19084)
	httpAddress   = at(19085)
	socketAddress = at(19086)
	serverAddress = at(19022)
	rtpPorts      = fmt.Sprintf("%d-%d", 30000+shift, 31999+shift)
	asteriskSIP   = "127.0.0.1:5068"
	freeswitchSIP = at(5062)
	freeswitchESL = at(8021)
)

func at(port int) string { return fmt.Sprintf("127.0.0.1:%d", port+shift) }

func testPorts() int {
	n, _ := strconv.Atoi(os.Getenv("PARLEY_TEST_PORTS")) // none is 0
	return n
}

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

// ports are where one Parley of a test listens; there may be several.
type ports struct{ sip, esl, http, socket, server, rtp string }

// own are the ports of the n-th Parley, beside those that most tests use.
func own(n int) ports {
	first := 32000 + 100*(n-1) + shift
	return ports{
		at(19070 + 100*n), at(19084 + 100*n), at(19085 + 100*n), at(19086 + 100*n), at(19022 + 100*n), fmt.Sprintf("%d-%d", first, first+99),
	}
}

func usual() ports {
	return ports{sipAddress, eslAddress, httpAddress, socketAddress, serverAddress, rtpPorts}
}

// parley is a running process.
type parley struct {
	t      *testing.T
	at     ports
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

// base is the configuration of every test: where to listen, and the switches.
func base(asterisk bool) string {
	c := usual().config()
	if asterisk {
		c += `
switches:
  - {name: ast1, kind: asterisk, ari: "http://127.0.0.1:19088/ari", user: parley, password: parley-test, app: parley}
`
	}
	return c
}

// config is the part of a configuration that says where to listen.
func (p ports) config() string {
	return fmt.Sprintf(`
sip: {listen: %q}
freeswitch: {listen: %q}
audiosocket: {listen: %q}
http: {listen: %q}
esl_server: {listen: %q}
rtp: {ports: %q}
log: {level: debug}
`, p.sip, p.esl, p.socket, p.http, p.server, p.rtp)
}

// run starts Parley on a configuration with the usual ports.
func run(t *testing.T, config string) *parley { return runAt(t, usual(), config) }

// runAt starts Parley and waits until it is ready.
func runAt(t *testing.T, at ports, config string) *parley {
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
	eventually(p.t, 20*time.Second, "parley getting ready", func() (string, bool) {
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
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		var err error
		view, err = p.api.Room(ctx, room)
		if err != nil {
			return err.Error(), false
		}
		have := 0
		for _, m := range view.Members {
			if m.State == "joined" || m.State == "waiting" {
				have++
			}
		}
		return fmt.Sprintf("%+v", view), have == n
	})
	return view.Members
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
	eventually(t, 30*time.Second, "somebody listening on "+address, func() (string, bool) {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return err.Error(), false
		}
		_ = c.Close()
		return "", true
	})
}
