package asterisk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/ari/aritest"
	"parley/engine"
)

// ast1 is the place of the switch.
func ast1() engine.Place { return engine.Place{Switch: "ast1"} }

// bridge makes the place of a room: ours, or the switch.
func (r *rig) bridge(at engine.Place, room engine.RoomName, i engine.InstanceID, sink engine.Sink) (engine.Bridge, error) {
	if at.Native() {
		return r.mixer.Bridge(at, room, i, sink)
	}
	return r.link.Bridge(room, sink)
}

// until waits for something that no event tells.
func (r *rig) until(what string, is func() bool) {
	r.Helper()
	for limit := time.Now().Add(soon); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			r.Fatalf("not so in time: %s", what)
		}
	}
}

// mixed waits until the calls are in the bridge of a room at the switch, with
// nobody else but the room's own voice.
func (r *rig) mixed(room string, calls ...*aritest.Call) (bridge string) {
	r.Helper()
	r.until("all are in the room's bridge", func() bool {
		for _, c := range calls {
			id, name, n := c.Bridge()
			if !strings.HasPrefix(id, "parley-room-parley-") || name != room || n != len(calls)+1 {
				return false
			}
			bridge = id
		}
		return true
	})
	return bridge
}

// apart waits until a call is in no room's bridge, but with its audio.
func (r *rig) apart(c *aritest.Call) {
	r.Helper()
	r.until("the call is with its audio", func() bool {
		id, _, n := c.Bridge()
		return strings.HasPrefix(id, "parley-bridge-parley-") && n == 2
	})
}

// silenced waits until the switch drops what a call says, or would hear.
func (r *rig) silenced(c *aritest.Call, in, out bool) {
	r.Helper()
	r.until("the call is silenced as it should be", func() bool {
		i, o := c.Muted()
		return i == in && o == out
	})
}

func (r *rig) do(room string, c engine.Command) {
	r.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := r.exchange.Do(ctx, engine.RoomName(room), c); err != nil {
		r.Errorf("%+v: %v", c, err)
	}
}

func (r *rig) relocate(room string, to engine.Place) []engine.Move {
	r.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	moves, err := r.exchange.Relocate(ctx, engine.RoomName(room), to)
	if err != nil {
		r.Errorf("to %s: %v", to, err)
	}
	return moves
}

// pair are two callers in room 3200, mixed by the switch.
func (r *rig) pair() (a, b *aritest.Call) {
	r.Helper()
	a = r.ast.Call("room=3200")
	r.joined(a)
	b = r.ast.Call("room=3200")
	r.joined(b)
	r.mixed("3200", a, b)
	return a, b
}

func TestARoomAtTheSwitch(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	if v, err := r.exchange.Room(t.Context(), "3200"); err != nil || v.Mixer != "switch ast1" || v.Members[0].Codec != "L16/16000" {
		t.Errorf("room %+v, %v", v, err)
	}
	a.Press("#")
	r.continued(a, map[string]string{
		"result": "joined", "reason": "terminator", "exit": "terminator", "exit_digits": "#", "member_id": "1",
	})
	b.Hangup()
	if e := r.await(engine.EventLeft, b.ID()); e.Reason != engine.ReasonHangup {
		t.Errorf("left by %s", e.Reason)
	}
	r.until("nothing is left but the caller who goes on", func() bool {
		channels, bridges := r.ast.Count()
		return channels == 1 && bridges == 0
	})
}

