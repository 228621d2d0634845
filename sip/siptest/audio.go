package siptest

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"

	"parley/codec"
	"parley/sip"
)

// Times of digits, as people type them.
const (
	keyDown = 100 * time.Millisecond
	keyUp   = 60 * time.Millisecond
)

// Tone is a sine wave. Its level is that of its peak against full scale:
// 0 dBFS peaks at 32767. The zero value is silence.
type Tone struct {
	Hz   float64
	DBFS float64
}

// voice is what a call says.
type voice struct {
	mu     sync.Mutex
	claim  *uint8  // guarded by mu: the level that it says it has
	now    Tone    // guarded by mu
	phase  float64 // guarded by mu, in turns
	clip   []int16 // guarded by mu: said first
	silent bool    // guarded by mu
}

func (v *voice) tone(t Tone) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now, v.clip = t, nil
}

func (v *voice) pcm(pcm []int16) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now, v.clip = Tone{}, append([]int16{}, pcm...)
}

func (v *voice) mute(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.silent = on
}

// level is what a frame has, or is said to have, in -dBov.
func (v *voice) level(frame []int16) uint8 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.claim != nil {
		return *v.claim
	}
	power := 0.0
	for _, s := range frame {
		power += float64(s) * float64(s)
	}
	return uint8(math.Round(min(127, max(0, -10*math.Log10(power/float64(len(frame))/(1<<30))))))
}

// next makes the next frame. It is false while muted.
func (v *voice) next(frame []int16, r codec.Rate) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.silent {
		return false
	}
	n := copy(frame, v.clip)
	v.clip = v.clip[n:]
	amplitude := 0.0
	if v.now.Hz > 0 {
		amplitude = 32767 * math.Pow(10, v.now.DBFS/20)
	}
	for i := n; i < len(frame); i++ {
		frame[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*v.phase)))
		v.phase += v.now.Hz / float64(r)
		v.phase -= math.Floor(v.phase)
	}
	return true
}

// keyboard are digits on their way out.
type keyboard struct {
	queue    chan press
	down, up time.Duration // of each
	now      *press
	sent     int // packets of it
	start    uint32
}

type press struct {
	code byte
	done chan struct{}
}

const eventDigits = "0123456789*#ABCD"

func eventCode(digit byte) (byte, bool) {
	i := strings.IndexByte(eventDigits, digit)
	return byte(max(0, i)), i >= 0
}

// sender is the state of a call's RTP towards the peer.
type sender struct {
	header rtp.Header
	format codec.Format
	encode codec.Encoder
	frame  []int16
	bytes  []byte
	marker bool // the next voice packet starts a talk spurt
	level  uint8
}

// speak sends a packet each 20 ms, by absolute deadlines.
func (c *Call) speak() {
	select {
	case <-c.agreed:
	case <-c.stop:
		return
	}
	out := sender{
		header: rtp.Header{Version: 2, SSRC: c.ssrc, SequenceNumber: uint16(rand.Uint32()), Timestamp: rand.Uint32()},
		bytes:  make([]byte, 2000), marker: true,
	}
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-c.stop:
			return
		}
		s := c.Session()
		for n := 0; !time.Now().Before(next); n++ {
			if n == 5 { // the machine was away: do not make up for it
				next = time.Now()
			}
			c.tick(&out, s)
			next = next.Add(sip.Ptime)
		}
		timer.Reset(time.Until(next))
	}
}

// tick sends the packet of one frame, voice or digit.
func (c *Call) tick(out *sender, s sip.Session) {
	if out.format != s.Codec {
		out.format, out.encode = s.Codec, s.Codec.Encoder()
		out.frame = make([]int16, s.Codec.Rate.Samples(sip.Ptime))
	}
	voiced := c.voice.next(out.frame, s.Codec.Rate)
	sends := s.Direction.Sends() && s.Remote.IsValid()
	out.level = c.voice.level(out.frame)
	switch {
	case c.key(out, s, sends):
		out.marker = true
	case sends && voiced:
		n, err := out.encode.Encode(out.bytes, out.frame)
		if err == nil {
			c.packet(out, s.Codec.Payload, out.header.Timestamp, out.marker, out.bytes[:n], s.Remote)
			out.marker = false
		}
	default:
		out.marker = true
	}
	out.header.Timestamp += uint32(s.Codec.Clock / 50)
}

// key goes on with the digit that is being typed, or takes the next one.
func (c *Call) key(out *sender, s sip.Session, sends bool) bool {
	k := &c.keys
	down := int(k.down / sip.Ptime)
	if k.now == nil {
		select {
		case p := <-k.queue:
			k.now, k.sent, k.start = &p, 0, out.header.Timestamp
		default:
			return false
		}
	}
	k.sent++
	length := min(k.sent, down) * s.Codec.Clock / 50
	payload := []byte{k.now.code, 10, byte(length >> 8), byte(length)}
	switch {
	case !sends || s.Digits == 0 || k.sent > down:
	case k.sent < down:
		c.packet(out, s.Digits, k.start, k.sent == 1, payload, s.Remote)
	default: // the end is said three times
		payload[1] |= 0x80
		for range 3 {
			c.packet(out, s.Digits, k.start, false, payload, s.Remote)
		}
	}
	if k.sent >= down+int(k.up/sip.Ptime) {
		close(k.now.done)
		k.now = nil
	}
	return true
}

