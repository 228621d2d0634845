package rtp

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

// ErrDigit: not a key, or too many keys are waiting to be sent.
var ErrDigit = errors.New("rtp: digit cannot be sent")

const (
	minHeader    = 12
	noisePayload = 13                           // of comfort noise, RFC 3551 §6
	ssrcQuiet    = int64(60 * time.Millisecond) // a stream that paused this long may be followed by another
	ssrcPackets  = 3                            // or another that insists

	// drainMost is how many datagrams of one socket are read in one tick: some
	// 25 times what a phone sends. The rest of a flood waits, or is dropped by
	// the kernel. It is a multiple of the batch of a system call.
	drainMost = 64

	// strangerPackets is how many packets in order a host that the signalling
	// does not know must send before it is taken for the peer: 200 ms.
	strangerPackets = 10
	keyFrames       = 5 // 100 ms
)

// Options sets up a Session.
type Options struct {
	Payload      uint8 // RTP payload type of the audio that is sent
	Receive      uint8 // and of the audio that is received
	ClockRate    int   // RTP clock, Hz; 0 = 8000
	FrameBytes   int   // of a 20 ms payload; 0 = 160
	SendBytes    int   // of the longest payload that is sent; 0 = what a datagram of 2,048 bytes has
	EventPayload uint8 // payload type of keys that are sent (RFC 4733); 0 = none
	EventReceive uint8 // and of keys that are received; 0 = none
	// NoiseReceive is the payload type of comfort noise that is received (RFC
	// 3389); 0 = 13, the static one, where the clock is 8 kHz.
	NoiseReceive uint8
	Remote       netip.AddrPort // from the peer's SDP; invalid = nothing is sent yet
	RemoteRTCP   netip.AddrPort // invalid = Remote, next port
	// Latch lets the packets that come choose where audio comes from and goes
	// to, when that is not Remote (symmetric RTP, RFC 4961): the first one of
	// Remote's host or of Signalling, or ten in a row of any other. Once
	// chosen, it gives way only to who is likelier to be the peer.
	Latch      bool
	Signalling netip.Addr    // host that the call's signalling comes from; invalid = unknown
	Delay      time.Duration // of the jitter buffer until the arrivals are known
	MaxDelay   time.Duration // 0 = DefaultMaxDelay
}

// Session is one call's RTP stream in both directions.
type Session struct {
	opt     Options
	frame   int // clock units of 20 ms
	media   *socket
	control *socket
	ports   *Ports
	port    uint16
	berth   *berth // nil: the ports are its own
	inbox   inbox  // what came for it on shared ones
	witness *witness
	gate    gate
	wanted  atomic.Pointer[target] // where to send, as last asked
	held    atomic.Bool
	levels  atomic.Uint32 // numbers of header extensions; see SetLevels
	count   counters
	arrived atomic.Int64

	keyMu sync.Mutex // guards keyIn: keys to send that the tick has not seen
	keyIn ring[byte]
	keys  atomic.Int32 // how many are in keyIn

	// All below belongs to the tick.
	target  *target
	latched bool
	source  netip.AddrPort
	trust   rank // of source, once latched
	suitor  suitor
	packet  rtp.Packet
	jitter  *Jitter
	digits  digitReader
	pressed time.Duration // how long the key that was popped last was held
	writer  digitWriter
	in      stream
	out     outStream
	now     int64
	rtcp    reporter
	own     *buffers // where datagrams are read into; nil while there is a box
	box     *Outbox  // nil: each packet by itself
	boxed   bool     // a packet of it is in there
}

// target is where a session's packets go.
type target struct{ rtp, rtcp netip.AddrPort }

// stream is what is received.
type stream struct {
	open    bool
	ssrc    uint32
	last    int64 // unix ns
	other   uint32
	others  int
	baseSeq uint32 // for loss in reports
	maxSeq  uint32
	packets uint32
}

// outStream is what is sent.
type outStream struct {
	ssrc, base uint32
	seq        uint16
	ts         uint32 // of the packet that is being sent
	size       int    // its payload, bytes
	lastTS     uint32 // of the last that was sent
	packets    uint32
	octets     uint32
	started    bool
	buf        []byte
	head       int   // where the payload begins in buf
	voices     uint8 // named between the header and it
}

// Open binds a pair of ports and makes a session on it. The caller closes it.
func Open(p *Ports, o Options) (*Session, error) {
	pair, err := p.Reserve()
	if err != nil {
		return nil, err
	}
	return pair.Session(o), nil
}

