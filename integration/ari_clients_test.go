//go:build integration

package integration

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/sip/siptest"
)

const ariUsers = "ari_server: {users: [{name: panel, password: a-long-password}]}\n"

// program is a client in a process of its own, which prints what it sees.
type program struct {
	t  *testing.T
	in io.Writer

	mu    sync.Mutex
	lines []string // guarded by mu: not yet waited for
}

// node runs npm's ari-client.
func node(t *testing.T, at place) *program {
	t.Helper()
	npm(t, "ari-client")
	cmd := exec.Command("node", "clients/ari-client.js", "http://"+at.http, "panel", "a-long-password")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &program{t: t, in: in}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			s.mu.Lock()
			s.lines = append(s.lines, scan.Text())
			s.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		<-read
		_ = cmd.Wait()
	})
	return s
}

// sees waits for a line that begins so, and takes it with all before it.
func (s *program) sees(begin string) string {
	s.t.Helper()
	return s.take(begin, true)
}

func (s *program) take(begin string, before bool) string {
	s.t.Helper()
	got := ""
	eventually(s.t, 30*time.Second, "the client printing "+begin, func() (string, bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		i := slices.IndexFunc(s.lines, func(l string) bool { return strings.HasPrefix(l, begin) })
		if i < 0 {
			return strings.Join(s.lines, "\n"), false
		}
		got = s.lines[i]
		from := i
		if before {
			from = 0
		}
		s.lines = slices.Delete(s.lines, from, i+1)
		return "", true
	})
	return got
}

// does gives an order and returns what came of it.
func (s *program) does(line string) string {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.in, line); err != nil {
		s.t.Fatal(err)
	}
	name, _, _ := strings.Cut(line, " ")
	return strings.TrimPrefix(s.take("done "+name+" ", false), "done "+name+" ") // events may come before the answer
}

// TestNodeDrivesParley: npm's ari-client builds its methods from our
// description, drives a live room, and comes back after a restart.
func TestNodeDrivesParley(t *testing.T) {
	t.Parallel()
	at := newPlace()
	p := run(t, at, at.base(false)+ariUsers)
	s := node(t, at)
	s.sees("connected")
	if v := s.does("info"); !strings.Contains(v, "Parley") {
		t.Errorf("info: %s", v)
	}
	if got := s.does("bridges"); got != "none" {
		t.Errorf("bridges: %s", got)
	}
	alice := dialled(t, at.sip, "3001", siptest.Tone{Hz: 440, DBFS: -20})
	id := strings.Fields(s.sees("StasisStart"))[1]
	s.sees("ChannelEnteredBridge " + id + " 3001")
	s.sees("ChannelTalkingStarted " + id)
	if got := s.does("bridges"); got != "3001:1" {
		t.Errorf("bridges: %s", got)
	}
	s.does("mute " + id + " in")
	if m := p.members("3001", 1)[0]; !m.Muted || m.Deaf {
		t.Errorf("%+v", m)
	}
	s.does("unmute " + id + " in")
	s.does("hold " + id)
	s.does("unhold " + id)
	playback := s.does("play " + id + " number:7")
	s.sees("PlaybackStarted " + playback + " playing")
	s.sees("PlaybackFinished " + playback + " done")
	nodeOrders(t, s, id)
	bob, err := siptest.New(siptest.Options{User: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	nodeRecords(t, s, alice, id)
	nodeSnoops(t, s, id)
	if got := s.does("create " + bob.URI() + " stepwise"); got != "Down" {
		t.Errorf("create: %s", got)
	}
	s.does("addTo 3001 stepwise")
	s.does("dial stepwise")
	stepwise, err := bob.Accept(t.Context(), siptest.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.sees("ChannelEnteredBridge stepwise 3001")
	s.does("hangup stepwise")
	<-stepwise.Done()
	called := s.does("originate " + bob.URI() + " 3001")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	theirs, err := bob.Accept(ctx, siptest.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.sees("ChannelEnteredBridge " + called + " 3001")
	p.members("3001", 2)
	s.does("hangup " + called)
	<-theirs.Done()
	s.sees("ChannelDestroyed " + called)
	s.does("destroy 3001")
	<-alice.Done()
	s.sees("BridgeDestroyed - 3001")

	p.stop()
	p.start()
	s.sees("connected")
	dialled(t, at.sip, "3002", siptest.Tone{})
	s.sees("ChannelEnteredBridge")
}

// nodeOrders gives the rest of the orders, to a channel in room 3001, which is
// in another one meanwhile.
func nodeOrders(t *testing.T, s *program, id string) {
	t.Helper()
	ringing := s.does("play " + id + " tone:ring")
	s.sees("PlaybackStarted " + ringing)
	s.does("restart " + ringing)
	if got := s.does("pause " + ringing); got != "-" {
		t.Errorf("pause: %s", got)
	}
	s.does("unpause " + ringing)
	s.sees("PlaybackStarted " + ringing)
	for order, want := range map[string]string{
		"playBad " + id + " sound:none-so-called": "none-so-called",
		"lie " + id: "cannot be set", "states": "0 0 pong",
	} {
		if got := s.does(order); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", order, got, want)
		}
	}
	s.does("stop " + ringing)
	s.sees("PlaybackFinished " + ringing + " done")
	s.does("dtmf " + id + " 12#")
	s.does("moh 3001")
	s.does("add 3009 " + id)
	s.sees("ChannelEnteredBridge " + id + " 3009")
	s.does("add 3001 " + id)
	s.sees("ChannelEnteredBridge " + id + " 3001")
}

// nodeRecords has a channel recorded, keys heard, and plays queued.
func nodeRecords(t *testing.T, s *program, phone *siptest.Call, id string) {
	t.Helper()
	if got := s.does("record " + id + " of-alice"); got != "queued" {
		t.Errorf("record: %s", got)
	}
	s.sees("RecordingStarted of-alice recording")
	if got := s.does("recordAgain " + id + " of-alice"); !strings.Contains(got, "already exists") {
		t.Errorf("again: %s", got)
	}
	if err := phone.Digits(t.Context(), "5"); err != nil {
		t.Error(err)
	}
	s.sees("ChannelDtmfReceived " + id + " 5")
	s.does("stopRecord of-alice")
	s.sees("RecordingFinished of-alice done")
	if got := s.does("stored of-alice"); got != "of-alice.wav" {
		t.Errorf("stored: %s", got)
	}
	if got := s.does("queue 3001 first sound:silence/60"); got != "queued" {
		t.Errorf("play: %s", got)
	}
	s.sees("PlaybackStarted first playing")
	s.does("queue 3001 second sound:silence/60")
	if got := s.does("state second"); got != "queued" {
		t.Errorf("it waits, and is %s", got)
	}
	if got := s.does("pause second"); !strings.Contains(got, "Can only pause while media is playing") {
		t.Errorf("pause: %s", got)
	}
	s.does("stop first")
	s.sees("PlaybackFinished first done")
	s.sees("PlaybackStarted second playing")
	s.does("stop second")
	s.sees("PlaybackFinished second done")
}
