package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl"
	"parley/esl/conference"
)

// moveTime is how long a call's audio may take to come to us from a conference.
const moveTime = 5 * time.Second

// fetch is audio on its way to us.
type fetch struct {
	op     engine.OpID
	began  time.Time
	cancel context.CancelFunc
	over   chan struct{} // closed when nobody waits for the ticket any more
	voice  Media         // what came, connected or not; read after over
	failed error         // what the switch said of it
}

// parting is audio on its way from us to the switch.
type parting struct{ op engine.OpID }

// dialUs is the bridge application's argument: our SIP endpoint, with a token
// that is good once and says which call it is; the caller's own name may be one
// that makes no SIP header. Without codecs the switch would offer the caller's own
// alone, which we may not have.
func (c *call) dialUs(token string) (string, error) {
	if !esl.Literal(c.profile) {
		return "", fmt.Errorf("freeswitch: profile %.40q", c.profile)
	}
	return "{origination_uuid=" + c.peer + ",origination_caller_id_name=parley,origination_caller_id_number=parley," +
		"absolute_codec_string='" + c.codecs + "'}" + c.adapter.dial(c.profile, token), nil
}

// offered are the codecs of a call whose caller has one of that many samples a
// second. Wideband callers come as they are heard.
func offered(rate string) string {
	if n, err := strconv.Atoi(rate); err == nil && n >= 16000 {
		return "L16@16000h@20i"
	}
	return "PCMU,PCMA"
}

// fetchMedia has the switch bridge a new call to us, and waits for its audio.
func (c *call) fetchMedia(ctx context.Context) error {
	ticket := c.adapter.opt.Ticket(c.id())
	defer ticket.Drop()
	if err := c.bridgeToUs(ctx, ticket); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, c.adapter.opt.Token)
	defer cancel()
	early, connected := make(chan error, 1), c.connected
	go func() { early <- c.watch(wait, cancel) }()
	voice, err := claim(wait, ticket, connected)
	cancel()
	if why := <-early; why != nil && !ourRefusal(err) {
		err = why
	}
	if err == nil {
		c.has(voice)
	} else if voice != nil {
		voice.HangUp()
	}
	return err
}

// ourRefusal says whether an error is why our SIP endpoint has refused a call;
// the switch only knows that it has.
func ourRefusal(err error) bool {
	_, is := errors.AsType[*engine.RefusalError](err)
	return is
}

// claim waits until the call with the ticket has come, and the switch has
// connected it with the caller: an answer is no audio yet, the switch may find
// no port for its own end of it. What came is returned in any case.
func claim(ctx context.Context, t Ticket, connected <-chan struct{}) (voice Media, err error) {
	if voice, err = t.Wait(ctx); err != nil {
		return nil, err
	}
	select {
	case <-connected:
		return voice, nil
	case <-ctx.Done():
		return voice, errSilence
	}
}

// bridged follows the switch's word that the call is connected with its leg to
// us.
func (c *call) bridged(e *esl.Event) {
	if c.connected != nil && e.Value("Bridge-B-Unique-ID") == c.peer {
		close(c.connected)
		c.connected = nil
	}
}

func (c *call) bridgeToUs(ctx context.Context, t Ticket) error {
	arg, err := c.dialUs(t.Token())
	if err != nil {
		return err
	}
	c.connected = make(chan struct{})
	id, err := c.control.Start(ctx, "bridge", arg)
	if !errors.As(err, new(*esl.ReplyError)) {
		c.bridge = id // whatever else kept the answer from us, the switch may have begun it
	}
	return err
}

// has notes that the audio is with us.
func (c *call) has(voice Media) {
	c.media = voice
	c.voice.Store(voice.Voice())
	if c.sink != nil {
		voice.Attach(c.sink)
	}
}

// watch reads events until wait is over; what ends the bridge or the call ends
// the wait. A bridge also ends when the call is transferred, which is told next.
func (c *call) watch(wait context.Context, cancel context.CancelFunc) (why error) {
	defer cancel()
	var verdict <-chan time.Time
	for {
		select {
		case <-wait.Done():
			return why
		case <-verdict:
			return why
		case e := <-c.control.Events():
			ended := c.follow(wait, e)
			if c.place != here {
				return errLeft
			}
			if !ended {
				continue
			}
			how := e.Var("originate_disposition")
			why = fmt.Errorf("%w: %s", errBridge, how)
			if how == "NORMAL_TEMPORARY_FAILURE" { // our 503
				why = errBusy
			}
			if how != "" && how != "SUCCESS" && how != "ORIGINATOR_CANCEL" {
				return why
			}
			verdict = time.After(bridgeEnd)
		}
	}
}

// stands asks the switch whether the bridge stands, where it has not told us:
// the word may be lost.
func (c *call) stands() bool {
	with, err := c.api("uuid_getvar", c.uuid+" bridge_uuid")
	return err == nil && c.bridge != "" && with == c.peer
}

