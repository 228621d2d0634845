package freeswitch_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
)

const pinPrompt = "playback(conference/conf-pin.wav)"

// TestThePINIsAskedForByTheSwitch: prompts are played there, keys come from
// there.
func TestThePINIsAskedForByTheSwitch(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.call(p.options(1, vars("4101")))
		time.Sleep(time.Second)
		c.Fire("DTMF", "DTMF-Digit", "1")
		synctest.Wait()
		if n := sent(c.Requests(), "api uuid_break"); n != 1 {
			t.Errorf("the first key stopped the prompt %d times", n)
		}
		c.Fire("DTMF", "DTMF-Digit", "#") // wrong
		time.Sleep(time.Second)
		want := []string{"answer()", pinPrompt, "playback(file_string://conference/conf-bad-pin.wav!conference/conf-pin.wav)"}
		if got := played(c); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		for _, key := range "4711" {
			c.Fire("DTMF", "DTMF-Digit", string(key))
		}
		p.awaitOf(engine.EventJoined, 1)
		p.agree("4101")
		if got := played(c); !slices.Equal(got, []string{"conference(4101@parley)"}) {
			t.Errorf("%q", got)
		}
	})
}

// TestAPromptThatHasNotBegunIsStoppedWhenItBegins: before, uuid_break would
// stop what somebody else plays.
func TestAPromptThatHasNotBegunIsStoppedWhenItBegins(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		o := p.options(1, vars("4101"))
		c := p.call(o)
		p.app(c, "playback")
		c.Broadcast("playback", "announcement.wav") // behind the first prompt
		for _, key := range "1#" {
			c.Fire("DTMF", "DTMF-Digit", string(key))
		}
		p.until("the second prompt waits", func() bool { return sent(c.Requests(), "sendmsg") == 3 })
		for _, key := range "4711#" {
			c.Fire("DTMF", "DTMF-Digit", string(key))
		}
		time.Sleep(time.Second)
		if n := sent(c.Requests(), "api uuid_break"); n != 1 { // of the first one
			t.Errorf("broken %d times before it began", n)
		}
		c.Finish(nil)
		p.awaitOf(engine.EventJoined, 1)
		if n := sent(c.Requests(), "api uuid_break"); n != 2 {
			t.Errorf("broken %d times", n)
		}
	})
}

// TestAFileThatTheSwitchDoesNotHave is no reason to wait.
func TestAFileThatTheSwitchDoesNotHave(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.call(p.options(1, vars("4101", "parley_pin_sound", "no-such-prompt")))
		time.Sleep(time.Second)
		for _, key := range "4711#" {
			c.Fire("DTMF", "DTMF-Digit", string(key))
		}
		p.awaitOf(engine.EventJoined, 1)
	})
}

// TestAPromptInTheConference: alone, he is told so and then hears music, until
// another comes.
func TestAPromptInTheConference(t *testing.T) {
	onSwitch(t, func(p *pbx) {
		c := p.call(p.options(1, vars("4001")))
		if a := p.app(c, "playback"); a.Arg != "conference/conf-welcome.wav" {
			t.Error(a)
		}
		c.Finish(nil)
		p.awaitOf(engine.EventJoined, 1)
		time.Sleep(time.Second)
		want := []string{"api conference 4001 play conference/conf-alone.wav 1", "api conference 4001 play local_stream://moh 1"}
		if got := about(c.Requests(), "api conference 4001 "); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		two := p.call(p.options(2, vars("4001")))
		p.app(two, "playback")
		two.Finish(nil)
		p.awaitOf(engine.EventJoined, 2)
		synctest.Wait()
		if got := about(c.Requests(), "api conference 4001 stop"); !slices.Equal(got, []string{"api conference 4001 stop all 1"}) {
			t.Errorf("%q", got)
		}
	})
}

// about are the requests that begin with something.
func about(requests []string, begin string) []string {
	return slices.DeleteFunc(requests, func(q string) bool { return !strings.HasPrefix(q, begin) })
}
