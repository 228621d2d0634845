package sip

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icholy/digest"
)

// dialled is what came of an Invite.
type dialled struct {
	call *Call
	err  error
}

func (r *rig) dial(ctx context.Context, o InviteOptions) <-chan dialled {
	o.Local = ours()
	o.Events = r.told
	out := make(chan dialled, 1)
	go func() {
		c, err := r.Invite(ctx, "sip:bob%23@10.0.0.2:5060", o)
		out <- dialled{c, err}
	}()
	return out
}

func TestInvite(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		var progress []int
		out := r.dial(t.Context(), InviteOptions{
			From: Party{User: "al>ice", Name: "Alice"}, Headers: []Header{{"X-Parley-Token", "secret"}},
			Progress: func(code int, _ string) { progress = append(progress, code) },
		})
		inv := r.p.request("INVITE")
		if inv.start != "INVITE sip:bob%23@10.0.0.2:5060 SIP/2.0" || inv.get("X-Parley-Token") != "secret" ||
			!strings.HasPrefix(inv.get("From"), `"Alice" <sip:al%3Eice@10.0.0.1>;tag=`) || inv.get("To") != "<sip:bob%23@10.0.0.2>" ||
			inv.get("Contact") != "<sip:parley@10.0.0.1:5070>" || inv.get("User-Agent") != "Parley" {
			t.Errorf("%+v", inv)
		}
		if !strings.Contains(inv.body, "m=audio 40000 RTP/AVP 0 8 9 111 118 120 117 101 102 103\r\n") {
			t.Errorf("offer %q", inv.body)
		}
		r.p.send(r.p.answer(inv, 100, ""))
		r.p.send(r.p.answer(inv, 180, "b"))
		synctest.Wait()
		ok := r.p.answer(inv, 200, "b").with("application/sdp", strings.Replace(pcmuSDP, "0 8 101", "8 101", 1))
		ok.add("Record-Route", "<sip:10.0.0.2:5060;lr;n=2>").add("Record-Route", "<sip:10.0.0.2:5060;lr;n=1>")
		r.p.send(ok)
		got := <-out
		if got.err != nil {
			t.Fatal(got.err)
		}
		ack := r.p.request("ACK")
		if ack.start != "ACK sip:ann@10.0.0.2:5060 SIP/2.0" || ack.get("CSeq") != "1 ACK" || ack.get("To") != "<sip:bob%23@10.0.0.2>;tag=b" ||
			strings.Join(ack.all("Route"), " ") != "<sip:10.0.0.2:5060;lr;n=1> <sip:10.0.0.2:5060;lr;n=2>" {
			t.Errorf("%+v", ack)
		}
		if strings.Contains(ack.get("Via"), branchOf(inv)) {
			t.Error("the ACK of a 2xx is its own transaction")
		}
		if len(progress) != 1 || progress[0] != 180 || got.call.Info().Target != "bob#" {
			t.Errorf("progress %v, %+v", progress, got.call.Info())
		}
		r.told.is(t, "media PCMA/8000 sendrecv 10.0.0.2:4000")
		r.p.send(ok) // our ACK was lost
		r.p.request("ACK")

		l := &leg{p: r.p, id: inv.get("Call-ID"), tag: "b", remote: tagIn(inv.get("From")), uri: "sip:parley@10.0.0.1:5070", seq: 70}
		l.send(l.invite(strings.Replace(pcmuSDP, "0 8 101", "8 101", 1) + "a=sendonly\r\n"))
		r.p.response(200)
		l.send(l.request("ACK"))
		l.send(l.request("BYE"))
		r.p.response(200)
		r.told.is(t, "media PCMA/8000 recvonly 10.0.0.2:4000", "ended peer 0")
	})
}

func branchOf(m *text) string {
	_, b, _ := strings.Cut(m.get("Via"), "branch=")
	b, _, _ = strings.Cut(b, ";")
	return b
}

func TestInviteRefused(t *testing.T) {
	for _, code := range []int{302, 404, 407, 486, 503, 603} {
		bubble(t, Options{}, func(t *testing.T, r *rig) {
			out := r.dial(t.Context(), InviteOptions{})
			inv := r.p.request("INVITE")
			no := r.p.answer(inv, code, "b").add("Contact", "<sip:elsewhere@10.0.0.3>")
			r.p.send(no)
			got := <-out
			var refused *StatusError
			if !errors.As(got.err, &refused) || refused.Code != code || refused.Reason != "Whatever" || got.call != nil {
				t.Errorf("%v", got.err)
			}
			ack := r.p.request("ACK")
			if branchOf(ack) != branchOf(inv) {
				t.Error("the ACK of a refusal belongs to the INVITE")
			}
			r.p.send(no)
			r.p.request("ACK")
			r.told.is(t)
		})
	}
}

