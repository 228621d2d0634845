package phone_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"parley/engine"
)

// caller writes its SIP by hand and reads it as text.
type caller struct {
	t     *testing.T
	o     *office
	sip   *net.UDPConn
	audio *net.UDPConn
	seq   int
	to    string // with the tag, once there is one
}

func newCaller(t *testing.T, o *office) *caller {
	t.Helper()
	c := &caller{t: t, o: o}
	var err error
	if c.sip, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(o.end.UDP()[0])); err != nil {
		t.Fatal(err)
	}
	if c.audio, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.sip.Close(); _ = c.audio.Close() })
	return c
}

// describe is a session description with one codec, "0 PCMU/8000".
func (c *caller) describe(codec string, lines ...string) string {
	payload, _, _ := strings.Cut(codec, " ")
	port := netip.MustParseAddrPort(c.audio.LocalAddr().String()).Port()
	return strings.Join(append([]string{
		"v=0", "o=x 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
		fmt.Sprintf("m=audio %d RTP/AVP %s", port, payload), "a=rtpmap:" + codec,
	}, append(lines, "")...), "\r\n")
}

func (c *caller) send(method, target, sdp string, headers ...string) {
	c.t.Helper()
	at := c.sip.LocalAddr().String()
	lines := []string{
		method + " " + target + " SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK%s%d;rport", at, method, c.seq),
		"From: <sip:hand@127.0.0.1>;tag=mine", "To: " + c.to, "Call-ID: hand-" + at,
		fmt.Sprintf("CSeq: %d %s", c.seq, method), "Max-Forwards: 70", "Contact: <sip:hand@" + at + ">",
	}
	lines = append(lines, headers...)
	if sdp != "" && method != "NOTIFY" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	lines = append(lines, fmt.Sprintf("Content-Length: %d", len(sdp)), "", sdp)
	if _, err := c.sip.Write([]byte(strings.Join(lines, "\r\n"))); err != nil {
		c.t.Fatal(err)
	}
}

// await reads until a message begins with a word, and answers no other.
func (c *caller) await(begins string) string {
	c.t.Helper()
	buf := make([]byte, 65536)
	_ = c.sip.SetReadDeadline(time.Now().Add(patience))
	for {
		n, err := c.sip.Read(buf)
		if err != nil {
			c.t.Fatalf("no %s: %v", begins, err)
		}
		if text := string(buf[:n]); strings.HasPrefix(text, begins) {
			return text
		}
	}
}

// line is the value of a header.
func line(message, name string) string {
	for l := range strings.SplitSeq(message, "\r\n") {
		if key, value, ok := strings.Cut(l, ":"); ok && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// invite calls, and returns the final answer.
func (c *caller) invite(user, sdp string, headers ...string) string {
	c.t.Helper()
	c.seq, c.to = 1, "<"+c.o.uri(user)+">"
	c.send("INVITE", c.o.uri(user), sdp, headers...)
	for {
		if got := c.await("SIP/2.0 "); !strings.HasPrefix(got, "SIP/2.0 1") {
			c.to = line(got, "To")
			return got
		}
	}
}

func (c *caller) ack(answer, sdp string) {
	c.t.Helper()
	c.send("ACK", strings.Trim(line(answer, "Contact"), "<>"), sdp)
}

// again is a re-INVITE, acknowledged.
func (c *caller) again(answer, sdp string) string {
	c.t.Helper()
	c.seq++
	c.send("INVITE", strings.Trim(line(answer, "Contact"), "<>"), sdp)
	for {
		if got := c.await("SIP/2.0 "); !strings.HasPrefix(got, "SIP/2.0 1") && strings.HasPrefix(line(got, "CSeq"), fmt.Sprint(c.seq)) {
			c.ack(answer, "")
			return got
		}
	}
}

// payload waits for a packet of audio of a type.
func (c *caller) payload(want byte) {
	c.t.Helper()
	buf := make([]byte, 2048)
	_ = c.audio.SetReadDeadline(time.Now().Add(patience))
	for {
		n, err := c.audio.Read(buf)
		if err != nil {
			c.t.Fatalf("no packet of type %d: %v", want, err)
		}
		if n > 12 && buf[1]&0x7f == want {
			return
		}
	}
}

func TestInvitesByHand(t *testing.T) {
	full := plain("full")
	full.MaxParticipants, full.ReserveModeratorSeats, full.MaxMembersSound = 1, 0, ""
	o := open(t, settings{profiles: []engine.Profile{full}})
	for _, test := range []struct {
		name string
		run  func(*testing.T, *office)
	}{
		{"no common codec", noCodec},
		{"no offer", noOffer},
		{"no offer, and no common codec in the end", noOfferNoCodec},
		{"no offer, and another codec later", otherCodec},
		{"another address later", otherAddress},
		{"the BYE says how it was", parting},
		{"the BYE of a refusal", refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, o)
		})
	}
}

func noCodec(t *testing.T, o *office) {
	c := newCaller(t, o)
	if got := c.invite("488", c.describe("96 AMR/8000")); !strings.HasPrefix(got, "SIP/2.0 488") {
		t.Errorf("%s", got)
	}
	if _, err := o.Room(t.Context(), "488"); err == nil {
		t.Error("there is a room")
	}
}

