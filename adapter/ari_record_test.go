package adapter_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/audiotest"
	"parley/sip/siptest"
	"parley/sound"
)

func TestAnARIClientRecordsARoom(t *testing.T) {
	p := start(t, withPanel)
	dir := filepath.Join(p.config.StateDir, "recordings")
	c := p.listen(t, "app=panel&subscribeAll=true")
	c.want("GET", "/recordings/stored", "", 200, "[]")
	alice := p.dial(t, "3001", siptest.Tone{Hz: 440, DBFS: -20})
	room := c.next("ChannelEnteredBridge").Bridge.ID
	c.next("ChannelTalkingStarted")
	at := "/bridges/" + room + "/record"
	for body, want := range map[string]string{
		`{"name":"x"}`: "400 Missing parameter format", `{"name":"x","format":"mp3"}`: "422 Format 'mp3' is unknown",
		`{"name":"x","format":"wav","ifExists":"append"}`: "400 ifExists", `{"name":"x","format":"wav","terminateOn":"#"}`: "400 terminateOn",
		`{"name":"x","format":"wav","maxSilenceSeconds":3}`: "400 maxSilenceSeconds", `{"name":"x","format":"wav","maxDurationSeconds":-1}`: "400 maxDurationSeconds",
		`{"name":"../x","format":"wav"}`: "400 ",
	} {
		if status, text := c.do("panel", "POST", at, body); !strings.Contains(fmt.Sprintf("%d %s", status, text), strings.SplitN(want, " ", 2)[0]) ||
			!strings.Contains(text, strings.SplitN(want, " ", 2)[1]) {
			t.Errorf("%s: %d %s, want %s", body, status, text, want)
		}
	}
	if got, _ := c.do("reader", "POST", at, `{"name":"x","format":"wav"}`); got != 403 {
		t.Errorf("a reader may record: %d", got)
	}
	c.want("POST", "/bridges/none/record", `{"name":"x","format":"wav"}`, 404, "Bridge not found")
	c.want("POST", at, `{"name":"a/x","format":"wav","terminateOn":"none","beep":false}`, 201, `"target_uri":"bridge:`+room+`"`)
	if e := c.next("RecordingStarted", func(e happening) bool { return e.Recording.Name == "a/x" }); e.Recording.State != "recording" {
		t.Errorf("%+v", e.Recording)
	}
	c.want("POST", at, `{"name":"a/x","format":"wav"}`, 409, "already in progress")
	c.want("GET", "/recordings/live/a%2Fx", "", 200, `"state":"recording"`)
	c.want("POST", "/recordings/live/a%2Fx/pause", "", 204, "")
	c.want("GET", "/recordings/live/a%2Fx", "", 200, `"state":"paused"`)
	c.want("DELETE", "/recordings/live/a%2Fx/pause", "", 204, "")
	c.want("POST", "/recordings/live/a%2Fx/mute", "", 501, "")
	c.want("GET", "/recordings/stored/a%2Fx", "", 409, "in progress")
	c.want("POST", at, `{"name":"limited","format":"wav","maxDurationSeconds":1}`, 201, "")
	if e := c.next("RecordingFinished"); e.Recording.Name != "limited" || e.Recording.State != "done" || e.Recording.Duration < 1 {
		t.Errorf("%+v", e.Recording)
	}
	c.want("POST", "/recordings/live/a%2Fx/stop", "", 204, "")
	c.next("RecordingFinished", func(e happening) bool { return e.Recording.Name == "a/x" && e.Recording.State == "done" })
	c.want("POST", at, `{"name":"a/x","format":"wav"}`, 409, "already exists")
	c.want("GET", "/recordings/live/a%2Fx", "", 404, "Recording not found")
	c.want("GET", "/recordings/stored", "", 200, `[{"name":"a/x","format":"wav"},{"name":"limited","format":"wav"}]`)
	storedAudio(t, c, filepath.Join(dir, "a", "x.wav"))
	c.want("POST", at, `{"name":"gone","format":"wav"}`, 201, "")
	c.want("DELETE", "/recordings/live/gone", "", 204, "")
	c.next("RecordingFinished", func(e happening) bool { return e.Recording.Name == "gone" && e.Recording.State == "canceled" })
	c.want("DELETE", "/recordings/stored/a%2Fx", "", 204, "")
	c.want("DELETE", "/recordings/stored/a%2Fx", "", 404, "")
	c.want("GET", "/recordings/stored/..%2F..%2Fetc%2Fpasswd/file", "", 404, "")
	c.want("GET", "/recordings/stored", "", 200, `[{"name":"limited","format":"wav"}]`)
	_ = alice
}

// storedAudio gets a recording, which has to be the file, with the caller's
// tone in it.
func storedAudio(t *testing.T, c *panel, file string) {
	t.Helper()
	_, text := c.do("panel", "GET", "/recordings/stored/a%2Fx/file", "")
	have, err := os.ReadFile(file)
	if err != nil || strings.TrimSpace(string(have)) != text {
		t.Fatalf("%d bytes came of %d, %v", len(text), len(have), err)
	}
	pcm, rate, err := sound.DecodeWAV(strings.NewReader(string(have)))
	if err != nil || len(pcm) < int(rate) {
		t.Fatalf("%d samples at %d, %v", len(pcm), rate, err)
	}
	if got := audiotest.Power(pcm[len(pcm)/2:], int(rate), 440); got < -22 || got > -18 {
		t.Errorf("440 Hz at %.1f dB", got)
	}
}
