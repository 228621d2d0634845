package asterisk

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/ari"
	"parley/ari/audiosocket"
	"parley/engine"
	"parley/engine/native"
)

// Times.
const (
	giveBack  = 5 * time.Second // to set results, to let go, to clean up
	leaveTime = time.Second     // from Continue to the end of the application; seen: 3 ms

	// verdictTime is how long after its audio it takes to know whether the
	// whole switch has gone. One that is stopped in order hangs up first;
	// seen: 1.1 s.
	verdictTime = 1500 * time.Millisecond
)

// keysAhead is how many keys may wait for a call to reach its room.
const keysAhead = 64

// latch is something that happens once.
type latch struct {
	once sync.Once
	done chan struct{}
}

func newLatch() latch { return latch{done: make(chan struct{})} }

func (l *latch) set() { l.once.Do(func() { close(l.done) }) }

func (l *latch) isSet() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// call is one channel in our application. Its goroutine runs it; the link,
// from goroutines of its own, tells it what has happened.
type call struct {
	media
	stage
	log      *slog.Logger
	channel  string
	snapshot *ari.Channel
	adopted  *adopted // nil: it came by its own dialplan
	args     map[string]string
	warnings []string            // about the arguments
	order    *engine.Placed      // that it was made by; nil: by a dialplan
	bridgeID string              // of the caller and his media channel
	released chan engine.Outcome // capacity 1

	rights atomic.Pointer[engine.Rights] // to be remembered, nil: nothing new
	sealed bool                          // rights are on the channel; its goroutine's
	noted  engine.MemberID               // whose end by a hang-up is on the channel; its goroutine's

	redirected bool // the switch was told to send him elsewhere; its goroutine's

	left   latch             // the caller's channel is not in the application any more
	hungUp latch             // because somebody has hung up
	keys   chan engine.Digit // pressed and not yet in the room
	filter keyFilter         // before them; of the goroutine of the link's events
}

func newCall(l *Link, ch *ari.Channel, args []string) *call {
	c := &call{
		log: l.log.With("call", ch.ID), channel: ch.ID, snapshot: ch, stage: newStage(),
		left: newLatch(), hungUp: newLatch(), keys: make(chan engine.Digit, keysAhead), released: make(chan engine.Outcome, 1),
	}
	c.media.init(l, c.left.done, c.log)
	c.leg, c.bridgeID = engine.LegID(ch.ID), l.bridgePrefix()+audiosocket.NewUUID().String()
	c.args, c.warnings = readArgs(args)
	if c.adopted = l.adopts(ch.ID); c.adopted != nil {
		c.args, c.warnings = c.adopted.args(c.args), nil
		c.snapshot.Dialplan = c.adopted.place(c.snapshot.Dialplan)
	}
	return c
}

// press takes a key of the caller. One that nobody takes in time is dropped.
func (c *call) press(key engine.Digit) {
	select {
	case c.keys <- key:
	default:
		c.log.Warn("asterisk: key dropped: the call does not keep up")
	}
}

// run is the call from its arrival to its return to the dialplan.
func (c *call) run(ctx context.Context) {
	defer c.cleanUp(ctx)
	if c.order != nil {
		defer c.order.Settle(engine.ErrNotTaken)
	}
	if c.adopted != nil {
		defer c.adopted.over.set()
	}
	invite, err := c.invite(ctx)
	if err != nil {
		c.fail(ctx, engine.ReasonSwitchLost, err)
		return
	}
	limited, cancel := c.adopted.until(ctx)
	err = c.fetchMedia(limited, &invite)
	cancel()
	if err != nil {
		why := engine.ReasonMediaLost
		switch {
		case errors.Is(err, native.ErrBusy):
			why = engine.ReasonNodeBusy
		case ctx.Err() != nil: // we are leaving
			why = engine.ReasonSwitchLost
		}
		c.fail(ctx, why, err)
		return
	}
	c.unguard(ctx)
	c.enter(invite)
	c.serve(ctx)
}

