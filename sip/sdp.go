package sip

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/sdp/v3"
)

// Limits of a session description. One beyond them is refused, never cut.
const (
	maxBody    = 16 << 10 // bytes
	maxLines   = 512
	maxStreams = 16 // m= lines
	maxFormats = 64 // of one m= line
)

// What is wrong with a session description.
var (
	ErrSDP      = errors.New("sip: malformed session description")
	ErrSDPLimit = errors.New("sip: session description too large")
	ErrNoAudio  = errors.New("sip: no usable audio stream")
	ErrNoCodec  = errors.New("sip: no common codec")
)

// media is what one side says of its audio, in an offer or in an answer.
type media struct {
	addr      netip.AddrPort // where it wants RTP; an unspecified address means nowhere
	rtcp      netip.AddrPort
	proto     []string   // of the audio line, "RTP", "AVP"
	encodings []encoding // in its order
	ptime     time.Duration
	direction Direction // as seen by that side
	levels    levels

	lines []sdp.MediaName // all streams: an answer has as many (RFC 3264 §6)
	audio int             // which of them is the audio
}

// encoding is one payload type of a stream.
type encoding struct {
	payload uint8
	name    string
	clock   int
	stereo  bool
	params  string // of its fmtp
}

// events says whether it carries digits (RFC 4733).
func (e encoding) events() bool { return strings.EqualFold(e.name, "telephone-event") }

// parseMedia reads a session description and picks its first audio stream that
// plain RTP can carry. The error is ErrSDP, ErrSDPLimit or ErrNoAudio.
func parseMedia(body []byte) (media, error) {
	desc, err := scan(body)
	if err != nil {
		return media{}, err
	}
	m := media{audio: -1}
	for i, d := range desc.MediaDescriptions {
		m.lines = append(m.lines, d.MediaName)
		if m.audio < 0 && m.read(desc, d) {
			m.audio = i
		}
	}
	if m.audio < 0 {
		return media{}, ErrNoAudio
	}
	return m, nil
}

// read takes one stream for the audio, if it can be.
func (m *media) read(desc *sdp.SessionDescription, d *sdp.MediaDescription) bool {
	proto := strings.Join(d.MediaName.Protos, "/")
	port := d.MediaName.Port.Value
	if d.MediaName.Media != "audio" || port == 0 || (proto != "RTP/AVP" && proto != "RTP/AVPF") {
		return false
	}
	conn := d.ConnectionInformation
	if conn == nil {
		conn = desc.ConnectionInformation
	}
	addr, ok := address(conn)
	if !ok {
		return false
	}
	m.addr = netip.AddrPortFrom(addr, uint16(port))
	m.rtcp = rtcpAddress(d, m.addr)
	m.proto = d.MediaName.Protos
	m.encodings = encodings(d)
	m.ptime = ptime(d)
	m.direction = directionOf(d.Attributes, directionOf(desc.Attributes, SendRecv))
	m.levels = levelsOf(desc.Attributes, d.Attributes)
	return true
}

// scan splits a description into lines. It is our own because pion's reader
// refuses whole calls for what others must ignore (RFC 4566 §5): a fax stream
// ("m=image"), an unknown kind of bandwidth, lines out of order.
func scan(body []byte) (*sdp.SessionDescription, error) {
	if len(body) > maxBody {
		return nil, fmt.Errorf("%w: %d bytes", ErrSDPLimit, len(body))
	}
	desc := &sdp.SessionDescription{}
	n := 0
	for line := range bytes.Lines(body) {
		line = bytes.TrimRight(line, "\r\n")
		if n++; n > maxLines {
			return nil, fmt.Errorf("%w: more than %d lines", ErrSDPLimit, maxLines)
		}
		if n == 1 && string(line) != "v=0" {
			return nil, fmt.Errorf("%w: no version", ErrSDP)
		}
		if len(line) == 0 {
			continue
		}
		if len(line) < 2 || line[1] != '=' {
			return nil, fmt.Errorf("%w: line %d", ErrSDP, n)
		}
		if err := scanLine(desc, line[0], string(line[2:])); err != nil {
			return nil, fmt.Errorf("%w in line %d", err, n)
		}
	}
	if len(desc.MediaDescriptions) == 0 {
		return nil, fmt.Errorf("%w: no stream", ErrSDP)
	}
	return desc, nil
}

// scanLine keeps the lines that say where the audio goes and how it is coded.
func scanLine(desc *sdp.SessionDescription, kind byte, value string) error {
	var last *sdp.MediaDescription
	if n := len(desc.MediaDescriptions); n > 0 {
		last = desc.MediaDescriptions[n-1]
	}
	switch kind {
	case 'm':
		name, err := mediaName(value)
		if err != nil {
			return err
		}
		if len(desc.MediaDescriptions) == maxStreams {
			return fmt.Errorf("%w: more than %d streams", ErrSDPLimit, maxStreams)
		}
		desc.MediaDescriptions = append(desc.MediaDescriptions, &sdp.MediaDescription{MediaName: name})
	case 'c':
		f := strings.Fields(value)
		if len(f) != 3 {
			return fmt.Errorf("%w: connection", ErrSDP)
		}
		c := &sdp.ConnectionInformation{NetworkType: f[0], AddressType: f[1], Address: &sdp.Address{Address: f[2]}}
		if last == nil {
			desc.ConnectionInformation = c
		} else {
			last.ConnectionInformation = c
		}
	case 'a':
		key, val, _ := strings.Cut(value, ":")
		a := sdp.Attribute{Key: key, Value: val}
		if last == nil {
			desc.Attributes = append(desc.Attributes, a)
		} else {
			last.Attributes = append(last.Attributes, a)
		}
	}
	return nil
}

