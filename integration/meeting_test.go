//go:build integration

package integration

import (
	"testing"
	"time"

	"parley/internal/audiotest"
	"parley/sip/siptest"
)

// TestThreeKindsOfLegsMeet puts a FreeSWITCH, an Asterisk and a SIP caller into
// one room, then a room that waits for its moderator.
func TestThreeKindsOfLegsMeet(t *testing.T) {
	t.Parallel()
	at := newPlace()
	fs := startFreeSWITCH(t, at)
	startAsterisk(t, at)
	p := run(t, at, at.base(true)+`
profiles:
  - name: default
    play_entry_tone: false
    play_exit_tone: false
    alone_sound: "silence:20"
    moh_sound: "silence:20"
  - name: waiting
    wait_for_moderator: true
    wait_prompt: "silence:20"
    wait_sound: "tone_stream://%(10000,0,1530);loops=-1"
    play_entry_tone: false
    play_exit_tone: false
    alone_sound: "silence:20"
    moh_sound: "silence:20"
    member: {pins: ["1234"]}
    moderator: {pins: ["98765"], end_on_exit: last}
rooms:
  - {name: "3201", profile: waiting}
`)
	t.Run("each is heard by the other two", func(t *testing.T) {
		calls := []*siptest.Call{
			call(t, at.fsSIP, "3001", tone(500)), call(t, at.astSIP, "3001", tone(900)), call(t, at.sip, "3001", tone(1300)),
		}
		kinds := map[string]bool{}
		for _, m := range p.members("3001", 3) {
			kinds[m.Kind] = true
		}
		if len(kinds) != 3 {
			t.Errorf("kinds of legs: %v", kinds)
		}
		hears(t, calls, []float64{500, 900, 1300})
		for _, c := range calls {
			c.Hangup()
		}
		p.gone("3001")
	})
	t.Run("members wait for a moderator on another switch", func(t *testing.T) {
		member, phone := call(t, at.fsSIP, "3201", tone(500)), call(t, at.sip, "3201", tone(900))
		time.Sleep(500 * time.Millisecond)
		digits(t, member, "1234#")
		digits(t, phone, "1234#")
		for _, m := range p.members("3201", 2) {
			if m.State != "waiting" {
				t.Errorf("member %d is %s", m.ID, m.State)
			}
		}
		apart(t, member, 900)
		apart(t, phone, 500)
		moderator := call(t, at.astSIP, "3201", tone(1300))
		time.Sleep(500 * time.Millisecond)
		digits(t, moderator, "98765")
		p.members("3201", 3)
		hears(t, []*siptest.Call{member, phone, moderator}, []float64{500, 900, 1300})
		moderator.Hangup()
		fs.logged("parley room=3201 ", "result=joined ", "reason=moderator_left ", "exit=ended ")
		ended(t, member)
		ended(t, phone)
		p.gone("3201")
	})
}

// music is the tone of the waiting music, in Hz. The rounding errors of G.711
// do not gather at the callers' tones with it.
const music = 1530

// apart checks that a waiting member hears music, and nobody.
func apart(t *testing.T, c *siptest.Call, other float64) {
	t.Helper()
	c.Listen(500 * time.Millisecond)
	pcm := c.Listen(800 * time.Millisecond)
	if got := audiotest.Steady(pcm, int(c.Rate()), music); got < -40 {
		t.Errorf("no music while waiting: %.1f dBFS", got)
	}
	if got := audiotest.Steady(pcm, int(c.Rate()), other); got > -55 {
		t.Errorf("another waiting member is heard at %.1f dBFS", got)
	}
}
