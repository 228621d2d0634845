package phone

import (
	"net/netip"
	"strings"
	"testing"

	"parley/engine"
	"parley/sip"
)

func TestHeaderNames(t *testing.T) {
	for _, tt := range []struct{ variable, header string }{
		{"role", "X-Parley-Role"},
		{"end_on_exit", "X-Parley-End-On-Exit"},
		{"exit_digits", "X-Parley-Exit-Digits"},
		{"max_participants", "X-Parley-Max-Participants"},
	} {
		if got := headerName(tt.variable); got != tt.header {
			t.Errorf("%s is %s, want %s", tt.variable, got, tt.header)
		}
		for _, spelled := range []string{tt.header, strings.ToLower(tt.header), strings.ToUpper(tt.header)} {
			if got, ok := variableName(spelled); !ok || got != tt.variable {
				t.Errorf("%s is %q, want %s", spelled, got, tt.variable)
			}
		}
	}
	for _, v := range engine.KnownVariables() {
		if got, ok := variableName(headerName(v)); !ok || got != v {
			t.Errorf("%s comes back as %q", v, got)
		}
	}
	for _, h := range []string{"", "X", "X-Parley", "X-Parley-", "X-Parleyrole", "P-Parley-Role", "Role"} {
		if got, ok := variableName(h); ok {
			t.Errorf("%q is taken for %q", h, got)
		}
	}
}

func TestWhatHeadersMayDecide(t *testing.T) {
	ours := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")}
	const all = "deaf=d language=l muted=m pin=p profile=q role=r"
	const few = "deaf=d language=l muted=m pin=p"
	for _, tt := range []struct {
		name, source, user string
		vars, room, whose  string
		warnings           int
	}{
		{"one of ours", "10.1.2.3:5060", "", all, "board", "10.1.2.3/alice", 0},
		{"loopback", "127.0.0.1:5060", "", all, "board", "127.0.0.1/alice", 0},
		{"loopback, IPv6", "[::1]:5060", "", all, "board", "::1/alice", 0},
		{"IPv4 within IPv6", "[::ffff:10.1.2.3]:5060", "", all, "board", "::ffff:10.1.2.3/alice", 0},
		{"a user", "192.0.2.1:5060", "trunk", all, "board", "192.0.2.1/alice", 0},
		{"a stranger", "10.2.0.1:5060", "", few, "3001", "10.2.0.1", 3},
		{"a stranger, IPv6", "[2001:db8::1]:5060", "", few, "3001", "2001:db8::", 3},
		{"another of his addresses", "[2001:db8::2:3:4:5]:5060", "", few, "3001", "2001:db8::", 3},
		{"his neighbour", "[2001:db8:0:1::1]:5060", "", few, "3001", "2001:db8:0:1::", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := New(Options{Trusted: ours})
			in := p.invite(sip.Info{
				Target: "3001", From: sip.Party{User: "alice", Name: "Alice L"}, Source: netip.MustParseAddrPort(tt.source), User: tt.user,
				Headers: []sip.Header{
					{Name: "X-Parley-Room", Value: "board"},
					{Name: "x-parley-role", Value: "r"},
					{Name: "X-PARLEY-PIN", Value: "p"},
					{Name: "X-Parley-Language", Value: "l"},
					{Name: "X-Parley-Muted", Value: "m"},
					{Name: "X-Parley-Deaf", Value: "d"},
					{Name: "X-Parley-Profile", Value: "q"},
					{Name: "X-Other", Value: "x"},
					{Name: "P-Asserted-Identity", Value: "y"},
				},
			})
			var got []string
			for _, name := range append(engine.KnownVariables(), "other", "asserted_identity") {
				if v, ok := in.Variables[name]; ok {
					got = append(got, name+"="+v)
				}
			}
			if text := strings.Join(got, " "); text != tt.vars || len(got) != len(in.Variables) {
				t.Errorf("variables %v, want %s", in.Variables, tt.vars)
			}
			if in.Room != tt.room || in.Source != tt.whose || in.Kind != "sip" || in.Switch != "" || in.Dialplan {
				t.Errorf("%+v", in)
			}
			if in.Caller != (engine.Caller{Number: "alice", Name: "Alice L"}) {
				t.Errorf("caller %+v", in.Caller)
			}
			if len(in.Warnings) != tt.warnings {
				t.Errorf("warnings %q", in.Warnings)
			}
			for _, w := range in.Warnings {
				if !strings.Contains(w, "sip.trusted") {
					t.Errorf("warning %q", w)
				}
			}
		})
	}
}

func TestWarningsOfHeadersAreShort(t *testing.T) {
	in := New(Options{}).invite(sip.Info{
		Target: "1", Source: netip.MustParseAddrPort("192.0.2.1:1"),
		Headers: []sip.Header{{Name: "X-Parley-" + strings.Repeat("x", 1000), Value: "y"}},
	})
	if len(in.Warnings) != 1 || len(in.Warnings[0]) > 120 {
		t.Errorf("%q", in.Warnings)
	}
}

func TestTheAttendantIsDialledByName(t *testing.T) {
	p := New(Options{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	info := sip.Info{Target: Attendant, Source: netip.MustParseAddrPort("127.0.0.1:1")}
	if in := p.invite(info); in.Room != "" {
		t.Errorf("room %q", in.Room)
	}
	info.Headers = []sip.Header{{Name: "X-Parley-Room", Value: "3001"}}
	if in := p.invite(info); in.Room != "3001" {
		t.Errorf("room %q", in.Room)
	}
	info.Target = "Parley" // names are case-sensitive
	info.Headers = nil
	if in := p.invite(info); in.Room != "Parley" {
		t.Errorf("room %q", in.Room)
	}
}

// TestNobodyComesBackByAHeader: rights are taken from a switch's channel only,
// however trusted the caller's address is.
func TestNobodyComesBackByAHeader(t *testing.T) {
	p := New(Options{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	in := p.invite(sip.Info{
		Target: "3001", Source: netip.MustParseAddrPort("127.0.0.1:5060"), User: "trunk",
		Headers: []sip.Header{{Name: "X-Parley-Reattach", Value: "1.abc"}},
	})
	if _, there := in.Variables["reattach"]; there || in.Restore != nil || len(in.Warnings) != 1 {
		t.Errorf("invite %+v", in)
	}
}

// TestTheMarkOfAnotherParleyIsNoVariable, nor worth a warning.
func TestTheMarkOfAnotherParleyIsNoVariable(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		p := New(Options{})
		if trusted {
			p.opt.Trusted = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}
		in := p.invite(sip.Info{Source: netip.MustParseAddrPort("192.0.2.1:5060"), Headers: []sip.Header{{Name: "x-parley-origin", Value: "a.b"}}})
		if len(in.Variables)+len(in.Warnings) > 0 {
			t.Errorf("%+v", in)
		}
	}
}
