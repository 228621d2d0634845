package asterisk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley/ari"
	"parley/engine"
	"parley/engine/native"
)

// crier is the room's own voice at the switch: a media channel in its
// bridge. It sends silence while it has nothing to say, and so the switch has
// something to mix for a caller who is alone.
type crier struct {
	media
	bridge *Bridge
	over   latch         // nobody needs it any more
	there  chan struct{} // closed when it has come, or could not
	err    error         // read after there
}

// play is something for the room to hear.
type play struct {
	op    engine.OpID
	what  engine.Media
	to    engine.Audience
	begun bool // guarded by the bridge's mu
}

func newCrier(b *Bridge) *crier {
	r := &crier{bridge: b, over: newLatch(), there: make(chan struct{})}
	r.media.init(b.link, r.over.done, b.link.log.With("room", b.room))
	r.leg = engine.LegID(r.mediaID)
	return r
}

// come brings the crier into the bridge.
func (r *crier) come(ctx context.Context, bridge string) error {
	if err := r.fetch(ctx, r.link.opt.Exchange.MediaPath(r.bridge.room, ""), nil); err != nil {
		return err
	}
	voice := r.sound.Load().voice
	voice.Uncount()
	voice.Attach(r)
	return r.link.client.AddChannel(ctx, bridge, r.mediaID)
}

// dismiss has the bridge and its voice removed.
func (r *crier) dismiss() { r.over.set() }

// serve plays until the crier is dismissed. If its audio ends before, nothing
// can be played to the room any more.
func (r *crier) serve() {
	r.bridge.next()
	select {
	case <-r.over.done:
	case <-r.mediaOut.done:
		if !r.over.isSet() {
			r.link.log.Log(context.Background(), r.link.gravity(), "asterisk: the room's own voice at the switch has ended", "room", r.bridge.room)
		}
		r.bridge.silenced()
		<-r.over.done
	}
}

func (r *crier) close(ctx context.Context) {
	r.hangUp()
	if err := r.link.client.Hangup(ctx, r.mediaID, ""); err != nil && !errors.Is(err, ari.ErrNotFound) {
		r.link.log.Debug("asterisk: not removed", "error", err)
	}
}

// Post implements engine.Sink: of what the voice reports only what becomes of a
// play is of interest.
func (r *crier) Post(f engine.Fact) {
	switch f := f.(type) {
	case engine.PromptDone:
		r.bridge.played(f.Op, f.Err)
	case engine.PlayChanged:
		f.Leg = ""
		r.bridge.post(f)
	}
}

var (
	errMute  = errors.New("asterisk: the room's own voice is not at the switch")
	errWaits = fmt.Errorf("%w: the play waits for its turn", engine.ErrCannot)
)

// Play implements engine.Bridge. What has no end of its own ends when another
// play is queued behind it.
func (b *Bridge) Play(op engine.OpID, what engine.Media, to engine.Audience) {
	b.mu.Lock()
	b.plays = append(b.plays, &play{op: op, what: what, to: to})
	running := b.plays[0]
	endless := len(b.plays) > 1 && running.what.Loop
	b.mu.Unlock()
	if endless {
		b.played(running.op, nil)
		return
	}
	b.next()
}

// StopPlay implements engine.Silencer.
func (b *Bridge) StopPlay() {
	b.mu.Lock()
	if len(b.plays) == 0 {
		b.mu.Unlock()
		return
	}
	first, rest := b.plays[0], b.plays[1:]
	b.plays = b.plays[:1:1]
	h := b.home
	b.mu.Unlock()
	for _, p := range rest {
		b.post(engine.Played{Op: p.op})
	}
	if s := h.crier.sound.Load(); s != nil && first.begun {
		s.voice.StopPlay()
	}
	b.played(first.op, nil)
}

// EndPlay implements engine.Ender.
func (b *Bridge) EndPlay(op engine.OpID) {
	voice := b.playing(op)
	b.mu.Lock()
	i := slices.IndexFunc(b.plays, func(p *play) bool { return p.op == op })
	waits := i > 0
	if waits {
		b.plays = slices.Delete(b.plays, i, i+1)
	}
	b.mu.Unlock()
	if voice != nil {
		voice.StopPlay()
	}
	if waits {
		b.post(engine.Played{Op: op})
		return
	}
	b.played(op, nil)
}

// playing is the voice that plays the play of that name now, or nil.
func (b *Bridge) playing(op engine.OpID) *native.Leg {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.home.crier.sound.Load()
	if s == nil || len(b.plays) == 0 || b.plays[0].op != op || !b.plays[0].begun {
		return nil
	}
	return s.voice
}

// ControlPlay implements engine.Player, for the play whose turn it is.
func (b *Bridge) ControlPlay(op, play engine.OpID, c engine.PlayControl) {
	if voice := b.playing(play); voice != nil {
		voice.ControlPlay(op, play, c)
		return
	}
	b.post(engine.PlayChanged{Op: op, Err: errWaits})
}

// Playhead implements engine.Player.
func (b *Bridge) Playhead(play engine.OpID) (engine.Playhead, bool) {
	if voice := b.playing(play); voice != nil {
		return voice.Playhead(play)
	}
	return engine.Playhead{}, false
}

// next begins the first play of the queue, once the crier is there.
func (b *Bridge) next() {
	b.mu.Lock()
	h := b.home
	var p *play
	if h.crier.isThere() && len(b.plays) > 0 && !b.plays[0].begun && !b.closed {
		p = b.plays[0]
		p.begun = true
	}
	b.mu.Unlock()
	switch {
	case p == nil:
	case h.err != nil || h.crier.err != nil || h.crier.mediaOut.isSet():
		b.played(p.op, errors.Join(errMute, h.err, h.crier.err))
	default:
		b.standAside(p.to, 1)
		h.crier.sound.Load().voice.Play(p.op, p.what)
	}
}

// isThere says whether the crier has come, or will not.
func (r *crier) isThere() bool {
	select {
	case <-r.there:
		return true
	default:
		return false
	}
}

// silenced gives up what is being played.
func (b *Bridge) silenced() {
	b.mu.Lock()
	var op engine.OpID
	begun := len(b.plays) > 0 && b.plays[0].begun
	if begun {
		op = b.plays[0].op
	}
	b.mu.Unlock()
	if begun {
		b.played(op, errMute)
	}
}

// played ends the play of that name, and begins the one behind it.
func (b *Bridge) played(op engine.OpID, err error) {
	b.mu.Lock()
	if len(b.plays) == 0 || b.plays[0].op != op {
		b.mu.Unlock()
		return
	}
	p := b.plays[0]
	b.plays = b.plays[1:]
	b.mu.Unlock()
	b.standAside(p.to, -1)
	b.post(engine.Played{Op: op, Err: err})
	b.next()
}

// standAside takes the member who is not to hear a play out of the mix, or
// lets him in again.
func (b *Bridge) standAside(to engine.Audience, n int) {
	c := b.find(to.Except)
	if c == nil {
		return
	}
	c.tasks.Put(func() {
		if m := c.member; m != nil && m.bridge == b && m.id == to.Except {
			c.aside = max(0, c.aside+n)
			c.warn("not taken aside", c.settle(outTime))
		}
	})
}
