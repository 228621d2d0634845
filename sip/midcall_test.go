package sip

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const mediaUp = "media PCMU/8000 sendrecv 10.0.0.2:4000"

func versionOf(sdp string) string {
	_, o, _ := strings.Cut(sdp, "o=- ")
	return strings.Fields(o)[1]
}

func TestReinvite(t *testing.T) {
	change := func(from, to string) string { return strings.Replace(pcmuSDP, from, to, 1) }
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		ok := l.up(pcmuSDP)
		r.told.is(t, mediaUp)
		for _, tt := range []struct {
			name, sdp string
			answer    string // direction
			told      []string
		}{
			{"nothing new", pcmuSDP, "sendrecv", nil},
			{"hold", pcmuSDP + "a=sendonly\r\n", "recvonly", []string{"media PCMU/8000 recvonly 10.0.0.2:4000"}},
			{"hold deeper", pcmuSDP + "a=inactive\r\n", "inactive", []string{"media PCMU/8000 inactive 10.0.0.2:4000"}},
			{"resume", pcmuSDP, "sendrecv", []string{mediaUp}},
			{"old hold", change("c=IN IP4 10.0.0.2", "c=IN IP4 0.0.0.0"), "recvonly", []string{"media PCMU/8000 recvonly invalid AddrPort"}},
			{"new address", change("c=IN IP4 10.0.0.2", "c=IN IP4 10.0.0.7"), "sendrecv", []string{"media PCMU/8000 sendrecv 10.0.0.7:4000"}},
			{"new codec", change("0 8 101", "8 101"), "sendrecv", []string{"media PCMA/8000 sendrecv 10.0.0.2:4000"}},
			{"codec in use stays", pcmuSDP, "sendrecv", []string{"media PCMA/8000 sendrecv 10.0.0.2:4000"}[:0]},
		} {
			l.send(l.invite(tt.sdp))
			got := r.p.response(200)
			l.send(l.request("ACK"))
			if !strings.Contains(got.body, "a="+tt.answer+"\r\n") {
				t.Errorf("%s: answer %q", tt.name, got.body)
			}
			was, is := ok.body, got.body
			same := strings.ReplaceAll(is, versionOf(is), "") == strings.ReplaceAll(was, versionOf(was), "")
			if same != (versionOf(is) == versionOf(was)) {
				t.Errorf("%s: version %s after %s", tt.name, versionOf(is), versionOf(was))
			}
			ok = got
			r.told.is(t, tt.told...)
		}
		l.send(l.invite(change("0 8 101", "18")))
		r.p.response(488)
		r.told.is(t)
		if (<-r.last).Session().Codec.Name != "PCMA" {
			t.Error("a refused offer changed the session")
		}
	})
}

func TestReinviteWithoutOfferGetsOurs(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(strings.Replace(pcmuSDP, "0 8 101", "8 101", 1))
		l.send(l.invite(""))
		ok := r.p.response(200)
		if !strings.Contains(ok.body, "RTP/AVP 8 0 9 111 118 120 117 101 102 103") {
			t.Errorf("offer %q", ok.body)
		}
		l.send(l.request("UPDATE").with("application/sdp", pcmuSDP)) // crosses
		r.p.response(491)
		l.branch++
		ack := l.request("ACK").set("CSeq", "2 ACK").with("application/sdp", pcmuSDP)
		l.send(ack)
		r.told.is(t, "media PCMA/8000 sendrecv 10.0.0.2:4000", mediaUp)
		r.p.quiet(time.Minute)
	})
}

func TestUpdate(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		l.send(l.request("UPDATE").with("application/sdp", pcmuSDP+"a=sendonly\r\n"))
		if ok := r.p.response(200); !strings.Contains(ok.body, "a=recvonly") {
			t.Errorf("answer %q", ok.body)
		}
		r.told.is(t, mediaUp, "media PCMU/8000 recvonly 10.0.0.2:4000")
		l.send(l.request("UPDATE").set("Contact", "<sip:new@10.0.0.2:5060>"))
		if ok := r.p.response(200); ok.body != "" {
			t.Errorf("answer %q", ok.body)
		}
		r.p.quiet(time.Minute) // an UPDATE has no ACK
		(<-r.last).HangUp()
		if bye := r.p.request("BYE"); bye.start != "BYE sip:new@10.0.0.2:5060 SIP/2.0" {
			t.Errorf("target not refreshed: %q", bye.start)
		}
	})
}

