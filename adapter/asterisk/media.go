package asterisk

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"parley/ari"
	"parley/ari/audiosocket"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
)

// Times of a call's audio.
const (
	mediaTime = 10 * time.Second // from the call's arrival to its audio
	greeting  = 2 * time.Second  // from the media channel's coming in to its first word, which it said before
	lookEvery = time.Second / 2  // between two looks at the audio
	stuckFor  = 6                // looks in a row at audio that nobody takes
)

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

// media is an AudioSocket channel of ours at the switch, and its audio here.
type media struct {
	link     *Link
	leg      engine.LegID
	uuid     audiosocket.UUID
	mediaID  string          // of the channel
	needless <-chan struct{} // closed when nobody needs it any more

	mediaIn  latch                            // the channel is in the application
	mediaOut latch                            // the audio has ended
	held     atomic.Bool                      // who speaks holds the call
	voice    atomic.Pointer[native.Leg]       // nil until there is one
	conn     atomic.Pointer[audiosocket.Conn] // nil until there is one
	codec    string                           // of the voice
	pulse    pulse                            // the link's
}

func (m *media) init(l *Link, needless <-chan struct{}) {
	m.link, m.uuid, m.needless = l, audiosocket.NewUUID(), needless
	m.mediaID = l.mediaPrefix() + m.uuid.String()
	m.mediaIn, m.mediaOut = newLatch(), newLatch()
}

// fetchMedia answers the call and brings its audio here: then there is a voice.
func (c *call) fetchMedia(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, mediaTime)
	defer cancel()
	if err := c.link.opt.Switch.Busy(); err != nil {
		return err
	}
	if c.snapshot.State != "Up" {
		if err := c.link.client.Answer(ctx, c.channel); err != nil {
			return err
		}
	}
	if err := c.link.client.CreateBridge(ctx, c.bridgeID, c.link.opt.App); err != nil {
		return err
	}
	if err := c.fetch(ctx, c.mediaVariables()); err != nil {
		return err
	}
	c.heading = c.bridgeID
	return c.link.client.AddChannel(ctx, c.bridgeID, c.channel, c.mediaID)
}

// fetch makes the channel, in the best format that the switch takes.
func (m *media) fetch(ctx context.Context, variables map[string]string) (err error) {
	for _, f := range formats(m.link.versionOf()) {
		if err = m.attract(ctx, f, variables); !errors.Is(err, ari.ErrSwitch) {
			break
		}
	}
	return err
}

// attract has Asterisk connect to us, and returns when audio flows.
func (m *media) attract(ctx context.Context, f format, variables map[string]string) error {
	ticket, err := m.link.opt.Sockets.Expect(m.uuid, f.kind)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	came := make(chan error, 1)
	go func() { came <- m.answerMedia(ctx, ticket, f.codec) }()
	if err := m.makeMedia(ctx, f, variables); err != nil {
		cancel()
		<-came //nolint:errcheck // the error before it is the one to tell
		return err
	}
	limit := time.AfterFunc(greeting, cancel)
	defer limit.Stop()
	return <-came
}

// answerMedia sends audio from the moment that Asterisk has connected, silence
// at first. It must not be kept waiting: when it happens to read the connection
// before there is a frame, it tries until one comes, with the channel locked,
// and whatever else looks at channels stands still as long.
func (m *media) answerMedia(ctx context.Context, ticket *audiosocket.Ticket, f codec.Format) error {
	conn, err := ticket.Wait(ctx)
	if err != nil {
		return fmt.Errorf("asterisk: no AudioSocket connection to %s: %w", m.link.opt.Advertise, err)
	}
	voice, err := m.link.opt.Switch.NewLeg(m.leg, port{conn, &m.held}, f)
	if err != nil {
		_ = conn.Close()
		return err
	}
	voice.SetMediaLost(0) // a caller who is muted at Asterisk sends nothing; the connection says when he is gone
	m.codec = fmt.Sprintf("%s/%d", f.Name, f.Rate)
	m.voice.Store(voice)
	m.conn.Store(conn)
	return nil
}

// makeMedia makes the media channel and waits until it is in the application.
func (m *media) makeMedia(ctx context.Context, f format, variables map[string]string) error {
	_, err := m.link.client.ExternalMedia(ctx, ari.ExternalMedia{
		ID: m.mediaID, Host: m.link.opt.Advertise, UUID: m.uuid.String(), Format: f.name, Variables: variables,
	})
	if err != nil {
		return err
	}
	select {
	case <-m.mediaIn.done:
		return nil
	case <-m.mediaOut.done:
		return errors.New("asterisk: the media channel has ended")
	case <-m.needless:
		return errLeft
	case <-ctx.Done():
		return fmt.Errorf("asterisk: the media channel did not come into the application: %w", ctx.Err())
	}
}

// look is called once per lookEvery.
func (m *media) look() {
	if conn := m.conn.Load(); conn != nil && m.pulse.gone(conn) {
		m.mediaOut.set()
	}
}

// pulse finds out that audio has ended without a word of Asterisk: the
// connection is closed, or what we send is not taken. Asterisk itself notices
// neither as long as the caller is silent.
type pulse struct {
	sent, full uint64 // as of the last look
	stuck      int    // looks in a row
}

// gone looks once.
func (p *pulse) gone(conn *audiosocket.Conn) bool {
	st := conn.Stats()
	sent, full := st.Sent.Load(), st.Full.Load()
	if sent == p.sent && full > p.full {
		p.stuck++
	} else {
		p.stuck = 0
	}
	p.sent, p.full = sent, full
	return conn.Closed() || p.stuck >= stuckFor
}

// port is an AudioSocket connection with the figures that the switch shows.
type port struct {
	*audiosocket.Conn
	held *atomic.Bool
}

// Take implements native.Port. Who holds is not heard: it would be music. He is
// sent the room as before, see answerMedia.
func (p port) Take(dst []byte) (n int, lost bool) {
	if n, lost = p.Conn.Take(dst); p.held.Load() {
		return 0, false
	}
	return n, lost
}

// Digit implements native.Port. Keys come as events of ARI; those of the
// connection would be the same again.
func (port) Digit() (byte, bool) { return 0, false }

// Health implements native.Meter.
func (p port) Health() native.Health {
	st := p.Stats()
	return native.Health{
		Received: st.Received.Load(), Lost: st.Underruns.Load(), Delay: p.Delay(),
		Dropped: map[string]uint64{"skipped": st.Cut.Load(), "send": st.Full.Load(), "payload": st.WrongKind.Load()},
	}
}
