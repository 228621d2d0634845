package sip

import (
	"bytes"
	"testing"

	sipgo "github.com/emiago/sipgo/sip"
)

// fuzzed is an endpoint with a call that is up, and a way to feed it bytes.
func fuzzed(t testing.TB) (*Endpoint, *leg, *hop) {
	t.Helper()
	w := newWire(100)
	e, err := New(Options{
		UDP: []string{homeAddr}, ListenPacket: w.listen, Rate: Rate{Off: true}, Users: []User{{Name: "ann", Password: "x"}},
		Incoming: func(c *Call) Events { _ = c.Answer(ours()); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	from := &hop{link: e.packets[0], to: at(peerAddr), stats: &e.stats}
	l := (&peer{sock: w.open(peerAddr)}).leg()
	m := l.invite(pcmuSDP)
	req, err := e.parser.ParseSIP(m.bytes())
	if err != nil {
		t.Fatal(err)
	}
	inv := req.(*sipgo.Request)
	inv.SetTransport("UDP")
	c, code, _ := e.newCall(inv, from, "")
	if code != 0 {
		t.Fatal(code)
	}
	c.id.local = "fixed"
	c.state, c.local = up, ours()
	e.calls.add(c, nil)
	l.remote = "fixed"
	return e, l, from
}

func seeds(l *leg) [][]byte {
	out := [][]byte{
		l.invite(pcmuSDP).bytes(), l.invite("").bytes(),
		l.request("ACK").with("application/sdp", pcmuSDP).bytes(),
		l.request("UPDATE").add("Session-Expires", "90;refresher=uas").add("k", "timer").bytes(),
		l.request("INFO").with("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n").bytes(),
		l.request("OPTIONS").add("Require", "a,b").bytes(), l.request("BYE").bytes(), l.request("CANCEL").bytes(),
		[]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nCSeq: 1 INVITE\r\n\r\n"),
		[]byte("INVITE sip:a@[::1] SIP/2.0\r\nv: SIP/2.0/UDP [::1\r\nf: \"a\\\"\" <sip:a@b>;tag=1\r\nt: <sip:a@b\r\n\r\n"),
		[]byte("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a:b:c;;=;branch=\"\r\n\r\n"),
		[]byte("OPTIONS sip: SIP/2.0\r\nContact: <>, \"\r\nRecord-Route: ,,<sip:a\r\nTo: ;\r\n\r\n"),
	}
	fresh := l.p.leg()
	out = append(out, fresh.invite(pcmuSDP).bytes(), prove(fresh.invite(pcmuSDP), `Digest realm="parley", nonce="x", qop="auth"`, "ann", "x", 1).bytes())
	return out
}

// FuzzPacket feeds datagrams: nothing a peer sends may panic.
func FuzzPacket(f *testing.F) {
	_, l, _ := fuzzed(f)
	for _, s := range seeds(l) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, _, from := fuzzed(t)
		e.packet(in, from)
		e.Close()
		if e.stats.Panics.Load() != 0 {
			t.Fatalf("panic at %q", in)
		}
	})
}

// FuzzStream feeds a TCP connection, in two pieces.
func FuzzStream(f *testing.F) {
	_, l, _ := fuzzed(f)
	all := seeds(l)
	f.Add(bytes.Join(all, nil), uint16(100))
	for i, s := range all {
		f.Add(append([]byte("\r\n"), s...), uint16(i*10))
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint16) {
		e, _, from := fuzzed(t)
		stream := e.parser.NewSIPStream()
		n := min(int(cut), len(in))
		partial, err := e.guarded(func() (bool, error) { return e.streamed(stream, in[:n], from, false) })
		if err == nil {
			_, _ = e.guarded(func() (bool, error) { return e.streamed(stream, in[n:], from, partial) })
		}
		if stream.Buffer().Len() > 2*maxMessage {
			t.Fatalf("%d bytes kept", stream.Buffer().Len())
		}
		e.Close()
		if e.stats.Panics.Load() != 0 {
			t.Fatalf("panic at %q", in)
		}
	})
}

// guarded is f without its panic.
func (e *Endpoint) guarded(f func() (bool, error)) (partial bool, err error) {
	defer e.guard("fuzz")
	return f()
}

// FuzzRefresh feeds the headers of RFC 4028.
func FuzzRefresh(f *testing.F) {
	for _, s := range []string{"90", "1800;refresher=uac", "99999999999", "-1", ";;=", "1 ; REFRESHER = uas"} {
		f.Add(s, "timer", "90")
	}
	o := Options{SessionExpires: DefaultSessionExpires, MinSE: DefaultMinSE}
	f.Fuzz(func(t *testing.T, expires, options, least string) {
		req := sipgo.NewRequest(sipgo.INVITE, sipgo.Uri{Scheme: "sip", Host: "x"})
		for n, v := range map[string]string{"Session-Expires": expires, "Supported": options, "Min-SE": least} {
			req.AppendHeader(header(n, v))
		}
		r := refreshAskOf(req).grant(o, refresh{})
		if r.interval != 0 && (r.interval < o.MinSE || r.due() <= 0 || r.due() > r.interval) {
			t.Fatalf("%+v, due %v", r, r.due())
		}
	})
}
