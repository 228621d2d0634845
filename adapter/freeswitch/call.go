package freeswitch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl"
)

var (
	errBridge = errors.New("freeswitch: the bridge to our SIP endpoint ended before audio came")
	errLeft   = errors.New("freeswitch: the call is over, or elsewhere")
)

// place is where a call is, as seen from its socket.
type place int

const (
	here  place = iota // in the dialplan's socket line
	moved              // the switch has transferred it; this socket is still attached
	away               // hung up, or the socket has ended
)

// call is one channel of the switch while its dialplan waits for us.
type call struct {
	adapter  *Adapter
	session  *esl.Session
	log      *slog.Logger
	released chan engine.Outcome // capacity 1
	done     chan struct{}       // closed at the end
	original map[string]string   // of the variables that are borrowed
	peer     string              // UUID that the switch gives its leg to us
	bridge   string              // Application-UUID of the bridge; "": it does not run
	place    place
}

func newCall(a *Adapter, s *esl.Session) *call {
	return &call{
		adapter: a, session: s, log: a.opt.Log.With("call", s.UUID()),
		released: make(chan engine.Outcome, 1), done: make(chan struct{}),
		original: map[string]string{}, peer: "parley-" + strings.ToLower(rand.Text()),
	}
}

// leg is the call as the engine drives it.
type leg struct {
	Media    // its ID is the channel's UUID
	released chan<- engine.Outcome
}

// Release implements engine.Leg.
func (l *leg) Release(o engine.Outcome) { l.released <- o }

// borrowed are the channel variables that we need otherwise than the dialplan
// may have them; they are put back at the end. socket_resume makes the dialplan
// go on at once if this process dies. The resume command would do the same, but
// for good: it would break a call that the switch transferred away meanwhile.
func borrowed() map[string]string {
	return map[string]string{
		"socket_resume": "true", "hangup_after_bridge": "false", "park_after_bridge": "false", "continue_on_fail": "true",
	}
}

// prepare subscribes, and makes sure that the caller's dialplan goes on
// whatever becomes of us. Results of an earlier room are removed. earlier is
// the same channel's stay in a socket line that it was transferred from: what
// we see of it may be what was borrowed then.
func (c *call) prepare(ctx context.Context, earlier *call) error {
	s := c.session
	if err := s.Linger(ctx, lingering); err != nil {
		return err
	}
	if err := s.MyEvents(ctx); err != nil {
		return err
	}
	vars := borrowed()
	for name, ours := range vars {
		c.original[name] = s.Var(name)
		if earlier != nil && c.original[name] == ours {
			c.original[name] = earlier.original[name]
		}
	}
	for _, v := range (engine.Outcome{}).Variables() {
		vars["parley_"+v.Name] = ""
	}
	return s.SetVars(ctx, vars)
}

// fetchMedia has the switch bridge the call to us, and waits for its audio.
func (c *call) fetchMedia(ctx context.Context) (Media, error) {
	ticket := c.adapter.opt.Ticket(engine.LegID(c.session.UUID()))
	defer ticket.Drop()
	profile := c.session.Var("sofia_profile_name")
	if profile == "" {
		profile = "internal"
	}
	if !esl.Literal(profile) {
		return nil, fmt.Errorf("freeswitch: profile %.40q", profile)
	}
	id, err := c.session.Start(ctx, "bridge",
		"{origination_uuid="+c.peer+","+c.codecs()+"}"+c.adapter.dial(profile, ticket.Token()))
	if err != nil {
		return nil, err
	}
	c.bridge = id
	wait, cancel := context.WithTimeout(ctx, c.adapter.opt.Token)
	defer cancel()
	early := make(chan error, 1)
	go func() { early <- c.watch(wait, cancel) }()
	voice, err := ticket.Wait(wait)
	cancel()
	if why := <-early; why != nil {
		if err == nil {
			voice.HangUp()
		}
		return nil, why
	}
	return voice, err
}

// codecs says what to offer us: without it the switch offers the caller's own
// codec alone, which we may not have. Wideband callers come as they are heard.
func (c *call) codecs() string {
	if rate, err := strconv.Atoi(c.session.Header("Channel-Read-Codec-Rate")); err == nil && rate >= 16000 {
		return "absolute_codec_string='L16@16000h@20i'"
	}
	return "absolute_codec_string='PCMU,PCMA'"
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
		case e := <-c.session.Events():
			ended := c.follow(wait, e)
			if c.place != here {
				return errLeft
			}
			if !ended {
				continue
			}
			how := e.Var("originate_disposition")
			why = fmt.Errorf("%w: %s", errBridge, how)
			if how != "" && how != "SUCCESS" && how != "ORIGINATOR_CANCEL" {
				return why
			}
			verdict = time.After(bridgeEnd)
		}
	}
}

// follow takes an event, nil when there will be none any more: it keeps track
// of where the call is, and says whether its bridge has just ended. A call that
// was transferred gets its variables back at once: it has no use for ours.
func (c *call) follow(ctx context.Context, e *esl.Event) (bridgeEnded bool) {
	switch {
	case e == nil, e.Name() == "CHANNEL_HANGUP":
		c.place = away
	case e.Name() != "CHANNEL_EXECUTE_COMPLETE":
	case e.Value("Application") == "socket" && c.place == here:
		c.place = moved
		c.set(ctx, c.original)
	case e.Value("Application-UUID") == c.bridge:
		c.bridge = ""
		return true
	}
	return false
}

