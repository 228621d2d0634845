//go:build integration

package integration

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/audiotest"
	"parley/sip/siptest"
)

// TestAsteriskMixes is the dialplan contract with rooms in an ARI bridge.
func TestAsteriskMixes(t *testing.T) {
	t.Parallel()
	at := newPlace()
	ast := startAsterisk(t, at)
	contract(t, contractOf{
		at: at, address: at.astSIP,
		config:   at.base(true),
		patient:  astPatience,
		profiles: strings.ReplaceAll(contractProfiles, "\n  - name: ", "\n  - mixer: switch\n    name: "),
		result: func(room, result, reason, exit string) {
			ast.logged("parley room="+room+" ", "result="+result+" ", "reason="+reason+" ", "exit="+exit+" ")
		},
		inFallback: func(room string) bool { return ast.callers(room) == 2 },
	})
}

// bridged counts the channels in the bridge of a room at the switch, 0 when
// there is no such bridge.
func (c *container) bridged(room string) (callers int) {
	for _, line := range strings.Split(c.exec("asterisk", "-rx", "bridge show all"), "\n") {
		if id, _, _ := strings.Cut(line, " "); strings.HasPrefix(id, "parley-room-") {
			show := c.exec("asterisk", "-rx", "bridge show "+id)
			if strings.Contains(show, "Name: "+room+"\n") {
				return strings.Count(show, "Channel: PJSIP/")
			}
		}
	}
	return 0
}

// settles waits until so many callers are in the room's bridge at the switch.
func (c *container) settles(room string, n int) {
	c.t.Helper()
	eventually(c.t, 10*time.Second, "callers in the bridge of the switch", func() (string, bool) {
		return c.exec("asterisk", "-rx", "bridge show all"), c.bridged(room) == n
	})
}

// TestARoomInAnAsteriskBridge is what a room is there: who hears whom, by all
// that a member may be, and while it moves to our mixer and back.
func TestARoomInAnAsteriskBridge(t *testing.T) {
	at := newPlace()
	ast := startAsterisk(t, at)
	p := run(t, at, at.base(true)+`
profiles:
  - name: default
    mixer: switch
    play_entry_tone: "tone_stream://%(500,0,1700)"
    play_exit_tone: false
    alone_sound: "silence:20"
    moh_sound: "tone_stream://%(10000,0,1530);loops=-1"
    muted_sound: none
    unmuted_sound: none
    deaf_sound: none
    undeaf_sound: none
`)
	ctx := context.Background()
	set := func(member, key string, on bool) {
		t.Helper()
		if err := p.api.Set(ctx, "3001", member, key, on); err != nil {
			t.Error(err)
		}
	}
	a := call(t, at.astSIP, "3001", tone(500))
	p.members("3001", 1)
	if got := level(a, 1530); got < -40 {
		t.Errorf("who is alone hears the music at %.0f dBFS", got)
	}
	from := len(a.Record())
	b := call(t, at.astSIP, "3001", tone(900))
	p.members("3001", 2)
	ast.settles("3001", 2)
	hears(t, []*siptest.Call{a, b}, []float64{500, 900})
	if !(&guest{Call: a}).heard(from, 1700) {
		t.Error("who is in the room does not hear the entry tone")
	}
	c := call(t, at.astSIP, "3001", tone(1300))
	p.members("3001", 3)
	ast.settles("3001", 3)
	all, tones := []*siptest.Call{a, b, c}, []float64{500, 900, 1300}
	hears(t, all, tones)

	t.Run("muted and deaf members", func(t *testing.T) {
		set("1", "muted", true)
		set("2", "deaf", true)
		silent := map[[2]int]bool{{1, 0}: true, {2, 0}: true, {1, 2}: true}
		check := func(where string) {
			t.Helper()
			for i, l := range all {
				l.Listen(300 * time.Millisecond)
				pcm := l.Listen(600 * time.Millisecond)
				for k, hz := range tones {
					if got := audiotest.Steady(pcm, int(l.Rate()), hz); i != k && (got < -50) != silent[[2]int{i, k}] {
						t.Errorf("%s: caller %d hears caller %d at %.0f dBFS", where, i, k, got)
					}
				}
			}
		}
		check("at the switch")
		if _, err := p.api.TakeOver(ctx, "3001"); err != nil {
			t.Fatal(err)
		}
		check("at our mixer")
		if _, err := p.api.HandBack(ctx, "3001"); err != nil {
			t.Fatal(err)
		}
		ast.settles("3001", 3)
		check("back at the switch")
		set("1", "muted", false)
		set("2", "deaf", false)
		hears(t, all, tones)
	})
	t.Run("moves without a word lost", func(t *testing.T) {
		var told, real []time.Duration
		for range 10 {
			from := len(b.Record())
			m, err := p.api.TakeOver(ctx, "3001")
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range m.Moves {
				told = append(told, time.Duration(one.Gap*float64(time.Millisecond)))
			}
			if ast.bridged("3001") != 0 {
				t.Error("still in the bridge of the switch")
			}
			time.Sleep(500 * time.Millisecond)
			if _, err := p.api.HandBack(ctx, "3001"); err != nil {
				t.Fatal(err)
			}
			ast.settles("3001", 3)
			time.Sleep(500 * time.Millisecond)
			real = append(real, hole(b, from, 500))
		}
		slices.Sort(told)
		slices.Sort(real)
		t.Logf("gaps of 10 moves and back: p95 %v as told, longest %v as heard", told[len(told)*95/100], real[len(real)-1])
		if longest := real[len(real)-1]; longest > 400*time.Millisecond {
			t.Errorf("a hole of %v", longest)
		}
		p.members("3001", 3)
		hears(t, all, tones)
	})
	if left, err := p.api.Audit(ctx); err != nil || len(left) != 0 {
		t.Errorf("the audit tells %+v, %v", left, err)
	}
	if strings.Contains(p.log(), "audit.mismatch") {
		t.Error("a comparison with the switch found differences in a room that nobody disturbed")
	}
	for _, one := range all {
		one.Hangup()
	}
	p.gone("3001")
	eventually(t, 5*time.Second, "nothing of ours being left at the switch", func() (string, bool) {
		show := ast.exec("asterisk", "-rx", "bridge show all") + ast.exec("asterisk", "-rx", "core show channels concise")
		return show, !strings.Contains(show, "parley-") && !strings.Contains(show, "AudioSocket")
	})
}

// level is how loud a caller hears a tone now.
func level(c *siptest.Call, hz float64) float64 {
	c.Listen(300 * time.Millisecond)
	return audiotest.Steady(c.Listen(600*time.Millisecond), int(c.Rate()), hz)
}

// hole is the longest time that a caller did not hear a tone, from a moment of
// his recording on.
func hole(c *siptest.Call, from int, hz float64) (longest time.Duration) {
	rate := int(c.Rate())
	step := rate / 50
	run := time.Duration(0)
	for pcm := c.Record()[from:]; len(pcm) >= step; pcm = pcm[step:] {
		if audiotest.Power(pcm[:step], rate, hz) > -40 {
			run = 0
			continue
		}
		run += 20 * time.Millisecond
		longest = max(longest, run)
	}
	return longest
}
