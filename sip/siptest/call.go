package siptest

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"parley/codec"
	"parley/sip"
)

// Call is one call of a Phone.
type Call struct {
	phone   *Phone
	conn    *net.UDPConn
	sip     *sip.Call
	session atomic.Pointer[sip.Session] // nil until the audio is agreed on
	agreed  chan struct{}               // closed then
	once    sync.Once
	stop    chan struct{} // closed when the audio ends
	stopped sync.Once
	busy    sync.WaitGroup // the two audio goroutines
	ssrc    uint32

	voice    voice
	record   record
	keys     keyboard
	infoKeys sync.Mutex
	info     []byte // guarded by infoKeys: digits that came by INFO
}

func newCall(p *Phone, conn *net.UDPConn) *Call {
	c := &Call{phone: p, conn: conn, agreed: make(chan struct{}), stop: make(chan struct{}), ssrc: rand.Uint32()}
	c.record.fresh = make(chan struct{})
	c.keys.queue = make(chan press)
	return c
}

// start runs the audio.
func (c *Call) start() {
	c.busy.Go(c.hear)
	c.busy.Go(c.speak)
}

// close ends the audio.
func (c *Call) close() {
	c.stopped.Do(func() {
		close(c.stop)
		_ = c.conn.Close()
		c.phone.forget(c)
	})
	c.busy.Wait()
}

func (c *Call) local(d sip.Direction) sip.Local {
	a := c.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	l := sip.Local{Addr: netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), Direction: d}
	if c.phone.opt.Levels {
		l.Levels = sip.ClientLevels
	}
	return l
}

// Media, Digit and Ended make it the Events of its sip.Call.
func (c *Call) Media(s sip.Session) {
	c.session.Store(&s)
	c.once.Do(func() { close(c.agreed) })
}

// Digit takes a digit that came by INFO.
func (c *Call) Digit(d byte) {
	c.infoKeys.Lock()
	defer c.infoKeys.Unlock()
	c.info = append(c.info, d)
}

// Ended ends the audio.
func (c *Call) Ended(sip.End) { c.close() }

// SIP is the call's signalling.
func (c *Call) SIP() *sip.Call { return c.sip }

// Session is the audio agreed on.
func (c *Call) Session() sip.Session {
	if s := c.session.Load(); s != nil {
		return *s
	}
	return sip.Session{}
}

// Codec is what the call speaks, Rate the sampling rate of all its PCM. They
// wait until the audio is agreed on.
func (c *Call) Codec() codec.Format {
	select {
	case <-c.agreed:
	case <-c.stop:
	}
	return c.Session().Codec
}

// Rate is the sampling rate of all PCM of the call.
func (c *Call) Rate() codec.Rate { return c.Codec().Rate }

// Hold asks the peer to be silent and says nothing; Resume takes it back.
func (c *Call) Hold(ctx context.Context) error { return c.sip.Reinvite(ctx, c.local(sip.Inactive)) }

// Resume ends Hold.
func (c *Call) Resume(ctx context.Context) error { return c.sip.Reinvite(ctx, c.local(sip.SendRecv)) }

// Direct offers the peer another direction: sip.SendOnly is the hold of a
// phone with music.
func (c *Call) Direct(ctx context.Context, d sip.Direction) error {
	return c.sip.Reinvite(ctx, c.local(d))
}

// Hangup ends the call.
func (c *Call) Hangup(hs ...sip.Header) { c.sip.HangUp(hs...) }

// Done is closed when the call is over, whoever ended it.
func (c *Call) Done() <-chan struct{} { return c.sip.Done() }

// Wait waits until the call is over.
func (c *Call) Wait(ctx context.Context) (sip.End, error) {
	select {
	case <-c.sip.Done():
		return c.sip.End(), nil
	case <-ctx.Done():
		return sip.End{}, ctx.Err()
	}
}

// EndReason says how the call ended, once Done is closed: "peer", "us",
// "cancelled" …, and the peer's Reason header if there was one.
func (c *Call) EndReason() string {
	end := c.sip.End()
	if end.Reason != "" {
		return end.Cause.String() + ": " + end.Reason
	}
	return end.Cause.String()
}

// InfoDigits types digits by SIP INFO.
func (c *Call) InfoDigits(ctx context.Context, digits string) error {
	for i := range len(digits) {
		if err := c.sip.SendDigit(ctx, digits[i], keyDown); err != nil {
			return err
		}
	}
	return nil
}

// Digits types digits in the audio (RFC 4733) and returns when the last one
// was sent. No voice is sent meanwhile.
func (c *Call) Digits(ctx context.Context, digits string) error {
	for i := range len(digits) {
		code, ok := eventCode(digits[i])
		if !ok {
			return sip.ErrState
		}
		if err := c.press(ctx, press{code: code, done: make(chan struct{})}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Call) press(ctx context.Context, p press) error {
	select {
	case c.keys.queue <- p:
	case <-c.stop:
		return sip.ErrOver
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-p.done:
		return nil
	case <-c.stop:
		return sip.ErrOver
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Heard are the digits that came in the audio, and those that came by INFO.
func (c *Call) Heard() (audio, info string) {
	c.infoKeys.Lock()
	defer c.infoKeys.Unlock()
	return c.record.digits(), string(c.info)
}

// SetTone says a tone from now on, without a click; a zero Tone is silence.
func (c *Call) SetTone(t Tone) { c.voice.tone(t) }

// SetPCM says PCM at Rate, once; then silence.
func (c *Call) SetPCM(pcm []int16) { c.voice.pcm(pcm) }

// SSRC is the name of its stream.
func (c *Call) SSRC() uint32 { return c.ssrc }

// Claim has each packet say that it is so loud, -dBov, where the peer is told.
func (c *Call) Claim(level uint8) {
	c.voice.mu.Lock()
	defer c.voice.mu.Unlock()
	c.voice.claim = &level
}

// Mute stops sending packets, or goes on.
func (c *Call) Mute(on bool) { c.voice.mute(on) }

func (c *Call) say(o CallOptions) {
	if o.PCM != nil {
		c.voice.pcm(o.PCM)
		return
	}
	c.voice.tone(o.Tone)
}

// Record is all PCM heard so far, at Rate: each packet at the place that its
// timestamp gives it, gaps as silence.
func (c *Call) Record() []int16 { return c.record.since(0) }

// Listen returns what is heard from now on for d, by the audio's own time. It
// is shorter if the call ends, or if nothing comes for two seconds more.
func (c *Call) Listen(d time.Duration) []int16 {
	from := c.record.len()
	want := from + c.Rate().Samples(d)
	limit := time.NewTimer(d + 2*time.Second)
	defer limit.Stop()
	for {
		n, fresh := c.record.wait()
		if n >= want {
			return c.record.since(from)[:want-from]
		}
		select {
		case <-fresh:
		case <-limit.C:
			return c.record.since(from)
		case <-c.stop:
			return c.record.since(from)
		}
	}
}

// Packets are all RTP packets heard so far, in the order of arrival.
func (c *Call) Packets() []Packet { return c.record.packets() }
