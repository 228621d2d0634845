package rtp

import "net/netip"

// rank is how likely a sender is the peer.
type rank uint8

const (
	stranger rank = iota // any host
	near                 // the peer's host or that of its signalling: behind NAT only the port is another
	named                // the address that the signalling named
)

// suitor is a stranger who may be the peer behind two NATs, or a thief who
// tries all ports. He must insist.
type suitor struct {
	from  netip.AddrPort
	next  uint16 // sequence number
	count int
}

// admits says whether a packet comes from the peer, and takes to the sender if
// he is the first, or likelier to be the peer than the one before. A thief may
// get a stream that nobody else claims; he cannot keep it.
func (s *Session) admits(from netip.AddrPort, seq uint16) bool {
	if s.latched && from == s.source {
		return true
	}
	r := s.rank(from)
	switch {
	case r == named:
	case !s.opt.Latch, s.latched && r <= s.trust, r == stranger && !s.insists(from, seq):
		return false
	}
	s.latched, s.trust = true, r
	if r == named {
		s.witness.saw(from.Addr())
	}
	if from != s.source {
		s.source = from
		s.media.aim(from)
	}
	s.screen()
	return true
}

func (s *Session) rank(from netip.AddrPort) rank {
	switch {
	case from == s.target.rtp:
		return named
	case from.Addr() == s.target.rtp.Addr(), from.Addr() == s.opt.Signalling:
		return near
	default:
		return stranger
	}
}

// insists counts packets that follow each other.
func (s *Session) insists(from netip.AddrPort, seq uint16) bool {
	u := &s.suitor
	if u.from != from || u.next != seq {
		*u = suitor{from: from}
	}
	u.next = seq + 1
	u.count++
	return u.count >= strangerPackets
}

// screen has the kernel drop what admits would refuse, where those it would
// not are few: what is dropped there takes no room in the queue, so that a
// flood from elsewhere does not push the peer's packets out.
func (s *Session) screen() {
	if s.berth != nil {
		return // those on shared ports have a filter in common
	}
	host := func(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr(), 0) }
	name := s.target.rtp
	switch {
	case name.IsValid() && (!s.opt.Latch || s.latched && s.trust == named):
		s.media.admit(name)
		s.control.admit(host(name))
	case s.latched && s.trust == near:
		s.media.admit(s.source, name)
		s.control.admit(host(s.source), host(name))
	default:
		s.media.admit()
		s.control.admit()
	}
}