// fail gives a call back that never had audio.
func (c *call) fail(ctx context.Context, err error) {
	if c.place != here {
		c.log.Info("freeswitch: the call left before its audio came")
		return
	}
	c.log.Warn("freeswitch: no audio came; the call goes on in its dialplan", "error", err)
	c.giveBack(ctx, engine.Outcome{Result: engine.ResultFailed, Reason: engine.ReasonMediaLost})
}

// serve brings the call to its room and stays until it is given back.
func (c *call) serve(ctx context.Context, voice Media) {
	sink := c.adapter.opt.Exchange.Arrive(&leg{voice, c.released}, c.invite())
	voice.Attach(sink)
	sink.Post(engine.MediaUp{Leg: voice.ID()})
	lose := func(why engine.Reason) { sink.Post(engine.LegGone{Leg: voice.ID(), Reason: why}) }
	media, events, ending := voice.Done(), c.session.Events(), ctx.Done()
	var verdict <-chan time.Time // after the end of the audio: why?
	for {
		select {
		case o := <-c.released:
			voice.HangUp()
			c.giveBack(ctx, o)
			return
		case <-media:
			media, verdict = nil, time.After(bridgeEnd)
		case e := <-events:
			was := c.place
			if c.follow(ctx, e) {
				verdict = time.After(bridgeEnd)
			}
			switch {
			case e == nil:
				if events = nil; was == here {
					lose(engine.ReasonSwitchLost)
				}
			case c.place == moved && was == here:
				lose(engine.ReasonTransferred)
			case c.place != was:
				lose(engine.ReasonHangup)
			}
		case <-verdict: // the call has not left, its audio has
			lose(engine.ReasonMediaLost)
		case <-ending:
			ending = nil
			lose(engine.ReasonSwitchLost)
		}
	}
}

// giveBack writes the results on the channel and lets the dialplan go on, or
// ends the call. By then the bridge is over, so that what comes next has the
// caller's audio. The end of ctx does not hinder it: we may be leaving.
func (c *call) giveBack(ctx context.Context, o engine.Outcome) {
	ctx = context.WithoutCancel(ctx)
	c.endBridge(ctx)
	if c.place != here {
		return
	}
	vars := maps.Clone(c.original)
	if c.bridge != "" {
		delete(vars, "socket_resume") // it still runs: only this gets the caller out of it
	}
	for _, v := range o.Variables() {
		vars["parley_"+v.Name] = v.Value
	}
	c.set(ctx, vars)
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	if o.Hangup {
		if err := c.session.Hangup(ctx, "NORMAL_CLEARING"); err != nil {
			c.log.Warn("freeswitch: call not ended", "error", err)
		}
		return
	}
	if err := c.session.Exit(ctx); err != nil {
		c.log.Warn("freeswitch: no goodbye from the switch", "error", err)
	}
}

// endBridge waits for the end of a bridge whose other side has hung up, and
// ends it where that is not so.
func (c *call) endBridge(ctx context.Context) {
	if c.waitBridge(ctx) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	if _, err := c.session.API(ctx, "uuid_kill", c.peer+" NORMAL_CLEARING"); err != nil {
		c.log.Warn("freeswitch: bridge not ended", "error", err)
		return
	}
	c.waitBridge(ctx)
}

// waitBridge returns true when nothing is left of the bridge, or of the call.
func (c *call) waitBridge(ctx context.Context) bool {
	limit := time.NewTimer(bridgeEnd)
	defer limit.Stop()
	for c.bridge != "" && c.place == here {
		select {
		case e := <-c.session.Events():
			c.follow(ctx, e)
		case <-limit.C:
			return false
		}
	}
	return true
}

// set sets variables of the channel. Values come from callers and dialplans;
// what the switch would not take as it stands is taken out.
func (c *call) set(ctx context.Context, vars map[string]string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer cancel()
	clean := map[string]string{}
	for name, value := range vars {
		clean[name] = literal(value)
	}
	if err := c.session.SetVars(ctx, clean); err != nil {
		c.log.Warn("freeswitch: variables not set", "error", err)
	}
}

// literal makes a text that the switch takes for itself: without line breaks,
// and without what begins an expansion.
func literal(text string) string {
	if esl.Literal(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '$':
			return -1
		case r < ' ':
			return ' '
		}
		return r
	}, text)
}

// invite reads what the dialplan asks for.
func (c *call) invite() engine.Invite {
	s := c.session
	in := engine.Invite{
		Kind: "freeswitch", Switch: s.Header("FreeSWITCH-Switchname"), Dialplan: true,
		Caller:    engine.Caller{Number: s.Header("Caller-Caller-ID-Number"), Name: s.Header("Caller-Caller-ID-Name")},
		Source:    s.Header("Caller-Network-Addr") + "/" + s.Header("Caller-Caller-ID-Number"),
		Variables: map[string]string{},
	}
	for name, value := range s.Vars() {
		if own, ok := strings.CutPrefix(name, "parley_"); ok {
			in.Variables[own] = value
		}
	}
	if in.Room = in.Variables["room"]; in.Room == "" {
		c.log.Info("call " + s.UUID() + ": parley_room not set; the caller is asked for it")
	}
	return in
}