// toUs brings the audio of a call that is at the switch to us. One that is in a
// conference is out of its mix from then on.
func (c *call) toUs(op engine.OpID) {
	if c.media != nil || c.fetch != nil {
		c.moved(op, nil)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), moveTime)
	c.hush()
	began := time.Now()
	ticket := c.adapter.opt.Ticket(c.id())
	if err := c.bridgeToUs(ctx, ticket); err != nil {
		cancel()
		ticket.Drop()
		if c.unknown(err) {
			return
		}
		c.moved(op, err)
		return
	}
	f := &fetch{op: op, began: began, cancel: cancel, over: make(chan struct{})}
	c.fetch = f
	connected := c.connected
	go func() {
		voice, err := claim(ctx, ticket, connected)
		ticket.Drop()
		f.voice = voice
		close(f.over)
		c.tasks.Put(func() { c.fetched(f, err) })
	}()
}

// unknown says whether an order failed because the switch has not got the call
// any more: it was hung up, and the word of that is on its way. Such a call
// leaves; it has not failed to move.
func (c *call) unknown(err error) bool {
	refused, ok := errors.AsType[*esl.ReplyError](err)
	if !ok || !strings.HasPrefix(refused.Text, "-ERR invalid session id") || c.place != here {
		return false
	}
	c.place = away
	c.tell(here, false)
	return true
}

// fetched follows the end of a fetch.
func (c *call) fetched(f *fetch, err error) {
	f.cancel()
	if c.fetch != f {
		return // given up: see drop
	}
	c.fetch = nil
	if err != nil && f.failed != nil && !ourRefusal(err) {
		err = f.failed
	}
	if errors.Is(err, errSilence) && c.stands() {
		err = nil
	}
	switch {
	case err != nil:
		if f.voice != nil {
			f.voice.HangUp()
		}
		_, _ = c.api("uuid_kill", c.peer+" NORMAL_CLEARING") // often it does not exist
	case c.bridge == "":
		f.voice.HangUp()
		err = errBridge
	default:
		c.has(f.voice)
		c.gap.Store(int64(max(1, time.Since(f.began)))) // 0 is none
		time.AfterFunc(lastFrames, func() { c.tasks.Put(c.listening) })
	}
	c.moved(f.op, err)
}

// lastFrames is how long the conference may still take what a member says when
// he is out of its mix; seen: 40 ms.
const lastFrames = 150 * time.Millisecond

// listening opens the ears of the switch for a call that its conference has
// muted: a muted member's leg is silent at the source. Who hears him is now our
// affair.
func (c *call) listening() {
	if in := c.inside.Load(); in != nil && in.state.Muted && c.media != nil && c.place == here {
		if err := c.silence(in, false); errors.Is(err, conference.ErrNoMember) {
			c.missing()
		} // else it is logged, and the next look tries again
	}
}

// silence mutes a call in its conference, or the reverse.
func (c *call) silence(in *inside, on bool) error {
	causes, order := conference.Unmuted, conference.Unmute
	if on {
		causes, order = conference.Muted, conference.Mute
	}
	err := c.echoes.order(causes, func() error { return c.confer(order(in.conference, in.member, true)) })
	c.warn(err)
	if err != nil {
		return err
	}
	now := *in
	now.state.Muted = on
	c.inside.Store(&now)
	return nil
}

// toSwitch gives the audio back to the switch. In a conference the call is
// muted until its bridge there says otherwise.
func (c *call) toSwitch(op engine.OpID) {
	if c.media == nil {
		c.moved(op, nil)
		return
	}
	if in := c.inside.Load(); in != nil {
		switch err := c.silence(in, true); {
		case errors.Is(err, conference.ErrNoMember): // he leaves; he has not failed to move
			c.missing()
			return
		case err != nil: // he would be heard there, whatever he may do
			c.moved(op, err)
			return
		}
	}
	p := &parting{op}
	c.parting = p
	voice := c.media
	c.media = nil
	c.voice.Store(nil)
	voice.HangUp()
	c.arrived()
	time.AfterFunc(bridgeEnd, func() { c.tasks.Put(func() { c.insist(p) }) })
}

// insist ends a bridge that has not ended by itself. When nobody says that it
// has, we have hung up all the same: the audio is not with us.
func (c *call) insist(p *parting) {
	if c.parting != p {
		return
	}
	over := func() {
		if c.parting == p {
			c.bridge = ""
			c.arrived()
		}
	}
	if _, err := c.api("uuid_kill", c.peer+" NORMAL_CLEARING"); err != nil {
		over()
		return
	}
	time.AfterFunc(bridgeEnd, func() { c.tasks.Put(over) })
}

// arrived settles a move to the switch once the bridge to us is over.
func (c *call) arrived() {
	if p := c.parting; p != nil && c.bridge == "" {
		c.parting = nil
		c.moved(p.op, nil)
	}
}

func (c *call) moved(op engine.OpID, err error) {
	c.sink.Post(engine.Moved{Leg: c.id(), Op: op, Err: err})
}

// drop gives up a fetch: what came of it is ended.
func (c *call) drop() {
	f := c.fetch
	if f == nil {
		return
	}
	c.fetch = nil
	f.cancel()
	<-f.over
	if f.voice != nil {
		f.voice.HangUp()
	}
}

// hungUp is closed when the call that brings us the audio is over; nil while
// there is none.
func (c *call) hungUp() <-chan struct{} {
	if c.media == nil {
		return nil
	}
	return c.media.Done()
}

// homeless notes that the audio has ended without our doing.
func (c *call) homeless() {
	c.media = nil
}

// lost says whether a call that ought to be with us is not, and is not on its
// way either.
func (c *call) lost() bool {
	return c.voice.Load() != nil && (c.media == nil || c.bridge == "")
}
