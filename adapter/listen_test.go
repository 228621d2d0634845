package adapter

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/adapter/config"
)

func TestWhoHasAPort(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc")
	}
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	me := fmt.Sprintf(" (by pid %d, %s)", os.Getpid(), strings.TrimSpace(string(comm)))
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	_, port, _ := net.SplitHostPort(tcp.Addr().String())
	for address, want := range map[string]string{
		tcp.Addr().String(): me, udp.LocalAddr().String(): me, ":" + port: me, "localhost:" + port: me, "0.0.0.0:" + port: me,
		"127.0.0.2:" + port: "", "[::1]:" + port: "", "127.0.0.1:1": "", "127.0.0.1": "", "": "", "127.0.0.1:x": "", "127.0.0.1:99999": "",
	} {
		if got := usedBy(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// TestAPortThatIsTaken is the whole line, from a listener that cannot be had.
func TestAPortThatIsTaken(t *testing.T) {
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Skip("without /proc the line names nobody; TestWhatToDoAboutAnAddress has that")
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.Addr().String()
	_, err = listen(t.Context(), "http.listen", at)
	want := fmt.Sprintf("http %s: address already in use (by pid %d, %s). Set http.listen. [port_in_use]", at, os.Getpid(), strings.TrimSpace(string(comm)))
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestWhatToDoAboutAnAddress(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{syscall.EADDRINUSE, "sip 127.0.0.1:1: address already in use. Set sip.listen. [port_in_use]"},
		{syscall.EADDRNOTAVAIL, "sip 127.0.0.1:1: this machine does not have that address. Set sip.listen. [bad_address]"},
		{syscall.EACCES, "sip 127.0.0.1:1: permission denied. Set sip.listen to a port above 1023. [bad_address]"},
		{errors.New("no"), "sip 127.0.0.1:1: no. Set sip.listen. [bad_address]"},
	} {
		if got := explainBind("sip.listen", "127.0.0.1:1", fmt.Errorf("listen: %w", tt.err)).Error(); strings.ReplaceAll(got, "listen: no", "no") != tt.want {
			t.Errorf("%v: %s", tt.err, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "::1": "::1", "::ffff:10.0.0.1": "10.0.0.1", "localhost": "127.0.0.1",
	} {
		if got, err := localIP(host); err != nil || got.String() != want && (host != "localhost" || !got.IsLoopback()) {
			t.Errorf("%s: %v %v", host, got, err)
		}
	}
	for _, host := range []string{"", "0.0.0.0", "::"} { // whatever the machine has
		if got, err := localIP(host); err != nil || !got.IsValid() || got.IsUnspecified() {
			t.Errorf("%q: %v %v", host, got, err)
		}
	}
	c := config.Defaults()
	if a, b := sipAddress(c), socketAddress(c); a != "127.0.0.1:5070" || b != "127.0.0.1:8086" {
		t.Errorf("%s %s", a, b)
	}
	c.SIP.Advertise, c.AudioSocket.Advertise = "pbx.example:5", "10.0.0.1:6"
	if a, b := sipAddress(c), socketAddress(c); a != "pbx.example:5" || b != "10.0.0.1:6" {
		t.Errorf("%s %s", a, b)
	}
	for advertise, want := range map[string]string{"pbx.example": "pbx.example:5070", "2001:db8::1": "[2001:db8::1]:5070", "[2001:db8::1]:5": "[2001:db8::1]:5"} {
		if c.SIP.Advertise = advertise; sipAddress(c) != want {
			t.Errorf("%s: %s, want %s", advertise, sipAddress(c), want)
		}
	}
	c.SIP.Advertise, c.SIP.Listen = "", "0.0.0.0:5070"
	if ap, err := netip.ParseAddrPort(sipAddress(c)); err != nil || ap.Addr().IsUnspecified() || ap.Port() != 5070 {
		t.Errorf("%s", sipAddress(c))
	}
	if hostOf("[::1]:5070") != "::1" || hostOf("example.org") != "example.org" || withHost("0.0.0.0:7", "::1") != "[::1]:7" {
		t.Error("hosts")
	}
}

func TestZeroIsNoLimit(t *testing.T) {
	if unlimited(0) != math.MaxInt || unlimited(7) != 7 || unlimited(time.Duration(0)) < 24*time.Hour || unlimited(time.Second) != time.Second {
		t.Error("limits")
	}
}

func TestCodecsKeepTheirOrder(t *testing.T) {
	var got []string
	for _, f := range codecs(config.SIP{Codecs: []string{"L16", "PCMA"}}) {
		got = append(got, fmt.Sprintf("%s/%d", f.Name, f.Rate))
	}
	if text := strings.Join(got, " "); text != "L16/16000 L16/48000 L16/8000 PCMA/8000" {
		t.Errorf("%s", text)
	}
}
