package adapter_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// invite is an INVITE as an attacker writes it.
func invite(from net.Addr, user string, n int, sdp string, headers ...string) []byte {
	at := netip.MustParseAddrPort(from.String())
	kind := strings.ToUpper(from.Network()[:3])
	head := []string{
		fmt.Sprintf("INVITE sip:%s@127.0.0.1 SIP/2.0", user),
		fmt.Sprintf("Via: SIP/2.0/%s %s;branch=z9hG4bK%d-%d;rport", kind, at, at.Port(), n),
		fmt.Sprintf("From: \"caller %d\" <sip:%d@%s>;tag=f%d", n, n%100, at.Addr(), n),
		fmt.Sprintf("To: <sip:%s@127.0.0.1>", user),
		fmt.Sprintf("Call-ID: siege-%d-%d", at.Port(), n),
		"CSeq: 1 INVITE", "Max-Forwards: 70", fmt.Sprintf("Contact: <sip:x@%s>", at),
	}
	head = append(head, headers...)
	if sdp != "" {
		head = append(head, "Content-Type: application/sdp")
	}
	head = append(head, fmt.Sprintf("Content-Length: %d", len(sdp)))
	return []byte(strings.Join(head, "\r\n") + "\r\n\r\n" + sdp)
}

// offer is an SDP that wants audio to be sent to an address.
func offer(to netip.AddrPort) string {
	return fmt.Sprintf("v=0\r\no=x 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 0\r\n", to.Addr(), to.Port())
}

// within makes a request of a call that was answered.
func within(method, response string, seq int) []byte {
	line := func(name string) string {
		for l := range strings.SplitSeq(response, "\r\n") {
			if v, ok := strings.CutPrefix(l, name+": "); ok {
				return v
			}
		}
		return ""
	}
	target := strings.Trim(strings.TrimSuffix(line("Contact"), ">"), "<")
	return []byte(strings.Join([]string{
		method + " " + target + " SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK%d;rport", rand.Uint64()), //nolint:gosec // no secret
		"From: " + line("From"), "To: " + line("To"), "Call-ID: " + line("Call-ID"),
		fmt.Sprintf("CSeq: %d %s", seq, method), "Max-Forwards: 70", "Content-Length: 0", "", "",
	}, "\r\n"))
}

// answered counts what an attacker is answered, by code. Once over is set it
// ends every call that was taken: to see them expire would last 32 s. With
// confirms set it confirms what is answered with 200, as callers do.
type answered struct {
	over     atomic.Bool
	confirms bool

	mu    sync.Mutex
	codes map[string]int  // guarded by mu
	calls map[string]bool // guarded by mu: answered for good, by Call-ID
}

func newAnswered() *answered { return &answered{codes: map[string]int{}, calls: map[string]bool{}} }

// count is how many calls were answered for good.
func (a *answered) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.calls)
}

func (a *answered) read(c net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		text := string(buf[:max(n, 0)])
		if !strings.HasPrefix(text, "SIP/2.0 ") {
			continue
		}
		code := text[8:11]
		a.mu.Lock()
		a.codes[code]++
		if _, id, ok := strings.Cut(text, "Call-ID: "); ok && code != "100" {
			id, _, _ = strings.Cut(id, "\r\n")
			a.calls[id] = true
		}
		a.mu.Unlock()
		if code == "200" && a.confirms && strings.Contains(text, " INVITE") {
			_, _ = c.Write(within("ACK", text, 1))
		}
		if code == "200" && a.over.Load() && strings.Contains(text, " INVITE") {
			_, _ = c.Write(within("BYE", text, 2))
		}
	}
}

func TestTenThousandInvitesAreBounded(t *testing.T) {
	s := besiege(t, nil)
	before := s.state(t)
	c := udpFrom(t, s.config.SIP.Listen)
	victim, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP("127.0.0.9")}) // who asked for nothing
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	sdp := offer(victim.LocalAddr().(*net.UDPAddr).AddrPort())
	users := []string{"4%03d", "4%03d", "bad%%20room%d", "~token%d", "parley;x=%d", "%d@"}
	got := newAnswered()
	go got.read(c) // ends with c
	began := time.Now()
	for _, fault := range s.during(t, func(ctx context.Context) {
		paced(ctx, 10_000, 25, func(i int) {
			body := sdp
			if i%4 == 3 {
				body = ""
			}
			_, _ = c.Write(invite(c.LocalAddr(), fmt.Sprintf(users[i%len(users)], i%500), i, body))
		})
		s.dial(t, "3002", siegeTones[0]).Hangup() // somebody else gets in meanwhile
	}) {
		t.Error(fault)
	}
	got.mu.Lock()
	taken := got.codes["100"]
	t.Logf("answers %v", got.codes)
	got.mu.Unlock()
	if most := s.config.SIP.BurstPerSource + int(time.Since(began).Seconds()*float64(s.config.SIP.RatePerSource)); taken > most {
		t.Errorf("%d calls of one source, the rate allows %d", taken, most)
	}
	if n := s.metric(t, "parley_legs"); n > 3 { // the third has just hung up
		t.Errorf("%v legs: calls that nobody confirmed have media", n)
	}
	_ = victim.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, _ := victim.Read(make([]byte, 2048)); n > 0 {
		t.Error("audio is sent to where nobody confirmed a call")
	}
	got.over.Store(true)
	s.recovers(t, before, taken)
}
