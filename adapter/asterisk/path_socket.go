package asterisk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/ari"
	"parley/ari/audiosocket"
	"parley/codec"
	"parley/engine/native"
)

const (
	greeting = 2 * time.Second // from the media channel's coming in to its first word, which it said before
	stuckFor = 6               // looks in a row at audio that nobody takes
)

const socketModule = "chan_audiosocket.so"

// format is an audio format that AudioSocket can carry.
type format struct {
	name  string // Asterisk's
	kind  audiosocket.Kind
	codec codec.Format
}

// formats are what to try with an Asterisk of some version, the best first. An
// older one takes a wideband format without a word and sends it as narrowband.
func formats(version string) []format {
	narrow := format{"slin", audiosocket.KindSLIN8, codec.SLIN(8000)}
	if !audiosocket.Wide(version) {
		return []format{narrow}
	}
	return []format{{"slin16", audiosocket.KindSLIN16, codec.SLIN(16000)}, narrow}
}

// socketPath has Asterisk connect to us by AudioSocket.
type socketPath struct{ link *Link }

// fetch makes the channel in the best format that the switch takes.
func (p socketPath) fetch(ctx context.Context, m *media, variables map[string]string) (s *sound, err error) {
	for _, f := range formats(p.link.versionOf()) {
		if s, err = p.attract(ctx, m, f, variables); !errors.Is(err, ari.ErrSwitch) {
			return s, err
		}
	}
	return nil, m.refused(ctx, err, socketModule)
}

// attract has Asterisk connect to us, and returns when audio flows.
func (p socketPath) attract(ctx context.Context, m *media, f format, variables map[string]string) (*sound, error) {
	ticket, err := p.link.opt.Sockets.Expect(m.uuid, f.kind)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		s   *sound
		err error
	}
	came := make(chan answer, 1)
	go func() {
		s, err := p.answer(ctx, m, ticket, f.codec)
		came <- answer{s, err}
	}()
	if err := p.invite(ctx, m, f, variables); err != nil {
		cancel()
		a := <-came
		if a.s != nil {
			_ = a.s.voice.Close()
		} else if errors.Is(a.err, native.ErrBusy) { // then it was us who ended the channel
			err = a.err
		}
		return nil, err
	}
	limit := time.AfterFunc(greeting, cancel)
	defer limit.Stop()
	select {
	case a := <-came:
		return a.s, a.err
	case <-m.mediaOut.done: // before its first word
		cancel()
	}
	a := <-came
	if errors.Is(a.err, context.Canceled) {
		a.err = fmt.Errorf("asterisk: no AudioSocket connection to %s: %w", p.link.opt.Advertise, m.ended())
	}
	return a.s, a.err
}

// answer sends audio from the moment that Asterisk has connected, silence at
// first. It must not be kept waiting: when it happens to read the connection
// before there is a frame, it tries until one comes, with the channel locked,
// and whatever else looks at channels stands still as long.
func (p socketPath) answer(ctx context.Context, m *media, ticket *audiosocket.Ticket, f codec.Format) (*sound, error) {
	conn, err := ticket.Wait(ctx)
	if err != nil {
		return nil, fmt.Errorf("asterisk: no AudioSocket connection to %s: %w", p.link.opt.Advertise, err)
	}
	voice, err := p.link.opt.Switch.NewLeg(m.leg, socketPort{conn}, f)
	if err != nil {
		conn.Send(make([]byte, 2*f.Rate/50), 0, false)
		p.dismiss(ctx, m, conn)
		return nil, err
	}
	voice.SetMediaLost(0) // a caller who is muted at Asterisk sends nothing; the connection says when he is gone
	return &sound{voice: voice, format: f, line: &connection{tcp: conn}}, nil
}

// dismiss closes a connection that there is no room for, once the hangup handler
// of its channel is gone: the caller goes on by our hand, with a reason.
func (p socketPath) dismiss(ctx context.Context, m *media, conn *audiosocket.Conn) {
	select {
	case <-m.mediaIn.done:
		p.link.disarm(ctx, m.mediaID)
	case <-m.mediaOut.done:
	case <-ctx.Done():
	}
	_ = conn.Close()
}

// invite makes the media channel and waits until it is in the application.
func (p socketPath) invite(ctx context.Context, m *media, f format, variables map[string]string) error {
	_, err := p.link.client.ExternalMedia(ctx, ari.ExternalMedia{
		ID: m.mediaID, Encapsulation: "audiosocket", Transport: "tcp", Host: p.link.opt.Advertise,
		Data: m.uuid.String(), Format: f.name, Variables: variables,
	})
	if err != nil {
		return err
	}
	return m.come(ctx)
}

// socketPort is an AudioSocket connection with the figures that the switch shows.
type socketPort struct{ *audiosocket.Conn }

// Health implements native.Meter.
func (p socketPort) Health() native.Health {
	st := p.Stats()
	return native.Health{
		Received: st.Received.Load(), Lost: st.Underruns.Load(), Delay: p.Delay(),
		Dropped: map[string]uint64{"skipped": st.Cut.Load(), "send": st.Full.Load(), "payload": st.WrongKind.Load()},
	}
}

// connection is a line by TCP. It ends at both ends when it ends at one.
type connection struct {
	tcp interface {
		Closed() bool
		Flow() (sent, full uint64)
	}
	sent, full uint64 // as of the last look
	stuck      int    // looks in a row
}

func (c *connection) Closed() bool  { return c.tcp.Closed() }
func (c *connection) leashed() bool { return false }
func (c *connection) Close()        {} // the voice did

// over finds out that audio has ended without a word of Asterisk: the
// connection is closed, or what we send is not taken. Asterisk itself notices
// neither as long as the caller is silent.
func (c *connection) over(time.Time, bool) bool {
	sent, full := c.tcp.Flow()
	if sent == c.sent && full > c.full {
		c.stuck++
	} else {
		c.stuck = 0
	}
	c.sent, c.full = sent, full
	return c.tcp.Closed() || c.stuck >= stuckFor
}
