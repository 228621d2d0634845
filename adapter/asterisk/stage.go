package asterisk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"parley/ari"
	"parley/engine"
	"parley/internal/tasks"
)

// Times that the switch has for moving a channel between bridges.
const (
	admitTime = 5 * time.Second
	outTime   = 2 * time.Second // then a member who is to leave is hung up

	// strayTime is how long a member may be in no bridge before he is held to
	// have been taken out: a call that hangs up leaves its bridge first.
	strayTime = 300 * time.Millisecond

	// pause is how long a member stays aside after a prompt: often there is
	// another one.
	pause = 60 * time.Millisecond
)

// talkDetect is the argument of TALK_DETECT(set): ms of silence that end a
// talker's turn, and the loudness that counts as talking.
const talkDetect = "600,256"

// stage is where a call stands at the switch: with its media channel, from
// where we hear it and it hears us, or in the bridge of a room. What is not
// said to be otherwise belongs to the call's goroutine.
type stage struct {
	sink  engine.Sink
	tasks *tasks.Queue
	away  atomic.Bool // its place is the switch; set by its goroutine
	where spot

	heading string      // the bridge that it was last sent to
	inside  string      // the room's bridge that it was last seen in
	prompt  engine.OpID // what is played to it alone while it is away; 0: nothing
	aside   int         // how many plays of the room it must not hear
	member  *member     // nil: of no room at the switch
	deafIn  bool        // the switch was told to drop what it says
	deafOut bool        // likewise what it would hear
}

func newStage() stage { return stage{tasks: tasks.New(), where: spot{changed: make(chan struct{})}} }

// member is a call's membership in a room at the switch.
type member struct {
	bridge  *Bridge
	call    *call
	id      engine.MemberID
	state   engine.MemberState
	asked   engine.MemberState // with what the switch cannot do
	talking atomic.Bool
}

// spot is the bridge that has a channel, as the switch reports it.
type spot struct {
	mu      sync.Mutex
	bridge  string        // guarded by mu; "": none
	changed chan struct{} // guarded by mu: closed by the next change
}

func (s *spot) set(bridge string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bridge = bridge
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *spot) look() (bridge string, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bridge, s.changed
}

// mislaid takes the switch's word for where a call is.
func (c *call) mislaid(bridge string) {
	c.where.set(bridge)
	c.tasks.Put(c.astray)
}

// seen follows a channel into a bridge.
func (l *Link) seen(channel, bridge string) {
	if c := l.call(channel); c != nil {
		c.where.set(bridge)
	}
}

// unseen follows a channel out of a bridge.
func (l *Link) unseen(channel, bridge string) {
	c := l.call(channel)
	if c == nil {
		return
	}
	if at, _ := c.where.look(); at == bridge {
		c.where.set("")
		time.AfterFunc(strayTime, func() { c.tasks.Put(c.astray) })
	}
}

func (l *Link) talks(channel string, on bool) {
	if c := l.call(channel); c != nil {
		c.tasks.Put(func() {
			if m := c.member; m != nil && m.talking.Swap(on) != on {
				m.bridge.post(engine.Talking{Member: m.id, On: on})
				m.bridge.floorAfter(m)
			}
		})
	}
}

// inMix says whether the call has to be in the room's bridge: not while it is
// with us, waits, neither hears nor is heard, or hears something for it alone.
func (s *stage) inMix() bool {
	m := s.member
	return m != nil && s.away.Load() && s.prompt == 0 && s.aside == 0 &&
		!m.state.Waiting && (!m.state.Muted || !m.state.Deaf)
}

