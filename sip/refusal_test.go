package sip

import (
	"strings"
	"testing"
	"time"
)

func TestRefusals(t *testing.T) {
	sdp := func(from, to string) func(*text) {
		return func(m *text) { m.body = strings.Replace(m.body, from, to, 1) }
	}
	set := func(name, value string) func(*text) { return func(m *text) { m.set(name, value) } }
	start := func(s string) func(*text) { return func(m *text) { m.start = s } }
	for _, tt := range []struct {
		name   string
		method string
		change func(*text)
		code   int
		header string // that the answer has
		want   string
	}{
		{"options", "OPTIONS", set("Accept", "application/sdp"), 200, "Allow", allowed},
		{"options tell what a body may be", "OPTIONS", nil, 200, "Accept", accepted},
		{"method we lack", "SUBSCRIBE", nil, 405, "Allow", allowed},
		{"method nobody knows", "DANCE", nil, 405, "Allow", allowed},
		{"bye without call", "BYE", nil, 481, "", ""},
		{"bye with a tag of no call", "BYE", set("To", "<sip:x@y>;tag=nope"), 481, "", ""},
		{"invite with a tag of no call", "INVITE", set("To", "<sip:x@y>;tag=nope"), 481, "", ""},
		{"cancel of nothing", "CANCEL", nil, 481, "", ""},
		{"extension we lack", "INVITE", set("Require", "timer, 100rel"), 420, "Unsupported", "100rel"},
		{"no hops left", "INVITE", set("Max-Forwards", "0"), 483, "", ""},
		{"other version", "INVITE", start("INVITE sip:3001@10.0.0.1 SIP/3.0"), 505, "", ""},
		{"other scheme", "INVITE", start("INVITE tel:3001 SIP/2.0"), 416, "", ""},
		{"body that is no description", "INVITE", set("Content-Type", "text/plain"), 415, "Accept", "application/sdp"},
		{"packed body", "INVITE", set("Content-Encoding", "gzip"), 415, "Accept-Encoding", "identity"},
		{"no common codec", "INVITE", sdp("0 8 101", "18 101"), 488, "Warning", `305 parley "No common codec"`},
		{"video only", "INVITE", sdp("m=audio", "m=video"), 488, "Warning", `304 parley "No plain RTP audio"`},
		{"encrypted only", "INVITE", sdp("RTP/AVP", "RTP/SAVP"), 488, "", ""},
		{"broken description", "INVITE", sdp("v=0", "x"), 400, "", ""},
		{"huge description", "INVITE", func(m *text) { m.body += strings.Repeat("a=x\r\n", 4000) }, 513, "", ""},
		{"no contact", "INVITE", set("Contact", ""), 400, "", ""},
		{"contact of another world", "INVITE", set("Contact", "<tel:+1>"), 400, "", ""},
		{"no from tag", "INVITE", set("From", "<sip:ann@x>"), 400, "", ""},
		{"cseq of another method", "INVITE", set("CSeq", "1 BYE"), 400, "", ""},
		{"two call-ids", "INVITE", func(m *text) { m.add("Call-ID", "second") }, 400, "", ""},
		{"line feed in the dialled number", "INVITE", start("INVITE sip:30%0a01@10.0.0.1 SIP/2.0"), 400, "", ""},
		{"line feed in a header", "INVITE", set("Subject", "a\nVia: b"), 400, "", ""},
		{"line feed in the extensions", "OPTIONS", set("Require", "a\nVia: b"), 400, "", ""},
		{"body shorter than told", "INVITE", set("Content-Length", "9999"), 400, "", ""},
		{"interval too small", "INVITE", func(m *text) { m.add("Supported", "timer").add("Session-Expires", "60") }, 422, "Min-SE", "90"},
		{"interval too small, compact", "INVITE", func(m *text) { m.add("k", "timer").add("x", "60") }, 422, "Min-SE", "90"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, r *rig) {
				l := r.p.leg()
				m := l.invite(pcmuSDP)
				if tt.method != "INVITE" {
					m = l.request(tt.method)
				}
				if tt.change != nil {
					tt.change(m)
				}
				r.p.send(m)
				got := r.p.response(tt.code)
				if tt.header != "" && got.get(tt.header) != tt.want {
					t.Errorf("%s: %q, want %q", tt.header, got.get(tt.header), tt.want)
				}
				if tt.method != "OPTIONS" && !strings.Contains(got.get("To"), ";tag=") {
					t.Errorf("no tag: %q", got.get("To"))
				}
				if r.servers.len() != 0 || r.Calls() != 0 {
					t.Errorf("%d transactions, %d calls left behind", r.servers.len(), r.Calls())
				}
				r.p.send(m) // once more: the same answer
				if again := r.p.response(tt.code); again.get("To") != got.get("To") {
					t.Errorf("tag changed: %q, was %q", again.get("To"), got.get("To"))
				}
			})
		})
	}
}

func TestWhatCannotBeAnsweredIsDropped(t *testing.T) {
	for _, in := range []string{
		"", "\r\n\r\n", "\x00\x00\x00\x00", "hello", "GET / HTTP/1.1\r\n\r\n", "INVITE\r\n\r\n",
		"INVITE sip:a@b SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 99999 X\r\n\r\n",
		"ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP x\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 ACK\r\n\r\n",
		strings.Repeat("x", 60_000),
	} {
		bubble(t, Options{}, func(t *testing.T, r *rig) {
			r.p.raw([]byte(in))
			r.p.quiet(time.Minute)
			l := r.p.leg()
			l.up(pcmuSDP) // and it still works
		})
	}
}
