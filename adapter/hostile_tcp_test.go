package adapter_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapter/config"
)

// deed is what somebody does on a connection of his.
type deed struct {
	name string
	do   func(c net.Conn)
}

func say(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) }
}

// endless says the same again and again, up to 4 MiB.
func endless(text string) func(net.Conn) {
	return func(c net.Conn) {
		block := strings.Repeat(text, 16<<10/len(text)+1)
		for n := 0; n < 4<<20; n += len(block) {
			if _, err := io.WriteString(c, block); err != nil {
				return
			}
		}
	}
}

// hold keeps a connection open without a word.
func hold(net.Conn) {}

func noiseOf(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{3}).Read(b)
	return string(b)
}

// swarm does each deed on n connections at once. The connections stay open.
func swarm(ctx context.Context, t *testing.T, to string, n int, deeds []deed) (conns []net.Conn) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n * len(deeds) {
		c := tcpFrom(ctx, t, to)
		if c == nil {
			break
		}
		conns = append(conns, c)
		all.Go(func() {
			_ = c.SetDeadline(time.Now().Add(time.Second))
			deeds[i%len(deeds)].do(c)
		})
	}
	all.Wait()
	return conns
}

// attackEnv makes a test process an attacker: it has its own, so that what it
// costs is not charged to Parley's threads.
const attackEnv = "PARLEY_TEST_ATTACK"

// TestAttacker is the other process of a siege: it does the deeds, says how
// many connections it has, and keeps them until its standard input ends.
func TestAttacker(t *testing.T) {
	var kind, to string
	var n int
	if _, err := fmt.Sscan(os.Getenv(attackEnv), &kind, &to, &n); err != nil {
		t.Skip("only for the other tests to start")
	}
	conns := swarm(t.Context(), t, to, n, deeds(kind))
	fmt.Printf("\n%d connections\n", len(conns))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// attack starts an attacker and returns when it has done its deeds; release
// ends it.
func attack(ctx context.Context, t *testing.T, kind, to string, n int) (said string, release func()) {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestAttacker$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", attackEnv, kind, to, n))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	t.Cleanup(release)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasSuffix(lines.Text(), " connections") {
			return lines.Text(), release
		}
	}
	t.Fatalf("the attacker said nothing: %v", lines.Err())
	return "", release
}

// survives has an attacker do his deeds at one listener: the room does not
// notice, others get in meanwhile, and all it cost is given back.
func survives(t *testing.T, kind string, n int, to func(*config.Config) string) {
	t.Helper()
	s := besiege(t, nil)
	before := s.state(t)
	sometimes(t, func() []string {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var said string
		var release func()
		lines := len(s.log.lines())
		faults := s.during(t, func(context.Context) { said, release = attack(ctx, t, kind, to(s.config), n) })
		s.dial(t, "3002", siegeTones[0]).Hangup()
		now := s.state(t)
		lines = len(s.log.lines()) - lines
		t.Logf("%s: heap %d KiB, %d goroutines, %d lines logged", said, now.heap>>10, now.goroutines, lines)
		if lines > 200 {
			t.Error("too many lines")
		}
		release()
		return faults
	})
	s.recovers(t, before, 0)
}

func TestTCPPeersThatMisbehave(t *testing.T) {
	survives(t, "sip", 8, func(c *config.Config) string { return c.SIP.Listen })
}

func TestESLPeersThatMisbehave(t *testing.T) {
	survives(t, "esl", 30, func(c *config.Config) string { return c.FreeSWITCH.Listen })
}

func TestAudioSocketPeersThatMisbehave(t *testing.T) {
	survives(t, "audiosocket", 60, func(c *config.Config) string { return c.AudioSocket.Listen })
}

func TestHTTPPeersThatMisbehave(t *testing.T) {
	survives(t, "http", 40, func(c *config.Config) string { return c.HTTP.Listen })
}

// deeds are what peers of a listener may do.
func deeds(kind string) []deed {
	switch kind {
	case "sip":
		return sipDeeds()
	case "esl":
		return eslDeeds()
	case "audiosocket":
		return audioSocketDeeds()
	default:
		return httpDeeds()
	}
}

