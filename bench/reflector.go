package bench

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"parley/sip"
)

// reflector is the least that a program in Go can do for a caller: it takes
// every call and sends each packet back as it came. It has no jitter buffer, no
// codec and no mix: what it costs is the price of the system calls and of one
// wake-up per 20 ms, the limit for whatever works like this.
type reflector struct {
	host  netip.Addr
	ports ports

	mu      sync.Mutex // held for a turn of all, so that no socket is closed within it
	mirrors []*mirror  // guarded by mu
}

// mirror is one call of a reflector.
type mirror struct {
	of             *reflector
	media, control *socket
}

// Reflect runs a reflector that is called at an address until ctx ends.
func Reflect(ctx context.Context, listen string) error {
	at, err := netip.ParseAddrPort(listen)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	r := &reflector{host: at.Addr(), ports: newPorts(at.Addr(), [2]uint16{defaultLast + 1, 39_999})}
	end, err := sip.New(sip.Options{
		UDP: []string{listen}, Incoming: r.answer, MaxCalls: maxLegs,
		Rate: sip.Rate{Off: true},
	})
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.run(serving)
	}()
	err = end.Run(ctx)
	stop()
	<-done
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// run reflects, at absolute deadlines.
func (r *reflector) run(ctx context.Context) {
	in := newInbox()
	for due := time.Now(); ctx.Err() == nil; due = due.Add(ptime) {
		time.Sleep(time.Until(due))
		r.turn(in)
	}
}

func (r *reflector) turn(in *inbox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.mirrors {
		m.tick(in)
	}
}

func (m *mirror) tick(in *inbox) {
	for m.media.fill(in) {
		for i := range in.have {
			b, _ := in.datagram(i)
			m.media.send(b)
		}
		if in.have < batch {
			return
		}
	}
}

// answer takes a call.
func (r *reflector) answer(c *sip.Call) sip.Events {
	r.mu.Lock()
	media, control, port, err := r.ports.pair()
	r.mu.Unlock()
	if err != nil {
		_ = c.Reject(503) // it may be over; nobody minds
		return nil
	}
	m := &mirror{r, media, control}
	if err := c.Answer(sip.Local{Addr: netip.AddrPortFrom(r.host, port)}); err != nil {
		m.close()
		return nil
	}
	return m
}

// Media takes the call among those that are reflected.
func (m *mirror) Media(s sip.Session) {
	r := m.of
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.media.connect(s.Remote) == nil && !slices.Contains(r.mirrors, m) {
		r.mirrors = append(r.mirrors, m)
	}
}

// Digit is part of sip.Events.
func (*mirror) Digit(byte) {}

// Ended gives the sockets back.
func (m *mirror) Ended(sip.End) {
	r := m.of
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mirrors = slices.DeleteFunc(r.mirrors, func(o *mirror) bool { return o == m })
	m.close()
}

func (m *mirror) close() {
	m.media.close()
	m.control.close()
}
