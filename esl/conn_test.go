package esl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/esl"
	"parley/esl/esltest"
)

// peer is the far end of a connection, played by hand.
type peer struct {
	t testing.TB
	net.Conn
	r *esl.Reader
}

func (p *peer) write(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		p.t.Error(err)
	}
}

func (p *peer) read() *esl.Request {
	p.t.Helper()
	q, err := p.r.Request()
	if err != nil {
		p.t.Fatal(err)
	}
	return q
}

func reply(text string) string {
	return "Content-Type: command/reply\nReply-Text: " + text + "\n\n"
}

func event(e *esl.Event) string {
	b := e.AppendPlain(nil)
	return fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(b), b)
}

// client logs in to a peer played by hand.
func client(t testing.TB, o esl.ConnOptions) (*esl.Client, *peer) {
	t.Helper()
	near, far := net.Pipe()
	p := &peer{t: t, Conn: far, r: esl.NewReader(far)}
	go func() {
		p.write("Content-Type: auth/request\n\n")
		p.read()
		p.write(reply("+OK accepted"))
		p.read()
		p.write(reply("+OK event listener enabled plain"))
	}()
	c, err := esl.Dial(t.Context(), esl.ClientOptions{
		Conn: o, Password: "x",
		Dial: func(context.Context) (net.Conn, error) { return near, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(); _ = far.Close() })
	synctest.Wait()
	return c, p
}

func TestLateReplyAnswersNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := client(t, esl.ConnOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() {
			p.read()
			p.read()
			p.write("Content-Type: api/response\nContent-Length: 5\n\nfirst")
			p.write("Content-Type: api/response\nContent-Length: 6\n\nsecond")
		}()
		if _, err := c.API(ctx, "first", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("without a reply: %v", err)
		}
		if got, err := c.API(t.Context(), "second", ""); err != nil || got != "second" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestEveryCommandGetsItsOwnReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		s := esltest.NewSwitch(t, far, esltest.SwitchOptions{API: func(_, args string) string { return args }})
		c, err := esl.Dial(t.Context(), esl.ClientOptions{
			Password: "ClueCon",
			Dial:     func(context.Context) (net.Conn, error) { return near, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				for j := range 40 {
					want := fmt.Sprintf("%d/%d", i, j)
					run := c.API
					if j%2 == 1 {
						run = c.Background
					}
					if got, err := run(t.Context(), "echo", want); err != nil || got != want {
						t.Errorf("%s got %q, %v", want, got, err)
					}
				}
			})
		}
		group.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		<-s.Done()
	})
}

func TestEventsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := client(t, esl.ConnOptions{})
		const n = 1000
		go func() {
			for i := range n {
				p.write(event(esltest.Event("HEARTBEAT", "N", strconv.Itoa(i))))
			}
			_ = p.Close()
		}()
		i := 0
		for e := range c.Events() {
			if got := e.Value("N"); got != strconv.Itoa(i) {
				t.Fatalf("event %d is %s", i, got)
			}
			i++
		}
		if i != n || !errors.Is(c.Err(), esl.ErrDisconnected) {
			t.Errorf("%d events, then %v", i, c.Err())
		}
	})
}

func TestSlowConsumerEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := client(t, esl.ConnOptions{Queue: 4})
		for range 5 {
			p.write(event(esltest.Event("HEARTBEAT")))
		}
		<-c.Done()
		if !errors.Is(c.Err(), esl.ErrSlowConsumer) {
			t.Errorf("ended with %v", c.Err())
		}
		n := 0
		for range c.Events() {
			n++
		}
		if n != 4 {
			t.Errorf("%d events of a queue of 4", n)
		}
	})
}

func TestSilentPeerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := client(t, esl.ConnOptions{KeepAlive: 10 * time.Second})
		start := time.Now()
		go func() {
			for range 6 { // a minute of answers
				if q := p.read(); q.Line != "nixevent" {
					t.Errorf("sign of life asked with %q", q.Line)
				}
				p.write(reply("-ERR no keywords supplied"))
			}
			p.read()
		}()
		<-c.Done()
		if !errors.Is(c.Err(), esl.ErrSilent) {
			t.Errorf("ended with %v", c.Err())
		}
		// every answer counts for the period it came in, so each second look asks
		if d := time.Since(start); d < 130*time.Second || d > 150*time.Second {
			t.Errorf("ended after %v", d)
		}
	})
}

func TestTricklingPeerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := client(t, esl.ConnOptions{KeepAlive: 10 * time.Second})
		var group sync.WaitGroup
		group.Go(func() {
			for {
				if _, err := io.WriteString(p, "x"); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		group.Go(func() { _, _ = io.Copy(io.Discard, p) }) // takes the probe
		start := time.Now()
		<-c.Done()
		defer group.Wait()
		if d := time.Since(start); !errors.Is(c.Err(), esl.ErrSilent) || d > 30*time.Second {
			t.Errorf("ended with %v after %v", c.Err(), d)
		}
	})
}

func TestPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(t, esl.ConnOptions{Timeout: 3 * time.Second})
		start := time.Now()
		var group sync.WaitGroup
		for range 3 { // one writes, two wait for their turn
			group.Go(func() {
				if _, err := c.API(t.Context(), "status", ""); err == nil {
					t.Error("a command succeeded")
				}
			})
		}
		group.Wait()
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("gave up after %v", d)
		}
		if c.Err() == nil {
			t.Error("the connection is still in use")
		}
	})
}

func TestNoReplyInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := client(t, esl.ConnOptions{Timeout: 2 * time.Second})
		go p.read()
		start := time.Now()
		_, err := c.API(t.Context(), "status", "")
		if d := time.Since(start); !errors.Is(err, esl.ErrSilent) || d != 2*time.Second {
			t.Errorf("%v after %v", err, d)
		}
	})
}

func TestCloseUnblocksEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := client(t, esl.ConnOptions{})
		go p.read()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := c.API(t.Context(), "status", ""); !errors.Is(err, esl.ErrClosed) {
				t.Errorf("command: %v", err)
			}
		})
		group.Go(func() {
			if _, ok := <-c.Events(); ok {
				t.Error("an event out of nothing")
			}
		})
		synctest.Wait()
		for range 2 {
			group.Go(func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if _, err := c.API(t.Context(), "status", ""); !errors.Is(err, esl.ErrClosed) {
			t.Errorf("command afterwards: %v", err)
		}
		if !errors.Is(c.Err(), esl.ErrClosed) {
			t.Errorf("ended with %v", c.Err())
		}
	})
}

func TestHowAConnectionEnds(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"end of stream", "", esl.ErrDisconnected},
		{"end inside a message", "Content-Type: te", io.ErrUnexpectedEOF},
		{"notice", "Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\nContent-Length: 3\n\nbye", esl.ErrDisconnected},
		{"notice without a session", "Content-Type: text/disconnect-notice\n\n", esl.ErrDisconnected},
		{"rejection", "Content-Type: text/rude-rejection\nContent-Length: 3\n\nno\n", esl.ErrRejected},
		{"a reply nobody asked for", reply("+OK"), esl.ErrMalformed},
		{"second greeting", "Content-Type: auth/request\n\n", esl.ErrMalformed},
		{"garbage", "\x16\x03\x01\x02\x00\n\n", esl.ErrMalformed},
		{"broken event", "Content-Type: text/event-plain\nContent-Length: 2\n\nhi", esl.ErrMalformed},
		{"huge message", "Content-Length: 99999999\n\n", esl.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, p := client(t, esl.ConnOptions{})
				p.write("Content-Type: log/data\nContent-Length: 2\n\nhiContent-Type: text/odd\n\n") // passed over
				if c.in != "" {
					p.write(c.in)
				}
				_ = p.Close()
				<-conn.Done()
				if !errors.Is(conn.Err(), c.want) {
					t.Errorf("ended with %v, want %v", conn.Err(), c.want)
				}
			})
		})
	}
}

func TestTooManyCommandsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := client(t, esl.ConnOptions{})
		go func() { _, _ = io.Copy(io.Discard, p) }()
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 256 {
			group.Go(func() { _, _ = c.API(ctx, "status", "") })
		}
		synctest.Wait()
		if _, err := c.API(ctx, "status", ""); !errors.Is(err, esl.ErrBusy) {
			t.Errorf("number 257: %v", err)
		}
		cancel()
		group.Wait()
	})
}

func TestRefusedCommandHidesItsArguments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := client(t, esl.ConnOptions{})
		go func() { p.read(); p.write(reply("-ERR permission denied")) }()
		_, err := c.Background(t.Context(), "secret", "1234")
		var refused *esl.ReplyError
		if !errors.As(err, &refused) || refused.Command != "bgapi" || refused.Text != "-ERR permission denied" {
			t.Errorf("got %v", err)
		}
		if strings.Contains(err.Error(), "1234") {
			t.Errorf("argument in %q", err)
		}
		go func() {
			p.read()
			p.write("Content-Type: api/response\nContent-Length: 23\n\n-USAGE: <uuid>\nand more")
		}()
		if _, err = c.API(t.Context(), "x", ""); !errors.As(err, &refused) || refused.Text != "-USAGE: <uuid>" {
			t.Errorf("got %v", err)
		}
	})
}