func sipDeeds() []deed {
	options := "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.3;branch=z9hG4bK%d\r\n" +
		"From: <sip:x@y>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: o%[1]d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
	one := fmt.Sprintf(options, 1)
	return []deed{
		{"nothing", hold},
		{"garbage", say(noiseOf(1 << 20))},
		{"half a header", say("INVITE sip:3001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TC")},
		{"a body without end", func(c net.Conn) {
			say(strings.Replace(one, "Content-Length: 0", "Content-Length: 2000000000", 1))(c)
			endless("a")(c)
		}},
		{"a negative length", say(strings.Replace(one, "Content-Length: 0", "Content-Length: -1", 1))},
		{"a header without end", func(c net.Conn) { say("OPTIONS sip:x@y SIP/2.0\r\nX-Long: ")(c); endless("a")(c) }},
		{"headers without end", func(c net.Conn) { say("OPTIONS sip:x@y SIP/2.0\r\n")(c); endless("X-More: 1\r\n")(c) }},
		{"questions, and does not read", func(c net.Conn) {
			_ = c.(*net.TCPConn).SetReadBuffer(2048)
			for i := range 5000 {
				if _, err := fmt.Fprintf(c, options, i); err != nil {
					return
				}
			}
		}},
	}
}

// channel is what a switch says first of a call; more are its variables.
func channel(id string, more ...string) string {
	lines := append([]string{
		"Content-Type: command/reply", "Reply-Text: +OK", "Unique-ID: " + id, "Socket-Mode: async", "Control: full",
		"Caller-Caller-ID-Number: 100", "variable_parley_room: 3009",
	}, more...)
	return strings.Join(lines, "\n") + "\n\n"
}

func eslDeeds() []deed {
	return []deed{
		{"nothing", hold},
		{"garbage", say(noiseOf(1 << 20))},
		{"a negative length", say("Content-Type: command/reply\nContent-Length: -5\n\n")},
		{"a body without end", func(c net.Conn) { say("Content-Length: 2000000000\n\n")(c); endless("a")(c) }},
		{"a header without end", func(c net.Conn) { say("X: ")(c); endless("a")(c) }},
		{"headers without end", endless("X: 1\n")},
		{"a call and then nothing", say(channel("one"))},
		{"a call that does all but bring audio", func(c net.Conn) {
			for in := bufio.NewScanner(c); in.Scan(); {
				switch verb, _, _ := strings.Cut(in.Text(), " "); verb {
				case "connect":
					say(channel("two"))(c)
				case "api":
					say("Content-Type: api/response\nContent-Length: 4\n\n+OK\n")(c)
				case "linger", "myevents", "sendmsg", "exit":
					say("Content-Type: command/reply\nReply-Text: +OK\n\n")(c)
				}
			}
		}},
		{"events without end", func(c net.Conn) {
			say(channel("three"))(c)
			endless("Content-Type: text/event-plain\nContent-Length: 27\n\nEvent-Name: CHANNEL_HOLD\n\n\n")(c)
		}},
	}
}

func audioSocketDeeds() []deed {
	id := "\x01\x00\x10" + noiseOf(16)
	return []deed{
		{"nothing", hold},
		{"garbage", say(noiseOf(1 << 16))},
		{"somebody else's UUID", say(id)},
		{"half a UUID", say(id[:9])},
		{"audio first", endless("\x10\x01\x40" + strings.Repeat("\x00", 320))},
		{"a long frame", say("\x01\xff\xff" + noiseOf(1000))},
	}
}

func httpDeeds() []deed {
	post := "POST /v1/reload HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	return []deed{
		{"nothing", hold},
		{"half a header", say(post + "X-Slow: ")},
		{"a header without end", func(c net.Conn) { say(post + "X: ")(c); endless("a")(c) }},
		{"a body without end", func(c net.Conn) { say(post + "Content-Length: 2000000000\r\n\r\n")(c); endless("a")(c) }},
		{"a body in pieces without end", func(c net.Conn) {
			say("PATCH /v1/rooms/3001/participants/all HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")(c)
			endless("400\r\n" + strings.Repeat(" ", 1024) + "\r\n")(c)
		}},
		{"metrics, and does not read", func(c net.Conn) {
			_ = c.(*net.TCPConn).SetReadBuffer(2048)
			endless("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")(c)
		}},
		{"garbage", say(noiseOf(1 << 16))},
	}
}
