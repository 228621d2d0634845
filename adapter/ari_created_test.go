package adapter_test

import (
	"encoding/json"
	"net"
	"strconv"
	"testing"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/internal/audiotest"
	"parley/sip/siptest"
)

// TestAnARIClientCreatesACallAndDialsIt into the bridge that it was added to.
func TestAnARIClientCreatesACallAndDialsIt(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel")
	bob, err := siptest.New(siptest.Options{User: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	create := `{"endpoint":"` + bob.URI() + `","app":"panel","appArgs":"dialled","channelId":"to-bob"}`
	c.want("POST", "/channels/create", `{"app":"panel"}`, 400, "Endpoint must be specified")
	c.want("POST", "/channels/create", create, 200, `"state":"Down"`)
	if e := c.next("StasisStart"); e.Channel.ID != "to-bob" || len(e.Args) != 1 || e.Args[0] != "dialled" {
		t.Errorf("%+v", e)
	}
	c.want("POST", "/channels/create", create, 409, "already exists")
	c.want("POST", "/channels/to-bob/dial", "", 409, "Channel is in no bridge")
	c.want("POST", "/channels/nobody/dial", "", 404, "Channel not found")
	c.want("POST", "/channels/to-bob/mute", "", 412, "Channel in invalid state")
	c.want("POST", "/channels/to-bob/play?media=sound:beep", "", 412, "Channel in invalid state")
	c.want("POST", "/bridges/b?name=3001", "", 200, "3001")
	c.want("POST", "/bridges/b/addChannel?channel=to-bob", "", 204, "")
	c.want("POST", "/channels/to-bob/variable?variable=PJSIP_HEADER(add,X-Desk)&value=7", "", 204, "")
	c.want("POST", "/channels/to-bob/dial?timeout=soon", "", 400, "Invalid timeout")
	c.want("POST", "/channels/to-bob/dial?timeout=20", "", 204, "")
	c.want("POST", "/channels/to-bob/dial", "", 409, "Channel is not in the 'Down' state")
	theirs, err := bob.Accept(t.Context(), siptest.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if e := c.next("Dial", func(e happening) bool { return e.DialStatus == "ANSWER" }); e.Peer.ID != "to-bob" || e.Peer.State != "Up" {
		t.Errorf("%+v", e.Peer)
	}
	if e := c.next("ChannelEnteredBridge"); e.Channel.ID != "to-bob" || e.Bridge.ID != "b" {
		t.Errorf("%+v %+v", e.Channel, e.Bridge)
	}
	c.want("DELETE", "/channels/to-bob", "", 204, "")
	<-theirs.Done()
	c.next("ChannelDestroyed")

	c.want("POST", "/channels/create", create, 200, "")
	c.want("DELETE", "/channels/to-bob", "", 204, "")
	c.next("ChannelDestroyed")
	c.want("GET", "/channels/to-bob", "", 404, "Channel not found")
	c.want("POST", "/channels/create", `{"endpoint":"none/1","app":"panel","channelId":"none","variables":{"PARLEY_ROOM":"3001"}}`, 500, "no way to that address")
	c.want("GET", "/channels/none", "", 404, "Channel not found")
}

// TestAProgramHearsARoomAndIsHeard, as RTP by externalMedia.
func TestAProgramHearsARoomAndIsHeard(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	alice := p.dial(t, "3001", siptest.Tone{Hz: 440, DBFS: -20})
	room := c.next("ChannelEnteredBridge").Bridge.ID
	program, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	at := "&external_host=" + program.LocalAddr().String()
	for query, want := range map[string]string{
		"format=ulaw": "external_host is required", at[1:]: "format cannot be empty", "format=ulaw&external_host=x": "external_host must be",
		"format=ulaw&transport=tcp" + at: "transport must be 'udp'", "format=ulaw&direction=up" + at: "Invalid direction specified",
		"format=ulaw&connection_type=server" + at:   "'server' connection_type",
		"format=ulaw&external_host=127.0.0.1:99999": "99999", "format=ulaw&external_host=127.0.0.1:0": "no number from 1 to 65535",
		"format=ulaw&external_host=127.0.0.1:": "no number from 1 to 65535",
	} {
		c.want("POST", "/channels/externalMedia?app=panel&"+query, "", 400, want)
	}
	c.want("POST", "/channels/externalMedia?format=ulaw"+at, "", 400, "app cannot be empty")
	c.want("POST", "/channels/externalMedia?app=panel&format=ulaw&encapsulation=audiosocket"+at, "", 501, "is not supported")
	c.want("POST", "/channels/externalMedia?app=panel&format=gsm&channelId=em"+at, "", 500, "An internal error prevented")

	_, text := c.do("panel", "POST", "/channels/externalMedia?app=panel&format=ulaw&channelId=em&data=a,b"+at, "")
	var made struct {
		ID   string
		Vars map[string]string `json:"channelvars"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.ID != "em" {
		t.Fatal(text, err)
	}
	if e := c.next("StasisStart", func(e happening) bool { return e.Channel.ID == "em" }); len(e.Args) != 2 || e.Channel.State != "Up" {
		t.Errorf("%+v", e)
	}
	c.want("POST", "/channels/externalMedia?app=panel&format=ulaw&channelId=em"+at, "", 500, "handled: Channel with given unique ID already exists")
	c.want("GET", "/channels/em/variable?variable=UNICASTRTP_LOCAL_PORT", "", 200, made.Vars["UNICASTRTP_LOCAL_PORT"])
	c.want("POST", "/bridges/"+room+"/addChannel?channel=em", "", 204, "")
	c.next("ChannelEnteredBridge", func(e happening) bool { return e.Channel.ID == "em" })
	port, err := strconv.Atoi(made.Vars["UNICASTRTP_LOCAL_PORT"])
	if err != nil {
		t.Fatal(err)
	}
	talkBack(t, program, &net.UDPAddr{IP: net.ParseIP(made.Vars["UNICASTRTP_LOCAL_ADDRESS"]), Port: port}, 440, 1000)
	hears(t, alice, 1000)
	c.want("DELETE", "/channels/em", "", 204, "")
	c.next("ChannelDestroyed", func(e happening) bool { return e.Channel.ID == "em" })

	c.want("POST", "/channels/externalMedia?app=panel&format=slin16&channelId=em"+at, "", 200, "UNICASTRTP_LOCAL_PORT")
	c.want("POST", "/channels/externalMedia?app=panel&format=slin16&channelId=em"+at, "", 500, "already exists")
	c.want("DELETE", "/channels/em", "", 204, "")
	c.next("ChannelDestroyed", func(e happening) bool { return e.Channel.ID == "em" })
}

// talkBack answers each packet with one of a tone until the other tone is heard,
// and goes on as long as the test does.
func talkBack(t *testing.T, program *net.UDPConn, to *net.UDPAddr, heard, tone float64) {
	t.Helper()
	f := codec.PCMU()
	decoder, encoder := f.Decoder(), f.Encoder()
	said := audiotest.Tone(8000, tone, -20, 160, 0) // a whole number of periods
	found := make(chan struct{})
	go func() {
		var all []int16
		in, pcm := make([]byte, 1500), make([]int16, 960)
		for seq, open := uint16(0), true; ; seq++ {
			n, err := program.Read(in)
			if err != nil || n < 13 {
				return
			}
			k, _ := decoder.Decode(pcm, in[12:n])
			if all = append(all, pcm[:k]...); open && len(all) >= 1600 {
				if audiotest.Power(all, 8000, heard) > -30 {
					close(found)
					open = false
				}
				all = all[:0]
			}
			out := make([]byte, 12+160)
			out[0], out[2], out[3] = 0x80, byte(seq>>8), byte(seq)
			stamp := 160 * uint32(seq)
			out[4], out[5], out[6], out[7] = byte(stamp>>24), byte(stamp>>16), byte(stamp>>8), byte(stamp)
			_, _ = encoder.Encode(out[12:], said)
			_, _ = program.WriteTo(out, to)
		}
	}()
	select {
	case <-found:
	case <-time.After(20 * time.Second):
		t.Error("the program hears nothing")
	}
}

// TestACallerTakesNoChannelsName: the Call-ID is his to choose, and may be the id
// of a channel that a client has created.
func TestACallerTakesNoChannelsName(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel")
	c.want("POST", "/channels/create", `{"endpoint":"sip:nobody@127.0.0.1:9","app":"panel","channelId":"mine"}`, 200, `"state":"Down"`)
	c.next("StasisStart")
	call := p.dialWith(t, "3001", siptest.Options{}, siptest.CallOptions{CallID: "mine"})
	p.until(t, "3001", "with him", func(v engine.RoomView) bool { return len(v.Members) == 1 })
	c.want("GET", "/channels", "", 200, `"id":"mine"`)
	c.want("GET", "/channels", "", 200, `"id":"mine~`)
	c.want("DELETE", "/channels/mine", "", 204, "")
	c.want("GET", "/channels", "", 200, `"id":"mine~`)
	call.Hangup()
}