// Session makes a session on the pair, which then belongs to it.
func (p *Pair) Session(o Options) *Session {
	if o.ClockRate == 0 {
		o.ClockRate = 8000
	}
	if o.NoiseReceive == 0 && o.ClockRate == 8000 {
		o.NoiseReceive = noisePayload
	}
	s := &Session{
		opt: o, frame: o.ClockRate / 50, media: p.media, control: p.control, ports: p.ports, port: p.port, berth: p.berth,
	}
	size := minHeader + o.SendBytes
	if o.SendBytes == 0 {
		size = datagramMax
	}
	s.out.buf = make([]byte, max(size, minHeader+eventBytes)+voicesMost)
	s.out.head = minHeader
	s.jitter = NewJitter(JitterOptions{
		ClockRate: o.ClockRate, FrameSamples: s.frame, FrameBytes: o.FrameBytes, Delay: o.Delay, MaxDelay: o.MaxDelay,
	})
	var seed [12]byte
	_, _ = rand.Read(seed[:]) // never fails, crypto/rand
	s.out.ssrc = binary.BigEndian.Uint32(seed[0:])
	s.out.base = binary.BigEndian.Uint32(seed[4:])
	s.out.seq = binary.BigEndian.Uint16(seed[8:]) & 0x7FFF // room before the first wrap, RFC 3711 §3.3.1
	s.rtcp.init(binary.BigEndian.Uint16(seed[10:]))
	s.witness = p.ports.summon(o.Remote.Addr())
	s.SetRemote(o.Remote, o.RemoteRTCP)
	if s.berth != nil {
		s.inbox.init(o.FrameBytes)
		s.berth.hub.board(s.berth, s)
	}
	return s
}

// Port is the local RTP port.
func (s *Session) Port() uint16 { return s.port }

// SetRemote sends to another address from the next tick on, as a re-INVITE
// asks. The source may latch anew.
func (s *Session) SetRemote(to, rtcp netip.AddrPort) {
	if !rtcp.IsValid() && to.IsValid() {
		rtcp = netip.AddrPortFrom(to.Addr(), to.Port()+1)
	}
	if s.berth != nil {
		s.berth.hub.move(s.berth, to, rtcp)
	}
	s.wanted.Store(&target{to, rtcp})
}

// Hold stops sending, or starts again. What arrives meanwhile is dropped.
func (s *Session) Hold(on bool) { s.held.Store(on) }

// SendDigit queues a key to be sent as an RFC 4733 event of 100 ms.
func (s *Session) SendDigit(d byte) error {
	if _, ok := eventOf(d); !ok || s.opt.EventPayload == 0 {
		return ErrDigit
	}
	s.keyMu.Lock()
	defer s.keyMu.Unlock()
	if !s.keyIn.push(d) {
		return ErrDigit
	}
	s.keys.Add(1)
	return nil
}

// Drain reads all that has arrived into the jitter buffer. now is unix time
// in ns.
func (s *Session) Drain(now int64) {
	if !s.gate.enter() {
		return
	}
	defer s.gate.leave(s.closeSockets)
	s.now = now
	s.retarget()
	if s.berth != nil {
		s.unload(now)
	} else {
		s.drain(now)
	}
	s.digits.idle(now)
}

// drain reads ports that are the session's own.
func (s *Session) drain(now int64) {
	s.media.start(s.buffers())
	for range drainMost {
		b, from, arrival, ok := s.media.receive(now)
		if !ok {
			return
		}
		s.accept(b, from, arrival)
	}
}

// unload takes what has come for the session on shared ports.
func (s *Session) unload(now int64) {
	s.berth.hub.read(s, now)
	for {
		b, report, arrival, ok := s.inbox.next()
		switch {
		case !ok:
			return
		case report:
			s.readReports(b, now)
		default:
			s.accept(b, s.target.rtp, arrival)
		}
		s.inbox.done(len(b))
	}
}

// retarget takes over an address that was set since the last tick.
func (s *Session) retarget() {
	if t := s.wanted.Load(); t != s.target {
		s.target, s.latched, s.source, s.suitor = t, false, t.rtp, suitor{}
		s.media.aim(t.rtp)
		s.control.aim(t.rtcp)
		s.screen()
	}
}

// accept judges one datagram.
func (s *Session) accept(b []byte, from netip.AddrPort, arrival int64) {
	why, ok := s.judge(b, from)
	if !ok {
		s.count.dropped[why].Add(1)
		return
	}
	p := &s.packet
	if !s.sameStream(p.SSRC, arrival) {
		s.count.dropped[DropSSRC].Add(1)
		return
	}
	s.arrived.Store(arrival)
	s.count.packetsIn.Add(1)
	s.count.bytesIn.Add(uint64(len(p.Payload)))
	s.in.note(p.SequenceNumber)
	switch {
	case len(p.Payload) == 0: // keeps a NAT open (RFC 6263 §4.2)
		s.jitter.PutGap(p.SequenceNumber, p.Timestamp, arrival)
		return
	case p.PayloadType == s.opt.Receive:
	case s.isNoise(p.PayloadType):
		s.jitter.PutNoise(p.SequenceNumber, p.Timestamp, arrival, p.Payload)
		return
	default:
		s.digits.packet(p.Timestamp, p.Payload, arrival)
		s.jitter.PutGap(p.SequenceNumber, p.Timestamp, arrival)
		return
	}
	if s.held.Load() {
		s.jitter.Reset() // what comes is not missed, and what comes then is new
		return
	}
	s.jitter.PutSaid(p.SequenceNumber, p.Timestamp, arrival, p.Payload, s.saidOf(b))
}

