package freeswitch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"parley/engine"
	"parley/esl"
)

var errBridge = errors.New("freeswitch: the bridge to our SIP endpoint ended before audio came")

// call is one channel of the switch while its dialplan waits for us.
type call struct {
	adapter  *Adapter
	session  *esl.Session
	released chan engine.Outcome // capacity 1
	bridge   string              // Application-UUID of the bridge
	left     bool                // the channel is not ours any more
	log      *slog.Logger
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
// whatever becomes of us. Results of an earlier room are removed.
func (c *call) prepare(ctx context.Context) error {
	s := c.session
	if err := s.Linger(ctx, lingering); err != nil {
		return err
	}
	if err := s.MyEvents(ctx); err != nil {
		return err
	}
	vars := borrowed()
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
	id, err := c.session.Start(ctx, "bridge", c.codecs()+c.adapter.dial(profile, ticket.Token()))
	if err != nil {
		return nil, err
	}
	c.bridge = id
	wait, cancel := context.WithTimeout(ctx, c.adapter.opt.Token)
	defer cancel()
	stop := make(chan error, 1)
	go func() { stop <- c.bridgeEnds(wait, cancel) }()
	voice, err := ticket.Wait(wait)
	cancel()
	if early := <-stop; err != nil && early != nil {
		return nil, early
	}
	return voice, err
}

// codecs says what to offer us: without it the switch offers the caller's own
// codec alone, which we may not have. Wideband callers come as they are heard.
func (c *call) codecs() string {
	if rate, err := strconv.Atoi(c.session.Header("Channel-Read-Codec-Rate")); err == nil && rate >= 16000 {
		return "{absolute_codec_string='L16@16000h@20i'}"
	}
	return "{absolute_codec_string='PCMU,PCMA'}"
}

// bridgeEnds reads events until wait is over; what ends the bridge ends the
// wait.
func (c *call) bridgeEnds(wait context.Context, cancel context.CancelFunc) error {
	defer cancel()
	for {
		select {
		case <-wait.Done():
			return nil
		case <-c.session.Done():
			return c.session.Err()
		case e := <-c.session.Events():
			switch {
			case e == nil || c.leaves(e):
				c.left = true
				return esl.ErrHungUp
			case c.isBridgeEnd(e):
				return fmt.Errorf("%w: %s", errBridge, e.Var("originate_disposition"))
			}
		}
	}
}

// fail gives a call back that never had audio.
func (c *call) fail(ctx context.Context, err error) {
	c.log.Warn("freeswitch: no audio came; the call goes on in its dialplan", "error", err)
	c.finish(ctx, engine.Outcome{Result: engine.ResultFailed, Reason: engine.ReasonMediaLost})
}

// serve brings the call to its room and stays until it is given back.
func (c *call) serve(ctx context.Context, voice Media) {
	defer voice.HangUp()
	sink := c.adapter.opt.Exchange.Arrive(&leg{voice, c.released}, c.invite())
	voice.Attach(sink)
	sink.Post(engine.MediaUp{Leg: voice.ID()})
	gone := func(why engine.Reason) { sink.Post(engine.LegGone{Leg: voice.ID(), Reason: why}) }
	media, events, stop := voice.Done(), c.session.Events(), ctx.Done()
	for {
		select {
		case o := <-c.released:
			if !c.left {
				voice.HangUp()
				c.bridgeOver(events)
				c.finish(ctx, o)
			}
			return
		case <-media:
			media = nil
			gone(engine.ReasonHangup)
		case e, ok := <-events:
			switch {
			case !ok && c.left:
				events = nil
			case !ok:
				events, c.left = nil, true
				gone(engine.ReasonSwitchLost)
			case c.leaves(e):
				c.left = true
				gone(engine.ReasonHangup)
			}
		case <-stop:
			stop = nil
			gone(engine.ReasonSwitchLost)
		}
	}
}

// leaves says whether an event takes the call away from us: it has hung up, or
// the switch has sent it elsewhere.
func (c *call) leaves(e *esl.Event) bool {
	return e.Name() == "CHANNEL_HANGUP" ||
		e.Name() == "CHANNEL_EXECUTE_COMPLETE" && e.Value("Application") == "socket"
}

// bridgeOver waits until the switch has ended the bridge, so that what comes
// next in the dialplan has the caller's audio.
func (c *call) bridgeOver(events <-chan *esl.Event) {
	limit := time.NewTimer(bridgeEnd)
	defer limit.Stop()
	for {
		select {
		case e, ok := <-events:
			if !ok || c.isBridgeEnd(e) {
				return
			}
			c.left = c.left || c.leaves(e)
		case <-limit.C:
			return
		}
	}
}

func (c *call) isBridgeEnd(e *esl.Event) bool {
	return e.Name() == "CHANNEL_EXECUTE_COMPLETE" && e.Value("Application-UUID") == c.bridge
}

// finish writes the results on the channel and lets the dialplan go on, or
// ends the call.
func (c *call) finish(ctx context.Context, o engine.Outcome) {
	if c.left {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer cancel()
	vars := map[string]string{}
	for name := range borrowed() {
		vars[name] = c.session.Var(name)
	}
	for _, v := range o.Variables() {
		vars["parley_"+v.Name] = strings.ReplaceAll(v.Value, "${", "$ {")
	}
	if err := c.session.SetVars(ctx, vars); err != nil {
		c.log.Warn("freeswitch: results not set", "error", err)
	}
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
	in.Room = in.Variables["room"]
	return in
}
