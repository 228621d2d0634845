package esl_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/esl"
	"parley/esl/esltest"
)

func dial(t testing.TB, nc net.Conn, o esl.ClientOptions) (*esl.Client, error) {
	o.Dial = func(context.Context) (net.Conn, error) { return nc, nil }
	return esl.Dial(t.Context(), o)
}

func TestLogIn(t *testing.T) {
	for _, c := range []struct {
		name   string
		server esltest.SwitchOptions
		want   error
	}{
		{name: "right password", server: esltest.SwitchOptions{Password: "pw"}},
		{name: "wrong password", server: esltest.SwitchOptions{Password: "other"}, want: esl.ErrAuth},
		{name: "access list", server: esltest.SwitchOptions{Reject: true}, want: esl.ErrRejected},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				s := esltest.NewSwitch(t, far, c.server)
				client, err := dial(t, near, esl.ClientOptions{Password: "pw"})
				if !errors.Is(err, c.want) {
					t.Errorf("error %v, want %v", err, c.want)
				}
				if err == nil {
					_ = client.Close()
				}
				<-s.Done()
			})
		})
	}
}

func TestLogInToASilentPeer(t *testing.T) {
	for name, greeting := range map[string]string{"no greeting": "", "no answer": "Content-Type: auth/request\n\n"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				defer far.Close()
				go func() {
					_, _ = io.WriteString(far, greeting)
					_, _ = io.Copy(io.Discard, far)
				}()
				start := time.Now()
				_, err := dial(t, near, esl.ClientOptions{Conn: esl.ConnOptions{Timeout: 4 * time.Second}})
				if d := time.Since(start); !errors.Is(err, esl.ErrSilent) || d != 4*time.Second {
					t.Errorf("%v after %v", err, d)
				}
			})
		})
	}
}

func TestDialFails(t *testing.T) {
	want := errors.New("no route")
	_, err := esl.Dial(t.Context(), esl.ClientOptions{Dial: func(context.Context) (net.Conn, error) { return nil, want }})
	if !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

func TestClientGetsWhatItSubscribedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		s := esltest.NewSwitch(t, far, esltest.SwitchOptions{})
		c, err := dial(t, near, esl.ClientOptions{Password: "ClueCon"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Subscribe(t.Context(), "HEARTBEAT", "CUSTOM", "conference::maintenance"); err != nil {
			t.Fatal(err)
		}
		s.Fire(esltest.Event("CHANNEL_CREATE"))
		s.Fire(esltest.Event("CUSTOM", "Event-Subclass", "sofia::register"))
		s.Fire(esltest.Event("CUSTOM", "Event-Subclass", "conference::maintenance"))
		s.Fire(esltest.Event("BACKGROUND_JOB", "Job-UUID", "somebody else's"))
		s.Fire(esltest.Event("HEARTBEAT"))
		s.Close()
		var got []string
		for e := range c.Events() {
			got = append(got, e.Name())
		}
		if want := []string{"CUSTOM", "BACKGROUND_JOB", "HEARTBEAT"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		_ = c.Close()
	})
}

func TestBackgroundJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		s := esltest.NewSwitch(t, far, esltest.SwitchOptions{API: func(cmd, args string) string {
			if cmd == "originate" {
				return "-ERR USER_BUSY\n"
			}
			return "+OK " + args
		}})
		c, err := dial(t, near, esl.ClientOptions{Password: "ClueCon"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(); <-s.Done() }()
		if got, err := c.Background(t.Context(), "status", "x y"); err != nil || got != "+OK x y" {
			t.Errorf("got %q, %v", got, err)
		}
		var refused *esl.ReplyError
		if _, err := c.Background(t.Context(), "originate", "user/1"); !errors.As(err, &refused) || refused.Text != "-ERR USER_BUSY" {
			t.Errorf("got %v", err)
		}
		if len(c.Events()) != 0 {
			t.Error("a job's result came out as an event")
		}
	})
}
