package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// onLoopback is an endpoint with real sockets.
func onLoopback(t *testing.T, o Options) *Endpoint {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Skip(err) // no IPv6
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Run(context.Background()) }()
	t.Cleanup(func() { e.Close(); <-done })
	return e
}

// closed is an address where nobody listens.
func closed(t *testing.T, host string) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Skip(err)
	}
	defer c.Close()
	return addrPort(c.LocalAddr())
}

// TestACallToWhereNobodyListensFailsAtOnce, by every kind of socket.
func TestACallToWhereNobodyListensFailsAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	for _, tt := range []struct{ ours, theirs string }{
		{"127.0.0.1:0", "127.0.0.1"}, {"[::1]:0", "::1"}, {"0.0.0.0:0", "127.0.0.1"}, {"[::]:0", "127.0.0.1"}, {"[::]:0", "::1"},
	} {
		t.Run(tt.ours+" to "+tt.theirs, func(t *testing.T) {
			e := onLoopback(t, Options{UDP: []string{tt.ours}})
			start := time.Now()
			_, err := e.Invite(t.Context(), "sip:bob@"+closed(t, tt.theirs).String(), InviteOptions{Local: Local{Addr: netip.MustParseAddrPort("127.0.0.1:40000")}})
			var refused *StatusError
			if !errors.As(err, &refused) || refused.Code != 503 || time.Since(start) > time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
	}
}

// TestErrorsOfOtherDatagramsLoseNone: what the network tells of one is no error of
// another, nor of the reader.
func TestErrorsOfOtherDatagramsLoseNone(t *testing.T) {
	e := onLoopback(t, Options{UDP: []string{"127.0.0.1:0"}})
	phone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	nobody, l := closed(t, "127.0.0.1"), e.packets[0]
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 50 {
				if err := l.send([]byte("to nobody"), nobody); err != nil {
					t.Error("to nobody: ", err)
				}
				if err := l.send([]byte(fmt.Sprintf("%d", i)), addrPort(phone.LocalAddr())); err != nil {
					t.Error("to the phone: ", err)
				}
			}
		})
	}
	all.Wait()
	_ = phone.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 2000)
	for i := range 4 * 50 { // all have room in its socket
		if _, _, err := phone.ReadFrom(b); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	ask := "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"
	if _, err := phone.WriteTo([]byte(ask), net.UDPAddrFromAddrPort(l.near)); err != nil {
		t.Fatal(err)
	}
	if n, _, err := phone.ReadFrom(b); err != nil || !strings.HasPrefix(string(b[:n]), "SIP/2.0 200 OK") {
		t.Errorf("%q %v", b[:n], err)
	}
}

// TestForgedErrorsEndNoCall: who does not know the branch, or speaks of another
// address, ends nothing, and nobody does once the phone has been heard.
func TestForgedErrorsEndNoCall(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		tell := func(sent, to string) {
			r.unreachable([]byte(sent), at(to))
			synctest.Wait()
		}
		out := r.dial(t.Context(), InviteOptions{})
		inv := r.p.request("INVITE")
		sent := string(inv.bytes())
		for _, forged := range []string{
			"", "INVITE ", sent[:8], sent[:strings.Index(sent, ";branch=")+12], sent[:strings.Index(sent, ";rport")],
			strings.Replace(sent, branchOf(inv), branchOf(inv)[:30]+"x", 1), strings.Replace(sent, ";branch=", ";branch=;x=", 1),
			strings.Replace(sent, "INVITE", "OPTIONS", 1), "SIP/2.0 200 OK" + sent[strings.Index(sent, "\r\n"):],
			"INVITE sip:a@b;branch=" + branchOf(inv) + "; SIP/2.0\r\n\r\n",
		} {
			tell(forged, peerAddr)
		}
		tell(sent, "10.0.0.2:5061")
		tell(sent, "10.0.0.3:5060")
		select {
		case got := <-out:
			t.Fatalf("ended: %v", got.err)
		default:
		}
		r.p.send(r.p.answer(inv, 100, ""))
		synctest.Wait()
		tell(sent, peerAddr)
		r.p.send(r.p.answer(inv, 200, "b").with("application/sdp", pcmuSDP))
		if got := <-out; got.err != nil {
			t.Fatal(got.err)
		}
		r.p.request("ACK")
		r.told.is(t, mediaUp)
	})
}

// TestARefreshOutlivesAnError: a call that is up is not ended by what the network
// tells of a request in it; it is sent again.
func TestARefreshOutlivesAnError(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		inv := l.invite(pcmuSDP).add("Supported", "timer").add("Session-Expires", "90;refresher=uas")
		l.send(inv)
		r.p.response(100)
		l.remote = tagIn(r.p.response(200).get("To"))
		l.send(l.request("ACK"))
		r.told.is(t, mediaUp)
		again := r.p.request("INVITE")
		r.unreachable(again.bytes(), at(peerAddr))
		if repeated := r.p.request("INVITE"); branchOf(repeated) != branchOf(again) {
			t.Error("another INVITE")
		}
		r.p.send(r.p.answer(again, 200, "").with("application/sdp", pcmuSDP))
		r.p.request("ACK")
		r.told.is(t)
	})
}

// TestErrorOfAnInvite: the one that counts.
func TestErrorOfAnInvite(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		out := r.dial(t.Context(), InviteOptions{})
		inv := r.p.request("INVITE")
		sent := inv.bytes()
		r.unreachable(sent[:min(len(sent), 520)], at(peerAddr)) // as much as is quoted
		r.unreachable(sent, at(peerAddr))
		got := <-out
		var refused *StatusError
		if !errors.As(got.err, &refused) || refused.Code != 503 {
			t.Error(got.err)
		}
		r.p.quiet(time.Minute)
	})
}
