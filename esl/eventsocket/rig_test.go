package eventsocket

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"parley/esl"
)

// client is one end of a connection, in the hands of a test.
type client struct {
	t  *testing.T
	nc net.Conn
	r  *esl.Reader
}

// echo is an api whose commands say what they were.
func echo(_ context.Context, command, arguments string) (string, bool) {
	switch command {
	case "echo":
		return arguments, true
	case "uuid_exists":
		return fmt.Sprint(arguments == "u-1"), true
	case "slow":
		time.Sleep(time.Second) // of the bubble
		return "done", true
	case "uuid_kill":
		return "+OK\n", true
	}
	return "", false
}

// dial connects to a server over a pipe.
func dial(t *testing.T, s *Server) *client {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Talk(ctx, theirs)
	}()
	t.Cleanup(func() {
		_ = ours.Close()
		cancel()
		<-done
	})
	c := &client{t, ours, esl.NewReader(ours)}
	if m := c.read(); m.Type() != "auth/request" {
		t.Fatalf("greeted with %v", m.Headers)
	}
	return c
}

// enter is dial and a log-in.
func enter(t *testing.T, s *Server) *client {
	t.Helper()
	c := dial(t, s)
	c.says("auth secret", "+OK accepted")
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := c.nc.Write([]byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// tell sends a command and returns the next message, or why there is none.
func (c *client) tell(command string) (*esl.Message, error) {
	if _, err := c.nc.Write([]byte(command + "\n\n")); err != nil {
		return nil, err
	}
	return c.r.Message()
}

func (c *client) read() *esl.Message {
	c.t.Helper()
	m, err := c.r.Message()
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// ask sends a command, lines of it, and returns the next message.
func (c *client) ask(lines ...string) *esl.Message {
	c.t.Helper()
	c.send(strings.Join(lines, "\n") + "\n\n")
	return c.read()
}

// says checks the reply to a command.
func (c *client) says(command, want string) {
	c.t.Helper()
	if m := c.ask(command); m.Type() != "command/reply" || m.Value("Reply-Text") != want {
		c.t.Errorf("%q: %q, want %q", command, m.Value("Reply-Text"), want)
	}
}

// event reads an event in the plain or JSON format.
func (c *client) event() *esl.Event {
	c.t.Helper()
	e, err := esl.ParseEvent(c.read())
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}

func server() *Server { return New(Options{Password: "secret", API: echo}) }
