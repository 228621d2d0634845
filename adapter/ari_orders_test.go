package adapter_test

import (
	"testing"
	"time"

	"parley/internal/audiotest"
	"parley/sip/siptest"
)

// TestAnARIClientTakesACallToAnotherRoom, and it is the same channel.
func TestAnARIClientTakesACallToAnotherRoom(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	p.dial(t, "3001", siptest.Tone{})
	id := c.next("ChannelEnteredBridge").Channel.ID
	c.want("POST", "/bridges", `{"name":"3002","bridgeId":"second"}`, 200, "second")
	c.want("POST", "/bridges/second/addChannel", `{"channel":"`+id+`","mute":true}`, 422, "add it without mute")
	c.want("POST", "/bridges/second/addChannel", `{"channel":"`+id+`"}`, 204, "")
	c.next("ChannelLeftBridge")
	if e := c.next("ChannelEnteredBridge"); e.Channel.ID != id || e.Bridge.ID != "second" {
		t.Errorf("%+v %+v", e.Channel, e.Bridge)
	}
	c.want("GET", "/channels/"+id+"/variable?variable=PARLEY_ROOM", "", 200, `{"value":"3002"}`)
	c.want("POST", "/bridges/second/addChannel", `{"channel":"`+id+`","mute":true}`, 204, "")
	if v, err := p.client().Room(t.Context(), "3002"); err != nil || !v.Members[0].Muted {
		t.Errorf("%+v %v", v.Members, err)
	}
	c.want("POST", "/bridges/second/addChannel?channel=nobody", "", 400, "Channel not found")
	c.want("POST", "/bridges/second/removeChannel?channel=nobody", "", 400, "Channel not found")

	other := p.listen(t, "app=other")
	c.want("POST", "/channels/"+id+"/move?app=nobody", "", 404, "Application not found")
	c.want("POST", "/channels/"+id+"/move?app=other&appArgs=a,b", "", 204, "")
	if e := c.next("StasisEnd"); e.Channel.ID != id {
		t.Errorf("%+v", e)
	}
	if e := other.next("StasisStart"); e.Channel.ID != id || len(e.Args) != 2 || e.Args[1] != "b" {
		t.Errorf("%+v", e)
	}
	for _, name := range []string{"PARLEY_ROOM", "parley_profile", "UNIQUEID", "CHANNEL"} {
		c.want("POST", "/channels/"+id+"/variable?variable="+name+"&value=x", "", 409, name+" says how the call is")
	}
	c.want("POST", "/channels/"+id+"/variable?variable=X&value=y", "", 204, "")
	c.want("GET", "/channels/"+id+"/variable?variable=X", "", 200, `{"value":"y"}`)
	c.want("POST", "/channels/"+id+"/variables", `{"variables":{"A":"1","B":{"value":"2"}}}`, 204, "")
	c.want("GET", "/channels/"+id+"/variables?variables=A,B,PARLEY_ROOM", "", 200, `{"variables":{"A":"1","B":"2","PARLEY_ROOM":"3002"}}`)
	c.want("GET", "/channels/"+id+"/variables?variables=A,NOPE", "", 404, "Provided variable was not found")
	c.want("GET", "/channels/"+id+"/variables", "", 400, "At least one variable name is required")
	c.want("POST", "/channels/"+id+"/variables", "", 400, "The 'variables' field is required")
	for name, value := range map[string]string{"CHANNEL(audionativeformat)": "(ulaw)", "CHANNEL(state)": "Up", "EXTEN": "3001", "UNIQUEID": id, "EPOCH": "17"} {
		c.want("GET", "/channels/"+id+"/variable?variable="+name, "", 200, `{"value":"`+value)
	}
	c.want("GET", "/channels/"+id+"/variable?variable=CHANNEL(peerip)", "", 500, "Unable to read provided function")
	c.want("GET", "/asterisk/variable?variable=EPOCH", "", 200, `{"value":"17`)
	c.want("GET", "/asterisk/variable?variable=NOPE", "", 200, `{"value":""}`)
	c.want("GET", "/asterisk/variable", "", 400, "Variable name is required")
	c.want("GET", "/bridges/second/variable?variable=X", "", 404, "Provided variable was not found")
	c.want("POST", "/bridges/second/variable?variable=X&value=1", "", 204, "")
	c.want("POST", "/bridges/second/variables", `{"variables":{"Y":"2"}}`, 204, "")
	c.want("GET", "/bridges/second/variables?variables=X,Y", "", 200, `{"variables":{"X":"1","Y":"2"}}`)
	c.want("DELETE", "/channels/"+id, "", 204, "")
	other.next("ChannelDestroyed")
}

