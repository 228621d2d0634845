package sip

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallFromInviteToBye(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		inv := l.invite(pcmuSDP).add("X-Parley-Room", "3001").add("User-Agent", "Desk Phone")
		inv.add("Record-Route", "<sip:10.0.0.9;lr>")
		l.send(inv)
		if m := r.p.response(100); strings.Contains(m.get("To"), "tag") {
			t.Errorf("100 has a tag: %q", m.get("To"))
		}
		ok := r.p.response(200)
		for name, want := range map[string]string{
			"Contact": "<sip:parley@10.0.0.1:5070>", "Allow": allowed, "Supported": "timer",
			"Record-Route": "<sip:10.0.0.9;lr>", "Content-Type": "application/sdp",
			"Via": inv.get("Via")[:len(inv.get("Via"))-len(";rport")] + ";rport=5060;received=10.0.0.2",
		} {
			if got := ok.get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if !strings.Contains(ok.body, "m=audio 40000 RTP/AVP 0 101\r\n") {
			t.Errorf("answer %q", ok.body)
		}
		c := <-r.last
		i := c.Info()
		if i.Target != "3001" || i.From != (Party{"ann", "10.0.0.2", "Ann"}) || i.UserAgent != "Desk Phone" ||
			i.Header("x-parley-room") != "3001" || i.Source.String() != peerAddr || i.Transport != "UDP" || !i.Incoming {
			t.Errorf("info %+v", i)
		}
		r.told.is(t, "media PCMU/8000 sendrecv 10.0.0.2:4000")
		l.remote = tagIn(ok.get("To"))
		l.send(l.request("ACK"))
		r.p.quiet(time.Minute)
		l.send(l.request("BYE").add("Reason", `Q.850;cause=16`))
		r.p.response(200)
		r.told.is(t, "ended peer 0")
		if end := c.End(); end.Reason != "Q.850;cause=16" {
			t.Errorf("end %+v", end)
		}
		l.send(l.request("BYE"))
		r.p.response(481)
	})
}

func TestHangUpSendsByeAlongTheRoute(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		proxy := r.peer("10.0.0.9:5060")
		l := r.p.leg()
		l.send(l.invite(pcmuSDP).add("Record-Route", "<sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>"))
		r.p.response(100)
		l.remote = tagIn(r.p.response(200).get("To"))
		l.send(l.request("ACK"))
		c := <-r.last
		c.HangUp(Header{"X-Parley-Result", "joined"})
		bye := proxy.request("BYE")
		if bye.start != "BYE sip:ann@10.0.0.2:5060 SIP/2.0" {
			t.Errorf("start %q", bye.start)
		}
		if got := strings.Join(bye.all("Route"), " "); got != "<sip:10.0.0.9;lr> <sip:10.0.0.8;lr>" {
			t.Errorf("route %q", got)
		}
		if bye.get("X-Parley-Result") != "joined" || bye.get("From") != `<sip:3001@10.0.0.1>;tag=`+l.remote ||
			bye.get("To") != `"Ann" <sip:ann@10.0.0.2>;tag=`+l.tag || bye.get("Call-ID") != l.id {
			t.Errorf("bye %+v", bye)
		}
		proxy.send(proxy.answer(bye, 200, ""))
		r.told.is(t, "media PCMU/8000 sendrecv 10.0.0.2:4000", "ended us 0")
	})
}

func TestStrictRouterGetsItsURI(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		proxy := r.peer("10.0.0.9:5060")
		l := r.p.leg()
		l.send(l.invite(pcmuSDP).add("Record-Route", "<sip:10.0.0.9>"))
		r.p.response(100)
		l.remote = tagIn(r.p.response(200).get("To"))
		l.send(l.request("ACK"))
		(<-r.last).HangUp()
		bye := proxy.request("BYE")
		if bye.start != "BYE sip:10.0.0.9 SIP/2.0" || bye.get("Route") != "<sip:ann@10.0.0.2:5060>" {
			t.Errorf("%q, route %q", bye.start, bye.get("Route"))
		}
	})
}

func TestContactOfAnotherNetworkIsNotUsed(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		p := r.peer("192.0.2.7:1024")
		l := p.leg()
		l.send(l.invite(pcmuSDP).set("Contact", "<sip:ann@192.168.1.5:5060>"))
		p.response(100)
		l.remote = tagIn(p.response(200).get("To"))
		l.send(l.request("ACK"))
		(<-r.last).HangUp()
		if bye := p.request("BYE"); bye.start != "BYE sip:ann@192.168.1.5:5060 SIP/2.0" {
			t.Errorf("start %q", bye.start)
		}
	})
}

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

