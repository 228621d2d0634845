package sip

import (
	"errors"
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
		if !errors.Is(got.Reject(486), ErrOver) || !errors.Is(got.Answer(ours()), ErrOver) {
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

func TestCancelBeatsAnAnswerThatIsNotSentYet(t *testing.T) {
	o := Options{}
	told := &diary{}
	o.Incoming = func(c *Call) Events {
		time.Sleep(time.Second)
		if err := c.Answer(ours()); err != nil {
			t.Error(err)
		}
		return told
	}
	bubble(t, o, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		r.p.response(100)
		l.send(l.request("CANCEL"))
		r.p.response(200)
		r.p.response(487)
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
		if !strings.Contains(ok.body, "m=audio 40000 RTP/AVP 0 8 9 111 118 120 117 101 102 103\r\n") {
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
		if err := got.Answer(Local{}); !errors.Is(err, ErrLocal) {
			t.Errorf("no address: %v", err)
		}
		if err := got.Reject(200); !errors.Is(err, ErrState) {
			t.Errorf("reject with 200: %v", err)
		}
		if err := got.Answer(ours()); err != nil {
			t.Error(err)
		}
		if err := got.Answer(ours()); !errors.Is(err, ErrState) {
			t.Errorf("answered twice: %v", err)
		}
	})
}
