package sip

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pion/sdp/v3"

	"parley/codec"
)

// Ptime is the length of the packets we send.
const Ptime = 20 * time.Millisecond

// Direction is which way audio flows, as seen by the side that says it.
type Direction uint8

// The directions of RFC 3264 §5.1.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d&3]
}

// Sends says whether that side sends.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives says whether that side wants to hear.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// reverse is the same flow seen from the other side.
func (d Direction) reverse() Direction { return directed(d.Receives(), d.Sends()) }

// meet is what both sides allow.
func (d Direction) meet(o Direction) Direction {
	return directed(d.Sends() && o.Sends(), d.Receives() && o.Receives())
}

func directed(sends, receives bool) Direction {
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	}
	return Inactive
}

// directionOf reads the direction attribute, if there is one.
func directionOf(attrs []sdp.Attribute, otherwise Direction) Direction {
	for _, a := range attrs {
		for d := SendRecv; d <= Inactive; d++ {
			if a.Key == d.String() {
				return d
			}
		}
	}
	return otherwise
}

// Local is our side of a call's audio.
type Local struct {
	Addr      netip.AddrPort // where we want RTP
	RTCP      uint16         // port of our RTCP; 0 means the one after Addr's
	Direction Direction      // what we want; the zero value is sendrecv
	Codecs    []codec.Format // in our order; nil means Options.Codecs
	OneCodec  bool           // the codec agreed on first stays: offers of the peer without it are refused (488)
	Levels    LevelRole      // what we do about audio levels in RTP headers
}

// valid says whether it can be told to a peer.
func (l Local) valid() bool {
	a := l.Addr.Addr()
	return l.Addr.IsValid() && l.Addr.Port() != 0 && !a.IsUnspecified() && unicast(a)
}

// Session is the audio that both sides agreed on, seen from ours.
type Session struct {
	Codec      codec.Format   // Payload is the number to send with
	Receive    uint8          // the payload type the peer sends with
	Digits     uint8          // payload type for digits towards the peer (RFC 4733); 0 means it takes none
	DigitsIn   uint8          // payload type of the digits that come; 0 means none do
	DigitClock int            // RTP clock of the digits
	Ptime      time.Duration  // length of packets the peer asks for; 0 means it does not say
	Remote     netip.AddrPort // where to send RTP; the zero value while there is nowhere
	RemoteRTCP netip.AddrPort
	Direction  Direction // whether we send and receive now
	Levels     Levels    // audio levels in RTP headers
}

// Held says whether the peer does not want to hear us.
func (s Session) Held() bool { return !s.Direction.Sends() }

// choice is the codec, and the digits that go with it, taken from a peer's list.
type choice struct {
	format codec.Format
	digits encoding // zero: none
}

// choose takes the first codec that both know: in our order, or in theirs.
func (m media) choose(ours []codec.Format, theirOrder bool) (choice, error) {
	pick := func(f codec.Format, e encoding) choice {
		f = f.Tuned(e.params)
		f.Payload = e.payload
		return choice{format: f, digits: digitsFor(m.encodings, f.Clock)}
	}
	if theirOrder {
		for _, e := range m.encodings {
			if i := slices.IndexFunc(ours, e.is); i >= 0 {
				return pick(ours[i], e), nil
			}
		}
		return choice{}, ErrNoCodec
	}
	for _, f := range ours {
		is := func(e encoding) bool { return e.is(f) }
		if i := slices.IndexFunc(m.encodings, is); i >= 0 {
			return pick(f, m.encodings[i]), nil
		}
	}
	return choice{}, ErrNoCodec
}

// is says whether it is that format.
func (e encoding) is(f codec.Format) bool {
	stereo := e.stereo && f.Name != "opus" // which is always called that (RFC 7587 §7), and may be mono nevertheless
	return strings.EqualFold(e.name, f.Name) && e.clock == f.Clock && !stereo && !f.LittleEndian
}

// encodingOf is how we call a format in SDP.
func encodingOf(f codec.Format, payload uint8) encoding {
	return encoding{payload: payload, name: f.Name, clock: f.Clock, stereo: f.Name == "opus", params: f.Parameters()}
}

// digitsFor finds the digits on a codec's own clock, else those at 8000, which
// phones send beside wideband codecs too.
func digitsFor(list []encoding, clock int) encoding {
	for _, want := range []int{clock, 8000} {
		for _, e := range list {
			if e.events() && e.clock == want {
				return e
			}
		}
	}
	return encoding{}
}

