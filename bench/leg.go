package bench

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"

	"parley/sip"
)

const headerSize = 12

// leg is one caller. Once it is live, all but call and what is atomic belongs
// to the driver.
type leg struct {
	index, room, place int
	port               uint16
	media, control     *socket
	call               atomic.Pointer[sip.Call]
	live               atomic.Bool
	wire               atomic.Uint32 // payload types: to send, and << 8 the one that comes

	says   source
	probe  *probe // nil unless he says bursts
	way    *way   // nil unless packets are lost or late on it
	packet [datagramMax]byte
	step   uint32 // RTP clock per 20 ms
	seq    uint16
	ts     uint32
	sent   uint64

	size  int // bytes of a payload; 0 where they differ
	heard stream
	ear   *ear // nil where nobody listens
}

// stream is what came, within the measured time. A new source is a new call's:
// nothing is missing between the two, though the old one's last may still come
// after the new one has begun.
type stream struct {
	open    bool // there was a packet before
	source  uint32
	seq     uint16
	arrival int64 // unix ns
	packets uint64
	lost    uint64 // numbers that were skipped
	other   uint64 // packets of another payload type or length
}

// newLeg binds the sockets of caller i.
func newLeg(p *ports, i int, o Options, v *voices) (*leg, error) {
	g := &leg{index: i, room: i / o.Callers, place: i % o.Callers, step: uint32(v.format.Clock / 50)}
	var err error
	if g.media, g.control, g.port, err = p.pair(); err != nil {
		return nil, err
	}
	if g.says = v.listener(i); g.place < o.Talkers {
		if g.says, err = v.talker(g.room, g.place, o.Talkers); err != nil {
			return nil, err
		}
	}
	if g.probes(o) {
		if g.probe, err = newProbe(v.format, i); err != nil {
			return nil, err
		}
	}
	if g.listens(o) {
		g.ear = newEar(v.format)
	}
	if o.Loss > 0 || o.Jitter > 0 {
		g.way = newWay(o, i)
	}
	if v.format.Name != "opus" { // its payloads of silence may be all alike, those of tones are not
		g.size = constant(v.mute)
	}
	g.seq, g.ts = uint16(rand.Uint32()), rand.Uint32()
	g.packet[0] = 2 << 6 // version 2, RFC 3550 §5.1
	binary.BigEndian.PutUint32(g.packet[8:], rand.Uint32())
	return g, nil
}

// constant is the length of all payloads; 0 where they differ.
func constant(loop [][]byte) int {
	for _, b := range loop {
		if len(b) != len(loop[0]) {
			return 0
		}
	}
	return len(loop[0])
}

// listens says whether what the caller hears is written down: the first and
// the last caller of a room do, one who talks and one who does not.
func (g *leg) listens(o Options) bool {
	return g.room < sampledRooms && (g.place == 0 || g.place == o.Callers-1)
}

// probes says whether the caller says bursts: the first who does not talk,
// unless the room needs him as its silent listener.
func (g *leg) probes(o Options) bool {
	return g.room < sampledRooms && g.place == o.Talkers && g.place < o.Callers-1
}

// movable says whether the caller may leave and come again while others are
// being measured.
func (g *leg) movable(o Options) bool {
	return g.place > o.Talkers && g.place < o.Callers-1
}

// begin has audio flow between the caller and the server.
func (g *leg) begin(remote netip.AddrPort, send, receive uint8) error {
	if err := g.media.connect(remote); err != nil {
		return err
	}
	g.wire.Store(uint32(send) | uint32(receive)<<8)
	g.live.Store(true)
	return nil
}

// tick reads what has come and says the next 20 ms, at the time now in unix ns.
func (g *leg) tick(in *inbox, now int64, gaps *histogram, m moment) {
	for g.media.fill(in) {
		for i := range in.have {
			b, at := in.datagram(i)
			g.hear(b, at, gaps, m.measured)
		}
		if in.have < batch {
			break
		}
	}
	payload := g.says.next()
	if g.probe != nil {
		payload = g.probe.next(payload, now, m)
	}
	g.packet[1] = byte(g.wire.Load())
	binary.BigEndian.PutUint16(g.packet[2:], g.seq)
	binary.BigEndian.PutUint32(g.packet[4:], g.ts)
	whole := g.packet[:headerSize+copy(g.packet[headerSize:], payload)]
	g.seq++
	g.ts += g.step
	if m.measured {
		g.sent++
	}
	if g.way != nil {
		g.way.put(whole, now, m)
		return
	}
	g.media.send(whole)
}

// hear takes one datagram.
func (g *leg) hear(b []byte, arrival int64, gaps *histogram, measured bool) {
	h := &g.heard
	if len(b) <= headerSize || g.size > 0 && len(b) != headerSize+g.size || b[0] != 2<<6 || b[1]&0x7F != byte(g.wire.Load()>>8) {
		if measured {
			h.other++
		}
		return
	}
	seq, source := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[8:])
	h.open = h.open && h.source == source
	if measured {
		h.packets++
		if ahead := int16(seq - h.seq); h.open && ahead > 1 {
			h.lost += uint64(ahead) - 1
		}
		if h.open {
			gaps.add(arrival - h.arrival)
		}
	}
	h.open, h.source, h.seq, h.arrival = true, source, seq, arrival
	if g.ear != nil && measured {
		g.ear.put(b[headerSize:], arrival)
	}
}