func TestRejectAndRinging(t *testing.T) {
	o := Options{}
	var got *Call
	o.Incoming = func(c *Call) Events { got = c; c.Ringing(); return nil }
	bubble(t, o, func(t *testing.T, r *rig) {
		l := r.p.leg()
		inv := l.send(l.invite(pcmuSDP))
		r.p.response(100)
		ring := r.p.response(180)
		r.p.quiet(30 * time.Second)
		if err := got.Reject(486, Header{"X-Why", "busy"}, Header{"Bad", "a\r\nb"}); err != nil {
			t.Fatal(err)
		}
		no := r.p.response(486)
		if no.get("X-Why") != "busy" || no.get("Bad") != "" || tagIn(no.get("To")) != tagIn(ring.get("To")) {
			t.Errorf("%+v", no)
		}
		if again := r.p.response(486); again == nil { // T1: no ACK yet
			t.Error("not sent again")
		}
		r.p.confirm(inv, no)
		r.p.quiet(40 * time.Second)
		if got.Reject(486) != ErrOver || got.Answer(ours()) != ErrOver {
			t.Error("answered twice")
		}
	})
}

func TestCancelBeforeAnswer(t *testing.T) {
	o := Options{}
	told := &diary{}
	o.Incoming = func(*Call) Events { return told }
	bubble(t, o, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		l.send(l.request("CANCEL"))
		ok, no := r.p.response(200), r.p.response(487)
		if ok.get("CSeq") != "1 CANCEL" || tagIn(ok.get("To")) != tagIn(no.get("To")) {
			t.Errorf("%+v\n%+v", ok, no)
		}
		told.is(t, "ended cancelled 487")
	})
}

func TestCancelAfterAnswerChangesNothing(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		ok := r.p.response(200)
		l.send(l.request("CANCEL"))
		r.p.response(200)
		l.remote = tagIn(ok.get("To"))
		l.send(l.request("ACK"))
		r.p.quiet(time.Minute)
		r.told.is(t, "media PCMU/8000 sendrecv 10.0.0.2:4000")
	})
}

func TestInviteAgainIsNotASecondCall(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		inv := l.send(l.invite(pcmuSDP))
		r.p.send(inv)
		r.p.send(inv)
		m := r.p.response(100)
		for m.code() == 100 { // each copy may bring one
			m = r.p.next(time.Second)
		}
		l.remote = tagIn(m.get("To"))
		r.p.send(inv)
		l.send(l.request("ACK"))
		r.p.quiet(time.Minute)
		if n := r.Stats().CallsIn.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
		other := readText(inv.bytes()).set("Via", "SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKother")
		r.p.send(other)
		r.p.response(482)
	})
}

func TestAnswerIsSentUntilItsACK(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		start := time.Now()
		ok := r.p.response(200)
		for _, want := range []time.Duration{500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500} {
			if m := r.p.response(200); m.get("To") != ok.get("To") {
				t.Errorf("other tag %q", m.get("To"))
			}
			if d := time.Since(start); d != want*time.Millisecond {
				t.Errorf("sent again after %v, want %v", d, want*time.Millisecond)
			}
		}
		bye := r.p.request("BYE")
		if d := time.Since(start); d != 32*time.Second {
			t.Errorf("BYE after %v", d)
		}
		r.p.send(r.p.answer(bye, 200, ""))
		r.told.is(t, "media PCMU/8000 sendrecv 10.0.0.2:4000", "ended no_ack 0")
		if r.Stats().NoACK.Load() != 1 || r.Stats().Resent.Load() != 10 {
			t.Error("not counted")
		}
	})
}

func TestACKOfAnotherRequestIsNone(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		l.remote = tagIn(r.p.response(200).get("To"))
		l.send(l.request("ACK").set("CSeq", "7 ACK"))
		r.p.response(200)
		l.send(l.request("ACK"))
		r.p.quiet(time.Minute)
	})
}

func TestWhereAnswersGo(t *testing.T) {
	for _, tt := range []struct{ name, via, arrives, shows string }{
		{"to the port it came from", "10.0.0.2:9;branch=z9hG4bKa;rport", "10.0.0.2:5060", ";rport=5060;received=10.0.0.2"},
		{"to the port it names", "10.0.0.2:9;branch=z9hG4bKa", "10.0.0.2:9", "z9hG4bKa"},
		{"to the usual port", "10.0.0.2;branch=z9hG4bKa", "10.0.0.2:5060", "z9hG4bKa"},
		{"not to the host it names", "10.0.0.77:9;branch=z9hG4bKa", "10.0.0.2:9", ";received=10.0.0.2"},
		{"not to a port there is not", "10.0.0.2:99999;branch=z9hG4bKa", "10.0.0.2:5060", "z9hG4bKa"},
	} {
		bubble(t, Options{}, func(t *testing.T, r *rig) {
			p := r.p
			if tt.arrives != peerAddr {
				p = r.peer(tt.arrives)
			}
			r.p.send(r.p.leg().request("OPTIONS").set("Via", "SIP/2.0/UDP "+tt.via))
			if got := p.response(200).get("Via"); !strings.HasSuffix(got, tt.shows) {
				t.Errorf("%s: %q", tt.name, got)
			}
		})
	}
}

