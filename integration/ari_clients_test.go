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

	v6 "github.com/CyCoreSystems/ari/v6"
	"github.com/CyCoreSystems/ari/v6/client/native"

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

// TestCyCoreDrivesParley is the same with CyCoreSystems/ari.
func TestCyCoreDrivesParley(t *testing.T) {
	t.Parallel()
	at := newPlace()
	p := run(t, at, at.base(false)+ariUsers)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := native.ConnectWithContext(ctx, &native.Options{
		Application: "panel", URL: "http://" + at.http + "/ari", WebsocketURL: "ws://" + at.http + "/ari/events",
		Username: "panel", Password: "a-long-password", SubscribeAll: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sub := c.Bus().Subscribe(nil, v6.Events.All)
	defer sub.Cancel()
	next := func(kind string) v6.Event {
		t.Helper()
		limit := time.After(40 * time.Second)
		for {
			select {
			case e := <-sub.Events():
				if e.GetType() == kind {
					return e
				}
			case <-limit:
				t.Fatalf("no %s\n%s", kind, p.log())
			}
		}
	}
	alice := dialled(t, at.sip, "3001", siptest.Tone{Hz: 440, DBFS: -20})
	start, ok := next("StasisStart").(*v6.StasisStart)
	if !ok || start.Channel.State != "Up" || len(start.Args) != 2 || start.Args[0] != "3001" {
		t.Fatalf("%+v", start)
	}
	entered := next("ChannelEnteredBridge").(*v6.ChannelEnteredBridge)
	bridge, err := c.Bridge().Data(v6.NewKey(v6.BridgeKey, entered.Bridge.ID))
	if err != nil || bridge.Name != "3001" || len(bridge.ChannelIDs) != 1 {
		t.Errorf("%+v %v", bridge, err)
	}
	ch := c.Channel().Get(v6.NewKey(v6.ChannelKey, start.Channel.ID))
	if err := ch.Mute(v6.DirectionIn); err != nil {
		t.Error(err)
	}
	if m := p.members("3001", 1)[0]; !m.Muted || m.Deaf {
		t.Errorf("%+v", m)
	}
	if err := ch.Unmute(v6.DirectionIn); err != nil {
		t.Error(err)
	}
	cyCoreOrders(t, ch, c.Bridge().Get(v6.NewKey(v6.BridgeKey, entered.Bridge.ID)), next)
	made, err := c.Bridge().Create(v6.NewKey(v6.BridgeKey, "cycore"), "mixing", "3002")
	if err != nil {
		t.Fatal(err)
	}
	bob, err := siptest.New(siptest.Options{User: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	handle, err := c.Channel().Originate(nil, v6.OriginateRequest{Endpoint: bob.URI(), App: "panel", AppArgs: "3002", ChannelID: "to-bob", Timeout: 20})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := bob.Accept(ctx, siptest.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.members("3002", 1)
	if err := made.AddChannel(handle.ID()); err != nil {
		t.Error(err)
	}
	if err := handle.Hangup(); err != nil {
		t.Error(err)
	}
	<-theirs.Done()
	if e, ok := next("ChannelDestroyed").(*v6.ChannelDestroyed); !ok || e.Channel.ID != "to-bob" || e.Cause != 16 {
		t.Errorf("%+v", e)
	}
	if err := made.Delete(); err != nil {
		t.Error(err)
	}
	if err := ch.Hangup(); err != nil {
		t.Error(err)
	}
	<-alice.Done()

	p.stop()
	p.start()
	eventually(t, 30*time.Second, "the client being back", func() (string, bool) {
		list, err := c.Application().List(nil)
		return fmt.Sprint(list, err), err == nil && len(list) == 1
	})
	dialled(t, at.sip, "3003", siptest.Tone{})
	next("ChannelEnteredBridge")
}

// cyCoreOrders gives the rest of the orders.
func cyCoreOrders(t *testing.T, ch *v6.ChannelHandle, room *v6.BridgeHandle, next func(string) v6.Event) {
	t.Helper()
	if err := ch.SendDTMF("42", nil); err != nil {
		t.Error(err)
	}
	tape, err := ch.Record("of-alice", &v6.RecordingOptions{Format: "wav", Exists: "overwrite"})
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := next("RecordingStarted").(*v6.RecordingStarted); !ok || e.Recording.Name != "of-alice" {
		t.Errorf("%+v", e)
	}
	for _, order := range []func() error{tape.Pause, tape.Resume, tape.Mute, tape.Unmute, tape.Stop} {
		if err := order(); err != nil {
			t.Error(err)
		}
	}
	if e, ok := next("RecordingFinished").(*v6.RecordingFinished); !ok || e.Recording.State != "done" {
		t.Errorf("%+v", e)
	}
	for _, order := range []func() error{ch.StopMOH, ch.Silence, ch.StopSilence, ch.Ring, ch.StopRing, ch.Hold, ch.StopHold} {
		if err := order(); err != nil {
			t.Error(err)
		}
	}
	if err := ch.MOH("default"); err != nil {
		t.Error(err)
	}
	if err := ch.StopMOH(); err != nil {
		t.Error(err)
	}
	if err := room.MOH("default"); err != nil {
		t.Error(err)
	}
	if err := room.StopMOH(); err != nil {
		t.Error(err)
	}
	playing, err := ch.Play("ringing", "tone:ring")
	if err != nil {
		t.Fatal(err)
	}
	next("PlaybackStarted")
	if err := playing.Control("restart"); err != nil {
		t.Error(err)
	}
	for _, operation := range []string{"pause", "unpause", "forward", "reverse"} {
		if err := playing.Control(operation); err != nil {
			t.Error(err)
		}
	}
	if err := playing.Control("jump"); err == nil {
		t.Error("an operation that there is not")
	}
	if err := playing.Stop(); err != nil {
		t.Error(err)
	}
	next("PlaybackFinished")
	if _, err := ch.Play("none", "sound:none-so-called"); err == nil {
		t.Error("what is not there plays")
	}
	if err := ch.SetVariable("PARLEY_ROOM", "x"); err == nil {
		t.Error("PARLEY_ROOM can be set")
	}
	if err := ch.Move("panel", "a"); err != nil {
		t.Error(err)
	}
	next("StasisStart")
}
