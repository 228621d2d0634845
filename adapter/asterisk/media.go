package asterisk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"parley/ari"
	"parley/ari/audiosocket"
	"parley/engine"
	"parley/engine/native"
)

// Times of a call's audio.
const (
	mediaTime = 10 * time.Second // from the call's arrival to its audio
	pathTime  = 4 * time.Second  // of that, for a way that is not the last resort
	lookEvery = time.Second / 2  // between two looks at the audio
)

var (
	errLeft  = errors.New("asterisk: the caller has left")
	errEnded = errors.New("asterisk: the media channel has ended")
)

// media is a channel of ours at the switch that carries audio, and that audio
// here: of a call, or of a room.
type media struct {
	link     *Link
	log      *slog.Logger
	leg      engine.LegID
	needless <-chan struct{} // closed when nobody needs it any more

	// Of one channel; changed by renew only.
	uuid     audiosocket.UUID
	mediaID  string                 // of the channel
	mediaIn  latch                  // the channel is in the application
	mediaOut latch                  // the audio has ended
	words    atomic.Pointer[string] // the switch's, on the channel's end

	held  atomic.Bool           // who speaks holds the call
	sound atomic.Pointer[sound] // nil until there is one
	path  engine.MediaPath      // by which it came
	why   string                // that is not the one that was asked for; "" = it is
}

func (m *media) init(l *Link, needless <-chan struct{}, log *slog.Logger) {
	m.link, m.needless, m.log = l, needless, log
	m.name()
}

// name gives m a channel to make.
func (m *media) name() {
	m.uuid = audiosocket.NewUUID()
	m.mediaID = m.link.mediaPrefix() + m.uuid.String()
	m.mediaIn, m.mediaOut = newLatch(), newLatch()
	m.words.Store(nil)
}

// fetchMedia answers the call and brings its audio here: then there is a voice.
func (c *call) fetchMedia(ctx context.Context, in *engine.Invite) error {
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
	want := c.link.opt.Exchange.MediaPath(in.Room, in.Variables["profile"])
	if err := c.fetch(ctx, want, c.mediaVariables()); err != nil {
		return err
	}
	in.Media, in.MediaWhy = c.path, c.why
	c.heading = c.bridgeID
	return c.link.client.AddChannel(ctx, c.bridgeID, c.channel, c.mediaID)
}

// fetch brings the audio here by the way that is asked for. If that cannot be
// had it comes by AudioSocket, which needs nothing of the switch's
// configuration. variables are set on the channel before it carries audio.
func (m *media) fetch(ctx context.Context, want engine.MediaPath, variables map[string]string) error {
	err := m.try(ctx, want, variables)
	if err == nil || want == engine.MediaAudioSocket || errors.Is(err, errLeft) || errors.Is(err, native.ErrBusy) {
		return err
	}
	m.why = fmt.Sprintf("media %s cannot be had: %v", want, err)
	m.log.Warn("asterisk: media by audiosocket: " + m.why + ". [media_path]")
	m.link.renew(ctx, m)
	return m.try(ctx, engine.MediaAudioSocket, variables)
}

func (m *media) try(ctx context.Context, by engine.MediaPath, variables map[string]string) error {
	if by != engine.MediaAudioSocket {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, pathTime)
		defer cancel()
	}
	s, err := m.link.way(by).fetch(ctx, m, variables)
	if err != nil {
		return err
	}
	m.path = by
	m.sound.Store(s)
	m.hold(m.held.Load())
	return nil
}

// renew gives m another channel to make, in place of one that came to nothing.
func (l *Link) renew(ctx context.Context, m *media) {
	old := m.mediaID
	l.mu.Lock()
	delete(l.byMedia, old)
	m.name()
	l.byMedia[m.mediaID] = m
	l.mu.Unlock()
	l.disarm(ctx, old)
	_ = l.client.Hangup(ctx, old, "") // it may never have been there
}

// hold says whether who speaks holds the call: then what comes from the switch
// would be music.
func (m *media) hold(on bool) {
	m.held.Store(on)
	if s := m.sound.Load(); s != nil {
		s.voice.SetUnheard(on)
	}
}

// hangUp ends the audio here.
func (m *media) hangUp() {
	if s := m.sound.Load(); s != nil {
		_ = s.voice.Close()
		s.line.Close()
	}
}

// come waits until the channel is in the application.
func (m *media) come(ctx context.Context) error {
	select {
	case <-m.mediaIn.done:
		return nil
	case <-m.mediaOut.done:
		return m.ended()
	case <-m.needless:
		return errLeft
	case <-ctx.Done():
		return fmt.Errorf("asterisk: the media channel did not come into the application: %w", ctx.Err())
	}
}

// ended is why the channel is gone, in the switch's words.
func (m *media) ended() error {
	if words := m.words.Load(); words != nil && *words != "" {
		return fmt.Errorf("%w: %q", errEnded, *words)
	}
	return errEnded
}

// arm sets variables on a channel that is in the application. Ways that may
// fail late do it then: a hangup handler would run if they fail.
func (m *media) arm(ctx context.Context, variables map[string]string) error {
	for name, value := range variables {
		if err := m.link.client.SetVariable(ctx, m.mediaID, name, value); err != nil {
			return err
		}
	}
	return nil
}

// refused adds to a refusal, which may be no more than "internal error", what
// the switch says of the module that is needed.
func (m *media) refused(ctx context.Context, err error, module string) error {
	if !errors.Is(err, ari.ErrSwitch) {
		return err
	}
	if trouble := m.link.client.ModuleTrouble(ctx, module); trouble != "" {
		return fmt.Errorf("%w (%s)", err, trouble)
	}
	return err
}

// look is called once per lookEvery; dark says that the link to the switch has
// been down for some time.
func (m *media) look(now time.Time, dark bool) {
	if s := m.sound.Load(); s != nil && s.line.over(now, dark) {
		m.mediaOut.set()
	}
}
