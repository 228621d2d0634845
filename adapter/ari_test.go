package adapter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/adapter/config"
	"parley/sip/siptest"
)

// panel is a client of the ARI of a Parley.
type panel struct {
	t      *testing.T
	base   string
	events chan happening
}

// happening is what a test looks at in an event.
type happening struct {
	Type        string
	Timestamp   string
	Application string
	AsteriskID  string `json:"asterisk_id"`
	Args        []string
	Cause       int
	DialStatus  string
	EventName   string
	Variable    string
	Digit       string
	Duration    int `json:"duration_ms"`
	Channel     *struct{ ID, State, Name string }
	Peer        *struct{ ID, State string }
	Playback    *struct {
		ID, State string
		Media     string `json:"media_uri"`
		Next      string `json:"next_media_uri"`
	}
	Recording *struct {
		Name, State, Cause string
		Duration           int
		Target             string `json:"target_uri"`
		Talking            *int   `json:"talking_duration"`
	}
	Bridge *struct {
		ID, Name string
		Channels []string
	}
}

const panelPassword = "a-long-password"

func withPanel(c *config.Config) {
	quiet(c)
	c.ARIServer.Users = []config.ARIUser{
		{Name: "panel", Password: config.NewSecret(panelPassword)}, {Name: "reader", Password: config.NewSecret(panelPassword), ReadOnly: true},
	}
}

// listen opens the events of an application.
func (p parley) listen(t *testing.T, query string) *panel {
	t.Helper()
	c := &panel{t: t, base: "http://" + p.config.HTTP.Listen + "/ari", events: make(chan happening, 1000)}
	ws, resp, err := websocket.Dial(t.Context(), c.base+"/events?api_key=panel:"+panelPassword+"&"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	ws.SetReadLimit(1 << 20)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, data, err := ws.Read(ctx)
			if err != nil {
				return
			}
			var e happening
			if err := json.Unmarshal(data, &e); err != nil {
				t.Errorf("%s: %v", data, err)
			}
			c.events <- e
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = ws.CloseNow()
	})
	return c
}

// next waits for an event of a type; what comes before it is of no interest.
func (c *panel) next(kind string, is ...func(happening) bool) happening {
	c.t.Helper()
	limit := time.After(20 * time.Second)
	var seen []string
	for {
		select {
		case e := <-c.events:
			fits := e.Type == kind
			for _, f := range is {
				fits = fits && f(e)
			}
			if fits {
				return e
			}
			seen = append(seen, e.Type)
		case <-limit:
			c.t.Fatalf("no %s among %v", kind, seen)
			return happening{}
		}
	}
}

// do sends a request as user; a body is JSON.
func (c *panel) do(user, method, path, body string) (int, string) {
	c.t.Helper()
	return c.tell(user, panelPassword, method, path, body)
}