// fail gives a call back that never was on its way to a room.
func (c *call) fail(ctx context.Context, why engine.Reason, err error) {
	if c.adopted != nil && !c.hungUp.isSet() {
		c.adopted.failed(why, err, c.ended())
	}
	if c.left.isSet() {
		c.log.Info("asterisk: the caller left before he was served")
		return
	}
	c.log.Warn("asterisk: call not taken; it goes on in its dialplan", "reason", why, "error", err)
	c.finish(ctx, engine.Outcome{Result: engine.ResultFailed, Reason: why})
}

// enter brings the call to its room.
func (c *call) enter(invite engine.Invite) {
	c.sink = c.link.opt.Exchange.Arrive(&leg{c}, invite)
	if c.order != nil {
		c.order.Settle(nil)
	}
	voice := c.sound.Load().voice
	voice.Attach(tap{c})
	c.sink.Post(engine.MediaUp{Leg: voice.ID()})
}

// serve stays with the call until it is given back.
func (c *call) serve(ctx context.Context) {
	id := c.sound.Load().voice.ID()
	lose := func(why engine.Reason) { c.sink.Post(engine.LegGone{Leg: id, Reason: why}) }
	left, mediaOut, ending, recall := c.left.done, c.mediaOut.done, ctx.Done(), c.adopted.recall()
	var verdict <-chan time.Time
	for {
		select {
		case o := <-c.released:
			c.givenBack(ctx, o)
			return
		case <-c.tasks.Wake():
			for _, do := range c.tasks.Take() {
				do()
			}
		case key := <-c.keys:
			key.Leg = id
			c.sink.Post(key)
		case <-left:
			left = nil
			if back := c.hasLeft(ctx, lose); back != nil {
				verdict = back
			}
		case <-mediaOut:
			if mediaOut = nil; verdict == nil {
				verdict = time.After(verdictTime)
			}
		case <-verdict:
			lose(c.lossWord())
		case <-ending:
			ending = nil
			lose(engine.ReasonSwitchLost)
		case <-recall:
			recall = nil
			lose(engine.ReasonTransferred)
		}
	}
}

// givenBack brings a call on its way after the room.
func (c *call) givenBack(ctx context.Context, o engine.Outcome) {
	if c.adopted != nil && c.goesBack(o) {
		c.adopted.parted(o, c.ended())
	}
	if !c.left.isSet() && !c.isTaken() {
		c.finish(ctx, o)
	}
}

// hasLeft follows the end of a call's being with us; back is when it is given up
// that may come back.
func (c *call) hasLeft(ctx context.Context, lose func(engine.Reason)) (back <-chan time.Time) {
	switch {
	case !c.isBroken():
		lose(c.partingWord(ctx))
	case c.retries():
		c.misses()
		return time.After(backTime)
	}
	return nil
}

