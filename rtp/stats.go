package rtp

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Drop says why a datagram was not used.
type Drop uint8

// The reasons to drop.
const (
	DropSize    Drop = iota // too short, too long, or not RTP
	DropVersion             // not version 2
	DropPayload             // a payload type that was not negotiated
	DropSource              // not from the negotiated or latched source
	DropSSRC                // a second stream while the first one runs
	DropSend                // the kernel would not take it
	DropKernel              // the kernel dropped it: not from the source either, or too many at once
	drops
)

func (d Drop) String() string {
	return [drops]string{"size", "version", "payload", "source", "ssrc", "send", "kernel"}[d]
}

// counters are written by the tick and read by anybody.
type counters struct {
	packetsIn, bytesIn, packetsOut, bytesOut atomic.Uint64
	lost, late, dup, skipped                 atomic.Uint64
	dropped                                  [drops]atomic.Uint64
	jitter, delay, rtt                       atomic.Int64 // ns
	peerLost                                 atomic.Uint32
	capped                                   atomic.Bool

	mu     sync.Mutex // guards source; the tick only tries to take it
	source netip.AddrPort
}

// see notes the source, now or at the next try.
func (c *counters) see(from netip.AddrPort) {
	if c.mu.TryLock() {
		c.source = from
		c.mu.Unlock()
	}
}

func (c *counters) from() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.source
}

// Stats is a session's figures at one moment.
type Stats struct {
	PacketsIn, BytesIn, PacketsOut, BytesOut uint64
	Lost, Late, Duplicate, Skipped           uint64 // of received packets
	Dropped                                  map[string]uint64
	Jitter                                   time.Duration // RFC 3550 §6.4.1
	Delay                                    time.Duration // of the jitter buffer
	Capped                                   bool          // the arrivals ask for more than MaxDelay
	Source                                   string        // where packets come from; "" while there is no peer
	RoundTrip                                time.Duration // from RTCP; 0 = unknown
	PeerLost                                 float64       // share that the peer misses, 0..1
}

// LossRatio is the share of expected packets that did not come in time.
func (s Stats) LossRatio() float64 {
	all := s.PacketsIn + s.Lost
	if all == 0 {
		return 0
	}
	return float64(s.Lost) / float64(all)
}

// Stats may be called from any goroutine, after Close too.
func (s *Session) Stats() Stats {
	c := &s.count
	st := Stats{
		PacketsIn: c.packetsIn.Load(), BytesIn: c.bytesIn.Load(),
		PacketsOut: c.packetsOut.Load(), BytesOut: c.bytesOut.Load(),
		Lost: c.lost.Load(), Late: c.late.Load(), Duplicate: c.dup.Load(), Skipped: c.skipped.Load(),
		Jitter: time.Duration(c.jitter.Load()), Delay: time.Duration(c.delay.Load()),
		RoundTrip: time.Duration(c.rtt.Load()), PeerLost: float64(c.peerLost.Load()) / 256,
		Capped: c.capped.Load(), Dropped: make(map[string]uint64, drops),
	}
	if from := c.from(); from.IsValid() {
		st.Source = from.String()
	}
	for d := range drops {
		if n := c.dropped[d].Load(); n > 0 {
			st.Dropped[d.String()] = n
		}
	}
	return st
}
