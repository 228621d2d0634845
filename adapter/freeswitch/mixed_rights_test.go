package freeswitch_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
)

// TestOrdersOfTheRoom become the conference's own commands, each once.
func TestOrdersOfTheRoom(t *testing.T) {
	for _, c := range []struct {
		name  string
		order engine.Command
		event engine.EventType
		want  string
	}{
		{"mute", engine.Mute{Member: 1, On: true}, engine.EventMuted, "mute 1 quiet"},
		{"unmute", engine.Mute{Member: 2, On: false}, engine.EventUnmuted, "unmute 2 quiet"},
		{"deafen", engine.Deafen{Member: 1, On: true}, engine.EventDeafened, "deaf 1 quiet"},
		{"undeafen", engine.Deafen{Member: 2, On: false}, engine.EventUndeafened, "undeaf 2 quiet"},
		{"lock", engine.Lock{On: true}, engine.EventRoomLocked, "lock"},
		{"kick", engine.Kick{Member: 1}, engine.EventLeft, "hup 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				p.come(1, "4000")
				p.call(p.options(2, vars("4000", "parley_muted", "true", "parley_deaf", "true")))
				p.awaitOf(engine.EventJoined, 2)
				p.agree("4000")
				p.order("4000", c.order)
				p.await(c.event)
				synctest.Wait()
				got := about(p.core.Requests(), "api conference 4000 ")
				if !slices.Equal(got, []string{"api conference 4000 " + c.want}) {
					t.Errorf("%q", got)
				}
				p.agree("4000")
			})
		})
	}
}

// TestChangesAtTheSwitch are facts of the room.
func TestChangesAtTheSwitch(t *testing.T) {
	for _, c := range []struct {
		command string
		event   engine.EventType
		is      func(engine.MemberView) bool
	}{
		{"mute 1", engine.EventMuted, func(m engine.MemberView) bool { return m.Muted && !m.Deaf }},
		{"deaf 1", engine.EventDeafened, func(m engine.MemberView) bool { return m.Deaf && !m.Muted }},
		{"unmute 1", engine.EventUnmuted, func(m engine.MemberView) bool { return !m.Muted }},
		{"undeaf 1", engine.EventUndeafened, func(m engine.MemberView) bool { return !m.Deaf }},
		{"volume_in 1 2", engine.EventModified, func(m engine.MemberView) bool { return math.Abs(float64(m.Talk)-7.23) < 0.01 }},
		{"volume_out 1 -2", engine.EventModified, func(m engine.MemberView) bool { return math.Abs(float64(m.Listen)+4.44) < 0.01 }},
	} {
		t.Run(c.command, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				p.come(1, "4000")
				if before := map[string]string{"unmute 1": "mute 1", "undeaf 1": "deaf 1"}[c.command]; before != "" {
					p.core.API("conference", "4000 "+before)
				}
				p.core.API("conference", "4000 "+c.command)
				if e := p.await(c.event); !c.is(e.Member) {
					t.Errorf("%+v", e.Member)
				}
				time.Sleep(30 * time.Second)
				p.agree("4000")
				if got := about(p.core.Requests(), "api conference 4000 "); len(got) > 0 {
					t.Errorf("it was answered by %q", got)
				}
			})
		})
	}
}

// TestTalkersAreTheSwitchs: it says who talks.
func TestTalkersAreTheSwitchs(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Talk(uuid(1), true)
		p.await(engine.EventTalking)
		p.core.Talk(uuid(1), false)
		p.await(engine.EventSilent)
	})
}

// TestTheFloorIsTheSwitchs: it says who has it, and when nobody does.
func TestTheFloorIsTheSwitchs(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(2, "4000")
		p.core.Floor("4000", uuid(2))
		if e := p.await(engine.EventSpeaker); e.Leg != engine.LegID(uuid(2)) || !e.Member.Floor || e.Previous != 0 {
			t.Errorf("%+v", e)
		}
		p.core.Floor("4000", "")
		if e := p.await(engine.EventSpeaker); e.Member.ID != 0 || e.Previous == 0 {
			t.Errorf("%+v", e)
		}
	})
}

// TestTheLockIsTheConferences: who comes by a dialplan of the switch's own is
// kept out by it, whom the room lets in is not, and it can be set at the switch.
func TestTheLockIsTheConferences(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.API("conference", "4000 lock")
		p.await(engine.EventRoomLocked)
		p.core.Enter(p.options(7, nil), "4000@default")
		if _, in := p.core.Member(uuid(7)); in {
			t.Error("a caller came in past the lock")
		}
		p.call(p.options(2, vars("4000", "parley_role", "moderator")))
		p.awaitOf(engine.EventJoined, 2) // lock_exempts: moderators
		p.order("4000", engine.Lock{On: false})
		synctest.Wait()
		p.core.Enter(p.options(8, nil), "4000@default")
		p.awaitOf(engine.EventRestored, 8)
		p.agree("4000")
	})
}

// TestKeysAreTheRooms: the menu works at the switch.
func TestKeysAreTheRooms(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.come(1, "4000")
		for _, key := range "*1" {
			c.Fire("DTMF", "DTMF-Digit", string(key))
		}
		p.await(engine.EventMuted)
		p.agree("4000")
		for _, key := range "*9" {
			c.Fire("DTMF", "DTMF-Digit", string(key))
		}
		p.await(engine.EventModified)
		if in, _ := p.core.Member(uuid(1)); in.VolumeIn != 1 {
			t.Errorf("%+v", in)
		}
	})
}

// TestARefusedOrder leaves everything as it is, and says so: the conference's
// member may be on his way out.
func TestARefusedOrder(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Refuse("conference 4000 mute", "-ERR Non-Existant ID 1\n")
		_ = p.exchange.Do(p.Context(), "4000", engine.Mute{Member: 1, On: true})
		if m := p.roster("4000").Members[0]; m.Muted {
			t.Error("muted on the roster alone")
		}
		if !strings.Contains(p.log.String(), "Non-Existant ID 1") {
			t.Error("the switch's words are not in the log")
		}
		p.agree("4000")
		p.core.Refuse("conference 4000 mute", "")
		p.order("4000", engine.Mute{Member: 1, On: true})
		p.agree("4000")
	})
}

// TestAnOldEchoIsNoChange: the events of our own orders may come late, when
// another order has been given.
func TestAnOldEchoIsNoChange(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Lag(200*time.Millisecond, 0)
		for range 5 {
			p.order("4000", engine.Mute{Member: 1, On: true})
			p.order("4000", engine.Mute{Member: 1, On: false})
		}
		p.core.API("conference", "4000 mute 1") // this one is not ours
		time.Sleep(time.Second)
		if m := p.roster("4000").Members[0]; !m.Muted {
			t.Error("what was changed at the switch is lost")
		}
		p.agree("4000")
	})
}

// TestAnOldEchoOfTheLockIsNoChange, nor is it an event.
func TestAnOldEchoOfTheLockIsNoChange(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.come(1, "4000")
		p.core.Lag(200*time.Millisecond, 0)
		for _, on := range []bool{true, false, true} {
			p.order("4000", engine.Lock{On: on})
		}
		time.Sleep(time.Second)
		var got []engine.EventType
		for len(p.events) > 0 {
			got = append(got, (<-p.events).Type)
		}
		want := []engine.EventType{engine.EventRoomLocked, engine.EventRoomUnlocked, engine.EventRoomLocked}
		if !slices.Equal(got, want) || !p.roster("4000").Locked {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
