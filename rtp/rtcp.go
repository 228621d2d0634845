package rtp

import (
	"encoding/binary"
	"time"
)

// RTCP packet types and sizes, RFC 3550 §6.
const (
	rtcpSR         = 200
	rtcpRR         = 201
	rtcpSDES       = 202
	rtcpBYE        = 203
	rtcpHeader     = 4
	senderInfo     = 20
	reportBlock    = 24
	reportInterval = 5 * time.Second
	publishTicks   = 50
	ntpEpoch       = 2208988800 // seconds from 1900 to 1970
)

// reporter is a session's RTCP state; it belongs to the tick.
type reporter struct {
	ticks    int
	next     int64  // unix ns of the next report
	slack    int64  // moves reports of many calls apart
	lastSR   uint32 // middle of the peer's last NTP stamp
	lastSRat int64  // unix ns of its arrival
	expected uint32 // at the last report
	received uint32
	cname    [4]byte
	buf      [128]byte
}

func (r *reporter) init(seed uint16) {
	r.slack = int64(seed) * int64(reportInterval) / (1 << 16)
	binary.BigEndian.PutUint16(r.cname[:], seed)
}

// Report sends a report every five seconds or so and reads the peer's. It
// also brings the statistics up to date.
func (s *Session) Report(now int64) {
	r := &s.rtcp
	if r.next == 0 {
		r.next = now + int64(reportInterval)/2 + r.slack/2
	}
	if r.ticks++; r.ticks%publishTicks == 0 {
		s.publish()
	}
	if now < r.next || !s.gate.enter() {
		return
	}
	defer s.gate.leave(s.closeSockets)
	r.next = now + int64(reportInterval)*3/4 + r.slack/2
	s.hear(now)
	if s.out.packets > 0 || s.in.packets > 0 {
		s.control.send(s.writeReport(now))
	}
}

// hear reads the peer's reports. On shared ports those of all are read, and
// found among the packets of the next tick.
func (s *Session) hear(now int64) {
	if s.berth != nil {
		s.berth.hub.listen(s, now)
		return
	}
	s.control.start(s.buffers())
	for range drainMost {
		b, from, _, ok := s.control.receive(now)
		if !ok {
			return
		}
		if from.Addr() == s.source.Addr() {
			s.readReports(b, now)
		}
	}
}

// publish copies the tick's own figures to where others can read them.
func (s *Session) publish() {
	c, j := &s.count, s.jitter
	c.lost.Store(j.Lost)
	c.late.Store(j.Late)
	c.dup.Store(j.Dup)
	c.skipped.Store(j.Skipped)
	c.delay.Store(int64(j.Delay()))
	c.capped.Store(j.Capped())
	c.see(s.source)
	if s.gate.enter() {
		if s.berth != nil {
			c.dropped[DropKernel].Add(s.berth.hub.refused())
		} else {
			c.dropped[DropKernel].Store(s.media.refused())
		}
		s.gate.leave(s.closeSockets)
	}
	c.jitter.Store(int64(j.Spread()) * int64(time.Second) / int64(s.opt.ClockRate))
}

// writeReport builds SR (or RR while nothing was sent) and SDES.
func (s *Session) writeReport(now int64) []byte {
	r := &s.rtcp
	b := r.buf[:0]
	kind, size := byte(rtcpRR), rtcpHeader+4
	if s.out.packets > 0 {
		kind, size = rtcpSR, size+senderInfo
	}
	blocks := byte(0)
	if s.in.packets > 0 {
		blocks, size = 1, size+reportBlock
	}
	b = appendHeader(b, blocks, kind, size)
	b = binary.BigEndian.AppendUint32(b, s.out.ssrc)
	if kind == rtcpSR {
		b = s.appendSender(b, now)
	}
	if blocks == 1 {
		b = s.appendBlock(b, now)
	}
	b = appendHeader(b, 1, rtcpSDES, 20)
	b = binary.BigEndian.AppendUint32(b, s.out.ssrc)
	const hex = "0123456789abcdef"
	b = append(b, 1, 8) // CNAME, 8 bytes
	for _, c := range r.cname {
		b = append(b, hex[c>>4], hex[c&15])
	}
	return append(b, 0, 0)
}

