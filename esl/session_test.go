package esl_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/esl"
	"parley/esl/esltest"
)

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// connect is a new connection to the listener, from the switch's side.
func (p *pipes) connect() net.Conn {
	near, far := net.Pipe()
	p.conns <- near
	return far
}

// control hands a call to handle and returns how it left.
func control(t *testing.T, o esltest.CallOptions, handle func(context.Context, *esl.Session, *esltest.Call)) esltest.Ending {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l, served := newPipes(), make(chan error)
	call := make(chan *esltest.Call, 1)
	go func() {
		served <- esl.NewServer(esl.ServerOptions{}).Serve(ctx, l, func(ctx context.Context, s *esl.Session) {
			handle(ctx, s, <-call)
		})
	}()
	c := esltest.NewCall(t, l.connect(), o)
	call <- c
	ending := <-c.Ended()
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	return ending
}

func begin(ctx context.Context, t *testing.T, s *esl.Session) {
	t.Helper()
	if err := errors.Join(s.Linger(ctx, 5*time.Second), s.MyEvents(ctx)); err != nil {
		t.Error(err)
	}
}

func TestSessionData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vars := map[string]string{"parley_room": "Größe 100%", "odd (name)/": "1\r\n2", "Empty": ""}
		control(t, esltest.CallOptions{Number: "3002", Vars: vars}, func(_ context.Context, s *esl.Session, c *esltest.Call) {
			if s.UUID() != c.UUID() || s.Header("caller-destination-number") != "3002" {
				t.Errorf("call %s to %s", s.UUID(), s.Header("Caller-Destination-Number"))
			}
			if got := s.Vars(); !maps.Equal(got, vars) {
				t.Errorf("variables %q, want %q", got, vars)
			}
			if s.Var("PARLEY_ROOM") != "Größe 100%" || s.Var("none") != "" {
				t.Errorf("room %q", s.Var("PARLEY_ROOM"))
			}
		})
	})
}

func TestExecuteWaitsForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ending := control(t, esltest.CallOptions{}, func(ctx context.Context, s *esl.Session, c *esltest.Call) {
			begin(ctx, t, s)
			if _, err := s.Execute(ctx, "set", "a= b"); err != nil {
				t.Error(err)
			}
			start := time.Now()
			go func() {
				for a := range c.Apps() {
					if a.Name == "bridge" {
						break
					}
				}
				c.Answer()
				time.Sleep(time.Hour)
				c.Finish(map[string]string{"originate_disposition": "SUCCESS"})
			}()
			e, err := s.Execute(ctx, "bridge", "sofia/internal/x@127.0.0.1")
			if err != nil || e.Value("Application") != "bridge" || e.Var("originate_disposition") != "SUCCESS" {
				t.Errorf("bridge ended with %v, %v", e, err)
			}
			if d := time.Since(start); d != time.Hour {
				t.Errorf("bridge took %v", d)
			}
			if err := s.Exit(ctx); err != nil {
				t.Error(err)
			}
		})
		if ending.Because != nil || ending.Stuck != "" || ending.Vars["a"] != " b" {
			t.Errorf("left with %+v", ending)
		}
	})
}

func TestApplicationsRunInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		control(t, esltest.CallOptions{}, func(ctx context.Context, s *esl.Session, c *esltest.Call) {
			begin(ctx, t, s)
			for _, app := range []string{"playback", "answer", "bridge"} {
				if _, err := s.Start(ctx, app, "x"); err != nil {
					t.Error(err)
				}
			}
			if a := <-c.Apps(); a.Name != "playback" || len(c.Apps()) != 0 {
				t.Errorf("%v runs, and %d more", a, len(c.Apps()))
			}
			c.Finish(nil)
			if a, b := <-c.Apps(), <-c.Apps(); a.Name != "answer" || b.Name != "bridge" {
				t.Errorf("then %v, %v", a, b)
			}
			c.Finish(nil)
		})
	})
}