// settle brings the call to where it has to be, and is done when the switch
// has reported it there.
func (c *call) settle(limit time.Duration) error {
	if c.left.isSet() {
		return errLeft
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	goal, muted, deaf := c.bridgeID, false, false
	if c.inMix() {
		muted, deaf = c.member.state.Muted || c.held.Load(), c.member.state.Deaf
		var err error
		if goal, err = c.member.bridge.made(ctx); err != nil {
			return err
		}
	}
	if err := c.silence(ctx, muted && !c.deafIn, deaf && !c.deafOut, true); err != nil {
		return err
	}
	if err := c.bring(ctx, goal); err != nil {
		return err
	}
	if goal != c.bridgeID {
		c.inside = goal
	}
	return c.silence(ctx, !muted && c.deafIn, !deaf && c.deafOut, false)
}

// bring moves the channel to a bridge. The switch takes it out of the one that
// it is in; keys that it presses there are not heard by the others.
func (c *call) bring(ctx context.Context, goal string) error {
	at, changed := c.where.look()
	if at == goal {
		return nil
	}
	if c.heading != goal {
		if err := c.link.client.Transfer(ctx, goal, c.channel); err != nil {
			return err
		}
		c.heading = goal
	}
	for at != goal {
		select {
		case <-changed:
			at, changed = c.where.look()
		case <-c.left.done:
			return errLeft
		case <-ctx.Done():
			c.heading = ""
			return fmt.Errorf("asterisk: the channel did not come into its bridge: %w", ctx.Err())
		}
	}
	return nil
}

// silence has the switch drop, or let through, what the call says or hears.
func (c *call) silence(ctx context.Context, in, out, on bool) error {
	order := c.link.client.Unmute
	if on {
		order = c.link.client.Mute
	}
	if in {
		if err := order(ctx, c.channel, ari.DirectionIn); err != nil {
			return err
		}
		c.deafIn = on
	}
	if out {
		if err := order(ctx, c.channel, ari.DirectionOut); err != nil {
			return err
		}
		c.deafOut = on
	}
	return nil
}

// follow makes what the switch does fit a hold: a phone that holds may go on
// sending, and that is its music.
func (c *call) follow() {
	if c.member != nil {
		c.warn("hold not followed", c.settle(outTime))
	}
}

// astray looks whether somebody at the switch took the call out of where it has
// to be. Who is in no bridge any more has been taken out of the room.
func (c *call) astray() {
	at, _ := c.where.look()
	if c.left.isSet() || at != "" && at == c.heading {
		return
	}
	c.heading = ""
	m := c.member
	if c.inMix() && at == "" && !m.bridge.renewed(c) {
		c.quit()
		m.bridge.post(engine.Left{Member: m.id, Reason: engine.ReasonKicked})
	}
	c.warn("not brought back to where it has to be", c.settle(admitTime))
}

// quit ends the membership here.
func (c *call) quit() {
	m := c.member
	if m == nil {
		return
	}
	c.member = nil
	m.bridge.forget(m)
	c.detectTalk("TALK_DETECT(remove)", "")
}

// detectTalk switches the reports of who talks on or off. It is a part of
// Asterisk that may be missing.
func (c *call) detectTalk(function, value string) {
	if c.left.isSet() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), outTime)
	defer cancel()
	if err := c.link.client.SetVariable(ctx, c.channel, function, value); err != nil && !isAway(err) {
		c.log.Debug("asterisk: talk detection not changed", "error", err)
	}
}

// join takes the call into a room.
func (c *call) join(m *member, op engine.OpID) {
	c.member = m
	if err := c.settle(admitTime); err != nil {
		c.warn("not brought into the room", err)
		c.quit()
		_ = c.settle(outTime)
		m.bridge.post(engine.AdmitFailed{Op: op, Member: m.id, Reason: engine.ReasonMediaLost})
		return
	}
	m.bridge.post(engine.Joined{Op: op, Member: m.id})
	if m.state != m.asked {
		m.bridge.post(engine.Applied{Op: op, Member: m.id, State: m.state, Err: errNoGain})
	}
	c.detectTalk("TALK_DETECT(set)", talkDetect)
}

// change makes the member's state the asked one, as far as the switch does it.
func (c *call) change(b *Bridge, op engine.OpID, id engine.MemberID, to engine.MemberState) {
	m := c.member
	if m == nil || m.bridge != b || m.id != id {
		b.post(engine.Left{Op: op, Member: id})
		return
	}
	was := m.state
	m.state = b.possible(to)
	var refused error
	if m.state != to && (to.Talk != m.asked.Talk || to.Listen != m.asked.Listen) {
		refused = errNoGain
	}
	m.asked = to
	if err := c.settle(outTime); err != nil {
		m.state = was
		c.warn("member not changed", err)
		refused = fmt.Errorf("%w: %w", engine.ErrCannot, err)
	}
	b.post(engine.Applied{Op: op, Member: id, State: m.state, Err: refused})
}

const noGain = "a bridge of Asterisk has no gain per member, that of mixer: native has"

// errNoGain answers who asks for a gain here.
var errNoGain = fmt.Errorf("%w: %s", engine.ErrCannot, noGain)

// Limits implements engine.Limited.
func (b *Bridge) Limits() []engine.Limit {
	return []engine.Limit{
		{Settings: []string{"talk_gain_db", "listen_gain_db"}, Why: noGain},
		{Settings: []string{"mode", "gate", "agc", "comfort_noise"}, Why: "a bridge of Asterisk mixes what members say as it comes, mixer: native treats it"},
		{Settings: []string{"conference_profile"}, Why: "it is for the conference of a FreeSWITCH"},
	}
}

// leave takes the call out of a room, if need be by ending it.
func (c *call) leave(b *Bridge, op engine.OpID, id engine.MemberID) {
	if m := c.member; m != nil && m.bridge == b && m.id == id {
		c.quit()
		if err := c.settle(outTime); err != nil && !isAway(err) && !errors.Is(err, errLeft) {
			c.evict(err)
		}
	}
	b.post(engine.Left{Op: op, Member: id})
}

// evict ends a call that the switch does not let go out of a room.
func (c *call) evict(why error) {
	c.log.Warn("asterisk: no confirmation in 2 s that the member left; ending the call", "error", why)
	ctx, cancel := context.WithTimeout(context.Background(), outTime)
	defer cancel()
	c.warn("call not ended", c.link.client.Hangup(ctx, c.channel, "normal"))
}

// warn tells what the switch has not done, unless the caller is gone anyway.
func (c *call) warn(what string, err error) {
	if err != nil && !errors.Is(err, errLeft) && !isAway(err) {
		c.log.Log(context.Background(), c.link.gravity(), "asterisk: "+what, "error", err)
	}
}