func appendHeader(b []byte, count, kind byte, size int) []byte {
	return append(b, 2<<6|count, kind, byte((size/4-1)>>8), byte(size/4-1))
}

// appendSender writes the sender's clock and totals, RFC 3550 §6.4.1.
func (s *Session) appendSender(b []byte, now int64) []byte {
	b = binary.BigEndian.AppendUint64(b, ntp(now))
	b = binary.BigEndian.AppendUint32(b, s.out.lastTS)
	b = binary.BigEndian.AppendUint32(b, s.out.packets)
	return binary.BigEndian.AppendUint32(b, s.out.octets)
}

// appendBlock writes what was received, RFC 3550 §6.4.1 and §A.3.
func (s *Session) appendBlock(b []byte, now int64) []byte {
	r, in := &s.rtcp, &s.in
	expected := in.maxSeq - in.baseSeq + 1
	lost := max(0, int64(expected)-int64(in.packets))
	interval := expected - r.expected
	missing := int64(interval) - int64(in.packets-r.received)
	fraction := byte(0)
	if interval > 0 && missing > 0 {
		fraction = byte(min(255, missing*256/int64(interval)))
	}
	r.expected, r.received = expected, in.packets
	var since uint32
	if r.lastSR != 0 {
		since = uint32((now - r.lastSRat) * 65536 / int64(time.Second))
	}
	b = binary.BigEndian.AppendUint32(b, in.ssrc)
	b = binary.BigEndian.AppendUint32(b, uint32(fraction)<<24|uint32(min(lost, 0x7FFFFF)))
	b = binary.BigEndian.AppendUint32(b, in.maxSeq-1<<16)
	b = binary.BigEndian.AppendUint32(b, s.jitter.Spread())
	b = binary.BigEndian.AppendUint32(b, r.lastSR)
	return binary.BigEndian.AppendUint32(b, since)
}

// ntp is a 64 bit NTP stamp of a unix time in ns.
func ntp(ns int64) uint64 {
	sec, frac := uint64(ns/1e9)+ntpEpoch, uint64(ns%1e9)
	return sec<<32 | frac<<32/1e9
}

// readReports walks through a compound packet; what is not understood is
// skipped, what is cut ends it.
func (s *Session) readReports(b []byte, now int64) {
	for len(b) >= rtcpHeader && b[0]>>6 == 2 {
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if size > len(b) {
			return
		}
		s.readReport(b[:size], now)
		b = b[size:]
	}
}

func (s *Session) readReport(b []byte, now int64) {
	at := rtcpHeader + 4
	switch b[1] {
	case rtcpSR:
		if len(b) < at+senderInfo {
			return
		}
		s.rtcp.lastSR = binary.BigEndian.Uint32(b[at+2:])
		s.rtcp.lastSRat = now
		at += senderInfo
	case rtcpRR:
	default:
		return
	}
	for range b[0] & 0x1F {
		if len(b) < at+reportBlock {
			return
		}
		if binary.BigEndian.Uint32(b[at:]) == s.out.ssrc {
			s.readBlock(b[at:], now)
		}
		at += reportBlock
	}
}

// readBlock learns the round trip and what the peer misses.
func (s *Session) readBlock(b []byte, now int64) {
	s.count.peerLost.Store(uint32(b[4]))
	sent, held := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	if sent == 0 {
		return
	}
	trip := int32(uint32(ntp(now)>>16) - sent - held) // 1/65536 s
	if trip >= 0 && trip < 10<<16 {
		s.count.rtt.Store(int64(trip) * int64(time.Second) / 65536)
	}
}

// bye tells the peer that the stream has ended.
func (s *Session) bye() {
	if s.out.packets == 0 {
		return
	}
	b := appendHeader(s.rtcp.buf[:0], 0, rtcpRR, rtcpHeader+4)
	b = binary.BigEndian.AppendUint32(b, s.out.ssrc)
	b = appendHeader(b, 1, rtcpBYE, rtcpHeader+4)
	b = binary.BigEndian.AppendUint32(b, s.out.ssrc)
	s.control.send(b)
}