func noOffer(t *testing.T, o *office) {
	c := newCaller(t, o)
	answer := c.invite("late", "")
	for _, want := range []string{"SIP/2.0 200", "PCMU/8000", "PCMA/8000", "L16/16000", "telephone-event/8000"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer has no %s:\n%s", want, answer)
		}
	}
	if _, err := o.Room(t.Context(), "late"); err == nil {
		t.Error("there is a room before the audio is agreed on")
	}
	c.ack(answer, c.describe("8 PCMA/8000"))
	v := o.until(t, "late", "open", present(1))
	if m := v.Members[0]; m.Codec != "PCMA/8000" || m.Number != "hand" {
		t.Errorf("%+v", m)
	}
	c.payload(8)
}

func noOfferNoCodec(t *testing.T, o *office) {
	c := newCaller(t, o)
	answer := c.invite("late488", "")
	c.ack(answer, c.describe("96 AMR/8000"))
	c.await("BYE")
	if _, err := o.Room(t.Context(), "late488"); err == nil {
		t.Error("there is a room")
	}
}

// otherCodec: the codec of a call stays, whatever a re-INVITE says.
func otherCodec(t *testing.T, o *office) {
	c := newCaller(t, o)
	answer := c.invite("other", "")
	c.ack(answer, c.describe("8 PCMA/8000"))
	o.until(t, "other", "open", present(1))
	c.payload(8)
	if got := c.again(answer, c.describe("0 PCMU/8000")); !strings.HasPrefix(got, "SIP/2.0 488") {
		t.Errorf("%s", got)
	}
	if got := c.again(answer, c.describe("8 PCMA/8000")); !strings.HasPrefix(got, "SIP/2.0 200") || !strings.Contains(got, " RTP/AVP 8\r\n") {
		t.Errorf("%s", got)
	}
	c.payload(8)
}

// otherAddress: audio follows a re-INVITE.
func otherAddress(t *testing.T, o *office) {
	c := newCaller(t, o)
	answer := c.invite("moving", c.describe("0 PCMU/8000"))
	c.ack(answer, "")
	c.payload(0)
	moved, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.audio.Close()
	c.audio = moved
	if got := c.again(answer, c.describe("0 PCMU/8000")); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Fatalf("%s", got)
	}
	c.payload(0)
}

// TestPortsAreGivenBack has ports for one call only.
func TestPortsAreGivenBack(t *testing.T) {
	first := uint16(16000 + 2*rand.IntN(1900)) //nolint:gosec // others who test may have some of them
	o := open(t, settings{ports: [2]uint16{first, first + 1}})
	hopeless := newCaller(t, o)
	hopeless.ack(hopeless.invite("a", ""), hopeless.describe("96 AMR/8000"))
	hopeless.await("BYE")
	for end := time.Now().Add(patience); ; {
		c := newCaller(t, o)
		answer := c.invite("a", c.describe("0 PCMU/8000"))
		if strings.HasPrefix(answer, "SIP/2.0 200") {
			c.ack(answer, "")
			break
		}
		if time.Now().After(end) { // the other call may not be quite over
			t.Fatalf("%s", answer)
		}
	}
	o.until(t, "a", "open", present(1))
	third := newCaller(t, o)
	if got := third.invite("a", third.describe("0 PCMU/8000")); !strings.HasPrefix(got, "SIP/2.0 503") || line(got, "Retry-After") != "10" {
		t.Errorf("%s", got)
	}
}

// parting: a plain SIP call has no dialplan, so its BYE carries the results.
func parting(t *testing.T, o *office) {
	c := newCaller(t, o)
	answer := c.invite("parting", c.describe("0 PCMU/8000"), "X-Parley-Mutted: true")
	c.ack(answer, "")
	o.until(t, "parting", "open", present(1))
	if err := o.Do(limited(t), "parting", engine.Kick{Member: 1}); err != nil {
		t.Fatal(err)
	}
	bye := c.await("BYE")
	for name, want := range map[string]string{
		"X-Parley-Result": "joined", "X-Parley-Reason": "kicked", "X-Parley-Exit": "kicked", "X-Parley-Duration": "0",
		"X-Parley-Member-Id": "1", "Reason": `Q.850;cause=16;text="NORMAL_CLEARING"`,
		"X-Parley-Warnings": "unknown variable parley_mutted, did you mean parley_muted?",
	} {
		if got := line(bye, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if strings.Contains(bye, "X-Parley-Exit-Digits") {
		t.Errorf("an empty result is told:\n%s", bye)
	}
}

func refused(t *testing.T, o *office) {
	profile := "X-Parley-Profile: full"
	first := newCaller(t, o)
	first.ack(first.invite("refused", first.describe("0 PCMU/8000"), profile), "")
	o.until(t, "refused", "open", present(1))
	c := newCaller(t, o)
	c.ack(c.invite("refused", c.describe("0 PCMU/8000"), profile), "")
	bye := c.await("BYE")
	for name, want := range map[string]string{
		"X-Parley-Result": "rejected", "X-Parley-Reason": "full", "X-Parley-Exit": "", "X-Parley-Member-Id": "",
	} {
		if got := line(bye, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
