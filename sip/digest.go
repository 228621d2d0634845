package sip

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// User may call with a password. Instead of the password itself there may be
// its hashes over "name:realm:password", in hex; phones that only know MD5
// then need HA1.
type User struct {
	Name      string
	Password  string
	HA1       string // MD5
	HA1SHA256 string
}

// Auth is how we prove to a peer who we are.
type Auth struct{ User, Password string }

const (
	nonceLife = 5 * time.Minute
	nonceMost = 10_000 // nonces in use that are remembered
)

// authority judges credentials (RFC 7616, RFC 8760). A nonce is its time and
// our signature, so that handing them out costs no memory; only nonces that
// somebody used with a right password are remembered, for their counts.
type authority struct {
	realm      string
	users      map[string]User
	trustOnly  bool // there is a list of networks and no password
	algorithms []string

	mu     sync.Mutex
	secret []byte         // guarded by mu
	used   map[string]use // guarded by mu
}

type use struct {
	count int // highest so far: each must be higher
	until time.Time
}

func newAuthority(o Options, secret []byte) *authority {
	a := &authority{
		realm: o.Realm, users: map[string]User{}, trustOnly: len(o.Users) == 0 && len(o.Trusted) > 0,
		secret: secret, used: map[string]use{},
	}
	sha, old := true, true
	for _, u := range o.Users {
		a.users[u.Name] = u
		sha = sha && (u.Password != "" || u.HA1SHA256 != "")
		old = old && (u.Password != "" || u.HA1 != "")
	}
	if sha || !old {
		a.algorithms = append(a.algorithms, "SHA-256")
	}
	if old || !sha {
		a.algorithms = append(a.algorithms, "MD5")
	}
	return a
}

// verdict is what comes of a request's credentials.
type verdict struct {
	user   string         // who it is; "" when nobody asked
	refuse int            // 401, 403 or 0
	with   []sipgo.Header // of the refusal
	wrong  bool           // there were credentials, and they were no good
}

// judge looks at a request from a source that is not trusted.
func (a *authority) judge(req *sipgo.Request, source netip.Addr, now time.Time) verdict {
	if a.trustOnly {
		return verdict{refuse: 403}
	}
	if len(a.users) == 0 {
		return verdict{}
	}
	v := verdict{refuse: 401}
	stale := false
	for _, h := range req.GetHeaders("Authorization") {
		c, err := digest.ParseCredentials(h.Value())
		if err != nil || c.Realm != a.realm {
			continue
		}
		right := a.right(c, req)
		switch fresh := a.fresh(c, source, now); {
		case right && fresh && a.count(c, now):
			return verdict{user: c.Username}
		case right: // the password is right, the nonce is not: no need to ask the human
			stale = true
		}
		v.wrong = true
	}
	for _, alg := range a.algorithms {
		ch := digest.Challenge{
			Realm: a.realm, Nonce: a.nonce(source, now), Algorithm: alg, QOP: []string{"auth"}, Stale: stale,
		}
		v.with = append(v.with, header("WWW-Authenticate", ch.String()))
	}
	return v
}

// right says whether the credentials prove the password. It takes as long for
// a user that does not exist.
func (a *authority) right(c *digest.Credentials, req *sipgo.Request) bool {
	u := a.users[c.Username]
	var h hash.Hash
	var ha1 string
	switch strings.ToUpper(c.Algorithm) {
	case "", "MD5":
		h, ha1 = md5.New(), u.HA1
	case "SHA-256":
		h, ha1 = sha256.New(), u.HA1SHA256
	default:
		return false
	}
	known := ha1 != "" || u.Password != ""
	if ha1 == "" {
		ha1 = join(h, c.Username, a.realm, u.Password)
	}
	// Credentials without a count (RFC 2069) come out different, and must: a
	// listener could use them again.
	want := join(h, strings.ToLower(ha1), c.Nonce, fmt.Sprintf("%08x", c.Nc), c.Cnonce, c.QOP, join(h, string(req.Method), c.URI))
	same := subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(c.Response))) == 1
	return same && known && sameUser(c.URI, req)
}

// sameUser says whether the credentials are for what the request asks, at
// least as far as the number goes: proxies change the rest.
func sameUser(uri string, req *sipgo.Request) bool {
	var u sipgo.Uri
	return sipgo.ParseUri(uri, &u) == nil && u.User == req.Recipient.User
}

func join(h hash.Hash, parts ...string) string {
	h.Reset()
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

// nonce is time, chance and a signature over both and the source.
func (a *authority) nonce(source netip.Addr, now time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli()))
	b = append(b, make([]byte, 8)...)
	_, _ = rand.Read(b[8:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(append(b, a.sign(b, source)...))
}

func (a *authority) sign(b []byte, source netip.Addr) []byte {
	a.mu.Lock()
	m := hmac.New(sha256.New, a.secret)
	a.mu.Unlock()
	m.Write([]byte("nonce"))
	m.Write(b)
	m.Write(source.AsSlice())
	return m.Sum(nil)[:16]
}

// fresh says whether we made the nonce, for that source, not long ago.
func (a *authority) fresh(c *digest.Credentials, source netip.Addr, now time.Time) bool {
	b, err := base64.RawURLEncoding.DecodeString(c.Nonce)
	if err != nil || len(b) != 32 || !hmac.Equal(b[16:], a.sign(b[:16], source)) {
		return false
	}
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(b)))
	return now.Sub(made) < nonceLife
}

// count notes the use of a nonce, and says whether it was the first with that
// count.
func (a *authority) count(c *digest.Credentials, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.Nc <= a.used[c.Nonce].count {
		return false
	}
	if len(a.used) >= nonceMost {
		a.forget(now)
	}
	a.used[c.Nonce] = use{count: c.Nc, until: now.Add(nonceLife)}
	return true
}

// forget drops what is too old to be fresh; if nothing is, it forgets all and
// changes what nonces are signed with, so that none can be used again.
func (a *authority) forget(now time.Time) {
	for n, u := range a.used {
		if now.After(u.until) {
			delete(a.used, n)
		}
	}
	if len(a.used) >= nonceMost {
		clear(a.used)
		next := sha256.Sum256(a.secret)
		a.secret = next[:]
	}
}

// credentials answers a peer's challenge. It is false when there is none that
// we can answer.
func (a *Auth) credentials(req *sipgo.Request, res *sipgo.Response) (sipgo.Header, bool) {
	ask, reply := "WWW-Authenticate", "Authorization"
	if res.StatusCode == 407 {
		ask, reply = "Proxy-Authenticate", "Proxy-Authorization"
	}
	var list []*digest.Challenge
	for _, h := range res.GetHeaders(ask) {
		if c, err := digest.ParseChallenge(h.Value()); err == nil && digest.CanDigest(c) {
			c.Algorithm = strings.ToUpper(c.Algorithm)
			list = append(list, c)
		}
	}
	if a == nil || len(list) == 0 {
		return nil, false
	}
	// The first we can do is the one the peer likes best (RFC 8760 §2.4).
	i := max(0, slices.IndexFunc(list, func(c *digest.Challenge) bool { return len(c.QOP) == 0 || c.SupportsQOP("auth") }))
	cred, err := digest.Digest(list[i], digest.Options{
		Method: string(req.Method), URI: req.Recipient.String(), Username: a.User, Password: a.Password,
	})
	if err != nil || !printable(cred.String()) {
		return nil, false
	}
	return header(reply, cred.String()), true
}