func TestUpdateBeforeTheAnswer(t *testing.T) {
	o := Options{}
	o.Incoming = func(c *Call) Events { c.Ringing(); return nil }
	bubble(t, o, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		l.remote = tagIn(r.p.response(180).get("To"))
		l.send(l.request("UPDATE").with("application/sdp", pcmuSDP))
		if no := r.p.response(500); no.get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		l.send(l.request("BYE"))
		r.p.response(200)
		r.p.response(487)
	})
}

func TestOrderOfRequests(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		old := l.request("OPTIONS")
		l.send(l.request("OPTIONS"))
		r.p.response(200)
		r.p.send(old) // overtaken
		r.p.response(500)
		for range 20 { // what is sent together is done in order: ACK before the next INVITE, digits as typed
			l.send(l.invite(""))
			r.p.response(200)
			l.send(l.request("ACK").with("application/sdp", pcmuSDP))
			l.send(l.invite(pcmuSDP))
			r.p.response(200)
			l.send(l.request("ACK"))
			synctest.Wait()
			time.Sleep(time.Second)
		}
		r.told.is(t, mediaUp)
		want := []string{}
		for _, d := range "0123456789*#" {
			l.send(l.request("INFO").with("application/dtmf", string(d)))
			want = append(want, fmt.Sprintf("digit %c", d))
		}
		r.told.is(t, want...)
	})
}

func TestFloodWithinACall(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		for range 5000 {
			l.send(l.request("OPTIONS"))
		}
		synctest.Wait()
		if n := r.servers.len() + r.answers.len(); n > callBurst+2 {
			t.Errorf("%d transactions", n)
		}
		if n := r.Stats().Overflow.Load() + r.Stats().Flooded.Load(); n < 4900 {
			t.Errorf("%d counted", n)
		}
		time.Sleep(time.Second) // the source may speak again
		l.send(l.request("BYE"))
		r.told.is(t, mediaUp, "ended peer 0")
	})
}

func TestInfo(t *testing.T) {
	for _, tt := range []struct {
		name, kind, body string
		code             int
		told             string
	}{
		{"relay", "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", 200, "digit 5"},
		{"relay with spaces", "application/DTMF-Relay; x=y", "Duration= 160\nSignal= #\n", 200, "digit #"},
		{"relay, star by number", "application/dtmf-relay", "Signal=10\r\n", 200, "digit *"},
		{"relay, letter by number", "application/dtmf-relay", "Signal=15\r\n", 200, "digit D"},
		{"relay, small letter", "application/dtmf-relay", "signal=b", 200, "digit B"},
		{"relay, flash", "application/dtmf-relay", "Signal=16\r\n", 200, ""},
		{"relay, nonsense", "application/dtmf-relay", "Signal=\r\n", 200, ""},
		{"plain", "application/dtmf", "7\r\n", 200, "digit 7"},
		{"nothing", "application/dtmf", "", 200, ""},
		{"long", "application/dtmf", strings.Repeat("1", 2000), 513, ""},
		{"other", "application/vnd.x", "1", 415, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, r *rig) {
				l := r.p.leg()
				l.up(pcmuSDP)
				l.send(l.request("INFO").with(tt.kind, tt.body))
				r.p.response(tt.code)
				want := []string{mediaUp}
				if tt.told != "" {
					want = append(want, tt.told)
				}
				r.told.is(t, want...)
			})
		})
	}
}

func TestWithinACallOthersAreRefused(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		l.send(l.request("REFER").add("Refer-To", "<sip:x@y>"))
		if no := r.p.response(405); no.get("Allow") != allowed {
			t.Errorf("Allow %q", no.get("Allow"))
		}
		l.send(l.invite(pcmuSDP).add("Require", "replaces"))
		r.p.response(420)
		l.send(l.invite(pcmuSDP).with("text/html", "<p>"))
		r.p.response(415)
		l.send(l.request("OPTIONS"))
		r.p.response(200)
		r.told.is(t, mediaUp)
	})
}
