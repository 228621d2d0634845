//go:build integration

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/internal/audiotest"
	"parley/sip"
	"parley/sip/siptest"
)

// mediaPaths are the ways for the audio of an Asterisk's calls.
func mediaPaths() []string { return []string{"audiosocket", "rtp", "websocket", "sip"} }

// pathProfiles has a profile and a room for each way: 3300 and up.
func pathProfiles() string {
	var profiles, rooms strings.Builder
	for i, by := range mediaPaths() {
		fmt.Fprintf(&profiles, `
  - name: %s
    media: %s
    play_entry_tone: false
    play_exit_tone: false
    alone_sound: none
    moh_sound: none
    terminator: "#"`, by, by)
		fmt.Fprintf(&rooms, "\n  - {name: \"%d\", profile: %s}", 3300+i, by)
	}
	profiles.WriteString(`
  - name: there
    mixer: switch
    play_entry_tone: false
    play_exit_tone: false
    alone_sound: none
    moh_sound: none`)
	rooms.WriteString("\n  - {name: \"3310\", profile: there}")
	return "profiles:" + profiles.String() + "\nrooms:" + rooms.String() + "\n"
}

// TestMediaPaths has callers by each way in a room: what they hear, also of one
// who holds, and what explain says.
func TestMediaPaths(t *testing.T) {
	t.Parallel()
	at := newPlace()
	ast := startAsterisk(t, at)
	p := run(t, at, at.base(true)+pathProfiles())
	t.Run("ways", func(t *testing.T) {
		for i, by := range mediaPaths() {
			room := fmt.Sprint(3300 + i)
			t.Run(by, func(t *testing.T) {
				t.Parallel()
				comesBy(t, ast, p, room, by)
				holds(t, ast, p, room, by == "sip") // on the others the switch plays none
				for _, f := range []codec.Format{codec.G722(), codec.L16(16000)} {
					wideband(t, p, room, f)
				}
			})
		}
		t.Run("at the switch", func(t *testing.T) {
			t.Parallel()
			holds(t, ast, p, "3310", false)
		})
	})
	eventually(t, 10*time.Second, "nothing of ours being left at the switch", func() (string, bool) {
		show := ast.exec("asterisk", "-rx", "bridge show all") + ast.exec("asterisk", "-rx", "core show channels concise")
		return show, !strings.Contains(show, "parley-")
	})
}

// comesBy has two callers hear each other, by the way that is configured.
func comesBy(t *testing.T, ast *container, p *parley, room, by string) {
	t.Helper()
	a, b := call(t, p.at.astSIP, room, tone(500)), call(t, p.at.astSIP, room, tone(900))
	members := p.members(room, 2)
	hears(t, []*siptest.Call{a, b}, []float64{500, 900})
	t.Logf("%s: %s", by, members[0].Codec)
	for _, m := range members {
		_, out := command(t, p.config, "explain", "call", string(m.CallID))
		if !explains(out, "media", by, p.config) {
			t.Errorf("explain says\n%s", out)
		}
	}
	digits(t, a, "#")
	ast.logged("parley room="+room+" ", "result=joined ", "exit=terminator ")
	ended(t, a)
	b.Hangup()
	p.gone(room)
}

// holds has a member hold, with a phone that goes on sending and with one that
// does not: the others hear neither him nor the switch's music, and hear him
// again afterwards.
func holds(t *testing.T, ast *container, p *parley, room string, music bool) {
	t.Helper()
	a, b, c := call(t, p.at.astSIP, room, tone(500)), call(t, p.at.astSIP, room, tone(900)), call(t, p.at.astSIP, room, tone(1300))
	p.members(room, 3)
	all, tones := []*siptest.Call{a, b, c}, []float64{500, 900, 1300}
	hears(t, all, tones)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, how := range []sip.Direction{sip.SendOnly, sip.Inactive} {
		if err := a.Direct(ctx, how); err != nil {
			t.Fatal(err)
		}
		if music {
			ast.logged("Started music on hold")
		}
		for i, l := range all[1:] {
			l.Listen(500 * time.Millisecond)
			pcm := l.Listen(time.Second)
			for _, hz := range []float64{500, holdHz} {
				if got := audiotest.Power(pcm, int(l.Rate()), hz); got > -50 {
					t.Errorf("%v: caller %d hears %.0f Hz of who holds at %.0f dBFS", how, i+1, hz, got)
				}
			}
			if got := audiotest.Steady(pcm, int(l.Rate()), tones[2-i]); got < -24 {
				t.Errorf("%v: caller %d hears the other at %.0f dBFS only", how, i+1, got)
			}
		}
		if err := a.Resume(ctx); err != nil {
			t.Fatal(err)
		}
		hears(t, all, tones)
	}
	for _, one := range all {
		one.Hangup()
	}
	p.gone(room)
}

// wideband has two callers hear of each other what a telephone line cuts off.
func wideband(t *testing.T, p *parley, room string, f codec.Format) {
	t.Helper()
	formats := []codec.Format{f}
	a, b := callWith(t, formats, p.at.astSIP, room, tone(4700)), callWith(t, formats, p.at.astSIP, room, tone(6100))
	members := p.members(room, 2)
	if got := a.Codec(); got.Rate != 16000 {
		t.Fatalf("the phone speaks %s/%d with the switch", got.Name, got.Rate)
	}
	t.Logf("phones with %s, the room hears them by %s", f.Name, members[0].Codec)
	for _, l := range []struct {
		of   *siptest.Call
		hz   float64
		self float64
	}{{a, 6100, 4700}, {b, 4700, 6100}} {
		eventually(t, 10*time.Second, "a second of the other's tone", func() (string, bool) {
			n := pieces(l.of, l.hz, -24)
			return fmt.Sprintf("%d ms of %.0f Hz", 100*n, l.hz), n >= 10
		})
		if own := pieces(l.of, l.self, -50); own > 0 {
			t.Errorf("his own tone is heard for %d ms", 100*own)
		}
	}
	a.Hangup()
	b.Hangup()
	p.gone(room)
}

// pieces counts the pieces of 100 ms of a recording that hold a tone. One lost
// packet costs G.722 a tone of its upper band for some 0.4 s: the decoder has to
// find its way again. A narrow band has none at all.
func pieces(c *siptest.Call, hz, least float64) (n int) {
	size := int(c.Rate()) / 10
	for pcm := c.Record(); len(pcm) >= size; pcm = pcm[size:] {
		if audiotest.Power(pcm[:size], int(c.Rate()), hz) > least {
			n++
		}
	}
	return n
}

// explains says whether a line of an explanation has these words.
func explains(out string, words ...string) bool {
	for line := range strings.Lines(out) {
		found := true
		for _, w := range words {
			found = found && strings.Contains(line, w)
		}
		if found {
			return true
		}
	}
	return false
}
