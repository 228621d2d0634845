package asterisk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"parley/ari"
	"parley/ari/audiosocket"
	"parley/codec"
	"parley/engine"
	"parley/engine/native"
)

// Times.
const (
	mediaTime = 10 * time.Second // from the call's arrival to its audio
	giveBack  = 5 * time.Second  // to set results and let go
	leaveTime = time.Second      // from Continue to the end of the application; seen: 3 ms
	recheck   = 2 * time.Second  // after the link was lost, until the audio is looked at
)

// eventQueue is how many events of one call may wait; a caller cannot press
// keys that fast.
const eventQueue = 256

// Events of our own making.
type (
	mediaThere struct{ ari.ChannelStateChange } // the media channel is in the application
	linkLost   struct{ ari.ChannelStateChange } // no events come for now
	missing    struct{ ari.ChannelStateChange } // the channel was gone when we came back
)

// call is one channel in our application. Its goroutine owns it.
type call struct {
	link     *Link
	log      *slog.Logger
	channel  string
	snapshot *ari.Channel
	args     []string
	mediaID  string
	bridgeID string
	uuid     audiosocket.UUID
	events   chan ari.Event
	released chan engine.Outcome // capacity 1
	gone     bool                // the channel is not ours any more
}

func newCall(l *Link, ch *ari.Channel, args []string) *call {
	id := audiosocket.NewUUID()
	return &call{
		link: l, log: l.log.With("call", ch.ID), channel: ch.ID, snapshot: ch, args: args,
		uuid: id, mediaID: mediaPrefix + id.String(), bridgeID: bridgePrefix + id.String(),
		events: make(chan ari.Event, eventQueue), released: make(chan engine.Outcome, 1),
	}
}

// tell queues an event. A queue that is full drops it and says so.
func (c *call) tell(e ari.Event) {
	select {
	case c.events <- e:
	default:
		c.log.Error("asterisk: event dropped: the call does not keep up")
	}
}

// leg is the call as the engine drives it.
type leg struct {
	*native.Leg
	released chan<- engine.Outcome
}

// Release implements engine.Leg.
func (l *leg) Release(o engine.Outcome) { l.released <- o }

// run is the call from its arrival to its return to the dialplan.
func (c *call) run(ctx context.Context) {
	defer c.cleanUp()
	conn, format, err := c.fetchMedia(ctx)
	if err != nil {
		if !c.gone {
			c.log.Warn("asterisk: no audio came; the call goes on in its dialplan", "error", err)
			c.finish(engine.Outcome{Result: engine.ResultFailed, Reason: engine.ReasonMediaLost})
		}
		return
	}
	voice, err := c.link.opt.Switch.NewLeg(engine.LegID(c.channel), port{conn}, format)
	if err != nil {
		c.log.Warn("asterisk: call not taken", "error", err)
		_ = conn.Close()
		c.finish(engine.Outcome{Result: engine.ResultFailed, Reason: engine.ReasonNodeBusy})
		return
	}
	voice.SetMediaLost(0) // a caller who is muted at Asterisk sends nothing; the connection says when he is gone
	defer func() { _ = voice.Close() }()
	c.serve(ctx, voice, conn)
}

// serve brings the call to its room and stays until it is given back.
func (c *call) serve(ctx context.Context, voice *native.Leg, conn *audiosocket.Conn) {
	sink := c.link.opt.Exchange.Arrive(&leg{voice, c.released}, c.invite(ctx))
	voice.Attach(sink)
	sink.Post(engine.MediaUp{Leg: voice.ID()})
	var check <-chan time.Time
	for {
		select {
		case o := <-c.released:
			if !c.gone {
				c.finish(o)
			}
			return
		case e := <-c.events:
			if _, lost := e.(*linkLost); lost {
				check = time.After(recheck)
			}
			c.apply(e, voice, sink)
		case <-check:
			if check = nil; conn.Closed() {
				c.lose(sink, c.lossWord())
			}
		case <-ctx.Done():
			ctx = context.WithoutCancel(ctx)
			c.lose(sink, engine.ReasonSwitchLost)
		}
	}
}

// apply takes an event of a call that is served.
func (c *call) apply(e ari.Event, voice *native.Leg, sink engine.Sink) {
	switch e := e.(type) {
	case *ari.ChannelDtmfReceived:
		if len(e.Digit) == 1 && e.Channel.ID == c.channel {
			sink.Post(engine.Digit{Leg: voice.ID(), Digit: e.Digit[0]})
		}
	case *ari.ChannelHold:
		voice.SetHold(true)
	case *ari.ChannelUnhold:
		voice.SetHold(false)
	case *ari.StasisEnd:
		if e.Channel.ID == c.channel {
			c.gone = true
			c.lose(sink, engine.ReasonHangup)
		} else {
			c.lose(sink, engine.ReasonMediaLost)
		}
	case *missing:
		c.gone = true
		c.lose(sink, engine.ReasonHangup)
	}
}

