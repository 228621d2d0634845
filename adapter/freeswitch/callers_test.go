package freeswitch

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// ends is a connection between two addresses.
type ends struct {
	net.Conn
	from, to string
}

func (e ends) RemoteAddr() net.Addr { return tcp(e.from) }
func (e ends) LocalAddr() net.Addr  { return tcp(e.to) }

func tcp(addr string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr)) }

func TestWhoMayHandCallsOver(t *testing.T) {
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, tt := range []struct {
		name     string
		callers  Callers
		from, to string
		want     bool
	}{
		{"a network of the list", Callers{Networks: here}, "127.0.0.7:5000", "127.0.0.1:8084", true},
		{"the same, as the system writes it of IPv6 sockets", Callers{Networks: here}, "[::ffff:127.0.0.7]:5000", "[::ffff:127.0.0.1]:8084", true},
		{"this machine, by its own address", Callers{Networks: here}, "192.0.2.1:5000", "192.0.2.1:8084", true},
		{"a stranger", Callers{Networks: here}, "192.0.2.9:5000", "192.0.2.1:8084", false},
		{"a configured switch", Callers{here, []string{"bad", "192.0.2.9:8021"}}, "192.0.2.9:5000", "192.0.2.1:8084", true},
		{"one of IPv6", Callers{here, []string{"[2001:db8::9]:8021"}}, "[2001:db8::9]:5000", "[2001:db8::1]:8084", true},
		{"another than that", Callers{here, []string{"192.0.2.8:8021"}}, "192.0.2.9:5000", "192.0.2.1:8084", false},
		{"a switch by its name", Callers{[]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, []string{"localhost:8021"}}, "127.0.0.1:5000", "192.0.2.1:8084", true},
		{"everybody", Callers{}, "192.0.2.9:5000", "192.0.2.1:8084", true},
	} {
		if got := tt.callers.allow(t.Context(), ends{from: tt.from, to: tt.to}); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestAStrangersCallIsNotTaken: by real sockets, and what the log says of it.
func TestAStrangersCallIsNotTaken(t *testing.T) {
	log := &lines{}
	a := New(Options{Callers: Callers{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, Log: slog.New(slog.NewTextHandler(log, nil))})
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = a.Serve(t.Context(), l) }()
	for range 3 {
		strangerComes(t, l)
	}
	want := `level=ERROR msg="esl-outbound: 127.0.0.3 is not in freeswitch.acl, and not the address of a switch. A call that it hands over continues in its dialplan. [freeswitch_acl]"`
	if got := log.String(); !strings.Contains(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("log %s", log)
	}
}

func strangerComes(t *testing.T, l net.Listener) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}
	nc, err := d.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := nc.Read(make([]byte, 100)); n > 0 || err == nil {
		t.Errorf("%d bytes were sent to a stranger", n)
	}
}