// mediaName reads the value of an m= line.
func mediaName(value string) (sdp.MediaName, error) {
	f := strings.Fields(value)
	if len(f) < 4 {
		return sdp.MediaName{}, fmt.Errorf("%w: stream", ErrSDP)
	}
	if len(f)-3 > maxFormats {
		return sdp.MediaName{}, fmt.Errorf("%w: %d formats", ErrSDPLimit, len(f)-3)
	}
	first, _, _ := strings.Cut(f[1], "/") // a count of ports may follow
	port, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return sdp.MediaName{}, fmt.Errorf("%w: port", ErrSDP)
	}
	return sdp.MediaName{
		Media: f[0], Port: sdp.RangedPort{Value: int(port)}, Protos: strings.Split(f[2], "/"), Formats: f[3:],
	}, nil
}

// address is where a stream wants its packets. Names, multicast and broadcast
// are refused: nobody may point our audio at a crowd.
func address(c *sdp.ConnectionInformation) (netip.Addr, bool) {
	if c == nil || c.NetworkType != "IN" {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(c.Address.Address)
	if err != nil || !unicast(a) {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

func unicast(a netip.Addr) bool {
	return a.Zone() == "" && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// rtcpAddress is the stream's control address: the next port unless it says
// otherwise (RFC 3605).
func rtcpAddress(d *sdp.MediaDescription, rtp netip.AddrPort) netip.AddrPort {
	next := netip.AddrPort{}
	if rtp.Port() < 65535 {
		next = netip.AddrPortFrom(rtp.Addr(), rtp.Port()+1)
	}
	value, ok := d.Attribute("rtcp")
	if !ok {
		return next
	}
	f := strings.Fields(value)
	if len(f) != 1 && len(f) != 4 {
		return next
	}
	port, err := strconv.ParseUint(f[0], 10, 16)
	if err != nil || port == 0 {
		return next
	}
	addr := rtp.Addr()
	if len(f) == 4 {
		a, err := netip.ParseAddr(f[3])
		if err != nil || !unicast(a) {
			return next
		}
		addr = a.Unmap()
	}
	return netip.AddrPortFrom(addr, uint16(port))
}

// encodings lists the payload types of a stream that are named, by an rtpmap or
// by RFC 3551.
func encodings(d *sdp.MediaDescription) []encoding {
	named, params := map[uint8]encoding{}, map[uint8]string{}
	for _, a := range d.Attributes {
		switch a.Key {
		case "rtpmap":
			if e, ok := rtpmap(a.Value); ok {
				named[e.payload] = e
			}
		case "fmtp":
			number, rest, _ := strings.Cut(a.Value, " ")
			if n, err := strconv.ParseUint(number, 10, 7); err == nil {
				params[uint8(n)] = rest
			}
		}
	}
	var out []encoding
	for _, f := range d.MediaName.Formats {
		n, err := strconv.ParseUint(f, 10, 7)
		if err != nil {
			continue
		}
		e, ok := named[uint8(n)]
		if !ok {
			e, ok = static(uint8(n))
		}
		if ok {
			e.params = params[e.payload]
			out = append(out, e)
		}
	}
	return out
}

// rtpmap reads "101 telephone-event/8000" and "10 L16/44100/2".
func rtpmap(value string) (encoding, bool) {
	number, rest, ok := strings.Cut(value, " ")
	n, err := strconv.ParseUint(number, 10, 7)
	if !ok || err != nil {
		return encoding{}, false
	}
	f := strings.Split(strings.TrimSpace(rest), "/")
	if len(f) < 2 {
		return encoding{}, false
	}
	clock, err := strconv.ParseUint(f[1], 10, 20)
	if err != nil {
		return encoding{}, false
	}
	return encoding{payload: uint8(n), name: f[0], clock: int(clock), stereo: len(f) > 2 && f[2] != "1"}, true
}

// static names the payload types of RFC 3551 §6 that need no rtpmap, as far as
// mono audio goes.
func static(payload uint8) (encoding, bool) {
	switch payload {
	case 0:
		return encoding{payload: 0, name: "PCMU", clock: 8000}, true
	case 3:
		return encoding{payload: 3, name: "GSM", clock: 8000}, true
	case 4:
		return encoding{payload: 4, name: "G723", clock: 8000}, true
	case 8:
		return encoding{payload: 8, name: "PCMA", clock: 8000}, true
	case 9:
		return encoding{payload: 9, name: "G722", clock: 8000}, true
	case 11:
		return encoding{payload: 11, name: "L16", clock: 44100}, true
	case 15:
		return encoding{payload: 15, name: "G728", clock: 8000}, true
	case 18:
		return encoding{payload: 18, name: "G729", clock: 8000}, true
	}
	return encoding{}, false
}

// ptime is the length of a packet that the stream asks for; 0 is unsaid.
func ptime(d *sdp.MediaDescription) time.Duration {
	value, _ := d.Attribute("ptime")
	ms, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(ms >= 1 && ms <= 200) {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}
