//go:build integration

package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	v6 "github.com/CyCoreSystems/ari/v6"
	"github.com/CyCoreSystems/ari/v6/client/native"

	"parley/sip/siptest"
)

// TestCyCoreDrivesParley is TestNodeDrivesParley with CyCoreSystems/ari.
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
