// Package siptest is a phone that a test drives: it calls and is called, says
// tones, types digits, holds, and writes down every sample it hears. Its
// signalling is package sip; its RTP is its own and plain, so that it is a
// second opinion on parley/rtp.
//
//	p, err := siptest.New(siptest.Options{})
//	defer p.Close()
//	c, err := p.Dial(ctx, "sip:3001@127.0.0.1:5070", siptest.CallOptions{Tone: siptest.Tone{Hz: 440, DBFS: -20}})
//	err = c.Digits(ctx, "1234#")
//	heard := c.Listen(time.Second) // PCM at c.Rate()
//	c.Hangup()
//	<-c.Done()
//
// All methods may be called from any goroutine.
package siptest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"parley/codec"
	"parley/sip"
)

// Options of a Phone. The zero value is a phone on 127.0.0.1 that knows the
// codecs without state: tests have many phones, and small machines.
type Options struct {
	Host   string         // address for signalling and audio; "" means 127.0.0.1
	Port   uint16         // of signalling; 0 means any
	User   string         // what it calls itself; "" means "phone"
	Codecs []codec.Format // of codec.Known(); nil means G.711, and L16 at 16 and 8 kHz
	Auth   *sip.Auth      // its password, where one is asked for
	Levels bool           // offers to say how loud it is, and to be told who is in a mix (RFC 6464, 6465)
	Log    *slog.Logger   // nil means silence
}

// Phone makes and takes calls.
type Phone struct {
	opt      Options
	host     netip.Addr
	end      *sip.Endpoint
	incoming chan *Call
	stop     context.CancelFunc
	done     chan struct{}

	mu    sync.Mutex
	calls map[*Call]bool // guarded by mu: those with a socket
}

// New starts a phone.
func New(o Options) (*Phone, error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.User == "" {
		o.User = "phone"
	}
	if o.Codecs == nil {
		o.Codecs = []codec.Format{codec.PCMU(), codec.PCMA(), codec.L16(16000), codec.L16(8000)}
	}
	host, err := netip.ParseAddr(o.Host)
	if err != nil {
		return nil, fmt.Errorf("siptest: %w", err)
	}
	p := &Phone{
		opt: o, host: host, incoming: make(chan *Call, 64),
		done: make(chan struct{}), calls: map[*Call]bool{},
	}
	for try := 0; ; try++ {
		if p.end, err = p.listen(); err == nil {
			break
		}
		if try == 9 || o.Port != 0 {
			return nil, fmt.Errorf("siptest: %w", err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() {
		defer close(p.done)
		_ = p.end.Run(ctx) // ends with ctx
	}()
	return p, nil
}

// listen opens UDP and TCP on the same port; any port may be taken in one of
// them.
func (p *Phone) listen() (*sip.Endpoint, error) {
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.host, p.opt.Port)))
	if err != nil {
		return nil, err
	}
	at := udp.LocalAddr().String()
	e, err := sip.New(sip.Options{
		UDP: []string{at}, TCP: []string{at}, ListenPacket: func(string, string) (net.PacketConn, error) { return udp, nil },
		User: p.opt.User, UserAgent: "siptest", Codecs: p.opt.Codecs, Log: p.opt.Log,
		Incoming: p.called, Rate: sip.Rate{Off: true},
	})
	if err != nil {
		_ = udp.Close() // once more, it does not matter
	}
	return e, err
}

// Address is where the phone can be called.
func (p *Phone) Address() netip.AddrPort { return p.end.UDP()[0] }

// URI is how to call the phone.
func (p *Phone) URI() string { return "sip:" + p.opt.User + "@" + p.Address().String() }

// Stats are the counters of its endpoint.
func (p *Phone) Stats() *sip.Stats { return p.end.Stats() }

// Close hangs up all calls and ends the phone.
func (p *Phone) Close() {
	p.stop()
	<-p.done
	p.mu.Lock()
	calls := p.calls
	p.calls = nil
	p.mu.Unlock()
	for c := range calls {
		c.close()
	}
}

// CallOptions say what a call is like.
type CallOptions struct {
	Name    string       // display name of the caller
	User    string       // number of the caller; "" means Options.User
	CallID  string       // "" means a random one
	Headers []sip.Header // more headers of the INVITE, or of the answer
	Tone    Tone         // said from the start; the zero value is silence
	PCM     []int16      // said from the start instead, once, at the call's Rate

	// Key is how long a key is held, and then let go of; zero is as people type.
	Key time.Duration
}

// Dial calls a URI and waits for the answer. A refusal is a *sip.StatusError.
func (p *Phone) Dial(ctx context.Context, uri string, o CallOptions) (*Call, error) {
	c, err := p.newCall(o)
	if err != nil {
		return nil, err
	}
	if o.User == "" {
		o.User = p.opt.User
	}
	s, err := p.end.Invite(ctx, uri, sip.InviteOptions{
		CallID: o.CallID, From: sip.Party{User: o.User, Name: o.Name}, Headers: o.Headers, Local: c.local(sip.SendRecv), Auth: p.opt.Auth, Events: c,
	})
	if err != nil {
		c.close()
		return nil, err
	}
	c.sip = s
	return c, nil
}

// called is a call that comes in. It rings until Accept or Reject takes it.
func (p *Phone) called(s *sip.Call) sip.Events {
	c, err := p.newCall(CallOptions{})
	if err == nil {
		c.sip = s
		select {
		case p.incoming <- c:
			s.Ringing()
			return c
		default:
			c.close()
		}
	}
	_ = s.Reject(486) // nobody else answers it
	return nil
}

// Accept waits for the next call and answers it.
func (p *Phone) Accept(ctx context.Context, o CallOptions) (*Call, error) {
	c, err := p.next(ctx)
	if err != nil {
		return nil, err
	}
	c.say(o)
	if err := c.sip.Answer(c.local(sip.SendRecv), o.Headers...); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// Reject waits for the next call and refuses it. It returns what the INVITE
// said.
func (p *Phone) Reject(ctx context.Context, code int) (sip.Info, error) {
	c, err := p.next(ctx)
	if err != nil {
		return sip.Info{}, err
	}
	return c.sip.Info(), c.sip.Reject(code)
}

func (p *Phone) next(ctx context.Context) (*Call, error) {
	select {
	case c := <-p.incoming:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// newCall opens the socket of a call's audio.
func (p *Phone) newCall(o CallOptions) (*Call, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.host, 0)))
	if err != nil {
		return nil, fmt.Errorf("siptest: %w", err)
	}
	c := newCall(p, conn)
	c.say(o)
	c.keys.down, c.keys.up = keyDown, keyUp
	if o.Key > 0 {
		c.keys.down, c.keys.up = o.Key, o.Key
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls == nil {
		_ = conn.Close()
		return nil, sip.ErrClosed
	}
	p.calls[c] = true
	c.start()
	return c, nil
}

func (p *Phone) forget(c *Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, c)
}
