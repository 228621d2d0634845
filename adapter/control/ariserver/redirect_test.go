package ariserver

import (
	"errors"
	"testing"

	"parley/engine"
)

func TestEndpointsAsURIs(t *testing.T) {
	s := newServer()
	if _, err := s.referral("PJSIP/1@carrier"); !errors.Is(err, engine.ErrNoRoute) {
		t.Errorf("with nobody to ask: %v", err)
	}
	s.opt.Referral = func(address string) (string, error) { return "<" + address + ">", nil }
	for in, want := range map[string]string{
		"PJSIP/sip:bob@h": "sip:bob@h", "SIP/tel:+49": "tel:+49", "PJSIP/1@carrier": "<PJSIP/1@carrier>", "SIP/carrier/1": "<SIP/carrier/1>",
		"PJSIP/+4930": "<+4930>", "PJSIP/sip:b b@h": "<PJSIP/sip:b b@h>",
	} {
		if got, err := s.referral(in); got != want || err != nil {
			t.Errorf("%s: %s %v, want %s", in, got, err, want)
		}
	}
	for channel, want := range map[string]string{
		"RTP/127.0.0.1-00000001": "Endpoint technology 'PJSIP' does not match channel technology 'RTP'", "FREESWITCH/1-00000001": "", "SIP/1-00000001": "",
	} {
		if got := mismatch("PJSIP/bob", channel); got != want {
			t.Errorf("%s: %q, want %q", channel, got, want)
		}
	}
}