// judge parses b into s.packet and says whether it may be used.
func (s *Session) judge(b []byte, from netip.AddrPort) (Drop, bool) {
	if len(b) < minHeader {
		return DropSize, false
	}
	if b[0]>>6 != 2 {
		return DropVersion, false
	}
	if pt := b[1] & 0x7F; pt != s.opt.Receive && !s.isEvent(pt) && !s.isNoise(pt) {
		return DropPayload, false
	}
	if err := s.packet.Unmarshal(b); err != nil {
		return DropSize, false
	}
	return DropSource, s.admits(from, s.packet.SequenceNumber)
}

func (s *Session) isEvent(pt uint8) bool { return s.opt.EventReceive != 0 && pt == s.opt.EventReceive }

func (s *Session) isNoise(pt uint8) bool {
	return s.opt.NoiseReceive != 0 && pt == s.opt.NoiseReceive && !s.isEvent(pt)
}

// sameStream follows a change of SSRC once the old stream has paused, or the
// new one insists; two at one time cannot throw each other out.
func (s *Session) sameStream(ssrc uint32, arrival int64) bool {
	in := &s.in
	if in.open && in.ssrc == ssrc {
		in.last, in.others = arrival, 0
		return true
	}
	if in.other != ssrc {
		in.other, in.others = ssrc, 0
	}
	in.others++
	if in.open && arrival-in.last < ssrcQuiet && in.others < ssrcPackets {
		return false
	}
	s.jitter.Reset()
	s.digits.reset()
	*in = stream{open: true, ssrc: ssrc, last: arrival}
	return true
}

// note follows the sequence numbers for reports, RFC 3550 §A.1.
func (in *stream) note(seq uint16) {
	if in.packets == 0 {
		in.baseSeq, in.maxSeq = 1<<16+uint32(seq), 1<<16+uint32(seq)
	}
	in.packets++
	if ext := in.maxSeq + uint32(int32(int16(seq-uint16(in.maxSeq)))); int32(ext-in.maxSeq) > 0 {
		in.maxSeq = ext
	}
}

// Take copies the payload that is due to dst; see Jitter.Take.
func (s *Session) Take(dst []byte) (n int, lost bool) { return s.jitter.Take(dst, s.now) }

// Said is what the packet taken last says of its level; see Jitter.Said.
func (s *Session) Said() (level uint8, ok bool) { return s.jitter.Said() }

// Back copies a payload from before the packet taken last; see Jitter.Back.
func (s *Session) Back(dst []byte, k int) (n int) { return s.jitter.Back(dst, k) }

// Peek copies the packet after a lost one to dst; see Jitter.Peek.
func (s *Session) Peek(dst []byte) (n int) { return s.jitter.Peek(dst) }

// Surplus is by how much more is held back than it takes; see Jitter.Surplus.
func (s *Session) Surplus(ahead time.Duration) time.Duration { return s.jitter.Surplus(ahead) }

// Comfort is what the peer says its silence sounds like; see Jitter.Comfort.
func (s *Session) Comfort() []byte { return s.jitter.Comfort() }

// Digit returns the next key that the peer pressed and released.
func (s *Session) Digit() (d byte, ok bool) {
	p, ok := s.digits.keys.pop()
	s.pressed = time.Duration(p.units) * time.Second / time.Duration(s.opt.ClockRate)
	return p.key, ok
}

// Pressed is how long the key that Digit returned last was held.
func (s *Session) Pressed() time.Duration { return s.pressed }

// LastArrival is the unix time (ns) of the last packet that was used; 0 = none.
func (s *Session) LastArrival() int64 { return s.arrived.Load() }

// Close says BYE and gives the ports back. It may be called at any time; a
// tick that is inside finishes first.
func (s *Session) Close() error {
	s.gate.close(s.closeSockets)
	return nil
}

func (s *Session) closeSockets() {
	s.bye()
	s.media.close()
	s.control.close()
	if s.berth != nil {
		s.ports.disembark(s.berth)
	}
	s.ports.dismiss(s.witness)
}
