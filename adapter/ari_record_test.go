package adapter_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
		`{"name":"x"}`: "422 specified format is unknown on this system", `{"name":"x","format":"mp3"}`: "422 specified format is unknown on this system",
		`{"name":"x","format":"wav","ifExists":"keep"}`: "400 ifExists invalid", `{"name":"x","format":"wav","terminateOn":"5"}`: "400 terminateOn invalid",
		`{"name":"x","format":"wav","maxSilenceSeconds":-3}`:      "400 max_silence_seconds cannot be negative",
		`{"name":"x","format":"wav","maxDurationSeconds":-1}`:     "400 max_duration_seconds cannot be negative",
		`{"name":"x","format":"wav","maxDurationSeconds":"soon"}`: "400 maxDurationSeconds must be", `{"format":"wav"}`: "500 Error parsing request",
		`{"name":"../x","format":"wav"}`: `400 {"message":"Recording name invalid"}`, `{"name":"/etc/x","format":"wav"}`: `400 {"message":"Recording name invalid"}`,
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
	c.want("POST", at, `{"name":"a/x","format":"wav"}`, 409, "Recording 'a/x' already exists and can not be overwritten")
	c.want("GET", "/recordings/live/a%2Fx", "", 200, `"state":"recording"`)
	c.want("POST", "/recordings/live/a%2Fx/pause", "", 204, "")
	c.want("GET", "/recordings/live/a%2Fx", "", 200, `"state":"paused"`)
	c.want("DELETE", "/recordings/live/a%2Fx/pause", "", 204, "")
	c.want("POST", "/recordings/live/a%2Fx/mute", "", 204, "")
	c.want("DELETE", "/recordings/live/a%2Fx/mute", "", 204, "")
	c.want("POST", "/recordings/live/none/mute", "", 404, "Recording not found")
	c.want("GET", "/recordings/stored/a%2Fx", "", 409, "in progress")
	c.want("POST", at, `{"name":"limited","format":"wav","maxDurationSeconds":2}`, 201, "")
	if e := c.next("RecordingFinished"); e.Recording.Name != "limited" || e.Recording.State != "done" || e.Recording.Duration < 1 {
		t.Errorf("%+v", e.Recording)
	}
	c.want("POST", "/recordings/live/a%2Fx/stop", "", 204, "")
	c.next("RecordingFinished", func(e happening) bool { return e.Recording.Name == "a/x" && e.Recording.State == "done" })
	c.want("POST", at, `{"name":"a/x","format":"wav"}`, 409, "already exists and can not be overwritten")
	c.want("GET", "/recordings/live/a%2Fx", "", 404, "Recording not found")
	c.want("GET", "/recordings/stored", "", 200, `[{"name":"a/x","format":"wav"},{"name":"limited","format":"wav"}]`)
	storedAudio(t, c, filepath.Join(dir, "a", "x.wav"))
	for media, words := range map[string]string{
		"a/none": "Recording not found", "../../x": "Recording name invalid", "/etc/passwd": "Recording name invalid",
	} {
		if status, text := c.do("panel", "POST", "/bridges/"+room+"/play", `{"media":"recording:`+media+`"}`); status != 400 || !strings.Contains(text, words) || strings.Contains(text, dir) {
			t.Errorf("%s: %d %s, want %s", media, status, text, words)
		}
	}
	c.want("POST", "/bridges/"+room+"/play/again", `{"media":"recording:a/x"}`, 201, "")
	c.next("PlaybackStarted")
	c.want("DELETE", "/playbacks/again", "", 204, "")
	if e := c.next("PlaybackFinished"); e.Playback.ID != "again" || e.Playback.State != "done" {
		t.Errorf("%+v", e.Playback)
	}
	c.want("POST", at, `{"name":"gone","format":"wav"}`, 201, "")
	c.want("POST", "/bridges/"+room+"/play", `{"media":"recording:gone"}`, 400, "Recording is in progress")
	c.want("DELETE", "/recordings/live/gone", "", 204, "")
	c.next("RecordingFinished", func(e happening) bool { return e.Recording.Name == "gone" && e.Recording.State == "done" })
	c.want("POST", "/recordings/stored/a%2Fx/copy?destinationRecordingName=b/y", "", 200, `{"name":"b/y","format":"wav"}`)
	c.want("POST", "/recordings/stored/a%2Fx/copy?destinationRecordingName=b/y", "", 409, "A recording with the same name already exists on the system")
	c.want("POST", "/recordings/stored/a%2Fx/copy?destinationRecordingName=../y", "", 403, "Destination file path is forbidden")
	c.want("POST", "/recordings/stored/a%2Fx/copy", "", 400, "Invalid destination recording name")
	c.want("POST", "/recordings/stored/a%2Fx/copy?destinationRecordingName="+strings.Repeat("x", 300), "", 500, "Copy failed")
	c.want("POST", "/recordings/stored/none/copy", "", 404, "Recording not found")
	c.want("POST", "/recordings/stored/none/copy?destinationRecordingName=../y", "", 404, "Recording not found")
	c.want("POST", "/recordings/stored/none/copy?destinationRecordingName=z", "", 404, "Recording not found")
	c.want("DELETE", "/recordings/stored/b%2Fy", "", 204, "")
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

