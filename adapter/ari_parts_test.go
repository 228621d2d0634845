package adapter_test

import (
	"strings"
	"testing"
	"time"

	"parley/sip/siptest"
)

// story reads the events of a playback until it has finished: what it was told as,
// with the media that play and come next.
func (c *panel) story(id string) string {
	c.t.Helper()
	limit := time.After(20 * time.Second)
	var all []string
	for {
		select {
		case e := <-c.events:
			if !strings.HasPrefix(e.Type, "Playback") || e.Playback.ID != id {
				continue
			}
			p := e.Playback
			all = append(all, strings.TrimSpace(strings.TrimPrefix(e.Type, "Playback")+" "+p.State+" "+p.Media+" "+p.Next))
			if e.Type == "PlaybackFinished" {
				return strings.Join(all, "\n")
			}
		case <-limit:
			c.t.Fatalf("playback %s is told as %q", id, all)
		}
	}
}

// TestSeveralMediaFollowEachOther as an Asterisk 22.10 tells of them.
func TestSeveralMediaFollowEachOther(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	p.dial(t, "3001", siptest.Tone{})
	at := "/channels/" + c.next("ChannelEnteredBridge").Channel.ID
	const three = `{"media":"sound:beep,digits:12,sound:silence/60","skipms":3000}`
	for _, to := range []string{at, "/bridges/3001"} {
		c.want("POST", to+"/play/p", `{"media":"sound:beep,digits:12,number:7"}`, 201, `"media_uri":"sound:beep","next_media_uri":"digits:12"`)
		const want = "Started playing sound:beep digits:12\nContinuing continuing sound:beep digits:12\n" +
			"Started playing digits:12 number:7\nContinuing continuing digits:12 number:7\nStarted playing number:7\nFinished done number:7"
		if got := c.story("p"); got != want {
			t.Errorf("%s is told as\n%s\nwant\n%s", to, got, want)
		}

		c.want("POST", to+"/play/q", three, 201, "")
		c.next("PlaybackStarted", func(e happening) bool { return e.Playback.Media == "sound:silence/60" })
		for _, operation := range []string{"reverse", "restart"} { // stay in the part that plays
			c.want("POST", "/playbacks/q/control?operation="+operation, "", 204, "")
			c.want("GET", "/playbacks/q", "", 200, `"media_uri":"sound:silence/60","target_uri"`)
		}
		c.want("POST", "/playbacks/q/control?operation=pause", "", 204, "")
		c.want("POST", "/playbacks/q/control?operation=unpause", "", 204, "")
		c.want("DELETE", "/playbacks/q", "", 204, "")
		if got := c.story("q"); got != "Started playing sound:silence/60\nFinished done sound:silence/60" {
			t.Errorf("%s: after a pause and a stop\n%s", to, got)
		}

		c.want("POST", to+"/play/r", `{"media":"sound:silence/60,sound:silence/50,sound:silence/40","skipms":70000}`, 201, "")
		c.next("PlaybackStarted", func(e happening) bool { return e.Playback.ID == "r" })
		c.want("POST", "/playbacks/r/control?operation=forward", "", 204, "")
		c.next("PlaybackContinuing")
		c.want("DELETE", "/playbacks/r", "", 204, "")
		if got := c.story("r"); got != "Started playing sound:silence/50 sound:silence/40\nFinished done sound:silence/50 sound:silence/40" {
			t.Errorf("%s: stopped in its second part\n%s", to, got)
		}
		c.want("POST", to+"/play/s", `{"media":","}`, 400, "Missing parameter media")
		c.want("POST", to+"/play/s", `{"media":"digits:"}`, 400, "names nothing to play")
	}
}