func (c *panel) tell(user, password, method, path, body string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

func (c *panel) want(method, path, body string, status int, answer string) {
	c.t.Helper()
	if got, text := c.do("panel", method, path, body); got != status || !strings.Contains(text, answer) {
		c.t.Errorf("%s %s: %d %s, want %d %s", method, path, got, text, status, answer)
	}
}

func TestAnARIClientSeesAndDrivesARoom(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	alice := p.dial(t, "3001", siptest.Tone{Hz: 440, DBFS: -20})
	in := c.next("StasisStart")
	if in.Channel.State != "Up" || fmt.Sprint(in.Args) != "[3001 member]" || in.Application != "panel" || len(in.AsteriskID) != 17 ||
		!strings.HasSuffix(in.Timestamp, "+0000") {
		t.Errorf("%+v %+v", in, in.Channel)
	}
	entered := c.next("ChannelEnteredBridge")
	id, room := in.Channel.ID, entered.Bridge.ID
	if entered.Channel.ID != id || entered.Bridge.Name != "3001" || fmt.Sprint(entered.Bridge.Channels) != "["+id+"]" {
		t.Errorf("%+v %+v", entered.Channel, entered.Bridge)
	}
	c.next("ChannelTalkingStarted")
	c.want("GET", "/bridges/"+room, "", 200, `"channels":["`+id+`"]`)
	c.want("GET", "/bridges/3001", "", 200, `"id":"`+room+`"`)
	c.want("GET", "/channels/"+id+"/variable?variable=PARLEY_ROOM", "", 200, `{"value":"3001"}`)
	c.want("POST", "/channels/"+id+"/mute", `{"direction":"in"}`, 204, "")
	c.next("ChannelUserevent", func(e happening) bool { return e.EventName == "participant.muted" })
	v, err := p.client().Room(t.Context(), "3001")
	if err != nil || !v.Members[0].Muted || v.Members[0].Deaf {
		t.Errorf("%+v %v", v.Members, err)
	}
	c.want("DELETE", "/channels/"+id+"/mute?direction=in", "", 204, "")
	c.want("POST", "/channels/"+id+"/hold", "", 204, "")
	c.next("ChannelHold")
	c.want("DELETE", "/channels/"+id+"/hold", "", 204, "")
	c.next("ChannelUnhold")
	for target, uri := range map[string]string{"/channels/" + id: "channel:" + id, "/bridges/" + room: "bridge:" + room} {
		c.want("POST", target+"/play/p1", `{"media":["number:7"]}`, 201, `"target_uri":"`+uri+`"`)
		c.next("PlaybackStarted", func(e happening) bool { return e.Playback.ID == "p1" && e.Playback.State == "playing" })
		c.next("PlaybackFinished", func(e happening) bool { return e.Playback.State == "done" })
		c.want("GET", "/playbacks/p1", "", 404, "Playback not found")
	}
	c.want("POST", "/channels/"+id+"/play", `{"media":"sound:nothing-is-called-so"}`, 400, "nothing-is-called-so")
	c.want("POST", "/channels/"+id+"/play", `{"media":"recording:x"}`, 400, "Recording not found")
	c.want("POST", "/channels/"+id+"/play/p2", `{"media":"tone:ringback-uk"}`, 201, "")
	c.next("PlaybackStarted")
	c.want("DELETE", "/playbacks/p2", "", 204, "")
	c.next("PlaybackFinished")
	c.want("POST", "/channels/"+id+"/moh", "", 204, "")
	c.want("DELETE", "/channels/"+id+"/moh", "", 204, "")
	for _, direction := range []string{"", "?direction="} {
		c.want("POST", "/channels/"+id+"/mute"+direction, "", 400, "Direction is required")
		c.want("DELETE", "/channels/"+id+"/mute"+direction, "", 400, "Direction is required")
	}
	c.want("DELETE", "/channels/"+id, "", 204, "")
	c.next("ChannelHangupRequest", func(e happening) bool { return e.Channel.ID == id && e.Cause == 32 })
	<-alice.Done()
	c.next("ChannelLeftBridge")
	c.next("StasisEnd")
	if e := c.next("ChannelDestroyed"); e.Cause != 16 {
		t.Errorf("%+v", e)
	}
	c.next("BridgeDestroyed")
	c.want("GET", "/channels", "", 200, "[]")
}

func TestAnARIClientCallsSomebody(t *testing.T) {
	p, bob := start(t, withPanel), phone(t, siptest.Options{User: "bob"})
	mine, other := p.listen(t, "app=mine"), p.listen(t, "app=other")
	mine.want("POST", "/bridges", `{"name":"3001","bridgeId":"my-bridge"}`, 200, `"id":"my-bridge"`)
	mine.want("POST", "/bridges", `{"name":"3099","bridgeId":"3001"}`, 409, "already exists") // it names that room
	mine.want("POST", "/channels", `{"endpoint":"`+bob.URI()+`","app":"mine","appArgs":"3001","channelId":"call-1","callerId":"Desk <500>","timeout":20,
		"variables":{"PARLEY_role":"moderator"}}`, 200, `"state":"Down"`) // as it was made
	called, err := bob.Accept(t.Context(), siptest.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if from := called.SIP().Info().From; from.User != "500" || from.Name != "Desk" {
		t.Errorf("called by %+v", from)
	}
	mine.next("ChannelCreated")
	mine.next("Dial", func(e happening) bool {
		return e.DialStatus == "ANSWER" && e.Peer.ID == "call-1" && e.Peer.State == "Up"
	})
	if e := mine.next("StasisStart"); fmt.Sprint(e.Args) != "[3001 moderator]" || e.Channel.ID != "call-1" {
		t.Errorf("%+v", e)
	}
	if e := mine.next("ChannelEnteredBridge"); e.Bridge.ID != "my-bridge" {
		t.Errorf("%+v", e.Bridge)
	}
	mine.want("POST", "/bridges/my-bridge/addChannel", `{"channel":"call-1"}`, 204, "") // as clients do then
	other.want("POST", "/applications/other/subscription?eventSource=bridge:my-bridge", "", 200, `"bridge_ids":["my-bridge"]`)
	mine.want("POST", "/bridges/my-bridge/removeChannel", `{"channel":["call-1"]}`, 204, "")
	other.next("ChannelLeftBridge")
	mine.next("ChannelDestroyed")
	<-called.Done()
	mine.want("DELETE", "/bridges/my-bridge", "", 204, "")
	mine.want("GET", "/bridges", "", 200, "[]")

	go func() { _, _ = bob.Reject(t.Context(), 486) }()
	mine.want("POST", "/channels/call-2", `{"endpoint":"`+bob.URI()+`","app":"mine","extension":3002}`, 200, `"call-2"`)
	mine.next("Dial", func(e happening) bool { return e.DialStatus == "BUSY" })
	if e := mine.next("ChannelDestroyed"); e.Cause != 17 || e.Channel.ID != "call-2" {
		t.Errorf("%+v", e)
	}
}

func TestARIRefusesInAsterisksWords(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=a")
	for _, tt := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/nothing", "", 404, `{"message":"Resource not found"}`},
		{"PUT", "/bridges", "", 405, `{"message":"Invalid method"}`},
		{"GET", "/channels/x", "", 404, `{"message":"Channel not found"}`},
		{"POST", "/channels/x/mute", "", 404, `{"message":"Channel not found"}`},
		{"GET", "/bridges/x", "", 404, `{"message":"Bridge not found"}`},
		{"POST", "/bridges/x/addChannel", "", 400, `{"message":"Missing parameter channel"}`},
		{"POST", "/bridges/x/addChannel?channel=y", "", 404, `{"message":"Bridge not found"}`},
		{"POST", "/bridges", `{"name":`, 400, `{"message":"Error parsing request body"}`},
		{"POST", "/bridges", `{"name":"../x"}`, 400, `{"message":"A bridge's name is that of a room: begins with a dot"}`},
		{"POST", "/channels", `{"endpoint":"sip:a@127.0.0.1"}`, 400, "Which room?"},
		{"POST", "/channels", `{"endpoint":"user/1","extension":"1"}`, 400, `{"message":"no way to that address: `},
		{"PUT", "/deviceStates/Stasis:x?deviceState=BUSY", "", 409, "Uncontrolled device specified"},
		{"GET", "/deviceStates/Stasis:x", "", 200, `{"name":"Stasis:x","state":"UNKNOWN"}`},
		{"GET", "/endpoints/FOO", "", 404, "No Endpoints found - invalid tech FOO"},
		{"POST", "/channels/none/progress", "", 404, "Channel not found"},
		{"POST", "/events/claim?channelId=a&application=b", "", 404, "Channel not found or not in broadcast state"},
		{"GET", "/bridges/none/variable?variable=X", "", 404, "Bridge not found"},
		{"POST", "/playbacks/x/control", "", 400, `{"message":"Missing operation"}`},
		{"POST", "/playbacks/x/control?operation=pause", "", 404, "Playback not found"},
		{"GET", "/endpoints", "", 200, "[]"},
		{"GET", "/deviceStates", "", 200, "[]"},
		{"GET", "/asterisk/ping", "", 200, `"ping":"pong"`},
		{"GET", "/applications/b", "", 404, `{"message":"Application not found"}`},
		{"POST", "/applications/a/subscription?eventSource=tree:x", "", 400, "Invalid event source"},
		{"POST", "/applications/a/subscription?eventSource=bridge:x", "", 422, "Event source does not exist"},
		{"GET", "/asterisk/info", "", 200, `"entity_id":"02:`},
		{"GET", "/sounds", "", 200, "[]"},
		{"POST", "/bridges", strings.Repeat(" ", 50<<10), 413, "too large"},
		{"POST", "/bridges", strings.Repeat(" ", 5<<20), 413, "too large"},
		{"POST", "/nothing", strings.Repeat(" ", 5<<20), 404, "not found"},
		{"POST", "/bridges", "null", 400, "Error parsing request body"},
		{"GET", "/bridges/", "", 404, "ARI URLs do not end with a slash. Try /ari/bridges"},
		{"POST", "/bridges/b?type=foo", "", 500, "Unable to create bridge. Possible duplicate bridge id 'b'"},
		{"POST", "/bridges?type=mixing,holding", "", 500, "Unable to create bridge. Possible duplicate bridge id '(null)'"},
		{"POST", "/bridges?type=holding", "", 501, "a room mixes"},
		{"POST", "/channels", "{}", 400, "Endpoint must be specified"},
		{"POST", "/channels?endpoint=sip:a@b&appArgs=1&formats=nope", "", 400, "Provided format (nope) was not found"},
		{"POST", "/channels?endpoint=sip:a@b&appArgs=1&formats=ulaw&originator=x", "", 400, "Originator and formats can't both be specified"},
		{"POST", "/channels?endpoint=sip:a@b&appArgs=1&originator=x", "", 400, "Provided originator channel was not found"},
		{"PUT", "/applications/a/eventFilter", `{"allowed":[{"x":1}]}`, 400, "Invalid format definition"},
		{"POST", "/applications/a/subscription", "", 400, "Missing parameter eventSource"},
		{"POST", "/applications/a/subscription?eventSource=", "", 400, "Invalid event source URI scheme"},
		{"POST", "/applications/a/subscription?eventSource=bridge", "", 400, "Invalid event source URI scheme"},
		{"POST", "/applications/none/subscription?eventSource=", "", 404, "Application not found"},
		{"POST", "/applications/a/subscription?eventSource=endpoint:PJSIP/x", "", 422, "Event source does not exist"},
		{"DELETE", "/applications/a/subscription?eventSource=endpoint:PJSIP/x", "", 422, "Event source was not subscribed to"},
		{"DELETE", "/applications/a/subscription?eventSource=channel:x", "", 422, "Event source was not subscribed to"},
		{"DELETE", "/applications/a/subscription?eventSource=foo", "", 400, "Invalid event source URI scheme"},
		{"POST", "/applications/a/subscription?eventSource=endpoint:PJSIP", "", 200, `"endpoint_ids":["PJSIP"]`},
		{"POST", "/channels/create", "", 400, "Endpoint must be specified"},
		{"POST", "/channels/create?endpoint=foo&formats=nope", "", 400, `{"message":"Invalid endpoint specified: no way to that address`},
		{"POST", "/channels/create?endpoint=foo/bar", "", 500, `{"error":"Allocation failed","message":"no way to that address`},
		{"POST", "/channels/create?endpoint=PJSIP/x", "", 500, `{"error":"Allocation failed","message":"no way to that address`},
		{"POST", "/channels/create?endpoint=sip:a@127.0.0.1&channelId=made", "", 200, `"app_data":"parley,"`},
		{"GET", "/channels/made/variable?variable=CALLERID(foo)", "", 200, `{"value":""}`},
		{"GET", "/channels/made/variable?variable=CALLERID(NUM)", "", 200, `{"value":""}`},
		{"GET", "/channels/made/variable?variable=CALLERID()", "", 500, "Unable to read provided function"},
		{"GET", "/channels/made/variable?variable=FOO(x)", "", 500, "Unable to read provided function"},
		{"DELETE", "/channels/made", "", 204, ""},
		{"POST", "/events/user/x?application=a&source=channel:nope", "", 422, "Event source was not found"},
		{"GET", "/asterisk/info?only=config", "", 200, `{"config":`},
	} {
		c.want(tt.method, tt.path, tt.body, tt.status, tt.answer)
	}
	if status, text := c.do("reader", "POST", "/bridges", ""); status != 403 || !strings.Contains(text, "Write access denied") {
		t.Errorf("%d %s", status, text)
	}
	guess := func(i int, name string) {
		t.Helper()
		if status, _ := c.tell(name, fmt.Sprint("guess ", i), "GET", "/bridges", ""); status != 401 {
			t.Errorf("guess %d: %d", i, status)
		}
	}
	for i := range 5 {
		guess(i, "nobody")
	}
	if status, _ := c.do("panel", "GET", "/bridges", ""); status != 200 {
		t.Errorf("after guesses at another's password: %d", status)
	}
	for i := range 5 {
		guess(i, "panel")
	}
	if status, _ := c.do("panel", "GET", "/bridges", ""); status != 200 {
		t.Errorf("after guesses at his own: %d", status)
	}
}

func TestThereIsNoARIWithoutUsers(t *testing.T) {
	p := start(t, quiet)
	c := &panel{t: t, base: "http://" + p.config.HTTP.Listen + "/ari"}
	c.want("GET", "/bridges", "", 403, "ari_server.users")
}

func TestANewerARIClientReplacesAnOlderOne(t *testing.T) {
	p := start(t, withPanel)
	old := p.listen(t, "app=a&subscribeAll=yes")
	for status := 0; status != http.StatusOK; status, _ = old.do("panel", "GET", "/applications/a", "") { // it has the application
		time.Sleep(10 * time.Millisecond)
	}
	c := p.listen(t, "app=a&subscribeAll=yes")
	old.next("ApplicationReplaced")
	p.dial(t, "3001", siptest.Tone{})
	c.next("StasisStart")
	if len(old.events) > 0 {
		t.Errorf("the old one hears %+v", <-old.events)
	}
}
