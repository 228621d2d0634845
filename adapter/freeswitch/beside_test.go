package freeswitch_test

import (
	"fmt"
	"testing"
	"time"

	"parley/engine"
)

// besideCases are what somebody does at the switch to a member who stands
// beside the mix there, after what came before, and what he is then.
func besideCases() []struct{ before, command, want string } {
	return []struct{ before, command, want string }{
		{"", "mute 1", "muted"},
		{"mute 1", "unmute 1", ""},
		{"", "unmute 1", ""},
		{"", "deaf 1", "deaf"},
		{"deaf 1", "undeaf 1", ""},
		{"", "volume_in 1 2", "talk 7.2"},
		{"", "volume_out 1 -2", "listen -4.4"},
		{"mute 1", "deaf 1", "muted deaf"},
	}
}

// rightsOf is what a member is, in short.
func rightsOf(m engine.MemberView) (text string) {
	add := func(is bool, what string) {
		if is && text != "" {
			text += " "
		}
		if is {
			text += what
		}
	}
	add(m.Muted, "muted")
	add(m.Deaf, "deaf")
	add(m.Talk != 0, fmt.Sprintf("talk %.1f", float64(m.Talk)))
	add(m.Listen != 0, fmt.Sprintf("listen %.1f", float64(m.Listen)))
	return text
}

// TestWhatSomebodyDoesAtTheSwitchWhileWeMix is a fact of the room: he is what
// he was made, by our mixer, his leg is not silent at the source, and he is the
// same when the room is back in the conference.
func TestWhatSomebodyDoesAtTheSwitchWhileWeMix(t *testing.T) {
	for _, c := range besideCases() {
		t.Run(c.before+" "+c.command, func(t *testing.T) {
			onSwitch(t, func(p *pbx) {
				p.beside(c.before)
				p.core.API("conference", "4000 "+c.command)
				time.Sleep(500 * time.Millisecond) // less than until the next look
				p.is(c.want, false)
				if err := <-p.relocate("4000", pbx1); err != nil {
					t.Fatal(err)
				}
				p.agree("4000")
				p.is(c.want, true)
			})
		})
	}
}

// TestWhatTheSwitchDidNotTellOfThoseBesideTheMix is found by the next look.
func TestWhatTheSwitchDidNotTellOfThoseBesideTheMix(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		p.beside("")
		p.core.Silently(uuid(1), true, true)
		time.Sleep(12 * time.Second)
		p.is("muted deaf", false)
		p.order("4000", engine.Mute{Member: 1, On: false})
		time.Sleep(30 * time.Second)
		p.is("deaf", false)
	})
}

// TestAMuteAtTheSwitchWhileTheRoomMoves is none that is lost.
func TestAMuteAtTheSwitchWhileTheRoomMoves(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		one, two := p.come(1, "4000"), p.come(2, "4000")
		there := p.relocate("4000", engine.Place{})
		p.app(one, "bridge")
		p.core.API("conference", "4000 mute 1")
		one.End("bridge") // it fails, and the room stays
		two.End("bridge")
		if err := <-there; err == nil {
			t.Error("the room has moved")
		}
		time.Sleep(time.Second)
		p.is("muted", true)
		p.agree("4000")
	})
}

// beside brings two into a room that we mix, though they stand in a conference.
func (p *pbx) beside(before string) {
	p.Helper()
	one, two := p.come(1, "4000"), p.come(2, "4000")
	there := p.relocate("4000", engine.Place{})
	p.fetchAll(one, two)
	if err := <-there; err != nil {
		p.Fatal(err)
	}
	time.Sleep(time.Second) // every look that was due is over
	if before != "" {
		p.core.API("conference", "4000 "+before)
		time.Sleep(200 * time.Millisecond)
	}
}

// is checks what caller 1 is in the room, and that the switch lets him be heard
// there unless it is the one to mute him.
func (p *pbx) is(want string, atTheSwitch bool) {
	p.Helper()
	m := p.roster("4000").Members[0]
	in, _ := p.core.Member(uuid(1))
	if got := rightsOf(m); got != want {
		p.Errorf("on the roster he is %q, want %q", got, want)
	}
	if in.Mute && !atTheSwitch {
		p.Error("his leg is silent at the source")
	}
}
