package sip

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// prove adds credentials for a challenge, as icholy/digest makes them.
func prove(m *text, challenge, user, password string, count int) *text {
	c, err := digest.ParseChallenge(challenge)
	if err != nil {
		panic(err)
	}
	cred, err := digest.Digest(c, digest.Options{
		Method: m.method(), URI: strings.Fields(m.start)[1], Username: user, Password: password, Count: count,
	})
	if err != nil {
		panic(err)
	}
	return m.set("Authorization", cred.String())
}

func TestCallersMustHaveThePassword(t *testing.T) {
	sum := md5.Sum([]byte("ann:parley:wonder"))
	sum256 := sha256.Sum256([]byte("ann:parley:wonder"))
	for _, tt := range []struct {
		name       string
		user       User
		algorithms int // offered
		use        int // which of them
		give, word string
		count      int
		change     func(*text)
		code       int
	}{
		{name: "right, SHA-256", user: User{Name: "ann", Password: "wonder"}, algorithms: 2, use: 0, give: "ann", word: "wonder", code: 200},
		{name: "right, MD5", user: User{Name: "ann", Password: "wonder"}, algorithms: 2, use: 1, give: "ann", word: "wonder", code: 200},
		{name: "right, hash", user: User{Name: "ann", HA1: strings.ToUpper(hexOf(sum[:]))}, algorithms: 1, give: "ann", word: "wonder", code: 200},
		{name: "right, SHA-256 hash", user: User{Name: "ann", HA1SHA256: hexOf(sum256[:])}, algorithms: 1, give: "ann", word: "wonder", code: 200},
		{name: "wrong password", user: User{Name: "ann", Password: "wonder"}, algorithms: 2, give: "ann", word: "x", code: 401},
		{name: "unknown user", user: User{Name: "ann", Password: "wonder"}, algorithms: 2, give: "bob", word: "wonder", code: 401},
		{name: "unknown user without password", user: User{Name: "ann", Password: "wonder"}, algorithms: 2, give: "bob", word: "", code: 401},
		{name: "user with neither", user: User{Name: "ann"}, algorithms: 2, give: "ann", word: "", code: 401},
		{
			name: "for another number", user: User{Name: "ann", Password: "wonder"}, algorithms: 2, give: "ann", word: "wonder", code: 401,
			change: func(m *text) { m.start = "INVITE sip:3002@10.0.0.1 SIP/2.0" },
		},
		{
			name: "without count", user: User{Name: "ann", Password: "wonder"}, algorithms: 2, give: "ann", word: "wonder", code: 401,
			change: func(m *text) { m.set("Authorization", strings.Replace(m.get("Authorization"), "qop=auth,", "", 1)) },
		},
		{
			name: "no digest", user: User{Name: "ann", Password: "wonder"}, algorithms: 2, give: "ann", word: "wonder", code: 401,
			change: func(m *text) { m.set("Authorization", "Basic YW5uOndvbmRlcg==") },
		},
		{
			name: "other realm", user: User{Name: "ann", Password: "wonder"}, algorithms: 2, give: "ann", word: "wonder", code: 401,
			change: func(m *text) {
				m.set("Authorization", strings.Replace(m.get("Authorization"), `realm="parley"`, `realm="x"`, 1))
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Options{Users: []User{tt.user}}, func(t *testing.T, r *rig) {
				l := r.p.leg()
				l.send(l.invite(pcmuSDP))
				no := r.p.response(401)
				asked := no.all("WWW-Authenticate")
				if len(asked) != tt.algorithms {
					t.Fatalf("challenges %q", asked)
				}
				m := prove(l.invite(pcmuSDP), asked[tt.use], tt.give, tt.word, tt.count)
				if tt.change != nil {
					tt.change(m)
				}
				l.send(m)
				if tt.code == 200 {
					r.p.response(100)
				}
				got := r.p.response(tt.code)
				if strings.Contains(got.get("WWW-Authenticate"), "stale=true") {
					t.Error("stale")
				}
				if tt.code == 200 {
					if c := <-r.last; c.Info().User != "ann" {
						t.Errorf("user %q", c.Info().User)
					}
					return
				}
				if r.Stats().Challenged.Load()+r.Stats().Unauthorized.Load() != 2 || r.servers.len() != 0 {
					t.Error("not counted, or state kept")
				}
			})
		})
	}
}

func TestCredentialsWorkOnce(t *testing.T) {
	bubble(t, Options{Users: []User{{Name: "ann", Password: "wonder"}}}, func(t *testing.T, r *rig) {
		l := r.p.leg()
		l.send(l.invite(pcmuSDP))
		ask := r.p.response(401).get("WWW-Authenticate")
		use := func(count, code int, who *peer) *text {
			t.Helper()
			l := who.leg()
			m := who
			inv := prove(l.invite(strings.Replace(pcmuSDP, "0 8 101", "18", 1)), ask, "ann", "wonder", count)
			m.send(inv)
			got := m.next(time.Second)
			if got == nil || got.code() != code {
				t.Fatalf("%+v, want %d", got, code)
			}
			if code == 488 {
				m.confirm(inv, got)
			}
			return got
		}
		use(1, 488, r.p)
		if no := use(1, 401, r.p); !strings.Contains(no.get("WWW-Authenticate"), "stale=true") {
			t.Errorf("a used count: %q", no.get("WWW-Authenticate"))
		}
		use(3, 488, r.p)
		use(2, 401, r.p)
		use(4, 401, r.peer("10.0.0.3:5060")) // somebody else's nonce
		time.Sleep(nonceLife)
		if no := use(5, 401, r.p); !strings.Contains(no.get("WWW-Authenticate"), "stale=true") {
			t.Errorf("an old nonce: %q", no.get("WWW-Authenticate"))
		}
	})
}

func TestTrustedNetworks(t *testing.T) {
	near := netip.MustParsePrefix("10.0.0.2/32")
	for _, tt := range []struct {
		name          string
		users         []User
		inside, other int
	}{
		{"with passwords for others", []User{{Name: "ann", Password: "x"}}, 200, 401},
		{"alone", nil, 200, 403},
	} {
		bubble(t, Options{Users: tt.users, Trusted: []netip.Prefix{near}}, func(t *testing.T, r *rig) {
			r.p.leg().up(pcmuSDP)
			o := r.peer("10.0.0.3:5060")
			o.send(o.leg().invite(pcmuSDP))
			o.response(tt.other)
			o.send(o.leg().request("OPTIONS")) // is not a call
			o.response(200)
		})
	}
}

func TestNoncesInUseAreBounded(t *testing.T) {
	a := newAuthority(Options{Users: []User{{Name: "a", Password: "b"}}}, []byte("secret"))
	now := time.Unix(1e9, 0)
	for i := range 3 * nonceMost {
		a.count(&digest.Credentials{Nonce: fmt.Sprint(i), Nc: 1}, now)
	}
	if n := len(a.used); n > nonceMost {
		t.Errorf("%d remembered", n)
	}
	source := netip.MustParseAddr("10.0.0.2")
	c := &digest.Credentials{Nonce: a.nonce(source, now)}
	if !a.fresh(c, source, now) {
		t.Error("a new nonce is not fresh")
	}
	a.forget(now)
	for range nonceMost + 1 {
		a.count(&digest.Credentials{Nonce: fmt.Sprint(now.UnixNano(), len(a.used)), Nc: 1}, now)
	}
	if a.fresh(c, source, now) {
		t.Error("a forgotten nonce may be used again")
	}
}
