package asterisk

import (
	"context"
	"errors"
	"time"

	"parley/ari"
	"parley/ari/mediasocket"
	"parley/codec"
	"parley/engine/native"
)

// websocketPath connects to the web server of the switch, which ARI has us know
// already. The channel comes into the application when we are there.
type websocketPath struct{ link *Link }

// frameTime is the audio of one message.
const frameTime = 20 * time.Millisecond

// Names of chan_websocket.
const (
	websocketModule = "chan_websocket.so"
	websocketID     = "MEDIA_WEBSOCKET_CONNECTION_ID"
	incoming        = "INCOMING" // the host of a channel that waits for us; others are sections of websocket_client.conf
)

var errNoConnectionID = errors.New("asterisk: the media channel has no connection id")

func (p websocketPath) fetch(ctx context.Context, m *media, variables map[string]string) (*sound, error) {
	f := codec.SLIN(16000)
	ch, err := p.link.client.ExternalMedia(ctx, ari.ExternalMedia{
		ID: m.mediaID, Encapsulation: "none", Transport: "websocket", ConnectionType: "server", Host: incoming, Format: "slin16",
	})
	if err != nil {
		return nil, m.refused(ctx, err, websocketModule)
	}
	id := ch.ChannelVars[websocketID]
	if id == "" {
		return nil, errNoConnectionID
	}
	at, err := mediasocket.URL(p.link.opt.URL, id)
	if err != nil {
		return nil, err
	}
	conn, err := mediasocket.Dial(ctx, at, 2*f.Rate.Samples(frameTime))
	if err != nil {
		return nil, err
	}
	voice, err := p.link.opt.Switch.NewLeg(m.leg, websocketPort{conn}, f)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	voice.SetMediaLost(0) // as with AudioSocket
	if err = m.come(ctx); err == nil {
		err = m.arm(ctx, variables)
	}
	if err != nil {
		_ = voice.Close()
		return nil, err
	}
	return &sound{voice: voice, format: f, line: &connection{tcp: conn}}, nil
}

// websocketPort is a media websocket with the figures that the switch shows.
type websocketPort struct{ *mediasocket.Conn }

// Health implements native.Meter.
func (p websocketPort) Health() native.Health {
	st := p.Stats()
	return native.Health{
		Received: st.Received.Load(), Lost: st.Underruns.Load(), Delay: p.Delay(),
		Dropped: map[string]uint64{"skipped": st.Cut.Load(), "send": st.Full.Load(), "shed": st.Shed.Load()},
	}
}
