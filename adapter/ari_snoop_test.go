package adapter_test

import (
	"encoding/json"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/audiotest"
	"parley/sip/siptest"
	"parley/sound"
)

// add brings a channel into a bridge.
func (c *panel) add(bridge, id string) {
	c.t.Helper()
	c.want("POST", "/bridges/"+bridge+"/addChannel?channel="+id, "", 204, "")
	c.next("ChannelEnteredBridge", of(id))
}

// of finds the events of a channel.
func of(id string) func(happening) bool {
	return func(e happening) bool { return e.Channel != nil && e.Channel.ID == id }
}

// gone waits for the end of a channel, and wants its cause.
func (c *panel) gone(id string, cause int) {
	c.t.Helper()
	c.next("StasisEnd", of(id))
	if e := c.next("ChannelDestroyed", of(id)); e.Cause != cause {
		c.t.Errorf("%s ended with %d, want %d", id, e.Cause, cause)
	}
}

// levels waits until these tones are heard at these levels: 0 is not at all.
func levels(t *testing.T, what string, c *siptest.Call, want map[float64]float64) {
	t.Helper()
	got := map[float64]float64{}
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); {
		pcm := listen([]*siptest.Call{c}, 400*time.Millisecond)[0]
		fits := true
		for hz, level := range want {
			got[hz] = audiotest.Steady(pcm, int(c.Rate()), hz)
			fits = fits && (level == 0 && got[hz] < -60 || math.Abs(got[hz]-level) < 1.5)
		}
		if fits {
			return
		}
	}
	t.Errorf("%s: %v, want %v", what, got, want)
}

// TestSnoopingIsRefusedInAsterisksWords, in the order of an Asterisk 22.10.
func TestSnoopingIsRefusedInAsterisksWords(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	p.dial(t, "3001", siptest.Tone{})
	id := c.next("StasisStart").Channel.ID
	c.want("POST", "/channels/create?app=panel&endpoint=sip:x@127.0.0.1&channelId=made", "", 200, "")
	for _, tt := range []struct {
		path   string
		status int
		answer string
	}{
		{"none/snoop?spy=x&whisper=x", 400, "Invalid direction specified for spy"},
		{"none/snoop?whisper=x", 400, "Invalid direction specified for whisper"},
		{"none/snoop?spy=IN", 400, "Invalid direction specified for spy"},
		{"none/snoop", 400, "Direction must be specified for at least spy or whisper"},
		{"none/snoop/x?spy=none&whisper=none&app=panel", 400, "Direction must be specified for at least spy or whisper"},
		{"none/snoop?whisper=in", 400, "Application name is required"},
		{"none/snoop?spy=in&app=panel", 404, "Provided channel was not found"},
		{id + "/snoop/made?spy=in&app=panel", 500, "Snoop channel could not be created"},
		{"made/snoop?spy=in&app=panel", 409, "Channel cannot be snooped on: it has no audio yet"},
	} {
		c.want(http.MethodPost, "/channels/"+tt.path, "", tt.status, tt.answer)
	}
}

// two are in room 3001: she says 440 Hz at -20 dBFS and has that channel, he 700 at -26.
func (c *panel) two(t *testing.T, p parley) (alice *siptest.Call, id string, bob *siptest.Call) {
	alice = p.dial(t, "3001", siptest.Tone{Hz: 440, DBFS: -20})
	id = c.next("ChannelEnteredBridge").Channel.ID
	bob = p.dial(t, "3001", siptest.Tone{Hz: 700, DBFS: -26})
	c.next("ChannelEnteredBridge")
	return alice, id, bob
}

// TestASupervisorListensAndWhispers to one of two, whom he follows from room to room.
func TestASupervisorListensAndWhispers(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	alice, id, bob := c.two(t, p)
	boss := p.dial(t, "coach", siptest.Tone{Hz: 1000, DBFS: -23})
	c.next("ChannelEnteredBridge")

	_, text := c.do("panel", "POST", "/channels/"+id+"/snoop/ear?app=panel&spy=both&whisper=out&appArgs=a,b", "")
	var made struct{ ID, Name, State string }
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.ID != "ear" || made.State != "Up" || !strings.HasPrefix(made.Name, "Snoop/"+id+"-0") {
		t.Fatal(text, err)
	}
	if e := c.next("ChannelCreated", of("ear")); e.Channel.State != "Up" || e.Channel.Name != made.Name {
		t.Errorf("created %+v", e.Channel)
	}
	if e := <-c.events; e.Type != "StasisStart" || len(e.Args) != 2 || e.Args[1] != "b" {
		t.Errorf("after ChannelCreated %+v", e)
	}
	c.want("POST", "/channels/ear/dial", "", 409, "Channel is not in the 'Down' state")
	c.add("coach", "ear")
	levels(t, "the supervisor", boss, map[float64]float64{440: -20, 700: -26, 1000: 0})
	levels(t, "who is whispered to", alice, map[float64]float64{440: 0, 700: -26, 1000: -23})
	levels(t, "the other", bob, map[float64]float64{440: -20, 700: 0, 1000: 0})

	c.want("POST", "/bridges", `{"name":"3002"}`, 200, "")
	c.add("3002", id)
	levels(t, "the supervisor of who is alone now", boss, map[float64]float64{440: -20, 700: 0})
	levels(t, "who is alone", alice, map[float64]float64{440: 0, 700: 0, 1000: -23})
	c.add("3002", "ear") // beside him: what is whispered to him is what he says, a little later
	c.add("coach", "ear")

	c.want("DELETE", "/channels/"+id, "", 204, "")
	c.gone("ear", 0)
	levels(t, "the supervisor at the end", boss, map[float64]float64{440: 0, 700: 0, 1000: 0})
}

