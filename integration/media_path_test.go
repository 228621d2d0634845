//go:build integration

package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

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
	return "profiles:" + profiles.String() + "\nrooms:" + rooms.String() + "\n"
}

// TestMediaPaths has callers by each way in a room, and what explain says.
func TestMediaPaths(t *testing.T) {
	ast := startAsterisk(t)
	p := run(t, base(true)+pathProfiles())
	for i, by := range mediaPaths() {
		room := fmt.Sprint(3300 + i)
		t.Run(by, func(t *testing.T) {
			a, b := call(t, asteriskSIP, room, tone(500)), call(t, asteriskSIP, room, tone(900))
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
		})
	}
	eventually(t, 10*time.Second, "nothing of ours being left at the switch", func() (string, bool) {
		show := ast.exec("asterisk", "-rx", "bridge show all") + ast.exec("asterisk", "-rx", "core show channels concise")
		return show, !strings.Contains(show, "parley-")
	})
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