func TestInviteNobodyAnswers(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		start := time.Now()
		got := <-r.dial(t.Context(), InviteOptions{})
		var refused *StatusError
		if !errors.As(got.err, &refused) || refused.Code != 408 || time.Since(start) != giveUp {
			t.Errorf("%v after %v", got.err, time.Since(start))
		}
		n := 0
		for r.p.next(time.Millisecond) != nil {
			n++
		}
		if n != 7 { // 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s
			t.Errorf("sent %d times", n)
		}
	})
}

func TestInviteCancelled(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithCancel(t.Context())
		out := r.dial(ctx, InviteOptions{GiveUp: func() []Header { return []Header{{"Reason", "Q.850;cause=19"}, {"X", "a\r\nb"}} }})
		inv := r.p.request("INVITE")
		cancel()
		if got := <-out; !errors.Is(got.err, context.Canceled) {
			t.Error(got.err)
		}
		if m := r.p.next(100 * time.Millisecond); m != nil { // not before the peer was heard of
			t.Errorf("unexpected %q", m.start)
		}
		r.p.send(r.p.answer(inv, 180, "b"))
		c := r.p.request("CANCEL")
		if c.start != strings.Replace(inv.start, "INVITE", "CANCEL", 1) || c.get("Via") != inv.get("Via") || c.get("To") != inv.get("To") || c.get("CSeq") != "1 CANCEL" || c.get("Reason") != "Q.850;cause=19" || c.get("X") != "" {
			t.Errorf("%+v", c)
		}
		r.p.send(r.p.answer(c, 200, "b"))
		r.p.send(r.p.answer(inv, 487, "b"))
		r.p.request("ACK")
		r.p.quiet(time.Minute)
		r.told.is(t)
	})
}

func TestAnswerThatCrossesTheCancelIsHungUp(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithCancel(t.Context())
		out := r.dial(ctx, InviteOptions{})
		inv := r.p.request("INVITE")
		r.p.send(r.p.answer(inv, 180, "b"))
		synctest.Wait()
		cancel()
		<-out
		c := r.p.request("CANCEL")
		r.p.send(r.p.answer(c, 200, "b"))
		r.p.send(r.p.answer(inv, 200, "b").with("application/sdp", pcmuSDP))
		first, second := r.p.next(time.Second), r.p.next(time.Second)
		if first == nil || second == nil || first.method()+second.method() != "ACKBYE" {
			t.Errorf("%v %v", first, second)
		}
	})
}

func TestForks(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		out := r.dial(t.Context(), InviteOptions{})
		inv := r.p.request("INVITE")
		r.p.send(r.p.answer(inv, 200, "first").with("application/sdp", pcmuSDP))
		r.p.request("ACK")
		second := r.p.answer(inv, 200, "second").with("application/sdp", pcmuSDP)
		r.p.send(second)
		tags := ""
		for range 2 {
			m := r.p.next(time.Second)
			if m == nil || tagIn(m.get("To")) != "second" {
				t.Fatalf("%+v", m)
			}
			tags += m.method()
			if m.method() == "BYE" {
				r.p.send(r.p.answer(m, 200, ""))
			}
		}
		if tags != "ACKBYE" && tags != "BYEACK" {
			t.Errorf("the other phone got %s", tags)
		}
		r.p.send(second)
		if m := r.p.request("ACK"); tagIn(m.get("To")) != "second" {
			t.Errorf("%+v", m)
		}
		r.p.quiet(time.Minute) // it was told already
		got := <-out
		if got.err != nil || r.Calls() != 1 {
			t.Errorf("%v, %d calls", got.err, r.Calls())
		}
		r.told.is(t, mediaUp)
	})
}

func TestInviteWithBadAnswer(t *testing.T) {
	for _, sdp := range []string{"", "v=0\r\n", strings.Replace(pcmuSDP, "0 8 101", "18", 1), strings.Replace(pcmuSDP, "4000", "0", 1)} {
		bubble(t, Options{}, func(t *testing.T, r *rig) {
			out := r.dial(t.Context(), InviteOptions{})
			inv := r.p.request("INVITE")
			r.p.send(r.p.answer(inv, 200, "b").with("application/sdp", sdp))
			got := <-out
			if got.err == nil || got.call != nil {
				t.Error("no error")
			}
			first, second := r.p.next(time.Second), r.p.next(time.Second)
			if m := first.method() + second.method(); m != "ACKBYE" && m != "BYEACK" {
				t.Errorf("got %s", m)
			}
		})
	}
}