// TestAnARIClientPlays what Asterisk has under names of its own.
func TestAnARIClientPlays(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	alice := p.dial(t, "3001", siptest.Tone{})
	id := c.next("ChannelEnteredBridge").Channel.ID
	at := "/channels/" + id
	for _, media := range []string{"sound:beep", "sound:digits/7", "sound:silence/1", "digits:42", "number:7"} {
		c.want("POST", at+"/play/p", `{"media":"`+media+`"}`, 201, "")
		c.next("PlaybackFinished", func(e happening) bool { return e.Playback.ID == "p" && e.Playback.State == "done" })
	}
	for _, media := range []string{"sound:digits/star", "tone:440/200", "tone:stutter", "digits:4x", "number:1000", "sound:letters/a", "sound:"} {
		c.want("POST", at+"/play/p", `{"media":"`+media+`"}`, 400, "media cannot be played")
	}
	for _, tone := range []string{"ring", "busy;tonezone=de", "dial", "congestion", "busy;tonezone=uk"} {
		c.want("POST", at+"/play/p", `{"media":"tone:`+tone+`"}`, 201, "")
		c.next("PlaybackStarted")
		c.want("DELETE", "/playbacks/p", "", 204, "")
		c.next("PlaybackFinished", func(e happening) bool { return e.Playback.State == "done" })
	}

	c.want("POST", at+"/play/p", `{"media":"tone:ring"}`, 201, "")
	c.next("PlaybackStarted")
	control := "/playbacks/p/control"
	c.want("POST", control, "", 400, "Missing operation")
	c.want("POST", control+"?operation=jump", "", 400, "Invalid operation jump")
	c.want("POST", "/playbacks/none/control?operation=pause", "", 404, "Playback not found")
	for range 2 {
		c.want("POST", control+"?operation=pause", "", 204, "")
		c.want("GET", "/playbacks/p", "", 200, `"state":"paused"`)
	}
	c.want("POST", control+"?operation=forward", "", 409, "Can only forward while media is playing")
	c.want("POST", control+"?operation=unpause", "", 204, "")
	c.next("PlaybackStarted")
	c.want("POST", control+"?operation=unpause", "", 204, "")
	c.want("POST", control+"?operation=forward", "", 204, "")
	c.want("POST", control+"?operation=reverse", "", 204, "")
	for range 2 {
		c.want("POST", "/playbacks/p/control?operation=restart", "", 204, "")
		c.want("GET", "/playbacks/p", "", 200, `"state":"playing"`)
	}
	c.want("DELETE", "/playbacks/p", "", 204, "")
	c.next("PlaybackFinished")
	c.want("GET", "/playbacks/p", "", 404, "")
	c.want("POST", at+"/play/p", `{"media":"sound:silence/30","skipms":"soon"}`, 400, "skipms is a number")
	c.want("POST", at+"/play/p", `{"media":"sound:beep","offsetms":-1}`, 400, "offsetms cannot be negative")
	for _, to := range []string{at, "/bridges/3001"} { // a minute is over soon
		c.want("POST", to+"/play/p", `{"media":"sound:silence/60","skipms":20000,"offsetms":1000}`, 201, "")
		c.next("PlaybackStarted")
		c.want("POST", control+"?operation=pause", "", 204, "")
		c.want("POST", control+"?operation=unpause", "", 204, "")
		c.want("POST", control+"?operation=forward", "", 204, "")
		c.want("POST", control+"?operation=forward", "", 204, "")
		c.want("POST", control+"?operation=forward", "", 204, "")
		c.next("PlaybackFinished", func(e happening) bool { return e.Playback.ID == "p" && e.Playback.State == "done" })
	}

	room := "/bridges/3001/play/"
	c.want("POST", room+"first", `{"media":"sound:silence/60"}`, 201, `"state":"queued"`)
	c.next("PlaybackStarted", func(e happening) bool { return e.Playback.ID == "first" })
	c.want("POST", room+"second", `{"media":"sound:silence/60"}`, 201, `"state":"queued"`)
	c.want("GET", "/playbacks/second", "", 200, `"state":"queued"`)
	c.want("POST", "/playbacks/second/control?operation=pause", "", 409, "Can only pause while media is playing")
	c.want("DELETE", "/playbacks/first", "", 204, "")
	c.next("PlaybackFinished", func(e happening) bool { return e.Playback.ID == "first" })
	c.next("PlaybackStarted", func(e happening) bool { return e.Playback.ID == "second" })
	c.want("DELETE", "/playbacks/second", "", 204, "")
	c.next("PlaybackFinished")

	c.want("POST", at+"/dtmf", "", 400, "DTMF is required")
	c.want("POST", at+"/mute?direction=", "", 400, "Direction is required")
	c.want("DELETE", at+"?reason=bored", "", 400, "Invalid reason for hangup reason provided")
	c.want("DELETE", at+"?reason_code=x", "", 400, "Invalid reason for hangup reason code provided")
	c.want("DELETE", at+"?reason=normal&reason_code=16", "", 400, "can't both be specified")
	c.want("POST", at+"/variable?value=1", "", 400, "Variable name is required")
	c.want("GET", at+"/variable", "", 400, "Variable name is required")
	c.want("POST", at+"/dtmf?dtmf=1x", "", 400, "DTMF is 1 to 64")
	c.want("POST", at+"/dtmf?dtmf=1&duration=5", "", 400, "duration")
	c.want("POST", at+"/dtmf?dtmf=5&duration=2000&before=20", "", 204, "")
	hears(t, alice, 770, 1336)
	c.want("POST", at+"/play/p", `{"media":"sound:silence/0"}`, 201, "")

	c.want("POST", "/bridges/3001/moh?mohClass=nothing-so-called", "", 400, "Music cannot be played")
	c.want("POST", "/bridges/3001/moh", "", 204, "")
	c.want("DELETE", "/bridges/3001/moh", "", 204, "")
	c.want("POST", "/bridges", `{"name":"3002"}`, 200, "")
	c.want("POST", "/bridges/3002/moh", "", 409, "Nobody is in the bridge")
}

// hears waits until a caller hears tones.
func hears(t *testing.T, c *siptest.Call, hz ...float64) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); {
		pcm := listen([]*siptest.Call{c}, 200*time.Millisecond)[0]
		all := true
		for _, f := range hz {
			all = all && audiotest.Power(pcm, int(c.Rate()), f) > -30
		}
		if all {
			return
		}
	}
	t.Errorf("nothing is heard at %v Hz", hz)
}
