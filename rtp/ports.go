package rtp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"syscall"
)

// ErrNoPort: every port pair of the range is in use.
var ErrNoPort = errors.New("rtp: no free port")

// Ports hands out pairs of UDP ports: an even one for RTP, the next for RTCP.
// A port that somebody else has bound is skipped.
type Ports struct {
	bind     netip.Addr
	min, max uint16

	mu        sync.Mutex
	next      uint16                  // guarded by mu: even, where the next search begins
	hubs      []*hub                  // guarded by mu
	witnesses map[netip.Addr]*witness // guarded by mu: of the hosts that live sessions have been told of
}

// NewPorts uses the pairs of min..max on address bind.
func NewPorts(bind netip.Addr, minPort, maxPort uint16) (*Ports, error) {
	first := minPort + minPort%2
	if first < minPort || maxPort < first+1 || first == 0 {
		return nil, fmt.Errorf("rtp: no pair of ports in %d-%d", minPort, maxPort)
	}
	p := &Ports{bind: bind, min: first, max: maxPort, witnesses: make(map[netip.Addr]*witness)}
	p.next = first + 2*uint16(rand.N(p.pairs()))
	return p, nil
}

func (p *Ports) String() string { return fmt.Sprintf("%d-%d", p.min, p.max) }

// pairs is how many calls can have media at one time.
func (p *Ports) pairs() int { return (int(p.max) - int(p.min) + 1) / 2 }

// Pair is two bound ports, or a place on two that others are on as well, that no
// session uses yet.
type Pair struct {
	ports          *Ports
	media, control *socket
	port           uint16
	berth          *berth // nil: the ports are its own
}

// Port is the RTP one.
func (p *Pair) Port() uint16 { return p.port }

// Close gives the ports back, unless a session has them.
func (p *Pair) Close() {
	p.media.close()
	p.control.close()
	if p.berth != nil {
		p.ports.disembark(p.berth)
	}
}

// Reserve binds a pair. The error wraps ErrNoPort when there is none.
func (p *Ports) Reserve() (*Pair, error) { return p.open(batch, receiveRoom) }

// open binds a pair that reads so many datagrams at once and has so many bytes of
// room where they wait.
func (p *Ports) open(most, room int) (*Pair, error) {
	for range p.pairs() {
		port := p.take()
		media, err := openSocket(netip.AddrPortFrom(p.bind, port), most, room)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, err
		}
		control, err := openSocket(netip.AddrPortFrom(p.bind, port+1), most, receiveRoom)
		if err == nil {
			return &Pair{ports: p, media: media, control: control, port: port}, nil
		}
		media.close()
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w in %d-%d", ErrNoPort, p.min, p.max)
}

// Free tries every pair, and says how many of how many nobody has. What it
// finds is true for a moment only. An error is one of the address.
func (p *Ports) Free() (free, of int, err error) {
	try := func(port int) (bool, error) {
		s, err := openSocket(netip.AddrPortFrom(p.bind, uint16(port)), batch, receiveRoom)
		if errors.Is(err, syscall.EADDRINUSE) {
			return false, nil
		}
		if err == nil {
			s.close()
		}
		return err == nil, err
	}
	of = p.pairs()
	for i := range of {
		media, err := try(int(p.min) + 2*i)
		if err != nil {
			return 0, of, err
		}
		if control, err := try(int(p.min) + 2*i + 1); err == nil && media && control {
			free++
		}
	}
	return free, of, nil
}

// take moves on by a pair, so that a port rests as long as possible.
func (p *Ports) take() uint16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	port := p.next
	if int(port)+3 > int(p.max) {
		p.next = p.min
	} else {
		p.next = port + 2
	}
	return port
}
