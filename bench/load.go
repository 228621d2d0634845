package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"parley/codec"
	"parley/sip"
)

const (
	answerTime = 30 * time.Second // for a call to be answered
	partTime   = 3 * time.Second  // for the BYEs at the end

	sampledRooms = 5 // in which somebody writes down what he hears
)

// load is all callers, with one SIP endpoint for all of them.
type load struct {
	opt    Options
	host   netip.Addr // ours, as the server is reached from
	end    *sip.Endpoint
	stop   context.CancelFunc
	done   chan struct{} // closed when the endpoint has ended
	legs   []*leg        // by room, then by place: legs[room*Callers+place]
	driver *driver

	seen ticks // before the time measured

	mu      sync.Mutex
	refused map[string]int // guarded by mu: why calls were not answered
	answer  histogram      // guarded by mu: from the INVITE to its 200
	churned int            // guarded by mu: calls made anew
}

// newLoad opens all sockets.
func newLoad(ctx context.Context, o Options) (*load, error) {
	host, err := route(ctx, o.Target)
	if err != nil {
		return nil, err
	}
	l := &load{opt: o, host: host, refused: map[string]int{}, done: make(chan struct{})}
	ports := newPorts(host, o.Ports)
	said, err := newVoices(o)
	if err != nil {
		return nil, err
	}
	for i := range o.Rooms * o.Callers {
		g, err := newLeg(&ports, i, o, said)
		if err != nil {
			l.closeSockets()
			return nil, err
		}
		l.legs = append(l.legs, g)
	}
	l.driver = newDriver(l.legs, o)
	l.end, err = sip.New(sip.Options{
		UDP: []string{netip.AddrPortFrom(host, 0).String()}, User: "bench", UserAgent: "parley-bench",
		Codecs: []codec.Format{o.Codec}, MaxCalls: 2*len(l.legs) + 1, Rate: sip.Rate{Off: true},
	})
	if err != nil {
		l.closeSockets()
		return nil, err
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx)) // it has to hang up after ctx
	go func() {
		defer close(l.done)
		_ = l.end.Run(ctx) // ends with ctx
	}()
	return l, nil
}

// route is the local address from which a peer is reached.
func route(ctx context.Context, target string) (netip.Addr, error) {
	c, err := new(net.Dialer).DialContext(ctx, "udp", target) // sends nothing
	if err != nil {
		return netip.Addr{}, fmt.Errorf("bench: %w", err)
	}
	defer c.Close()
	a, err := netip.ParseAddrPort(c.LocalAddr().String())
	if err != nil {
		return netip.Addr{}, fmt.Errorf("bench: %w", err)
	}
	return a.Addr(), nil
}

// dial makes all calls, at the rate asked for, one of each room after the
// other, and waits for their answers.
func (l *load) dial(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	gap := time.Duration(float64(time.Second) / l.opt.Rate)
	next := time.Now()
	for i := range l.legs {
		g := l.legs[i%l.opt.Rooms*l.opt.Callers+i/l.opt.Rooms]
		if err := pause(ctx, time.Until(next)); err != nil {
			return err
		}
		next = next.Add(gap)
		wg.Go(func() { l.call(ctx, g) })
	}
	return nil
}

// call makes one call and has its audio begin.
func (l *load) call(ctx context.Context, g *leg) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	uri := fmt.Sprintf("sip:%d@%s", l.opt.Room+g.room, l.opt.Target)
	start := time.Now()
	c, err := l.end.Invite(ctx, uri, sip.InviteOptions{
		From:  sip.Party{User: strconv.Itoa(100_000 + g.index)},
		Local: sip.Local{Addr: netip.AddrPortFrom(l.host, g.port), Codecs: []codec.Format{l.opt.Codec}},
	})
	took := time.Since(start)
	if err == nil {
		g.call.Store(c)
		s := c.Session()
		err = g.begin(s.Remote, s.Codec.Payload, s.Receive)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.refused[reason(err)]++
		return
	}
	l.answer.add(int64(took))
}

// churn has callers hang up and call again, one after the other, until ctx ends.
func (l *load) churn(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	if l.opt.Churn == 0 {
		return
	}
	gap := time.Duration(float64(time.Second) / l.opt.Churn)
	for next, i := time.Now(), 0; ; i++ {
		next = next.Add(gap)
		if pause(ctx, time.Until(next)) != nil {
			return
		}
		g := l.legs[i%len(l.legs)]
		if !g.movable(l.opt) || !g.live.CompareAndSwap(true, false) {
			continue
		}
		wg.Go(func() { l.again(ctx, g) })
	}
}

// again is one who leaves and comes back.
func (l *load) again(ctx context.Context, g *leg) {
	c := g.call.Swap(nil)
	c.HangUp()
	select {
	case <-c.Done():
	case <-ctx.Done():
		return
	}
	l.call(context.WithoutCancel(ctx), g)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.churned++
}

// reason is a short word for an error: calls that fail for one reason are
// counted together.
func reason(err error) string {
	var refused *sip.StatusError
	switch {
	case errors.As(err, &refused):
		return strconv.Itoa(refused.Code)
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer"
	}
	return err.Error()
}

// up is how many callers have audio.
func (l *load) up() (n int) {
	for _, g := range l.legs {
		if g.live.Load() {
			n++
		}
	}
	return n
}

// ended is how many calls the server has ended.
func (l *load) ended() (n int) {
	for _, g := range l.legs {
		if c := g.call.Load(); c != nil {
			select {
			case <-c.Done():
				n++
			default:
			}
		}
	}
	return n
}

// close hangs up and closes everything.
func (l *load) close() {
	limit := time.NewTimer(partTime)
	defer limit.Stop()
	for _, g := range l.legs {
		if c := g.call.Load(); c != nil {
			c.HangUp()
		}
	}
	for _, g := range l.legs {
		if c := g.call.Load(); c != nil {
			select {
			case <-c.Done():
			case <-limit.C:
				limit.Reset(0)
			}
		}
	}
	l.stop()
	<-l.done
	l.closeSockets()
}

func (l *load) closeSockets() {
	for _, g := range l.legs {
		g.media.close()
		g.control.close()
	}
}

// ports hands out pairs of UDP ports, the even one for RTP.
type ports struct {
	host              netip.Addr
	first, last, next uint16
}

func newPorts(host netip.Addr, within [2]uint16) ports {
	first := within[0] + within[0]%2
	return ports{host: host, first: first, next: first, last: within[1]}
}

// pair binds the next two ports that are free. RTCP has a socket so that the
// server's reports meet no closed port; nobody reads them.
func (p *ports) pair() (media, control *socket, port uint16, err error) {
	for range (int(p.last) - int(p.first) + 1) / 2 {
		port = p.next
		if p.next += 2; p.next >= p.last || p.next < p.first {
			p.next = p.first
		}
		if media, err = open(netip.AddrPortFrom(p.host, port)); err != nil {
			continue
		}
		if control, err = open(netip.AddrPortFrom(p.host, port+1)); err == nil {
			return media, control, port, nil
		}
		media.close()
	}
	return nil, nil, 0, fmt.Errorf("bench: no pair of ports is free in %d-%d (%w)", p.first, p.last, err)
}
