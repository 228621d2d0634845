package sip

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestSIPp lets a foreign caller try us: the scenarios of testdata/sipp.
func TestSIPp(t *testing.T) {
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		t.Skip("sipp is not installed: no foreign SIP peer to test against")
	}
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	at := udp.LocalAddr().String()
	told := &diary{}
	e, err := New(Options{
		UDP: []string{at}, TCP: []string{at}, ListenPacket: func(string, string) (net.PacketConn, error) { return udp, nil },
		Incoming: func(c *Call) Events { return greet(c, told) },
	})
	if err != nil {
		t.Skip(err) // somebody has the same port in TCP
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { defer close(done); _ = e.Run(ctx) }()
	defer func() { cancel(); <-done }()

	for _, tt := range []struct{ scenario, transport string }{
		{"call", "u1"},
		{"call", "t1"},
		{"cancel", "u1"},
		{"noack", "u1"},
		{"hold", "u1"},
		{"hold", "t1"},
		{"extension", "u1"},
		{"codec", "t1"},
		{"hungup", "u1"},
		{"hungup", "t1"},
	} {
		t.Run(tt.scenario+" "+tt.transport, func(t *testing.T) {
			run(t, sipp, "-sf", filepath.Join("testdata", "sipp", tt.scenario+".xml"), "-t", tt.transport, at)
		})
	}
	if n := e.Stats().Resent.Load(); n < 2 {
		t.Errorf("the answer without ACK was sent again %d times", n)
	}
	if n := e.Calls(); n != 0 {
		t.Errorf("%d calls left", n)
	}
	if n := e.Stats().CallsIn.Load(); n != 8 {
		t.Errorf("%d calls", n)
	}
}

// TestSIPpAnswersUs calls a foreign phone.
func TestSIPpAnswersUs(t *testing.T) {
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		t.Skip("sipp is not installed: no foreign SIP peer to test against")
	}
	free, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	at := free.LocalAddr().(*net.UDPAddr)
	_ = free.Close()
	e, err := New(Options{UDP: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { defer close(done); _ = e.Run(ctx) }()
	defer func() { cancel(); <-done }()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(t, sipp, "-sf", filepath.Join("testdata", "sipp", "uas.xml"), "-p", strconv.Itoa(at.Port))
	}()
	invite := func() (*Call, error) {
		return e.Invite(ctx, "sip:foreign@"+at.String(), InviteOptions{Local: Local{Addr: netip.MustParseAddrPort("127.0.0.1:40000")}})
	}
	c, err := invite()
	var early *StatusError // sipp is not there yet
	for start := time.Now(); errors.As(err, &early) && early.Code == 503 && time.Since(start) < 20*time.Second; c, err = invite() {
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Session(); s.Codec.Name != "PCMU" || s.Direction != SendRecv {
		t.Errorf("%+v", s)
	}
	if err := c.Reinvite(ctx, Local{Addr: netip.MustParseAddrPort("127.0.0.1:40000"), Direction: SendOnly}); err != nil {
		t.Error(err)
	}
	if s := c.Session(); s.Direction != SendOnly {
		t.Errorf("held: %+v", s)
	}
	c.HangUp()
	<-ended
}

// greet answers as the scenarios expect.
func greet(c *Call, told Events) Events {
	switch c.Info().Target {
	case "ring":
		c.Ringing()
		return told
	case "leave":
		time.AfterFunc(20*time.Millisecond, func() { c.HangUp() })
	}
	_ = c.Answer(Local{Addr: netip.MustParseAddrPort("127.0.0.1:40000")})
	return told
}

func run(t *testing.T, sipp string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	dir := t.TempDir()
	errors := filepath.Join(dir, "errors")
	args = append([]string{
		"-m", "1", "-i", "127.0.0.1", "-nostdin", "-timeout", "8", "-timeout_error", "-recv_timeout", "5000", "-trace_err", "-error_file", errors,
	}, args...)
	cmd := exec.CommandContext(ctx, sipp, args...)
	cmd.Env = append(os.Environ(), "TERM=dumb")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		why, _ := os.ReadFile(errors)
		t.Errorf("sipp: %v\n%s\n%s", err, why, out.String())
	}
}