func TestHangupReleasesExecute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ending := control(t, esltest.CallOptions{}, func(ctx context.Context, s *esl.Session, c *esltest.Call) {
			begin(ctx, t, s)
			ran, queued := make(chan error, 1), make(chan error, 1)
			go func() { _, err := s.Execute(ctx, "bridge", "x"); ran <- err }()
			<-c.Apps()
			go func() { _, err := s.Execute(ctx, "playback", "x"); queued <- err }()
			c.Fire("CHANNEL_HANGUP_COMPLETE", "Unique-ID", "another call's")
			synctest.Wait()
			if len(ran)+len(queued) != 0 {
				t.Error("another call's end ended the wait")
			}
			<-s.Events() // CHANNEL_EXECUTE
			<-s.Events() // the other call's end
			c.Hangup("NORMAL_CLEARING")
			if err := <-ran; err != nil {
				t.Errorf("what ran: %v", err)
			}
			if err := <-queued; !errors.Is(err, esl.ErrHungUp) {
				t.Errorf("what was queued: %v", err)
			}
			if _, err := s.Execute(ctx, "playback", "x"); !errors.Is(err, esl.ErrHungUp) {
				t.Errorf("afterwards: %v", err)
			}
			var refused *esl.ReplyError
			if err := s.SetVars(ctx, map[string]string{"a": "b"}); !errors.As(err, &refused) {
				t.Errorf("variables afterwards: %v", err)
			}
			var names []string
			for len(s.Events()) > 0 {
				names = append(names, (<-s.Events()).Name())
			}
			want := "CHANNEL_HANGUP CHANNEL_EXECUTE_COMPLETE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE"
			if got := strings.Join(names, " "); got != want {
				t.Errorf("events %s\nwant   %s", got, want)
			}
		})
		if !ending.HungUp {
			t.Errorf("left with %+v", ending)
		}
	})
}

func TestHangupWithoutLingerReleasesExecute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		control(t, esltest.CallOptions{}, func(ctx context.Context, s *esl.Session, c *esltest.Call) {
			ran := make(chan error)
			ctx = context.WithoutCancel(ctx) // it ends with the fake's call, perhaps before we have read that
			go func() { _, err := s.Execute(ctx, "bridge", "x"); ran <- err }()
			<-c.Apps()
			c.Hangup("NORMAL_CLEARING")
			if err := <-ran; !errors.Is(err, esl.ErrDisconnected) {
				t.Errorf("got %v", err)
			}
		})
	})
}

func TestHangup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ending := control(t, esltest.CallOptions{}, func(ctx context.Context, s *esl.Session, _ *esltest.Call) {
			begin(ctx, t, s)
			if err := s.Hangup(ctx, "USER BUSY"); !errors.Is(err, esl.ErrArgument) {
				t.Errorf("of two words: %v", err)
			}
			if err := s.Hangup(ctx, "USER_BUSY"); err != nil {
				t.Error(err)
			}
			for e := range s.Events() {
				if e.Name() == "CHANNEL_HANGUP_COMPLETE" {
					if e.Value("Hangup-Cause") != "USER_BUSY" {
						t.Errorf("cause %s", e.Value("Hangup-Cause"))
					}
					break
				}
			}
		})
		if !ending.HungUp {
			t.Errorf("left with %+v", ending)
		}
	})
}

