package sip

import (
	"strings"
	"testing"

	"parley/codec"
)

// A browser's offer: the numbers are its own, the digits that go with Opus have
// its clock, and what the fmtp says is how it wants to hear us.
func TestOpusIsAnsweredAsOffered(t *testing.T) {
	m, err := parseMedia([]byte("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
		"m=audio 9000 RTP/AVP 109 9 0 101 126\r\na=rtpmap:109 opus/48000/2\r\n" +
		"a=fmtp:109 maxplaybackrate=16000;stereo=1;useinbandfec=1;usedtx=1;maxaveragebitrate=18000\r\n" +
		"a=rtpmap:101 telephone-event/8000\r\na=rtpmap:126 telephone-event/48000\r\na=ptime:20\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	ours := codec.Opus(48000)
	ours.Opus.FEC = true
	for _, tt := range []struct {
		name   string
		ours   []codec.Format
		want   codec.Format
		digits uint8
		answer string
	}{
		{
			"Opus",
			[]codec.Format{ours, codec.G722()},
			codec.Format{
				Name: "opus", Payload: 109, Rate: 16000, Clock: 48000,
				Opus: codec.Tuning{Bitrate: 16000, FEC: true, DTX: true},
			},
			126,
			"m=audio 4000 RTP/AVP 109 126\r\na=rtpmap:109 opus/48000/2\r\na=fmtp:109 maxplaybackrate=16000;minptime=10;useinbandfec=1\r\n" +
				"a=rtpmap:126 telephone-event/48000\r\na=fmtp:126 0-16\r\n",
		},
		{
			"G.722",
			[]codec.Format{codec.G722(), ours},
			codec.G722(), 101,
			"m=audio 4000 RTP/AVP 9 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := m.choose(tt.ours, false)
			if err != nil || c.format != tt.want || c.digits.payload != tt.digits {
				t.Fatalf("%+v, %v", c, err)
			}
			d := describer{id: 1, version: 1}
			if got := string(d.answer(m, c, Local{Addr: at("192.0.2.2:4000")}, SendRecv)); !strings.Contains(got, tt.answer) {
				t.Errorf("answer %q", got)
			}
		})
	}
}