// lossWord is why audio that has stopped takes the call with it.
func (c *call) lossWord() engine.Reason {
	if c.link.isUp() {
		return engine.ReasonMediaLost
	}
	c.gone = true
	return engine.ReasonSwitchLost
}

func (c *call) lose(sink engine.Sink, why engine.Reason) {
	sink.Post(engine.LegGone{Leg: engine.LegID(c.channel), Reason: why})
}

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

// fetchMedia answers the call and brings its audio here.
func (c *call) fetchMedia(ctx context.Context) (*audiosocket.Conn, codec.Format, error) {
	ctx, cancel := context.WithTimeout(ctx, mediaTime)
	defer cancel()
	if c.snapshot.State != "Up" {
		if err := c.link.client.Answer(ctx, c.channel); err != nil {
			return nil, codec.Format{}, err
		}
	}
	if err := c.link.client.CreateBridge(ctx, c.bridgeID, "parley"); err != nil {
		return nil, codec.Format{}, err
	}
	var err error
	for _, f := range formats(c.link.versionOf()) {
		var conn *audiosocket.Conn
		if conn, err = c.connect(ctx, f); err == nil {
			return conn, f.codec, nil
		}
		if !errors.Is(err, ari.ErrSwitch) {
			break
		}
	}
	return nil, codec.Format{}, err
}

// connect makes the media channel and puts it together with the caller's.
func (c *call) connect(ctx context.Context, f format) (*audiosocket.Conn, error) {
	ticket, err := c.link.opt.Sockets.Expect(c.uuid, f.kind)
	if err != nil {
		return nil, err
	}
	defer ticket.Cancel()
	_, err = c.link.client.ExternalMedia(ctx, ari.ExternalMedia{
		ID: c.mediaID, Host: c.link.opt.Advertise, UUID: c.uuid.String(), Format: f.name, Variables: c.mediaVariables(),
	})
	if err != nil {
		return nil, err
	}
	conn, err := ticket.Wait(ctx)
	if err != nil {
		return nil, fmt.Errorf("asterisk: no AudioSocket connection to %s: %w", c.link.opt.Advertise, err)
	}
	if err := c.join(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// join waits until the media channel is in the application, then bridges.
func (c *call) join(ctx context.Context) error {
	for {
		select {
		case e := <-c.events:
			switch e := e.(type) {
			case *mediaThere:
				return c.link.client.AddChannel(ctx, c.bridgeID, c.channel, c.mediaID)
			case *ari.StasisEnd:
				c.gone = c.gone || e.Channel.ID == c.channel
				return errors.New("asterisk: the call ended before its audio came")
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// finish writes the results on the channel and gives it back to the dialplan,
// or ends it.
func (c *call) finish(o engine.Outcome) {
	ctx, cancel := context.WithTimeout(context.Background(), giveBack)
	defer cancel()
	for _, v := range o.Variables() {
		if err := c.link.client.SetVariable(ctx, c.channel, "PARLEY_"+strings.ToUpper(v.Name), v.Value); err != nil {
			c.log.Warn("asterisk: result not set", "variable", v.Name, "error", err)
		}
	}
	var err error
	if o.Hangup {
		err = c.link.client.Hangup(ctx, c.channel, "normal")
	} else {
		err = c.link.client.Continue(ctx, c.channel, ari.Place{})
	}
	if err != nil && !errors.Is(err, ari.ErrNotFound) {
		c.log.Warn("asterisk: call not given back", "error", err)
	}
	c.awaitEnd(ctx)
	c.disarm(ctx)
}

// awaitEnd waits until the caller has left the application. Were his media
// taken down before, its hangup handler could send him on a second time.
func (c *call) awaitEnd(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	for {
		select {
		case e := <-c.events:
			if end, ok := e.(*ari.StasisEnd); ok && end.Channel.ID == c.channel {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// cleanUp removes what was made for this call.
func (c *call) cleanUp() {
	ctx, cancel := context.WithTimeout(context.Background(), giveBack)
	defer cancel()
	for _, err := range []error{
		c.link.client.Hangup(ctx, c.mediaID, ""), c.link.client.DestroyBridge(ctx, c.bridgeID),
	} {
		if err != nil && !errors.Is(err, ari.ErrNotFound) {
			c.log.Debug("asterisk: not removed", "error", err)
		}
	}
}

// port is an AudioSocket connection with the figures that the switch shows.
// Keys come as events of ARI; those of the connection would be the same again.
type port struct{ *audiosocket.Conn }

// Digit implements native.Port.
func (port) Digit() (byte, bool) { return 0, false }

// Health implements native.Meter.
func (p port) Health() native.Health {
	st := p.Stats()
	return native.Health{
		Received: st.Received.Load(), Lost: st.Underruns.Load(), Delay: p.Delay(),
		Dropped: map[string]uint64{"skipped": st.Cut.Load(), "send": st.Full.Load(), "payload": st.WrongKind.Load()},
	}
}
