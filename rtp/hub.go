package rtp

import (
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// berths is how many sessions share a pair of ports: what they receive in
	// 100 ms has room in a socket as large as Linux lets anybody have one (416 KiB
	// where a packet takes 768 bytes), and what they receive in 20 ms fits into
	// one batch.
	berths   = 60
	hubBatch = 64
	hubRoom  = 1 << 20 // bytes asked for

	hubMost  = 16 * hubBatch // datagrams read in one tick
	hubLooks = 100           // at whether another worker has read, before one sleeps until he has
)

// hub is a pair of ports for many sessions, which are told apart by where their
// packets come from: each from exactly the address that its signalling named.
// There is no latching. Who named an address first has it.
//
// Whoever ticks one of the sessions reads for all of them, once per tick.
type hub struct {
	media, control *socket
	port           uint16

	reading sync.Mutex   // held by the worker who reads; the sockets are his
	upTo    atomic.Int64 // Unix ns, of the last reading
	told    atomic.Uint64
	crew    atomic.Pointer[crew]

	mu    sync.Mutex
	list  []*berth         // guarded by mu: oldest first
	hosts []netip.AddrPort // guarded by mu: whom the kernel lets in; ports 0
}

// crew says whose packets are whose. It is never changed.
type crew struct{ media, reports map[netip.AddrPort]*Session }

func (c *crew) whose(at netip.AddrPort, report bool) *Session {
	if report {
		return c.reports[at]
	}
	return c.media[at]
}

// berth is a place on a hub.
type berth struct {
	hub  *hub
	mine atomic.Bool // its address is not an older one's

	at      target   // guarded by hub.mu
	session *Session // guarded by hub.mu; nil while there is only a Pair
}

// ReserveFor binds a pair for a peer whose signalling names these addresses, or
// finds it a place on shared ports. It does where another session's packets have
// come from just where that host's signalling had said, and no other session of
// the hub has the address. The error wraps ErrNoPort.
func (p *Ports) ReserveFor(to, rtcp netip.AddrPort) (*Pair, error) {
	at := pairOf(to, rtcp)
	if !p.trusts(to) {
		return p.Reserve()
	}
	if pair := p.embark(at); pair != nil {
		return pair, nil
	}
	pair, err := p.open(hubBatch, hubRoom)
	if err != nil {
		return nil, err
	}
	h := &hub{media: pair.media, control: pair.control, port: pair.port}
	h.crew.Store(&crew{})
	p.mu.Lock()
	p.hubs = append(p.hubs, h)
	p.mu.Unlock()
	if pair := p.embark(at); pair != nil { // nil only if others were faster, 60 times
		return pair, nil
	}
	p.scuttle(h)
	return p.Reserve()
}

// pairOf adds the usual RTCP address where none is given.
func pairOf(to, rtcp netip.AddrPort) target {
	if !rtcp.IsValid() && to.IsValid() {
		rtcp = netip.AddrPortFrom(to.Addr(), to.Port()+1)
	}
	return target{to, rtcp}
}

// embark finds a place for an address.
func (p *Ports) embark(at target) *Pair {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.hubs {
		if b := h.book(at); b != nil {
			return &Pair{ports: p, media: h.media.share(), control: h.control.share(), port: h.port, berth: b}
		}
	}
	return nil
}

// disembark gives a place back. The last one out closes the ports: nobody reads
// them then, because who reads is a session that has a place. It may run in a
// tick, once per call, and waits for nothing but another of its kind.
func (p *Ports) disembark(b *berth) {
	b.hub.leave(b)
	p.scuttle(b.hub)
}

// scuttle closes a hub that nobody is on.
func (p *Ports) scuttle(h *hub) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.hubs, h); i >= 0 && h.empty() {
		p.hubs = slices.Delete(p.hubs, i, i+1)
		h.media.close()
		h.control.close()
	}
}

func (h *hub) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.list) == 0
}

