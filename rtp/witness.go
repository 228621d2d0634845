package rtp

import (
	"net/netip"
	"sync/atomic"
)

// witness knows whether a host sends from where its signalling says. It lives as
// long as any session of that host. A nil witness knows nothing.
type witness struct {
	host   netip.Addr
	honest atomic.Bool // packets came from exactly there
	doubt  atomic.Bool // of one that was believed nothing came

	sessions int // guarded by Ports.mu
}

// saw notes that packets came from the very address that was named.
func (w *witness) saw(from netip.Addr) {
	if w != nil && w.host == from && !w.honest.Load() {
		w.honest.Store(true)
	}
}

// Doubt says that nothing has come for too long. If the session is on shared
// ports, calls of its host get ports of their own from now on.
func (s *Session) Doubt() {
	if s.berth != nil && s.witness != nil {
		s.witness.doubt.Store(true)
	}
}

// Shared says whether the session's ports are those of others as well.
func (s *Session) Shared() bool { return s.berth != nil }

// summon finds or makes the witness of a host for one session more.
func (p *Ports) summon(host netip.Addr) *witness {
	if !host.IsValid() || host.IsUnspecified() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.witnesses[host]
	if w == nil {
		w = &witness{host: host}
		p.witnesses[host] = w
	}
	w.sessions++
	return w
}

// dismiss ends a session's part in it. It may run in a tick, once per call.
func (p *Ports) dismiss(w *witness) {
	if w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.sessions--; w.sessions == 0 {
		delete(p.witnesses, w.host)
	}
}

// trusts says whether an address is likely to be where packets will come from.
func (p *Ports) trusts(at netip.AddrPort) bool {
	if !at.IsValid() || at.Port() == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.witnesses[at.Addr()]
	return w != nil && w.honest.Load() && !w.doubt.Load()
}