func (c *Call) packet(out *sender, payloadType uint8, ts uint32, marker bool, payload []byte, to netip.AddrPort) {
	h := out.header
	h.PayloadType, h.Timestamp, h.Marker = payloadType, ts, marker
	out.header.SequenceNumber++
	p := &rtp.Packet{Header: h, Payload: payload}
	if id := c.Session().Levels.OwnOut; id != 0 {
		said, _ := rtp.AudioLevelExtension{Level: out.level}.Marshal() // levels are at most 127
		_ = p.SetExtension(id, said)                                   // one byte has room
	}
	b, err := p.Marshal()
	if err == nil {
		_, _ = c.conn.WriteToUDPAddrPort(b, to) // lost packets are part of life
	}
}

// Packet is one RTP packet that came.
type Packet struct {
	At        time.Time
	Seq       uint16
	Timestamp uint32
	SSRC      uint32
	Payload   uint8 // type
	Marker    bool
	Bytes     int      // of the payload
	Voices    []uint32 // CSRC list: who is in it
	Levels    []uint8  // of each of them, -dBov (RFC 6465)
}

// hear takes packets until the socket is closed.
func (c *Call) hear() {
	buf := make([]byte, 2048)
	pcm := make([]int16, codec.Rate(48000).Samples(codec.MaxFrame))
	var format codec.Format
	var decode codec.Decoder
	for {
		n, _, err := c.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		at := time.Now()
		s := c.session.Load()
		var p rtp.Packet
		if err != nil || s == nil || p.Unmarshal(buf[:n]) != nil || p.Version != 2 {
			continue
		}
		if format != s.Codec {
			format, decode = s.Codec, s.Codec.Decoder()
		}
		note := noted(at, &p, s.Levels.MixIn)
		switch {
		case p.PayloadType == s.Receive:
			n, err := decode.Decode(pcm, p.Payload)
			if err == nil {
				c.record.voice(note, pcm[:n], format)
			}
		case p.PayloadType == s.DigitsIn && s.DigitsIn != 0:
			c.record.event(note, p.Payload)
		}
	}
}

// noted writes a packet down. mix is the number of the levels in it.
func noted(at time.Time, p *rtp.Packet, mix uint8) Packet {
	note := Packet{
		At: at, Seq: p.SequenceNumber, Timestamp: p.Timestamp, SSRC: p.SSRC, Payload: p.PayloadType, Marker: p.Marker,
		Bytes: len(p.Payload), Voices: append([]uint32(nil), p.CSRC...),
	}
	if mix != 0 {
		note.Levels = append([]uint8(nil), p.GetExtension(mix)...)
	}
	return note
}

// record is what a call heard.
type record struct {
	mu    sync.Mutex
	pcm   []int16   // guarded by mu
	all   []Packet  // guarded by mu
	keys  []byte    // guarded by mu
	key   uint32    // guarded by mu: timestamp of the last digit
	base  uint32    // guarded by mu: timestamp of pcm[start]
	start int       // guarded by mu: where the source that is heard begins
	ssrc  uint32    // guarded by mu
	begun bool      // guarded by mu
	last  time.Time // guarded by mu: when what is heard came last
	fresh chan struct{}
}

// Switches begin their clocks anew within a source. They have where the silence of a
// jump of the timestamp is longer than the time since the last packet by more than
// ahead, and where a packet belongs more than behind before the end of what was heard.
const ahead, behind = time.Second, time.Second

// voice puts PCM where its timestamp says.
func (r *record) voice(p Packet, pcm []int16, f codec.Format) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, p)
	at := r.start + int(int32(p.Timestamp-r.base))*int(f.Rate)/f.Clock
	anew := at < r.start || at < len(r.pcm)-f.Rate.Samples(behind) || at > len(r.pcm)+f.Rate.Samples(p.At.Sub(r.last)+ahead)
	if !r.begun || p.SSRC != r.ssrc || anew {
		r.begun, r.ssrc = true, p.SSRC // a new source goes on where the old one ended
		r.base, r.start = p.Timestamp, len(r.pcm)
		at = r.start
	}
	r.last = p.At
	if need := at + len(pcm); need > len(r.pcm) {
		r.pcm = append(r.pcm, make([]int16, need-len(r.pcm))...)
	}
	copy(r.pcm[at:], pcm)
	close(r.fresh)
	r.fresh = make(chan struct{})
}

// event takes a digit, once, however often it is said.
func (r *record) event(p Packet, payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, p)
	if len(payload) < 4 || int(payload[0]) >= len(eventDigits) || binary.BigEndian.Uint16(payload[2:]) == 0 {
		return
	}
	if len(r.keys) == 0 || r.key != p.Timestamp {
		r.keys, r.key = append(r.keys, eventDigits[payload[0]]), p.Timestamp
	}
}

func (r *record) digits() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.keys)
}

func (r *record) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pcm)
}

// wait returns the length, and what is closed when there is more.
func (r *record) wait() (int, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pcm), r.fresh
}

func (r *record) since(n int) []int16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]int16{}, r.pcm[min(n, len(r.pcm)):]...)
}

func (r *record) packets() []Packet {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Packet{}, r.all...)
}
