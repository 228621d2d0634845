package sip

import (
	"strings"
	"testing"
	"time"
)

func TestGrant(t *testing.T) {
	const s = time.Second
	o := Options{SessionExpires: 1800 * s, MinSE: 90 * s}
	for _, tt := range []struct {
		name string
		ask  refreshAsk
		was  refresh
		want refresh
	}{
		{"peer cannot, nobody asks", refreshAsk{}, refresh{}, refresh{}},
		{"peer can, nobody asks", refreshAsk{supported: true}, refresh{}, refresh{1800 * s, false}},
		{"peer can, and has a minimum", refreshAsk{supported: true, minimum: 3600 * s}, refresh{}, refresh{3600 * s, false}},
		{"peer asks", refreshAsk{supported: true, expires: 600 * s}, refresh{}, refresh{600 * s, false}},
		{"peer asks us to", refreshAsk{supported: true, expires: 600 * s, refresher: "uas"}, refresh{}, refresh{600 * s, true}},
		{"peer asks for a day", refreshAsk{supported: true, expires: 86400 * s}, refresh{}, refresh{1800 * s, false}},
		{"a day at least", refreshAsk{supported: true, expires: 86400 * s, minimum: 86400 * s}, refresh{}, refresh{86400 * s, false}},
		{"a proxy asks for a peer that cannot", refreshAsk{expires: 600 * s}, refresh{}, refresh{600 * s, true}},
		{"a proxy asks for nonsense", refreshAsk{expires: 10 * s}, refresh{}, refresh{}},
		{"whose turn it was stays", refreshAsk{supported: true, expires: 600 * s}, refresh{600 * s, true}, refresh{600 * s, true}},
	} {
		if got := tt.ask.grant(o, tt.was); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestRefreshDue(t *testing.T) {
	for _, tt := range []struct {
		r    refresh
		want time.Duration
	}{
		{refresh{1800 * time.Second, true}, 900 * time.Second},
		{refresh{1800 * time.Second, false}, 1768 * time.Second},
		{refresh{90 * time.Second, false}, 60 * time.Second},
	} {
		if got := tt.r.due(); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.r, got, tt.want)
		}
	}
}

func TestPeerRefreshesOrIsHungUp(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP).add("Supported", "timer").add("Session-Expires", "600"))
		r.p.response(100)
		ok := r.p.response(200)
		if ok.get("Session-Expires") != "600;refresher=uac" || ok.get("Require") != "timer" {
			t.Errorf("%q %q", ok.get("Session-Expires"), ok.get("Require"))
		}
		l.remote = tagIn(ok.get("To"))
		l.send(l.request("ACK"))
		r.p.quiet(9 * time.Minute)
		l.send(l.request("UPDATE").add("Supported", "timer").add("Session-Expires", "600;refresher=uac"))
		r.p.response(200)
		start := time.Now()
		r.p.request("BYE")
		if d := time.Since(start); d != 568*time.Second {
			t.Errorf("BYE after %v", d)
		}
		r.told.is(t, mediaUp, "ended expired 0")
		if r.Stats().Expired.Load() != 1 {
			t.Error("not counted")
		}
	})
}

func TestWeRefresh(t *testing.T) {
	for _, update := range []bool{true, false} {
		method := map[bool]string{true: "UPDATE", false: "INVITE"}[update]
		t.Run(method, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, r *rig) {
				l := r.p.leg()
				inv := l.invite(pcmuSDP).add("Supported", "timer").add("Session-Expires", "600;refresher=uas")
				if update {
					inv.add("Allow", "INVITE, ACK, BYE, UPDATE")
				}
				l.send(inv)
				r.p.response(100)
				ok := r.p.response(200)
				if ok.get("Session-Expires") != "600;refresher=uas" || ok.get("Require") != "" {
					t.Errorf("%q %q", ok.get("Session-Expires"), ok.get("Require"))
				}
				l.remote = tagIn(ok.get("To"))
				l.send(l.request("ACK"))
				for range 3 {
					start := time.Now()
					req := r.p.request(method)
					if d := time.Since(start); d != 300*time.Second || req.get("Session-Expires") != "600;refresher=uac" {
						t.Errorf("after %v: %q", d, req.get("Session-Expires"))
					}
					res := r.p.answer(req, 200, "").add("Session-Expires", "600;refresher=uac").add("Supported", "timer")
					if update && req.body != "" {
						t.Errorf("body %q", req.body)
					}
					if !update {
						res.with("application/sdp", pcmuSDP)
					}
					r.p.send(res)
					if !update {
						r.p.request("ACK")
					}
				}
				req := r.p.request(method)
				r.p.send(r.p.answer(req, 481, ""))
				if !update {
					r.p.request("ACK")
				}
				r.p.next(time.Second) // maybe a BYE
				r.told.is(t, mediaUp, "ended expired 0")
			})
		})
	}
}

func TestRefreshThatIsTooQuickForThePeer(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP).add("Supported", "timer").add("Session-Expires", "600;refresher=uas").add("Allow", "UPDATE"))
		r.p.response(100)
		l.remote = tagIn(r.p.response(200).get("To"))
		l.send(l.request("ACK"))
		req := r.p.request("UPDATE")
		r.p.send(r.p.answer(req, 422, "").add("Min-SE", "1200"))
		req = r.p.request("UPDATE")
		if req.get("Session-Expires") != "1200;refresher=uac" || req.get("Min-SE") != "1200" {
			t.Errorf("%q %q", req.get("Session-Expires"), req.get("Min-SE"))
		}
		r.p.send(r.p.answer(req, 405, ""))
		if req = r.p.request("INVITE"); !strings.Contains(req.body, "m=audio 40000") {
			t.Errorf("%+v", req)
		}
	})
}