// book takes a place for an address; nil when there is none, or the address is
// somebody's.
func (h *hub) book(at target) *berth {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := func(b *berth) bool { return b.at.rtp == at.rtp || b.at.rtcp == at.rtcp }
	if len(h.list) >= berths || slices.ContainsFunc(h.list, taken) {
		return nil
	}
	b := &berth{hub: h, at: at}
	h.list = append(h.list, b)
	h.assign()
	return b
}

// board says whose place it is.
func (h *hub) board(b *berth, s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b.session = s
	h.assign()
}

// move changes the address of a place, as a re-INVITE asks. While the address is
// another's, nothing comes and nothing is sent.
func (h *hub) move(b *berth, to, rtcp netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at := (target{to, rtcp}); b.at != at {
		b.at = at
		if i := slices.Index(h.list, b); i >= 0 { // as new as any
			h.list = append(slices.Delete(h.list, i, i+1), b)
		}
		h.assign()
	}
}

func (h *hub) leave(b *berth) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.list, b); i >= 0 {
		h.list = slices.Delete(h.list, i, i+1)
		h.assign()
	}
}

// assign makes a new crew of the list, and has the kernel drop what comes from
// other hosts. The caller holds mu.
func (h *hub) assign() {
	c := &crew{media: make(map[netip.AddrPort]*Session, len(h.list)), reports: make(map[netip.AddrPort]*Session, len(h.list))}
	var hosts []netip.AddrPort
	for _, b := range h.list {
		_, taken := c.media[b.at.rtp]
		if b.mine.Store(!taken); taken || !b.at.rtp.IsValid() {
			continue
		}
		c.media[b.at.rtp] = b.session
		if _, taken := c.reports[b.at.rtcp]; !taken {
			c.reports[b.at.rtcp] = b.session
		}
		for _, a := range []netip.Addr{b.at.rtp.Addr(), b.at.rtcp.Addr()} {
			if host := netip.AddrPortFrom(a, 0); !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	h.crew.Store(c)
	if len(hosts) > 0 && !slices.Equal(hosts, h.hosts) { // a filter costs a kernel more than a call that goes
		h.media.admit(hosts...)
		h.control.admit(hosts...)
		h.hosts = hosts
	}
}

// read has everything that came before now in the inboxes. s is who asks. Mostly
// another worker who reads has done so a moment later, and to sleep would take
// longer; where he has lost his processor, it is this one's that he can have.
func (h *hub) read(s *Session, now int64) {
	for looks := 0; !h.reading.TryLock(); looks++ {
		if h.has(now) {
			return
		}
		if looks == hubLooks {
			h.reading.Lock()
			break
		}
		runtime.Gosched()
	}
	defer h.reading.Unlock()
	if !h.has(now) {
		h.fetch(h.media, s, now, false)
		h.upTo.Store(now)
	}
}

// has says whether everything that came before now has been read.
func (h *hub) has(now int64) bool {
	last := h.upTo.Load()
	return now <= last && last-now < int64(time.Second) // else the clock was set
}

// listen reads what has come in reports for anybody, unless somebody reads.
func (h *hub) listen(s *Session, now int64) {
	if h.reading.TryLock() {
		h.fetch(h.control, s, now, true)
		h.reading.Unlock()
	}
}

// fetch deals out what a socket has. What is nobody's is counted for who asks. Whose it
// is is asked after it has come: who has come before it has his first packet.
func (h *hub) fetch(from *socket, s *Session, now int64, reports bool) {
	from.start(s.buffers())
	for range hubMost {
		b, at, arrival, ok := from.receive(now)
		if !ok {
			return
		}
		switch to := h.crew.Load().whose(at, reports); {
		case to == nil:
			s.count.dropped[DropSource].Add(1)
		case !to.inbox.put(b, reports, arrival):
			to.count.dropped[DropKernel].Add(1)
		}
	}
}

// refused is how many datagrams the kernel has dropped since it was last called,
// by whichever session.
func (h *hub) refused() uint64 {
	now := h.media.refused()
	if last := h.told.Load(); now > last && h.told.CompareAndSwap(last, now) {
		return now - last
	}
	return 0
}
