package adapter_test

import (
	"testing"

	"parley/sip/siptest"
)

// TestAnApplicationHearsOfTheBridgesOfItsChannels without subscribing, as at an
// Asterisk 22: of each as long as one of its channels is there.
func TestAnApplicationHearsOfTheBridgesOfItsChannels(t *testing.T) {
	p := start(t, withPanel)
	all := p.listen(t, "app=all&subscribeAll=true")
	p.dial(t, "3001", siptest.Tone{})
	first := all.next("ChannelEnteredBridge")
	bridge := first.Bridge.ID
	c := p.listen(t, "app=parley") // a call is in it already
	c.want("GET", "/applications/parley", "", 200, `"channel_ids":["`+first.Channel.ID+`"],"bridge_ids":["`+bridge+`"]`)
	c.want("GET", "/applications/all", "", 200, `"channel_ids":[],"bridge_ids":[]`)
	p.dial(t, "3001", siptest.Tone{})
	second := c.next("ChannelEnteredBridge").Channel.ID
	of := `"channel_ids":["` + min(first.Channel.ID, second) + `","` + max(first.Channel.ID, second) + `"],"bridge_ids":["` + bridge + `"]`
	c.want("GET", "/applications/parley", "", 200, of)
	c.want("POST", "/bridges/"+bridge+"/play/p", `{"media":"sound:beep"}`, 201, "")
	c.next("PlaybackStarted")
	c.next("PlaybackFinished")
	c.want("POST", "/bridges/"+bridge+"/record", `{"name":"r","format":"wav"}`, 201, "")
	c.next("RecordingStarted")
	c.want("POST", "/recordings/live/r/stop", "", 204, "")
	c.next("RecordingFinished")

	source := "/applications/parley/subscription?eventSource="
	c.want("DELETE", source+"bridge:"+bridge, "", 200, of) // there are two channels
	c.want("DELETE", source+"bridge:"+bridge, "", 200, `"bridge_ids":[]`)
	c.want("DELETE", source+"bridge:"+bridge, "", 422, "Event source was not subscribed to")
	c.want("POST", source+"bridge:"+bridge, "", 200, of)
	c.want("POST", source+"bridge:"+bridge, "", 200, of)
	c.want("DELETE", source+"bridge:"+bridge, "", 200, of)

	c.want("DELETE", source+"channel:"+second, "", 200, `"channel_ids":["`+first.Channel.ID+`"]`)
	c.want("POST", "/channels/"+second+"/variable?variable=UNHEARD&value=1", "", 204, "")
	c.want("POST", "/channels/"+first.Channel.ID+"/variable?variable=HEARD&value=1", "", 204, "")
	if e := c.next("ChannelVarset"); e.Variable != "HEARD" || e.Channel.ID != first.Channel.ID {
		t.Errorf("%+v", e)
	}
	c.want("DELETE", "/bridges/"+bridge, "", 204, "")
	if e := c.next("BridgeDestroyed"); e.Bridge.ID != bridge {
		t.Errorf("%+v", e)
	}
	c.want("GET", "/applications/parley", "", 200, `"channel_ids":[],"bridge_ids":[]`)
}

// TestAnApplicationHearsOfABridgeThatItHasMade while its channels are in it, and
// keeps what it has subscribed to itself.
func TestAnApplicationHearsOfABridgeThatItHasMade(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=parley")
	p.dial(t, "3001", siptest.Tone{})
	id := c.next("ChannelEnteredBridge").Channel.ID
	c.want("POST", "/bridges/mine?name=3002", "", 200, "mine")
	c.want("GET", "/applications/parley", "", 200, `"channel_ids":["`+id+`"]`)
	c.want("POST", "/bridges/mine/addChannel?channel="+id, "", 204, "")
	c.next("ChannelEnteredBridge", func(e happening) bool { return e.Bridge.ID == "mine" })
	c.want("GET", "/applications/parley", "", 200, `"bridge_ids":["mine"]`)
	c.want("POST", "/bridges/mine/play/p", `{"media":"sound:beep"}`, 201, "")
	c.next("PlaybackStarted")
	c.next("PlaybackFinished")
	c.want("POST", "/bridges/mine/record", `{"name":"r","format":"wav"}`, 201, "")
	c.next("RecordingStarted")

	other := p.listen(t, "app=other")
	c.want("POST", "/channels/"+id+"/move?app=other", "", 204, "")
	if e := other.next("StasisStart"); e.Channel.ID != id {
		t.Errorf("%+v", e)
	}
	c.want("GET", "/applications/parley", "", 200, `"channel_ids":[],"bridge_ids":[]`)
	c.want("GET", "/applications/other", "", 200, `"channel_ids":["`+id+`"],"bridge_ids":["mine"]`)
	c.want("POST", "/applications/parley/subscription?eventSource=bridge:mine", "", 200, `"bridge_ids":["mine"]`)
	c.want("DELETE", "/channels/"+id, "", 204, "")
	other.next("ChannelDestroyed")
	c.next("ChannelLeftBridge")
	c.want("GET", "/applications/other", "", 200, `"channel_ids":[],"bridge_ids":[]`)
	c.want("GET", "/applications/parley", "", 200, `"bridge_ids":["mine"]`)
	c.want("DELETE", "/bridges/mine", "", 204, "")
	c.next("BridgeDestroyed")
}

// TestAnApplicationSubscribesToAllOfAKind by a source without an id, as in Asterisk,
// where that is not taken back.
func TestAnApplicationSubscribesToAllOfAKind(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=all")
	source := "/applications/all/subscription?eventSource="
	c.want("POST", "/bridges/unheard", "", 200, "")
	c.want("POST", source+"bridge:", "", 200, `"bridge_ids":["__AST_BRIDGE_ALL_TOPIC"]`)
	c.want("POST", "/bridges/heard", "", 200, "")
	if e := c.next("BridgeCreated"); e.Bridge.ID != "heard" {
		t.Errorf("%+v", e.Bridge)
	}
	c.want("POST", source+"channel:", "", 200, `"channel_ids":["__AST_CHANNEL_ALL_TOPIC"]`)
	c.want("POST", "/channels/create?app=other&endpoint=sip:x@127.0.0.1&channelId=heard:", "", 200, "")
	c.want("DELETE", "/channels/heard:", "", 204, "")
	if e := c.next("ChannelHangupRequest"); e.Channel.ID != "heard:" {
		t.Errorf("%+v", e.Channel)
	}
	if e := c.next("ChannelDestroyed"); e.Channel.ID != "heard:" {
		t.Errorf("%+v", e.Channel)
	}
	c.want("DELETE", source+"bridge:", "", 501, "Method not implemented")
	for _, kind := range []string{"bridge", "channel", "endpoint"} {
		c.want("POST", "/events/user/x?application=all&source="+kind+":", "", 422, "Event source was not found")
	}
}
