package sip

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/codec"
)

// described is a description, as phones and PBXs send it, or worse.
type described struct {
	name string
	in   string
	want Session // with all our codecs, both ways
	err  error
}

// descriptions are shared by the table and by fuzzing.
func descriptions() []described {
	return []described{
		{
			name: "plain", in: pcmuSDP,
			want: Session{
				Codec: codec.PCMU(), Receive: 0, Digits: 101, DigitsIn: 101, DigitClock: 8000,
				Remote: at("10.0.0.2:4000"), RemoteRTCP: at("10.0.0.2:4001"),
			},
		},
		{
			name: "FreeSWITCH", in: "v=0\no=FreeSWITCH 1700000000 1700000001 IN IP4 192.0.2.1\ns=FreeSWITCH\nc=IN IP4 192.0.2.1\nt=0 0\n" +
				"m=audio 30192 RTP/AVP 102 9 8 0 103 101\na=rtpmap:102 opus/48000/2\na=fmtp:102 useinbandfec=1\na=rtpmap:9 G722/8000\n" +
				"a=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\na=rtpmap:103 telephone-event/48000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\na=ptime:20\n",
			want: Session{
				Codec: codec.PCMU(), Digits: 101, DigitsIn: 101, DigitClock: 8000, Ptime: 20 * time.Millisecond,
				Remote: at("192.0.2.1:30192"), RemoteRTCP: at("192.0.2.1:30193"),
			},
		},
		{
			name: "Asterisk, wideband", in: "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Asterisk\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 11384 RTP/AVP 118 101\r\n" +
				"a=rtpmap:118 L16/16000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:140\r\na=sendrecv\r\n",
			want: Session{
				Codec: codec.L16(16000), Receive: 118, Digits: 101, DigitsIn: 101, DigitClock: 8000, Ptime: 20 * time.Millisecond,
				Remote: at("192.0.2.1:11384"), RemoteRTCP: at("192.0.2.1:11385"),
			},
		},
		{
			name: "digits on the codec's own clock", in: "v=0\nc=IN IP4 1.2.3.4\nm=audio 10 RTP/AVP 96 97 98\na=rtpmap:96 l16/16000/1\n" +
				"a=rtpmap:97 telephone-event/8000\na=rtpmap:98 TELEPHONE-EVENT/16000\n",
			want: Session{
				Codec: with(codec.L16(16000), 96), Receive: 96, Digits: 98, DigitsIn: 98, DigitClock: 16000,
				Remote: at("1.2.3.4:10"), RemoteRTCP: at("1.2.3.4:11"),
			},
		},
		{
			name: "everything in odd places", in: "v=0\na=sendonly\nb=X-YZ:1:2\nm=image 4500 udptl t38\nm=audio 0 RTP/AVP 0\n" +
				"m=audio 5000 RTP/SAVP 0\nc=IN IP6 2001:db8::1\nm=audio 6000/2 RTP/AVPF 8\nz=what\na=rtcp:7000\nc=IN IP6 2001:db8::2\nm=video 6 RTP/AVP 99\n",
			want: Session{Codec: codec.PCMA(), Receive: 8, Direction: RecvOnly, Remote: at("[2001:db8::2]:6000"), RemoteRTCP: at("[2001:db8::2]:7000")},
		},
		{
			name: "rtcp elsewhere", in: "v=0\nc=IN IP4 1.2.3.4\nm=audio 10 RTP/AVP 0\na=rtcp:53020 IN IP4 5.6.7.8\n",
			want: Session{Codec: codec.PCMU(), Remote: at("1.2.3.4:10"), RemoteRTCP: at("5.6.7.8:53020")},
		},
		{
			name: "rtcp to a crowd", in: "v=0\nc=IN IP4 1.2.3.4\nm=audio 10 RTP/AVP 0\na=rtcp:53020 IN IP4 224.0.0.1\n",
			want: Session{Codec: codec.PCMU(), Remote: at("1.2.3.4:10"), RemoteRTCP: at("1.2.3.4:11")},
		},
		{
			name: "held the old way", in: "v=0\nc=IN IP4 0.0.0.0\nm=audio 10 RTP/AVP 0\n",
			want: Session{Codec: codec.PCMU(), Direction: RecvOnly},
		},
		{
			name: "listens only", in: "v=0\nc=IN IP4 1.2.3.4\na=sendrecv\nm=audio 10 RTP/AVP 0\na=recvonly\na=ptime:30\n",
			want: Session{Codec: codec.PCMU(), Direction: SendOnly, Ptime: 30 * time.Millisecond, Remote: at("1.2.3.4:10"), RemoteRTCP: at("1.2.3.4:11")},
		},
		{
			name: "highest port", in: "v=0\nc=IN IP4 1.2.3.4\nm=audio 65535 RTP/AVP 0\na=ptime:1e9\n",
			want: Session{Codec: codec.PCMU(), Remote: at("1.2.3.4:65535")},
		},
		{
			name: "number of a stereo codec, then ours", in: "v=0\nc=IN IP4 1.2.3.4\nm=audio 10 RTP/AVP 96 97\na=rtpmap:96 L16/16000/2\na=rtpmap:97 L16/8000\n",
			want: Session{Codec: with(codec.L16(8000), 97), Receive: 97, Remote: at("1.2.3.4:10"), RemoteRTCP: at("1.2.3.4:11")},
		},
		{name: "static number taken by another codec", in: "v=0\nc=IN IP4 1.2.3.4\nm=audio 10 RTP/AVP 0\na=rtpmap:0 GSM/8000\n", err: ErrNoCodec},
		{name: "no common codec", in: strings.Replace(pcmuSDP, "0 8 101", "18 101", 1), err: ErrNoCodec},
		{name: "empty", in: "", err: ErrSDP},
		{name: "not one", in: "hello", err: ErrSDP},
		{name: "no stream", in: "v=0\r\ns=-\r\n", err: ErrSDP},
		{name: "line without value", in: "v=0\r\nm\r\n", err: ErrSDP},
		{name: "stream without formats", in: "v=0\r\nm=audio 1 RTP/AVP\r\n", err: ErrSDP},
		{name: "port too high", in: "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 65536 RTP/AVP 0\r\n", err: ErrSDP},
		{name: "bad connection", in: "v=0\r\nc=IN IP4\r\nm=audio 1 RTP/AVP 0\r\n", err: ErrSDP},
		{name: "no address", in: "v=0\r\nm=audio 1 RTP/AVP 0\r\n", err: ErrNoAudio},
		{name: "a name for an address", in: "v=0\r\nc=IN IP4 example.com\r\nm=audio 1 RTP/AVP 0\r\n", err: ErrNoAudio},
		{name: "multicast", in: "v=0\r\nc=IN IP4 224.2.36.42/127\r\nm=audio 1 RTP/AVP 0\r\n", err: ErrNoAudio},
		{name: "multicast without ttl", in: "v=0\r\nc=IN IP4 224.2.36.42\r\nm=audio 1 RTP/AVP 0\r\n", err: ErrNoAudio},
		{name: "broadcast", in: "v=0\r\nc=IN IP4 255.255.255.255\r\nm=audio 1 RTP/AVP 0\r\n", err: ErrNoAudio},
		{name: "zone", in: "v=0\r\nc=IN IP6 fe80::1%eth0\r\nm=audio 1 RTP/AVP 0\r\n", err: ErrNoAudio},
		{name: "video", in: "v=0\r\nc=IN IP4 1.2.3.4\r\nm=video 1 RTP/AVP 0\r\n", err: ErrNoAudio},
		{name: "too long", in: "v=0\r\n" + strings.Repeat("a=x\r\n", 4000), err: ErrSDPLimit},
		{name: "too many lines", in: "v=0\n" + strings.Repeat("\n", 600), err: ErrSDPLimit},
		{name: "too many streams", in: "v=0\n" + strings.Repeat("m=audio 0 RTP/AVP 0\n", 17), err: ErrSDPLimit},
		{name: "too many formats", in: "v=0\nm=audio 1 RTP/AVP" + strings.Repeat(" 0", 65), err: ErrSDPLimit},
	}
}

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func with(f codec.Format, payload uint8) codec.Format {
	f.Payload = payload
	return f
}