func TestSetVarsArriveAsTheyAre(t *testing.T) {
	want := map[string]string{"parley_result": "joined"}
	for i, v := range []string{"a;b", "it's", "x'y'z", `\`, `a\;b`, " lead", "trail ", "  ", `"q"`, "';b=1", "größe", `\n`, "a=b,{c}|d:e^^f%41"} {
		want[fmt.Sprintf("v%02d", i)] = v
	}
	for i := range 80 {
		want[fmt.Sprintf("many-%d", i)] = "x"
	}
	synctest.Test(t, func(t *testing.T) {
		ending := control(t, esltest.CallOptions{Vars: map[string]string{"old": "x"}}, func(ctx context.Context, s *esl.Session, _ *esltest.Call) {
			if err := s.SetVars(ctx, want); err != nil {
				t.Error(err)
			}
			if err := s.SetVars(ctx, map[string]string{"old": ""}); err != nil {
				t.Error(err)
			}
			if err := s.SetVars(ctx, map[string]string{"a": "${b}"}); !errors.Is(err, esl.ErrArgument) {
				t.Errorf("an expansion: %v", err)
			}
		})
		if !maps.Equal(ending.Vars, want) {
			t.Errorf("variables %q\nwant      %q", ending.Vars, want)
		}
	})
}

func TestResumeBreaksWhatRuns(t *testing.T) {
	for name, want := range map[string]string{"resume": "bridge", "nothing": ""} {
		synctest.Test(t, func(t *testing.T) {
			ending := control(t, esltest.CallOptions{}, func(ctx context.Context, s *esl.Session, c *esltest.Call) {
				if name == "resume" {
					if err := s.Resume(ctx); err != nil {
						t.Error(err)
					}
				}
				if _, err := s.Start(ctx, "bridge", "x"); err != nil {
					t.Error(err)
				}
				<-c.Apps()
			})
			if ending.Broken != want || (ending.Stuck == "") == (want == "") {
				t.Errorf("%s: left with %+v", name, ending)
			}
		})
	}
}

func TestSocketModeIsChecked(t *testing.T) {
	for _, c := range []struct{ mode, control string }{{"static", "single-channel"}, {"static", "full"}, {"async", "single-channel"}} {
		synctest.Test(t, func(t *testing.T) {
			o := esltest.CallOptions{Mode: c.mode, Control: c.control}
			err := refusal(t, func(nc net.Conn) { <-esltest.NewCall(t, nc, o).Ended() })
			var mode *esl.SocketModeError
			if !errors.Is(err, esl.ErrSocketMode) || !errors.As(err, &mode) || mode.Mode != c.mode || mode.Control != c.control {
				t.Errorf("%s %s: %v", c.control, c.mode, err)
			}
		})
	}
}

// refusal serves one connection that must not become a session, and returns why.
func refusal(t *testing.T, play func(net.Conn)) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := newPipes()
	why := make(chan error, 1)
	served := make(chan error)
	s := esl.NewServer(esl.ServerOptions{FirstReply: 3 * time.Second, Refused: func(_ net.Addr, err error) { why <- err }})
	go func() {
		served <- s.Serve(ctx, l, func(context.Context, *esl.Session) { t.Error("it became a session") })
	}()
	nc := l.connect()
	play(nc)
	err := <-why
	_ = nc.Close()
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	return err
}

func TestPeersThatAreNoSwitch(t *testing.T) {
	for _, c := range []struct {
		name, out string
		hang      bool // keeps the connection open
		want      error
	}{
		{"says nothing", "", true, esl.ErrSilent},
		{"goes away", "", false, esl.ErrDisconnected},
		{"speaks HTTP", "GET / HTTP/1.1\r\n\r\n", true, esl.ErrMalformed},
		{"greets like an inbound socket", "Content-Type: auth/request\n\n", true, esl.ErrSilent},
		{"answers without a call", "Content-Type: command/reply\nReply-Text: +OK\n\n", true, esl.ErrMalformed},
		{"answers with two lines in a Unique-ID", "Content-Type: command/reply\nUnique-ID: a%0Ab\nSocket-Mode: async\nControl: full\n\n", true, esl.ErrMalformed},
		{"refuses", "Content-Type: command/reply\nReply-Text: -ERR no\n\n", true, &esl.ReplyError{}},
		{"sends a huge head", strings.Repeat("a: "+strings.Repeat("x", 1000)+"\n", 300), true, esl.ErrTooLarge},
		{"sends half a reply", "Content-Type: command/re", true, esl.ErrSilent},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := refusal(t, func(nc net.Conn) {
					if q, err := esl.NewReader(nc).Request(); err != nil || q.Line != "connect" {
						t.Errorf("first command %v, %v", q, err)
					}
					_, _ = nc.Write([]byte(c.out))
					if !c.hang {
						_ = nc.Close()
					}
				})
				var refused *esl.ReplyError
				if errors.As(c.want, &refused) && errors.As(err, &refused) {
					return
				}
				if d := time.Since(start); !errors.Is(err, c.want) || d > 3*time.Second {
					t.Errorf("%v after %v, want %v", err, d, c.want)
				}
			})
		})
	}
}

func TestSessionSurvivesTheUnexpected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		control(t, esltest.CallOptions{}, func(ctx context.Context, s *esl.Session, c *esltest.Call) {
			begin(ctx, t, s)
			if err := s.MyEvents(ctx); err == nil {
				t.Error("second myevents succeeded")
			}
			c.Fire("DTMF", "DTMF-Digit", "#")
			if e := <-s.Events(); e.Name() != "DTMF" || e.Value("DTMF-Digit") != "#" {
				t.Errorf("event %v", e)
			}
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if _, err := s.Execute(short, "bridge", "x"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Execute: %v", err)
			}
			if _, err := s.Execute(ctx, "set", "a\nb"); !errors.Is(err, esl.ErrArgument) {
				t.Errorf("two lines: %v", err)
			}
			if want := []string{"connect", "linger 5", "myevents plain ", "myevents plain "}; !slices.Equal(trim(c.Requests()[:4]), trim(want)) {
				t.Errorf("commands %q", c.Requests())
			}
			c.Finish(nil)
		})
	})
}

func trim(lines []string) []string {
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}