func TestInviteProvesWhoWeAre(t *testing.T) {
	for _, code := range []int{401, 407} {
		bubble(t, Options{}, func(t *testing.T, r *rig) {
			out := r.dial(t.Context(), InviteOptions{Auth: &Auth{"alice", "wonder"}})
			inv := r.p.request("INVITE")
			ask, reply := "WWW-Authenticate", "Authorization"
			if code == 407 {
				ask, reply = "Proxy-Authenticate", "Proxy-Authorization"
			}
			no := r.p.answer(inv, code, "b")
			no.add(ask, `Digest realm="x", nonce="n1", algorithm=FOO, qop="auth"`)
			no.add(ask, `Digest realm="x", nonce="n2", algorithm=SHA-256, qop="auth"`)
			no.add(ask, `Digest realm="x", nonce="n3"`)
			r.p.send(no)
			r.p.request("ACK")
			inv2 := r.p.request("INVITE")
			c, err := digest.ParseCredentials(inv2.get(reply))
			if err != nil {
				t.Fatal(err)
			}
			want, _ := digest.Digest(&digest.Challenge{Realm: "x", Nonce: "n2", Algorithm: "SHA-256", QOP: []string{"auth"}},
				digest.Options{Method: "INVITE", URI: c.URI, Username: "alice", Password: "wonder", Cnonce: c.Cnonce})
			if c.Response != want.Response || inv2.get("CSeq") != "2 INVITE" || inv2.get("Call-ID") != inv.get("Call-ID") || branchOf(inv) == branchOf(inv2) {
				t.Errorf("%+v", inv2)
			}
			r.p.send(r.p.answer(inv2, code, "b").add(ask, `Digest realm="x", nonce="n4"`))
			if got := <-out; got.err == nil {
				t.Error("wrong password accepted")
			}
		})
	}
}

func TestInviteAgainWithLongerInterval(t *testing.T) {
	bubble(t, Options{SessionExpires: 10 * time.Minute}, func(t *testing.T, r *rig) {
		out := r.dial(t.Context(), InviteOptions{})
		inv := r.p.request("INVITE")
		if inv.get("Session-Expires") != "600" || inv.get("Min-SE") != "90" {
			t.Errorf("%q %q", inv.get("Session-Expires"), inv.get("Min-SE"))
		}
		r.p.send(r.p.answer(inv, 422, "b").add("Min-SE", "1200"))
		r.p.request("ACK")
		inv = r.p.request("INVITE")
		if inv.get("Session-Expires") != "1200" || inv.get("Min-SE") != "1200" {
			t.Errorf("%q %q", inv.get("Session-Expires"), inv.get("Min-SE"))
		}
		r.p.send(r.p.answer(inv, 200, "b").with("application/sdp", pcmuSDP).add("Session-Expires", "1200;refresher=uac"))
		r.p.request("ACK")
		<-out
		start := time.Now()
		if r.p.request("INVITE"); time.Since(start) != 600*time.Second {
			t.Errorf("refreshed after %v", time.Since(start))
		}
	})
}

func TestInviteOptionsAreChecked(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		for _, tt := range []struct {
			name, uri string
			o         InviteOptions
			err       error
		}{
			{"no uri", "", InviteOptions{Local: ours()}, ErrOptions},
			{"other scheme", "tel:+1", InviteOptions{Local: ours()}, ErrOptions},
			{"secure", "sips:a@b", InviteOptions{Local: ours()}, ErrOptions},
			{"line break in uri", "sip:a@b\r\nX: y", InviteOptions{Local: ours()}, ErrOptions},
			{"line break in header", "sip:a@b", InviteOptions{Local: ours(), Headers: []Header{{"X-A", "b\r\nX: y"}}}, ErrOptions},
			{"line break in name", "sip:a@b", InviteOptions{Local: ours(), From: Party{Name: "a\nb"}}, ErrOptions},
			{"header within a host", "sip:a@b", InviteOptions{Local: ours(), From: Party{Host: "a>;tag=1"}}, ErrOptions},
			{"no address", "sip:a@b", InviteOptions{}, ErrLocal},
			{"unknown transport", "sip:a@10.0.0.2;transport=sctp", InviteOptions{Local: ours()}, ErrPeer},
			{"no socket of that family", "sip:a@[2001:db8::1]", InviteOptions{Local: ours()}, ErrPeer},
		} {
			if _, err := r.Invite(t.Context(), tt.uri, tt.o); !errors.Is(err, tt.err) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
			}
		}
		r.Close()
		if _, err := r.Invite(t.Context(), "sip:a@10.0.0.2", InviteOptions{Local: ours()}); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

func TestCloseWhileCalling(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		out := r.dial(t.Context(), InviteOptions{})
		inv := r.p.request("INVITE")
		r.p.send(r.p.answer(inv, 180, "b"))
		synctest.Wait()
		r.Close()
		if got := <-out; !errors.Is(got.err, ErrClosed) {
			t.Error(got.err)
		}
	})
}

func TestWeCallOurselves(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		c, err := r.Invite(t.Context(), "sip:3001@"+homeAddr, InviteOptions{Local: ours()})
		if err != nil {
			t.Fatal(err)
		}
		if r.Calls() != 2 {
			t.Errorf("%d calls", r.Calls())
		}
		c.HangUp()
		other := <-r.last
		<-other.Done()
		<-c.Done()
		if end := other.End(); end.Cause != ByPeer || c.End().Cause != ByUs {
			t.Errorf("%v, %v", end, c.End())
		}
	})
}
