package adapter

import (
	"errors"
	"testing"

	"parley/adapter/config"
	"parley/engine"
)

func routes() *config.Config {
	c := config.Defaults()
	c.SIP.Trunks = []config.Trunk{
		{Name: "carrier", Address: "sip.example.net", Transport: "tcp"}, {Name: "gw", Address: "2001:db8::1"},
	}
	c.Switches = []config.Switch{{Name: "pbx1", Kind: config.KindFreeSWITCH}, {Name: "ast1", Kind: config.KindAsterisk}}
	c.Dial.Number = "carrier/{number}"
	return c
}

func TestAddressesLeadSomewhere(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"sip:bob@192.0.2.1:5062;transport=tcp", "sip:bob@192.0.2.1:5062;transport=tcp"},
		{"carrier/+4930123", "sip:+4930123@sip.example.net;transport=tcp"},
		{"gw/*98#", "sip:*98%23@[2001:db8::1]"},
		{"+49 30", ""},
		{"+4930", "sip:+4930@sip.example.net;transport=tcp"},
		{"tel:+49-30.(1)23;phone-context=x", "sip:+4930123@sip.example.net;transport=tcp"},
		{"pbx1/user/1001", "pbx1 user/1001"},
		{"pbx1/sofia/gateway/carrier/1", "pbx1 sofia/gateway/carrier/1"},
		{"ast1/PJSIP/1001@trunk", "ast1 PJSIP/1001@trunk"},
		{"sofia/gateway/carrier/123", "sip:123@sip.example.net;transport=tcp"},
		{"sofia/external/bob@192.0.2.1", "sip:bob@192.0.2.1"},
		{"PJSIP/123@carrier", "sip:123@sip.example.net;transport=tcp"},
		{"PJSIP/sip:bob@host.example:5070", "sip:bob@host.example:5070"},
		{"PJSIP/phones/sip:bob@host.example", "sip:bob@host.example"},
		{"SIP/carrier/123", "sip:123@sip.example.net;transport=tcp"},
		{"sofia/gateway/other/123", ""},
		{"sofia/external/bob", ""},
		{"user/1001", ""},
		{"carrier", ""},
		{"carrier/", ""},
		{"carrier/1@evil.example", ""},
		{"carrier/1;x=y", ""},
		{"pbx1", ""},
		{"tel:", ""},
		{"sip:bob@[2001:db8::1]:5060", "sip:bob@[2001:db8::1]:5060"},
		{`sip:x"><@127.0.0.1`, ""},
		{"sip:a@127.0.0.1?Route=<sip:b>", ""},
		{"sip:a@127.0.0.1;a=b>,<sip:z", ""},
		{"sip:a@127.0.0.1:0", ""},
		{"sip:a@127.0.0.1:99999", ""},
		{"sip:@127.0.0.1", ""},
		{"sip:x@[::1", ""},
		{"sip:x@", ""},
		{"sofia/external/a@b>,<sip:c", ""},
	} {
		to, err := destinationOf(routes(), tt.in)
		got := to.uri
		if to.swtch != "" {
			got = to.swtch + " " + to.endpoint
		}
		if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, engine.ErrNoRoute) {
			t.Errorf("%s: got %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
	if _, err := destinationOf(config.Defaults(), "123"); !errors.Is(err, engine.ErrNoRoute) {
		t.Errorf("a bare number leads somewhere without a rule: %v", err)
	}
}

// FuzzDestination: whatever an address says, a trunk is called at the trunk's
// own address.
func FuzzDestination(f *testing.F) {
	for _, s := range []string{"sip:a@b", "carrier/1", "tel:+1", "sofia/gateway/carrier/1", "PJSIP/1@carrier", "pbx1/a"} {
		f.Add(s)
	}
	c := routes()
	f.Fuzz(func(t *testing.T, address string) {
		to, err := destinationOf(c, address)
		if err != nil {
			return
		}
		if (to.uri == "") == (to.swtch == "") {
			t.Errorf("%q leads to %+v", address, to)
		}
		if to.trunk != nil && to.trunk.Name == "carrier" {
			const host = "@sip.example.net;transport=tcp"
			if n := len(to.uri) - len(host); n < 0 || to.uri[n:] != host {
				t.Errorf("%q leads to %s", address, to.uri)
			}
		}
	})
}