// partingWord is why a caller has left whose audio has not ended: he has hung
// up, or the switch has sent him elsewhere.
func (c *call) partingWord(ctx context.Context) engine.Reason {
	switch {
	case c.link.troubled():
		return engine.ReasonHangup
	case c.hungUp.isSet():
		return c.hangupWord()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if _, err := c.link.client.Channel(ctx, c.channel); err != nil {
		return c.hangupWord()
	}
	c.link.returns.End(string(c.sealedFor()))
	return engine.ReasonTransferred
}

// hangupWord is why somebody has hung up.
func (c *call) hangupWord() engine.Reason {
	if c.redirected {
		return engine.ReasonTransferred
	}
	return engine.ReasonHangup
}

// isTaken says whether another client has the application, and has ended our
// audio: then the caller is with it.
func (c *call) isTaken() bool { return c.link.isReplaced() && c.mediaOut.isSet() }

// isBroken says whether the audio has ended; mediaOut follows soon if it is
// not set yet.
func (c *call) isBroken() bool { return c.mediaOut.isSet() || c.sound.Load().line.Closed() }

// lossWord is why the audio has ended: alone, or together with the link.
func (c *call) lossWord() engine.Reason {
	if c.link.troubled() {
		return engine.ReasonSwitchLost
	}
	return engine.ReasonMediaLost
}

// finish writes the results on the channel and gives it back to the dialplan,
// or ends it. Where that fails the media channel's hangup handler, which is
// still armed, will send the caller on. The end of ctx does not hinder it: we
// may be leaving.
func (c *call) finish(ctx context.Context, o engine.Outcome) {
	ctx = context.WithoutCancel(ctx)
	var reported error
	switch {
	case c.willReturn():
		o.Hangup = false
	case c.goesBack(o):
		c.settleUp(ctx)
		c.unguard(ctx) // it passes the line by that would do so
		c.adopted.gather()
	default:
		c.settleUp(ctx)
		reported = c.report(ctx, o)
	}
	if isAway(reported) {
		return
	}
	released := c.release(ctx, o)
	if released == nil {
		c.awaitEnd()
	}
	if c.adopted != nil && released != nil && !isAway(released) {
		c.adopted.stuck.Store(&released)
	}
	if err := errors.Join(reported, released); err != nil && !isAway(err) {
		c.log.Log(ctx, c.link.gravity(), "asterisk: call not given back as it should be", "error", err)
	}
}

// report writes the results, all that the switch takes.
func (c *call) report(ctx context.Context, o engine.Outcome) error {
	ctx, cancel := context.WithTimeout(ctx, giveBack)
	defer cancel()
	var refused error
	for _, v := range o.Variables() {
		err := c.link.client.SetVariable(ctx, c.channel, channelVariable(v.Name), v.Value)
		if _, answered := errors.AsType[*ari.Error](err); err != nil && (isAway(err) || !answered) {
			return err
		}
		refused = errors.Join(refused, err)
	}
	return refused
}

func (c *call) release(ctx context.Context, o engine.Outcome) error {
	ctx, cancel := context.WithTimeout(ctx, giveBack)
	defer cancel()
	next := ari.Place{}
	switch {
	case c.goesBack(o):
		next = c.adopted.next(true)
	case o.Hangup:
		return c.link.client.Hangup(ctx, c.channel, reasonFor(o.Cause))
	case c.adopted != nil:
		next = c.adopted.next(false)
	}
	return c.link.client.Continue(ctx, c.channel, next)
}

// goesBack says whether a call that was taken over is to go into its own
// conference again: we are leaving, could not serve it, or not all could come.
func (c *call) goesBack(o engine.Outcome) bool {
	return c.adopted != nil && (c.link.retreat.Load() || c.adopted.recalled.isSet() || o.Member == 0 || o.Exit == engine.ExitLost)
}

// isAway says whether a request failed because its channel has hung up or is
// elsewhere in the dialplan.
func isAway(err error) bool {
	return errors.Is(err, ari.ErrNotFound) || errors.Is(err, ari.ErrConflict)
}

// awaitEnd waits until the caller has left the application.
func (c *call) awaitEnd() {
	limit := time.NewTimer(leaveTime)
	defer limit.Stop()
	select {
	case <-c.left.done:
	case <-limit.C:
	}
}

// cleanUp removes what was made for this call. The handler of a caller who has
// left goes first: he may be in the application again, as another call.
func (c *call) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBack)
	defer cancel()
	if c.left.isSet() && !c.mediaOut.isSet() {
		c.link.disarm(ctx, c.mediaID)
	}
	c.hangUp()
	for _, err := range []error{
		c.link.client.Hangup(ctx, c.mediaID, ""), c.link.client.DestroyBridge(ctx, c.bridgeID),
	} {
		if err != nil && !errors.Is(err, ari.ErrNotFound) {
			c.log.Debug("asterisk: not removed", "error", err)
		}
	}
}
