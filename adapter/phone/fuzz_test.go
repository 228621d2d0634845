package phone

import (
	"net/netip"
	"strings"
	"testing"

	"parley/sip"
)

// FuzzInvite: whatever headers a stranger sends, he decides about himself
// alone, and what is said about the others fits a line.
func FuzzInvite(f *testing.F) {
	f.Add("3001", "alice", "X-Parley-Role", "moderator")
	f.Add("parley", "", "x-parley-pin", "1234")
	f.Add("~token", "a/b", "X-Parley-Room", "board")
	f.Add("", "\x00", "X-Parley-", strings.Repeat("x", 2000))
	stranger, ours := netip.MustParseAddrPort("192.0.2.1:5060"), netip.MustParseAddrPort("10.0.0.1:5060")
	p := New(Options{Trusted: []netip.Prefix{netip.PrefixFrom(ours.Addr(), 32)}})
	f.Fuzz(func(t *testing.T, target, user, name, value string) {
		info := sip.Info{
			Target: target, From: sip.Party{User: user}, Source: stranger, Headers: []sip.Header{{Name: name, Value: value}},
		}
		in := p.invite(info)
		if in.Source != "192.0.2.1" || in.Room != target && (in.Room != "" || target != Attendant) {
			t.Errorf("%+v", in)
		}
		for v := range in.Variables {
			if !harmless(v) {
				t.Errorf("a stranger sets %q", v)
			}
		}
		for _, w := range in.Warnings {
			if len(w) > 300 {
				t.Errorf("a warning of %d bytes", len(w))
			}
		}
		info.Source = ours
		if in = p.invite(info); in.Source != "10.0.0.1/"+user {
			t.Errorf("%+v", in)
		}
	})
}