// session is what their side and ours come to. mine numbers what they send;
// in an answer of ours that is the same list (we keep their numbers).
func (m media) session(theirs, mine choice, local Local) Session {
	s := Session{
		Codec:      theirs.format,
		Receive:    mine.format.Payload,
		Digits:     theirs.digits.payload,
		DigitsIn:   mine.digits.payload,
		DigitClock: theirs.digits.clock,
		Ptime:      m.ptime,
		Direction:  local.Direction.meet(m.direction.reverse()),
		Levels:     local.Levels.agreed(m.levels),
	}
	if m.addr.Addr().IsUnspecified() { // the old way of holding, RFC 3264 §8.4
		s.Direction = s.Direction.meet(RecvOnly)
		return s
	}
	s.Remote, s.RemoteRTCP = m.addr, m.rtcp
	return s
}

// events are the digits that we take and send, in an fmtp (RFC 4733 §2.4.1).
const events = "0-16"

// numbered numbers our codecs for an offer, digits last.
func numbered(ours []codec.Format) []encoding {
	var out []encoding
	used := map[uint8]bool{}
	number := func(want uint8) uint8 {
		for n := 0; used[want] && n < 32; n++ {
			want = 96 + (want+1)%32
		}
		used[want] = true
		return want
	}
	var clocks []int
	for _, f := range ours {
		if f.LittleEndian {
			continue
		}
		out = append(out, encodingOf(f, number(f.Payload)))
		if !slices.Contains(clocks, f.Clock) {
			clocks = append(clocks, f.Clock)
		}
	}
	for _, c := range clocks {
		out = append(out, encoding{payload: number(101), name: "telephone-event", clock: c, params: events})
	}
	return out
}

// describer writes the descriptions of one side of one call. It keeps the o=
// line: the version grows only when something else changed (RFC 3264 §8).
type describer struct {
	id, version uint64
	last        string
}

// offer describes our side with all its codecs. before are the levels agreed on.
func (d *describer) offer(l Local, list []encoding, before Levels) []byte {
	stream := audioStream(l, []string{"RTP", "AVP"}, list, l.Direction)
	l.Levels.offer(before).describe(stream)
	return d.render(l, []*sdp.MediaDescription{stream})
}

// answer describes our side in reply to an offer: one codec, and every other
// stream refused.
func (d *describer) answer(offer media, c choice, l Local, dir Direction) []byte {
	list := []encoding{encodingOf(c.format, c.format.Payload)}
	if e := c.digits; e.clock != 0 {
		e.params = events
		list = append(list, e)
	}
	streams := make([]*sdp.MediaDescription, len(offer.lines))
	for i, name := range offer.lines {
		if i == offer.audio {
			streams[i] = audioStream(l, offer.proto, list, dir)
			offer.levels.answer(l.Levels).describe(streams[i])
			continue
		}
		name.Port = sdp.RangedPort{}
		streams[i] = &sdp.MediaDescription{MediaName: name}
	}
	return d.render(l, streams)
}

func (d *describer) render(l Local, streams []*sdp.MediaDescription) []byte {
	family := "IP4"
	if l.Addr.Addr().Is6() {
		family = "IP6"
	}
	addr := l.Addr.Addr().String()
	desc := sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: d.id, SessionVersion: d.version,
			NetworkType: "IN", AddressType: family, UnicastAddress: addr,
		},
		SessionName: "-",
		ConnectionInformation: &sdp.ConnectionInformation{
			NetworkType: "IN", AddressType: family, Address: &sdp.Address{Address: addr},
		},
		TimeDescriptions:  []sdp.TimeDescription{{}},
		MediaDescriptions: streams,
	}
	text, err := desc.Marshal()
	if err != nil {
		return nil // Marshal of pion has no way to fail
	}
	if d.last != "" && d.last != string(text) {
		d.version++
		desc.Origin.SessionVersion = d.version
		text, _ = desc.Marshal()
	}
	d.last = string(text)
	return text
}

// audioStream is our audio line.
func audioStream(l Local, proto []string, list []encoding, dir Direction) *sdp.MediaDescription {
	d := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: "audio", Port: sdp.RangedPort{Value: int(l.Addr.Port())}, Protos: proto,
	}}
	for _, e := range list {
		n := strconv.Itoa(int(e.payload))
		d.MediaName.Formats = append(d.MediaName.Formats, n)
		name := e.name + "/" + strconv.Itoa(e.clock)
		if e.stereo {
			name += "/2"
		}
		d.WithValueAttribute("rtpmap", n+" "+name)
		if e.params != "" {
			d.WithValueAttribute("fmtp", n+" "+e.params)
		}
	}
	d.WithValueAttribute("ptime", strconv.Itoa(int(Ptime/time.Millisecond)))
	if l.RTCP != 0 && l.RTCP != l.Addr.Port()+1 {
		d.WithValueAttribute("rtcp", strconv.Itoa(int(l.RTCP)))
	}
	return d.WithPropertyAttribute(dir.String())
}
