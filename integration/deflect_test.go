//go:build integration

package integration

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/esl"
)

// referee is a phone that is sent elsewhere, and tells what it likes of that. Its words
// are written by hand: those of siptest do nothing of the kind.
type referee struct {
	*net.UDPConn
	t   *testing.T
	uri string // whom he has called
	to  string // the same, with the tag, once there is one
	seq int
}

// refereeIn is one in a room that a switch's dialplan has brought him to.
func refereeIn(t *testing.T, address, number string) *referee {
	t.Helper()
	c, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	uri := "sip:" + number + "@" + address
	r := &referee{UDPConn: c.(*net.UDPConn), t: t, uri: uri, to: "<" + uri + ">"}
	r.send("INVITE", "Content-Type: application/sdp", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 39000 RTP/AVP 0\r\n")
	r.to = field(r.gets("SIP/2.0 200"), "To")
	r.send("ACK", "X-None: 0", "")
	return r
}

func (r *referee) send(method, header, body string) {
	r.t.Helper()
	if method != "ACK" {
		r.seq++
	}
	at := r.LocalAddr()
	_, err := fmt.Fprintf(r, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d\r\nMax-Forwards: 70\r\nFrom: <sip:referee@x>;tag=r\r\nTo: %s\r\nCall-ID: %s\r\n"+
		"CSeq: %d %s\r\nContact: <sip:referee@%s>\r\n%s\r\nContent-Length: %d\r\n\r\n%s",
		method, r.uri, at, method, r.seq, r.to, at, r.seq, method, at, header, len(body), body)
	if err != nil {
		r.t.Fatal(err)
	}
}

// gets waits for a message that begins so.
func (r *referee) gets(begin string) string {
	r.t.Helper()
	_ = r.SetReadDeadline(time.Now().Add(20 * time.Second)) // it is open
	for buf := make([]byte, 65536); ; {
		n, err := r.Read(buf)
		if err != nil {
			r.t.Fatalf("no %s: %v", begin, err)
		}
		if strings.HasPrefix(string(buf[:n]), begin) {
			return string(buf[:n])
		}
	}
}

// field is a header's value.
func field(message, name string) string {
	found := regexp.MustCompile(`\r\n` + name + `: ([^\r]*)`).FindStringSubmatch(message)
	if found == nil {
		return ""
	}
	return found[1]
}

// takes accepts a REFER, and tells what came of it.
func (r *referee) takes(refer, status string) {
	r.t.Helper()
	answer := "SIP/2.0 202 Accepted\r\n"
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		answer += name + ": " + field(refer, name) + "\r\n"
	}
	if _, err := fmt.Fprintf(r, "%sContact: <sip:referee@%s>\r\nContent-Length: 0\r\n\r\n", answer, r.LocalAddr()); err != nil {
		r.t.Fatal(err)
	}
	r.send("NOTIFY", "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\nContent-Type: message/sipfrag", "SIP/2.0 "+status+"\r\n")
}

// TestADeflectedCallOfASwitch is told as that switch does, whoever mixes its room, and one
// at a time.
func TestADeflectedCallOfASwitch(t *testing.T) {
	t.Parallel()
	at := newPlace()
	startFreeSWITCH(t, at)
	for _, mixer := range []string{"native", "switch"} {
		t.Run(mixer, func(t *testing.T) {
			p := run(t, at, contractConfig(mixer, at, at.fsESL))
			us, err := esl.Dial(t.Context(), esl.ClientOptions{Address: at.server, Password: "ClueCon"})
			if err != nil {
				t.Fatal(err)
			}
			defer us.Close()
			for _, status := range []string{"486 Busy Here", "200 OK"} {
				r := refereeIn(t, at.fsSIP, "3001")
				id := string(p.members("3001", 1)[0].CallID)
				first := make(chan string, 1)
				go func() {
					text, err := us.Background(t.Context(), "uuid_deflect", id+" sip:bob@127.0.0.9")
					first <- fmt.Sprintf("%q %v", text, err)
				}()
				refer := r.gets("REFER ")
				if text, err := us.API(t.Context(), "uuid_deflect", id+" sip:eve@127.0.0.9"); !strings.Contains(fmt.Sprint(text, err), "is being sent elsewhere already") {
					t.Errorf("a second one: %q %v", text, err)
				}
				r.takes(refer, status)
				if got, want := <-first, fmt.Sprintf("%q <nil>", "+OK:SIP/2.0 "+status+"\r\n\n"); got != want {
					t.Errorf("%s, want %s", got, want)
				}
				r.gets("BYE ")
			}
		})
	}
}