// TestAnARIClientRecordsAChannel: what one member says, until a key or silence
// ends it, or he leaves; more is added to the file.
func TestAnARIClientRecordsAChannel(t *testing.T) {
	p := start(t, withPanel)
	dir := filepath.Join(p.config.StateDir, "recordings")
	c := p.listen(t, "app=panel&subscribeAll=true")
	alice := p.dial(t, "3001", siptest.Tone{Hz: 440, DBFS: -20})
	id := c.next("ChannelEnteredBridge").Channel.ID
	p.dial(t, "3001", siptest.Tone{Hz: 1000, DBFS: -20})
	c.next("ChannelEnteredBridge")
	at := "/channels/" + id + "/record"
	c.want("POST", "/channels/none/record", `{"name":"x","format":"wav"}`, 404, "Channel not found")
	c.want("POST", at, `{"name":"a/x","format":"wav","terminateOn":"#"}`, 201, `"target_uri":"channel:`+id+`"`)
	if e := c.next("RecordingStarted"); e.Recording.Target != "channel:"+id {
		t.Errorf("%+v", e.Recording)
	}
	if !eventually(20*time.Second, func() bool {
		is, err := os.Stat(filepath.Join(dir, "a", "x.wav"))
		return err == nil && is.Size() > 4000
	}) {
		t.Fatal("nothing is in the file")
	}
	if err := alice.Digits(t.Context(), "5#"); err != nil {
		t.Fatal(err)
	}
	if e := c.next("ChannelDtmfReceived"); e.Digit != "5" || e.Channel.ID != id || e.Duration < 20 || e.Duration > 1000 {
		t.Errorf("%+v", e)
	}
	if e := c.next("ChannelDtmfReceived"); e.Digit != "#" {
		t.Errorf("%+v", e)
	}
	if e := c.next("RecordingFinished"); e.Recording.State != "done" || e.Recording.Talking != nil {
		t.Errorf("%+v", e.Recording)
	}
	first := storedOne(t, filepath.Join(dir, "a", "x.wav"), 440, 1000)

	c.want("POST", at, `{"name":"a/x","format":"wav","ifExists":"append","terminateOn":"any"}`, 201, "")
	c.next("RecordingStarted")
	if err := alice.Digits(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	c.next("RecordingFinished")
	if second := storedOne(t, filepath.Join(dir, "a", "x.wav"), 440, 1000); second <= first {
		t.Errorf("%d samples, then %d", first, second)
	}

	c.want("POST", "/channels/"+id+"/mute?direction=in", "", 204, "")
	c.want("POST", at, `{"name":"quiet","format":"wav","maxSilenceSeconds":1}`, 201, "")
	if e := c.next("RecordingFinished"); e.Recording.Name != "quiet" || e.Recording.Talking == nil || *e.Recording.Talking != 0 {
		t.Errorf("%+v", e.Recording)
	}
	c.want("POST", at, `{"name":"last","format":"wav","beep":true}`, 201, "")
	c.next("RecordingStarted")
	alice.Hangup()
	if e := c.next("RecordingFinished"); e.Recording.Name != "last" || e.Recording.State != "done" {
		t.Errorf("%+v", e.Recording)
	}
}

// storedOne is how long a recording is, in samples; it has one tone in it, and
// not the other.
func storedOne(t *testing.T, file string, there, not float64) int {
	t.Helper()
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pcm, rate, err := sound.DecodeWAV(strings.NewReader(string(have)))
	if err != nil || len(pcm) < 1000 {
		t.Fatalf("%d samples at %d, %v", len(pcm), rate, err)
	}
	if got := audiotest.Power(pcm[:1000], int(rate), there); got < -24 {
		t.Errorf("%.0f Hz at %.1f dB", there, got)
	}
	if got := audiotest.Power(pcm, int(rate), not); got > -50 {
		t.Errorf("%.0f Hz at %.1f dB", not, got)
	}
	return len(pcm)
}
