package sip

import (
	"crypto/md5"
	"strings"
	"testing"

	sipgo "github.com/emiago/sipgo/sip"
)

// FuzzQuoted: what we write between quotes is read as it was, and ends where we
// have ended it.
func FuzzQuoted(f *testing.F) {
	for _, s := range []string{"", "Ann", `a\b`, `\`, `"`, `\"`, `"\`, `\\`, "M\xfcller", `a", <sip:x@y>;tag=1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		q := Quoted(name)
		if inner := q[1 : len(q)-1]; unpaired(inner) != name {
			t.Errorf("%q: read %q", name, unpaired(inner))
		}
		if before, after := cut(q+";x;y", ';'); before != q || after != "x;y" {
			t.Errorf("%q: cut to %q and %q", name, before, after)
		}
		if b := blotted(q); len(b) != len(q) || strings.Count(b, `"`) != 2 {
			t.Errorf("%q: blotted to %q", name, b)
		}
		_, _ = unpaired(name), blotted(name) // of no quotes of ours
	})
}

// FuzzNamesOnTheWire: a name of ours is read by sipgo and by us as it was.
func FuzzNamesOnTheWire(f *testing.F) {
	for _, s := range []string{"Ann", `a\b`, `\`, `"`, `\"`, ` a  `, `a", <sip:x@y>;tag=1`, "ü", `a,b;c<d>`} {
		f.Add(s)
	}
	p := newParser()
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || !printable(name) {
			t.Skip()
		}
		m, err := p.ParseSIP([]byte("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n" +
			"From: " + Quoted(name) + " <sip:ann@here>;tag=7\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n" +
			"Contact: " + Quoted(name) + " <sip:phone@here>, <sip:other@here>\r\nContent-Length: 0\r\n\r\n"))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		from := m.From()
		if who := party(from.DisplayName, from.Address); who != (Party{User: "ann", Host: "here", Name: name}) || tagOf(from.Params) != "7" {
			t.Errorf("%q: read %+v", name, who)
		}
	})
}

// TestCommasInQuotedNames: they end no address, also behind a quote that has a
// backslash.
func TestCommasInQuotedNames(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		inv := l.invite(pcmuSDP).add("Record-Route", `"the \", proxy" <sip:10.0.0.2:5060;lr>`)
		inv.set("Contact", `"Lee, \"Ann\", \\" <sip:phone@10.0.0.2:5060>`).set("From", `"Lee, \"Ann\" \\" <sip:ann@10.0.0.2>;tag=`+l.tag)
		l.send(inv)
		r.p.response(100)
		ok := r.p.response(200)
		l.remote = tagIn(ok.get("To"))
		l.send(l.request("ACK"))
		c := <-r.last
		if name := c.Info().From.Name; name != `Lee, "Ann" \` {
			t.Errorf("called by %q", name)
		}
		c.HangUp()
		bye := r.p.request("BYE")
		if bye.start != "BYE sip:phone@10.0.0.2:5060 SIP/2.0" || bye.get("Route") != "<sip:10.0.0.2:5060;lr>" || bye.get("To") != inv.get("From") {
			t.Errorf("%+v", bye)
		}
		r.p.send(r.p.answer(bye, 200, ""))
	})
}

// TestQuotesInAChallenge: what is between quotes goes into the hash as it is read.
func TestQuotesInAChallenge(t *testing.T) {
	req := sipgo.NewRequest(sipgo.INVITE, sipgo.Uri{Scheme: "sip", Host: "x"})
	res := sipgo.NewResponseFromRequest(req, 401, "", nil)
	res.AppendHeader(header("WWW-Authenticate", `Digest realm=`+Quoted(`a"b\c`)+`, nonce="n"`))
	proof, ok := (&Auth{User: `u"s\r`, Password: "p"}).credentials(req, res)
	if !ok {
		t.Fatal("no credentials")
	}
	ha1, ha2 := join(md5.New(), `u"s\r`, `a"b\c`, "p"), join(md5.New(), "INVITE", "sip:x")
	for _, want := range []string{"username=" + Quoted(`u"s\r`), "realm=" + Quoted(`a"b\c`), "response=" + Quoted(join(md5.New(), ha1, "n", ha2))} {
		if !strings.Contains(proof.Value(), want) {
			t.Errorf("%s lacks %s", proof.Value(), want)
		}
	}
}

// TestAFromThatCannotBeReadIsRefused, with that header as it came: who sent it must know
// it again.
func TestAFromThatCannotBeReadIsRefused(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		for _, from := range []string{`"unterminated <sip:a@b>;tag=1`, `"a backslash at the end\" <sip:a@b>;tag=1`, `"e\ <sip:a@b>;tag=1`} {
			for _, name := range []string{"From", "f"} {
				text := string(r.p.leg().invite(pcmuSDP).set("From", from).bytes())
				if text = strings.Replace(text, "From: ", name+": ", 1); name == "f" { // and of the time of RFC 2543
					text = strings.Replace(text, "branch=z9hG4bK", "branch=", 1)
				}
				r.p.raw([]byte(text))
				if m := r.p.response(400); m.get("From") != from || m.get("Warning") == "" {
					t.Errorf("%s: %q, %q", from, m.get("From"), m.get("Warning"))
				}
			}
		}
		if n := r.Calls(); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
}
