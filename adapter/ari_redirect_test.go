package adapter_test

import (
	"testing"

	"parley/sip/siptest"
)

// TestAnARIClientSendsACallElsewhere: in Asterisk's words, but that a phone which
// refuses (the tests' takes no REFER) is told of.
func TestAnARIClientSendsACallElsewhere(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	p.dial(t, "3001", siptest.Tone{})
	at := "/channels/" + c.next("ChannelEnteredBridge").Channel.ID + "/redirect"
	for _, tt := range []struct {
		path   string
		status int
		says   string
	}{
		{"/channels/nobody/redirect", 404, "Channel not found"},
		{"/channels/nobody/redirect?endpoint=PJSIP/x", 404, "Channel not found"},
		{at, 400, "Required parameter 'endpoint' not provided."},
		{at + "?endpoint=", 400, "Required parameter 'endpoint' not provided."},
		{at + "?endpoint=bob", 422, "Endpoint parameter 'bob' does not contain tech/resource"},
		{at + "?endpoint=/bob", 422, "Endpoint parameter '/bob' does not contain tech/resource"},
		{at + "?endpoint=PJSIP/", 422, "No resource provided in endpoint parameter 'PJSIP/'"},
		{at + "?endpoint=Local/bob", 422, "Endpoint technology 'Local' does not match channel technology 'SIP'"},
		{at + "?endpoint=PJSIP/bob@nowhere", 404, "Endpoint not found"},
		{at + "?endpoint=PJSIP/4930123", 404, "Endpoint not found"}, // there is no dial.number
		{at + "?endpoint=PJSIP/sip:bob@127.0.0.9", 409, `"message":"the phone answers 405`},
		{at + "?endpoint=SIP/sip:bob@127.0.0.9%3Btransport%3Dtcp", 409, "405"},
	} {
		c.want("POST", tt.path, "", tt.status, tt.says)
	}
}
