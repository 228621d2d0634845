package adapter_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"parley/adapter"
	"parley/adapter/config"
)

// TestACallWithoutACodecOfOurs is told in the words that admins search for, by
// a Parley as it comes.
func TestACallWithoutACodecOfOurs(t *testing.T) {
	c := config.Defaults()
	vacant(t, c)
	log := &journal{}
	p := run(t, c, adapter.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	peer, err := net.Dial("udp", p.config.SIP.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	const sdp = "v=0\r\no=x 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 96 97 101\r\n" +
		"a=rtpmap:96 AMR/8000\r\na=rtpmap:97 iLBC/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
	if _, err := peer.Write(invite(peer.LocalAddr(), "3001", 1, sdp)); err != nil {
		t.Fatal(err)
	}
	if err := peer.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	for first := ""; !strings.HasPrefix(first, "SIP/2.0 488 "); {
		n, err := peer.Read(answer)
		if err != nil {
			t.Fatalf("after %q: %v", first, err)
		}
		first = string(answer[:n])
	}
	_, port, _ := net.SplitHostPort(peer.LocalAddr().String())
	want := `level=WARN msg="call siege-` + port + `-1: 488, offered AMR,iLBC; we have opus,G722,PCMU,PCMA,L16. [no_codec]"`
	if !strings.Contains(log.String(), want) {
		t.Errorf("log %s, want %s", log, want)
	}
}