func TestCallWhoseHandlerIsSlow(t *testing.T) {
	o := Options{}
	o.Incoming = func(c *Call) Events { time.Sleep(time.Minute); _ = c.Answer(ours()); return nil }
	bubble(t, o, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		c := r.calls.all()[0]
		l.remote = c.id.local
		for range 1000 {
			l.send(l.request("ACK"))
		}
		synctest.Wait()
		if n := len(c.queue); n > callBacklog || r.Stats().Overflow.Load() < 900 {
			t.Errorf("%d queued, %d counted", n, r.Stats().Overflow.Load())
		}
		other := r.p.leg()
		r.p.send(other.request("OPTIONS"))
		r.p.response(200)
	})
}

func TestByeWaitsForTheACK(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		ok := r.p.response(200)
		(<-r.last).HangUp()
		r.p.response(200) // again, no BYE
		l.remote = tagIn(ok.get("To"))
		l.send(l.request("ACK"))
		bye := r.p.request("BYE")
		r.p.send(r.p.answer(bye, 200, ""))
		r.told.is(t, "media PCMU/8000 sendrecv 10.0.0.2:4000", "ended us 0")
	})
}

func TestOfferInTheAnswer(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(""))
		r.p.response(100)
		ok := r.p.response(200)
		if !strings.Contains(ok.body, "m=audio 40000 RTP/AVP 0 8 118 117 101 102\r\n") {
			t.Errorf("offer %q", ok.body)
		}
		r.told.is(t)
		l.remote = tagIn(ok.get("To"))
		answer := strings.Replace(pcmuSDP, "0 8 101", "97 100", 1) + "a=rtpmap:97 L16/16000\r\na=rtpmap:100 telephone-event/8000\r\n"
		l.send(l.request("ACK").with("application/sdp", answer))
		r.told.is(t, "media L16/16000 sendrecv 10.0.0.2:4000")
		s := (<-r.last).Session()
		if s.Codec.Payload != 97 || s.Receive != 118 || s.Digits != 100 || s.DigitsIn != 101 {
			t.Errorf("%+v", s)
		}
	})
}

func TestACKWithoutTheAnswerEndsTheCall(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(""))
		r.p.response(100)
		l.remote = tagIn(r.p.response(200).get("To"))
		l.send(l.request("ACK"))
		r.p.request("BYE")
		r.told.is(t, "ended failed 0")
	})
}

func TestAnswerErrors(t *testing.T) {
	o := Options{}
	var got *Call
	o.Incoming = func(c *Call) Events { got = c; return nil }
	bubble(t, o, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		if err := got.Answer(Local{}); err != ErrLocal {
			t.Errorf("no address: %v", err)
		}
		if err := got.Reject(200); err != ErrState {
			t.Errorf("reject with 200: %v", err)
		}
		if err := got.Answer(ours()); err != nil {
			t.Error(err)
		}
		if err := got.Answer(ours()); err != ErrState {
			t.Errorf("answered twice: %v", err)
		}
	})
}

func TestPanicsStayInTheirCall(t *testing.T) {
	o := Options{}
	bad := &diary{panic: "digit"}
	o.Incoming = func(c *Call) Events {
		if c.Info().Target == "panic" {
			panic("incoming")
		}
		_ = c.Answer(ours())
		return bad
	}
	bubble(t, o, func(t *testing.T, r *rig) {
		fine := r.p.leg()
		fine.up(pcmuSDP)
		l := r.p.leg()
		l.uri = "sip:panic@10.0.0.1"
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		r.p.response(500)
		l = r.peer("10.0.0.3:5060").leg()
		l.up(pcmuSDP)
		l.send(l.request("INFO").with("application/dtmf", "5"))
		l.p.response(200)
		l.p.request("BYE")
		fine.send(fine.request("OPTIONS"))
		for m := r.p.next(time.Second); m.code() != 200; m = r.p.next(time.Second) {
		}
		if n := r.Stats().Panics.Load(); n != 2 {
			t.Errorf("%d panics counted", n)
		}
	})
}

func TestDrainBusyAndFull(t *testing.T) {
	busy := false
	bubble(t, Options{MaxCalls: 1, RetryAfter: 7 * time.Second, Busy: func() bool { return busy }}, func(t *testing.T, r *rig) {
		refused := func() {
			t.Helper()
			for _, m := range []*text{r.p.leg().invite(pcmuSDP), r.p.leg().request("OPTIONS")} {
				r.p.send(m)
				if no := r.p.response(503); no.get("Retry-After") != "7" {
					t.Errorf("Retry-After %q", no.get("Retry-After"))
				}
			}
		}
		busy = true
		refused()
		busy = false
		l := r.p.leg()
		l.up(pcmuSDP)
		refused() // full
		l.send(l.request("BYE"))
		r.p.response(200)
		r.Drain()
		refused()
		if n := r.Stats().Refused.Load(); n != 6 {
			t.Errorf("%d counted", n)
		}
	})
}

func TestCloseEndsWhatIsUp(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.up(pcmuSDP)
		c := <-r.last
		r.Close()
		r.p.request("BYE")
		<-c.Done()
		r.told.is(t, "media PCMU/8000 sendrecv 10.0.0.2:4000", "ended shutdown 0")
		if err := c.Answer(ours()); err != ErrOver {
			t.Error(err)
		}
		c.HangUp()
		r.Close()
	})
}