func TestDescriptions(t *testing.T) {
	for _, tt := range descriptions() {
		t.Run(tt.name, func(t *testing.T) {
			m, err := parseMedia([]byte(tt.in))
			var c choice
			if err == nil {
				c, err = m.choose(codec.Known(), false)
			}
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if got := m.session(c, c, Local{}); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func FuzzDescription(f *testing.F) {
	for _, tt := range descriptions() {
		f.Add([]byte(tt.in))
	}
	for _, tt := range levelCases() {
		f.Add([]byte(extended(tt.in)))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := parseMedia(in)
		if err != nil {
			return
		}
		if a := m.addr.Addr(); a.IsMulticast() || m.addr.Port() == 0 || len(m.lines) > maxStreams {
			t.Fatalf("unusable: %+v", m)
		}
		c, err := m.choose(codec.Known(), true)
		if err != nil {
			return
		}
		// What we answer must be readable, and mean what we meant.
		d := describer{id: 1, version: 1}
		l := Local{Addr: at("192.0.2.1:4000"), Levels: MixerLevels}
		s := m.session(c, c, l)
		back, err := parseMedia(d.answer(m, c, l, s.Direction))
		if err != nil {
			t.Fatalf("our answer: %v", err)
		}
		again, err := back.choose(codec.Known(), false)
		if err != nil || again.format != c.format || back.addr != l.Addr || len(back.lines) != len(m.lines) || back.audio != m.audio {
			t.Fatalf("our answer means %+v, %v", back, err)
		}
		if back.direction != s.Direction || again.digits.payload != c.digits.payload {
			t.Fatalf("our answer means %+v", back)
		}
		if a, b := m.levels, back.levels; b != a.answer(MixerLevels) || s.Levels.MixOut > maxExtension {
			t.Fatalf("levels %+v, answered %+v", a, b)
		}
	})
}

func TestChoice(t *testing.T) {
	m, err := parseMedia([]byte(strings.Replace(pcmuSDP, "0 8 101", "8 0 101", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		ours   []codec.Format
		theirs bool
		want   string
		err    error
	}{
		{"our order", []codec.Format{codec.PCMU(), codec.PCMA()}, false, "PCMU", nil},
		{"their order", []codec.Format{codec.PCMU(), codec.PCMA()}, true, "PCMA", nil},
		{"only one", []codec.Format{codec.PCMU()}, true, "PCMU", nil},
		{"none", []codec.Format{codec.L16(8000)}, true, "", ErrNoCodec},
		{"none of ours", nil, false, "", ErrNoCodec},
		{"not the one for files", []codec.Format{codec.SLIN(8000)}, false, "", ErrNoCodec},
	} {
		c, err := m.choose(tt.ours, tt.theirs)
		if c.format.Name != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %s %v", tt.name, c.format.Name, err)
		}
	}
}

func TestDirections(t *testing.T) {
	all := []Direction{SendRecv, SendOnly, RecvOnly, Inactive}
	var got []string
	for _, theirs := range all {
		for _, ours := range all {
			got = append(got, ours.meet(theirs.reverse()).String())
		}
	}
	want := []string{ // one line per direction the peer says: ours sendrecv, sendonly, recvonly, inactive
		"sendrecv", "sendonly", "recvonly", "inactive",
		"recvonly", "inactive", "recvonly", "inactive",
		"sendonly", "sendonly", "inactive", "inactive",
		"inactive", "inactive", "inactive", "inactive",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestOfferAndAnswerAsWritten(t *testing.T) {
	d := describer{id: 7, version: 1}
	l := Local{Addr: at("192.0.2.1:4000"), RTCP: 5000, Direction: SendOnly}
	list := numbered([]codec.Format{codec.L16(16000), codec.PCMA(), {Name: "X", Payload: 118, Clock: 8000}, codec.SLIN(8000)})
	want := "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 118 8 119 101 102\r\n" +
		"a=rtpmap:118 L16/16000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:119 X/8000\r\na=rtpmap:101 telephone-event/16000\r\na=fmtp:101 0-16\r\n" +
		"a=rtpmap:102 telephone-event/8000\r\na=fmtp:102 0-16\r\na=ptime:20\r\na=rtcp:5000\r\na=sendonly\r\n"
	if got := string(d.offer(l, list, Levels{})); got != want {
		t.Errorf("offer %q", got)
	}
	if got := string(d.offer(l, list, Levels{})); got != want {
		t.Errorf("the same again: %q", got)
	}
	l.Direction = SendRecv
	if got := string(d.offer(l, list, Levels{})); !strings.HasPrefix(got, "v=0\r\no=- 7 2 IN") {
		t.Errorf("something new: %q", got)
	}
	m, err := parseMedia([]byte("v=0\nm=image 9 udptl t38\nm=audio 9 RTP/AVPF 8\nc=IN IP4 1.2.3.4\nm=video 9 RTP/AVP 31 32\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := m.choose(codec.Known(), false)
	l = Local{Addr: at("[2001:db8::1]:4000"), RTCP: 4001}
	want = "v=0\r\no=- 7 3 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=image 0 udptl t38\r\n" +
		"m=audio 4000 RTP/AVPF 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=recvonly\r\nm=video 0 RTP/AVP 31 32\r\n"
	if got := string(d.answer(m, c, l, RecvOnly)); got != want {
		t.Errorf("answer %q", got)
	}
}