func TestRightsOfAMemberAtTheSwitch(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	r.do("3200", engine.Mute{Member: 1, On: true})
	r.silenced(a, true, false)
	r.do("3200", engine.Mute{Member: 1})
	r.silenced(a, false, false)
	r.do("3200", engine.Deafen{Member: 1, On: true})
	r.silenced(a, false, true)
	r.mixed("3200", a, b)
	r.do("3200", engine.Mute{Member: 1, On: true})
	r.apart(a) // who neither hears nor is heard
	r.silenced(a, false, false)
	r.do("3200", engine.Deafen{Member: 1})
	r.mixed("3200", a, b)
	r.silenced(a, true, false)
	if v, _ := r.exchange.Room(t.Context(), "3200"); !v.Members[0].Muted || v.Members[0].Deaf {
		t.Errorf("members %+v", v.Members)
	}
	r.do("3200", engine.Kick{Member: 1})
	r.continued(a, map[string]string{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1"})
	r.silenced(a, false, false)
}

// TestWhoHoldsAtTheSwitchIsNotHeard: his phone may go on sending, and that is
// its music.
func TestWhoHoldsAtTheSwitchIsNotHeard(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	tell := func(event string) {
		r.ast.Emit(map[string]any{"type": event, "channel": map[string]any{"id": a.ID()}})
	}
	tell("ChannelHold")
	r.silenced(a, true, false)
	r.do("3200", engine.Mute{Member: 1, On: true})
	tell("ChannelUnhold")
	r.do("3200", engine.Deafen{Member: 2, On: true}) // later than what the event had done
	r.silenced(b, false, true)
	r.silenced(a, true, false)
	r.do("3200", engine.Mute{Member: 1})
	r.silenced(a, false, false)
	r.mixed("3200", a, b)
}

func TestWhoWaitsIsNotInTheMix(t *testing.T) {
	r := newRig(t, nil).ready()
	a := r.ast.Call("room=3201")
	r.await(engine.EventWaiting, a.ID())
	r.apart(a)
	b := r.ast.CallWith(map[string]string{"PARLEY_FLAGS": "moderator"}, "room=3201")
	r.joined(b)
	r.mixed("3201", a, b)
}

func TestWhoIsAloneHearsMusicAside(t *testing.T) {
	r := newRig(t, nil).ready()
	a := r.ast.CallWith(map[string]string{"PARLEY_ALONE_SOUND": "hello"}, "room=3200")
	r.joined(a)
	r.apart(a)
	b := r.ast.Call("room=3200")
	r.joined(b)
	r.mixed("3200", a, b)
}

func TestAGainIsRefusedAtTheSwitch(t *testing.T) {
	r := newRig(t, nil).ready()
	a, _ := r.pair()
	a.Press("*9") // louder
	r.log.await(t, "[no_gain]")
	if v, _ := r.exchange.Room(t.Context(), "3200"); v.Members[0].Talk != 0 {
		t.Errorf("members %+v", v.Members)
	}
	err := r.exchange.Do(t.Context(), "3200", engine.Gain{Member: 1, Talk: engine.Loud(6)})
	if !errors.Is(err, engine.ErrCannot) || !strings.Contains(err.Error(), "a bridge of Asterisk has no gain per member") {
		t.Errorf("a gain is answered by %v", err)
	}
	if err := r.exchange.Do(t.Context(), "3200", engine.Mute{Member: 1, On: true}); err != nil {
		t.Errorf("what is possible is answered by %v", err)
	}
}

// TestWhatAnAsteriskCannotDoIsExplained: of the room, and of a call that has
// asked for it.
func TestWhatAnAsteriskCannotDoIsExplained(t *testing.T) {
	const noGain = "a bridge of Asterisk has no gain per member, that of mixer: native has"
	r := newRig(t, nil).ready()
	c := r.ast.Call("room=3200", "talk_gain_db=6")
	r.joined(c)
	r.until("the roster showing what is so", func() bool {
		v, err := r.exchange.Room(t.Context(), "3200")
		return err == nil && len(v.Members) == 1 && v.Members[0].Talk == 0
	})
	of := func(e engine.Explanation, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(e.Settings, e.Limits, e.Warnings)
	}
	call, room := of(r.exchange.ExplainCall(t.Context(), engine.LegID(c.ID()))), of(r.exchange.ExplainRoom(t.Context(), "3200"))
	for _, want := range []string{
		"{talk_gain_db 6 variable parley_talk_gain_db " + noGain + " }",
		"{listen_gain_db 0 built-in default " + noGain + " }",
		"[engine: the place that mixes the room cannot do this: " + noGain + "]",
	} {
		if !strings.Contains(call, want) {
			t.Errorf("no %s in %s", want, call)
		}
	}
	if want := "{[talk_gain_db listen_gain_db] " + noGain + "}"; !strings.Contains(room, want) {
		t.Errorf("no %s in %s", want, room)
	}
}

func TestWhoTalksAtTheSwitch(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	r.until("talking is reported", func() bool { return a.Variables()["TALK_DETECT(set)"] != "" })
	talk := func(what string, c *aritest.Call) {
		r.ast.Emit(map[string]any{"type": "ChannelTalking" + what, "channel": map[string]any{"id": c.ID()}})
	}
	talk("Started", a)
	if e := r.await(engine.EventTalking, a.ID()); e.Member.ID != 1 {
		t.Errorf("%+v", e)
	}
	v, _ := r.exchange.Sound(t.Context(), "3200")
	if m := v.Members; !m[0].Talking || m[1].Talking || m[0].Level != nil || m[0].QuietMS != nil {
		t.Errorf("members %+v", m)
	}
	if e := r.await(engine.EventSpeaker, a.ID()); e.Member.ID != 1 || !e.Member.Floor {
		t.Errorf("the floor of who talks alone: %+v", e)
	}
	talk("Started", b)
	r.await(engine.EventTalking, b.ID())
	talk("Finished", a)
	if e := r.await(engine.EventSpeaker, b.ID()); e.Member.ID != 2 || e.Previous != 1 {
		t.Errorf("the floor of who talks on: %+v", e)
	}
	talk("Finished", b)
	if e := r.await(engine.EventSpeaker, ""); e.Member.ID != 0 || e.Previous != 2 {
		t.Errorf("the floor when all are silent: %+v", e)
	}
	r.until("the room's own voice not being counted as a leg", func() bool { return r.mixer.Counters().Legs == 2 })
}

func TestTakeOverAndHandBack(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	r.do("3200", engine.Mute{Member: 1, On: true})
	for range 3 {
		w := newWatch(t)
		moves := r.relocate("3200", engine.Place{})
		if stolen := w.stolen(); len(moves) != 2 || moves[0].Gap > time.Second+stolen {
			t.Errorf("moves %+v, the machine took %v", moves, stolen)
		}
		r.apart(a)
		r.apart(b)
		r.silenced(a, false, false) // our mixer does not hear him
		r.relocate("3200", ast1())
		r.mixed("3200", a, b)
		r.silenced(a, true, false)
	}
	v, _ := r.exchange.Room(t.Context(), "3200")
	if len(v.Members) != 2 || !v.Members[0].Muted || v.Members[1].Muted || v.Members[0].ID != 1 {
		t.Errorf("members %+v", v.Members)
	}
}

// TestAPhoneBringsTheRoomToUs is a caller whom the switch cannot have.
func TestAPhoneBringsTheRoomToUs(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	r.phone("3200", "desk", 440)
	r.apart(a)
	r.apart(b)
	if v, _ := r.exchange.Room(t.Context(), "3200"); v.Mixer != "native" || len(v.Members) != 3 {
		t.Errorf("room %+v", v)
	}
}

func TestAMoveThatTheSwitchRefuses(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	r.ast.Refuse("POST bridges//addChannel", 500)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := r.exchange.Relocate(ctx, "3200", engine.Place{}); err == nil {
		t.Error("moved")
	}
	r.do("3200", engine.Mute{Member: 2, On: true})
	r.do("3200", engine.Mute{Member: 1, On: true})
	r.silenced(a, true, false)
	r.silenced(b, true, false)
	r.mixed("3200", a, b)
}

func TestWhoIsPutOutAtTheSwitchIsKicked(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	a.PutOut()
	r.continued(a, map[string]string{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1"})
	b.Hangup()
}

func TestWhomTheSwitchDoesNotLetGoIsHungUp(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	r.ast.Refuse("POST bridges//addChannel", 500)
	go r.do("3200", engine.Kick{Member: 2})
	r.exit(b, aritest.Exit{How: aritest.HungUp})
	r.log.await(t, "no confirmation in 2 s that the member left")
	a.Hangup()
}

func TestADestroyedBridgeIsMadeAgain(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	old := r.mixed("3200", a, b)
	r.ast.DestroyBridge(old)
	if r.mixed("3200", a, b) == old {
		t.Error("still the old bridge")
	}
	if v, _ := r.exchange.Room(t.Context(), "3200"); len(v.Members) != 2 {
		t.Errorf("members %+v", v.Members)
	}
}

// TestReportsLostAtTheSwitch moves a member, and destroys the bridge, while
// nobody tells us.
func TestReportsLostAtTheSwitch(t *testing.T) {
	r := newRig(t, nil).ready()
	a, b := r.pair()
	back := make(chan struct{})
	r.front.on("GET asterisk", func() { <-back })
	r.ast.DropEvents()
	r.log.await(t, "[ari_lost]")
	a.PutOut()
	close(back)
	r.continued(a, map[string]string{"result": "joined", "reason": "kicked", "exit": "kicked", "member_id": "1"})
	b.Hangup()
}

func TestWhatIsPlayedToTheRoom(t *testing.T) {
	r := newRig(t, nil).ready()
	r.pair()
	played := make(chan engine.Fact, 8)
	place, err := r.link.Bridge("3300", post(func(f engine.Fact) { played <- f }))
	if err != nil {
		t.Fatal(err)
	}
	place.Play(1, engine.Media{Items: []string{"hello"}, Loop: true}, engine.Audience{})
	place.Play(2, engine.Media{Items: []string{"hello"}}, engine.Audience{})
	place.Play(3, engine.Media{}, engine.Audience{})
	var got []engine.OpID
	for range 3 {
		select {
		case f := <-played:
			got = append(got, f.(engine.Played).Op)
		case <-time.After(soon):
			t.Fatalf("only %v were played", got)
		}
	}
	if !slices.Equal(got, []engine.OpID{1, 2, 3}) {
		t.Errorf("played %v", got)
	}
	control(t, place, played)
	place.Close()
	place.Play(4, engine.Media{Items: []string{"hello"}}, engine.Audience{})
	place.Close()
}

// post is a sink.
type post func(engine.Fact)

func (p post) Post(f engine.Fact) { p(f) }
