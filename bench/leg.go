package bench

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"

	"parley/codec"
	"parley/sip"
)

const (
	frame      = 160 // bytes of 20 ms of PCMU
	headerSize = 12
	recorded   = 2 * 8000 // bytes of what a sampled listener keeps: two seconds
)

// leg is one caller. Once it is live, all but call belongs to the driver.
type leg struct {
	index, room, place int
	port               uint16
	media, control     *socket
	call               atomic.Pointer[sip.Call]
	live               atomic.Bool

	says   source
	packet [headerSize + frame]byte
	seq    uint16
	ts     uint32
	sent   uint64

	heard  stream
	record []byte // ring of the last payloads, in the order of arrival; nil where nobody listens
	at     int
	full   bool // at has gone round
}

// stream is what came, within the measured time.
type stream struct {
	open    bool // there was a packet before
	seq     uint16
	arrival int64 // unix ns
	packets uint64
	lost    uint64 // numbers that were skipped
	other   uint64 // packets that are no PCMU of 20 ms
}

// newLeg binds the sockets of caller i.
func newLeg(p *ports, i int, o Options) (*leg, error) {
	g := &leg{index: i, room: i / o.Callers, place: i % o.Callers}
	var err error
	if g.media, g.control, g.port, err = p.pair(); err != nil {
		return nil, err
	}
	g.says = quiet(o.Noise, i)
	if g.place < o.Talkers {
		g.says = talk(g.room, g.place, o.Talkers)
	}
	if g.listens(o) {
		g.record = make([]byte, recorded)
	}
	g.seq, g.ts = uint16(rand.Uint32()), rand.Uint32()
	g.packet[0] = 2 << 6 // version 2, RFC 3550 §5.1; the payload type of PCMU is 0
	binary.BigEndian.PutUint32(g.packet[8:], rand.Uint32())
	return g, nil
}

// listens says whether what the caller hears is written down: the first and
// the last caller of a room do, one who talks and one who does not.
func (g *leg) listens(o Options) bool {
	return g.room < sampledRooms && (g.place == 0 || g.place == o.Callers-1)
}

// begin has audio flow between the caller and the server.
func (g *leg) begin(remote netip.AddrPort) error {
	if err := g.media.connect(remote); err != nil {
		return err
	}
	g.live.Store(true)
	return nil
}

// tick reads what has come and sends the next 20 ms.
func (g *leg) tick(in *inbox, gaps *histogram, measure bool) {
	for g.media.fill(in) {
		for i := range in.have {
			b, at := in.datagram(i)
			g.hear(b, at, gaps, measure)
		}
		if in.have < batch {
			break
		}
	}
	binary.BigEndian.PutUint16(g.packet[2:], g.seq)
	binary.BigEndian.PutUint32(g.packet[4:], g.ts)
	g.says.next(g.packet[headerSize:])
	g.media.send(g.packet[:])
	g.seq++
	g.ts += frame
	if measure {
		g.sent++
	}
}

// hear takes one datagram.
func (g *leg) hear(b []byte, arrival int64, gaps *histogram, measure bool) {
	h := &g.heard
	if len(b) != headerSize+frame || b[0] != 2<<6 || b[1]&0x7F != codec.PCMU().Payload {
		if measure {
			h.other++
		}
		return
	}
	seq := binary.BigEndian.Uint16(b[2:])
	if measure {
		h.packets++
		if ahead := int16(seq - h.seq); h.open && ahead > 1 {
			h.lost += uint64(ahead) - 1
		}
		if h.open {
			gaps.add(arrival - h.arrival)
		}
	}
	h.open, h.seq, h.arrival = true, seq, arrival
	if g.record != nil {
		copy(g.record[g.at:], b[headerSize:])
		if g.at += frame; g.at == recorded {
			g.at, g.full = 0, true
		}
	}
}

// pcm is what a sampled listener heard last.
func (g *leg) pcm() []int16 {
	heard := slices.Clone(g.record[:g.at])
	if g.full {
		heard = slices.Concat(g.record[g.at:], heard)
	}
	pcm := make([]int16, len(heard))
	n, err := codec.PCMU().Decoder().Decode(pcm, heard)
	if err != nil {
		return nil // cannot be: there is room for all of it
	}
	return pcm[:n]
}
