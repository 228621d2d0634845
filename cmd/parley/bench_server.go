package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	startTime = 20 * time.Second // for a server to be ready
	stopTime  = 10 * time.Second // and to end, once it was told
)

// benchConfig is the configuration of a server that is measured: the defaults,
// but nothing is played at the door, where many come at once.
const benchConfig = `sip: {listen: "%s"}
freeswitch: {listen: "%s"}
audiosocket: {listen: "%s"}
http: {listen: "%s"}
esl_server: {listen: "%s"}
rtp: {ports: 40000-59999}
state_dir: "%s"
profiles:
  - {name: default, play_entry_tone: false, play_exit_tone: false, alone_sound: none, moh_sound: none}
`

// ownServer is a Parley in a process of its own.
type ownServer struct {
	sip, http, esl string // esl may be ""
	cmd            *exec.Cmd
	dir            string
	log            bytes.Buffer // read it only when the process has ended
	ended          chan error
}

// startServer starts this program as a server, and waits until it is ready.
func startServer(ctx context.Context, watched bool) (*ownServer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("parley bench: %w", err)
	}
	s := &ownServer{ended: make(chan error, 1)}
	if s.dir, err = os.MkdirTemp("", "parley-bench-"); err != nil {
		return nil, fmt.Errorf("parley bench: %w", err)
	}
	file, err := s.configure(ctx, watched)
	if err != nil {
		_ = os.RemoveAll(s.dir) // the first error says enough
		return nil, err
	}
	s.cmd = exec.Command(self, "--config", file, "serve") //nolint:noctx // it is told to stop, not killed
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for us, who hang up first
	if err := s.cmd.Start(); err != nil {
		_ = os.RemoveAll(s.dir)
		return nil, fmt.Errorf("parley bench: %w", err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	if err := s.ready(ctx); err != nil {
		_ = s.stop() // how it ended adds nothing
		return nil, fmt.Errorf("parley bench: the server of its own: %w\n%s", err, s.log.String())
	}
	return s, nil
}

// configure writes a configuration on ports that are free.
func (s *ownServer) configure(ctx context.Context, watched bool) (file string, err error) {
	var free [5]string
	for i := range free {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return "", fmt.Errorf("parley bench: %w", err)
		}
		defer l.Close()
		free[i] = l.Addr().String()
	}
	s.sip, s.http = free[0], free[3]
	if watched {
		s.esl = free[4]
	}
	file = filepath.Join(s.dir, "parley.yaml")
	text := fmt.Sprintf(benchConfig, free[0], free[1], free[2], free[3], s.esl, filepath.Join(s.dir, "state"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("parley bench: %w", err)
	}
	return file, nil
}

// ready waits until the server says so.
func (s *ownServer) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.http+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("it has ended: %v", err) //nolint:errorlint // nil, too, is a wrong end
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", ctx.Err())
		case <-look.C:
		}
	}
}

func (s *ownServer) pid() int { return s.cmd.Process.Pid }

// stop ends the server and takes away what it has left.
func (s *ownServer) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	late := time.AfterFunc(stopTime, func() { _ = s.cmd.Process.Kill() })
	err := <-s.ended
	late.Stop()
	if gone := os.RemoveAll(s.dir); err == nil {
		err = gone
	}
	if err != nil {
		return fmt.Errorf("parley bench: the server of its own: %w", err)
	}
	return nil
}