// TestAProgramHearsOneMember, by a snoop in the room of its externalMedia, and what it
// says is as if he said it.
func TestAProgramHearsOneMember(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	p.dial(t, "3001", siptest.Tone{Hz: 440, DBFS: -20})
	id := c.next("ChannelEnteredBridge").Channel.ID
	bob := p.dial(t, "3001", siptest.Tone{Hz: 700, DBFS: -26})
	c.next("ChannelEnteredBridge")
	program, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	_, text := c.do("panel", "POST", "/channels/externalMedia?app=panel&format=ulaw&channelId=em&external_host="+program.LocalAddr().String(), "")
	var made struct {
		Vars map[string]string `json:"channelvars"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(text, err)
	}
	at, err := net.ResolveUDPAddr("udp4", made.Vars["UNICASTRTP_LOCAL_ADDRESS"]+":"+made.Vars["UNICASTRTP_LOCAL_PORT"])
	if err != nil {
		t.Fatal(err)
	}
	c.want("POST", "/channels/"+id+"/snoop?app=panel&spy=in&whisper=in&snoopId=ear", "", 200, `"name":"Snoop/`)
	c.want("POST", "/channels/ear/snoop?app=panel&spy=both&snoopId=second", "", 200, `"name":"Snoop/ear-`)
	c.want("POST", "/channels/em/snoop?app=panel&spy=both&snoopId=third", "", 200, `"name":"Snoop/em-`) // which is in no room
	c.want("POST", "/bridges", `{"name":"ai"}`, 200, "")
	c.add("ai", "em")
	c.add("ai", "ear")
	talkBack(t, program, at, 440, 1000)
	levels(t, "the other", bob, map[float64]float64{440: -20, 700: 0, 1000: -20})
	judge := p.dial(t, "judge", siptest.Tone{})
	c.next("ChannelEnteredBridge")
	c.add("judge", "second")
	levels(t, "of a snoop", judge, map[float64]float64{440: -20, 700: 0, 1000: -20})

	c.want("DELETE", "/channels/ear", "", 204, "")
	c.gone("ear", 16)
	c.gone("second", 0)
	levels(t, "the other after it", bob, map[float64]float64{440: -20, 1000: 0})
	c.add("judge", "third")
	levels(t, "of a program", judge, map[float64]float64{440: 0, 1000: -20})
	c.want("DELETE", "/channels/em", "", 204, "")
	c.gone("third", 0)

	c.want("POST", "/channels/"+id+"/snoop?app=panel&spy=in&snoopId=alone", "", 200, "")
	c.want("DELETE", "/channels/"+id, "", 204, "")
	c.gone("alone", 0)
}

// TestASnoopInNoRoomIsRecordedAndPlayedTo: it has a room of its own then, from which it
// can be brought to another.
func TestASnoopInNoRoomIsRecordedAndPlayedTo(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	alice, id, bob := c.two(t, p)
	c.want("POST", "/channels/"+id+"/snoop?app=panel&spy=both&whisper=out&snoopId=ear", "", 200, "")
	c.want("POST", "/channels/ear/record", `{"name":"both","format":"wav"}`, 201, `"target_uri":"channel:ear"`)
	c.next("RecordingStarted")
	c.want("POST", "/channels/ear/play/p", `{"media":"tone:1000"}`, 400, "media cannot be played")
	c.want("POST", "/channels/ear/moh", "", 204, "")
	hears(t, bob, 440)
	c.want("DELETE", "/channels/ear/moh", "", 204, "")
	levels(t, "who was played to", alice, map[float64]float64{440: 0, 700: -26})
	c.want("POST", "/recordings/live/both/stop", "", 204, "")
	if e := c.next("RecordingFinished"); e.Recording.State != "done" {
		t.Errorf("%+v", e.Recording)
	}
	have, err := os.ReadFile(filepath.Join(p.config.StateDir, "recordings", "both.wav"))
	if err != nil {
		t.Fatal(err)
	}
	pcm, rate, err := sound.DecodeWAV(strings.NewReader(string(have)))
	if err != nil {
		t.Fatal(err)
	}
	for hz, level := range map[float64]float64{440: -20, 700: -26} {
		if got := audiotest.Steady(pcm, int(rate), hz); math.Abs(got-level) > 1.5 {
			t.Errorf("recorded: %v Hz at %.1f dB, want %v", hz, got, level)
		}
	}
	boss := p.dial(t, "coach", siptest.Tone{Hz: 1000, DBFS: -23})
	c.next("ChannelEnteredBridge", func(e happening) bool { return e.Bridge.Name == "coach" })
	c.add("coach", "ear")
	levels(t, "the supervisor", boss, map[float64]float64{440: -20, 700: -26, 1000: 0})
	levels(t, "who is whispered to", alice, map[float64]float64{700: -26, 1000: -23})
	c.want("DELETE", "/channels/ear", "", 204, "")
	c.gone("ear", 16)
}
